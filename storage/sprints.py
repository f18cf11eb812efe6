"""A repository's sprints and their numbers, folded from the timeline."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sprints.facts import Facts, facts_of
from sprints.milestone import GRACE_AFTER_END, Sprint, sprint_of
from sprints.plain import plain
from sprints.rules import Rules
from sprints.velocity import Outcome, outcome_as_taken, outcome_of
from storage.closed import Closed, ClosedSprints, is_settled
from storage.database import Tenant
from storage.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is known of a sprint: the numbers that were taken at its present end, or else the fold."""

    sprint: Sprint
    known: Facts | Closed

    def outcome(self, now: datetime) -> Outcome | None:
        """What it came to. None until its end."""
        end = self.sprint.end
        if end is None or end > now:
            return None
        if isinstance(self.known, Closed):
            return outcome_as_taken(self.sprint, self.known.facts)
        # Its numbers stand still from its end on, so nobody has to wait until its milestone is closed.
        return outcome_of(replace(self.known, as_of=end + GRACE_AFTER_END))


class Sprints:
    """The sprints of one repository by its team's rules."""

    def __init__(self, tenant: Tenant, project_id: int, rules: Rules) -> None:
        self._timeline = Timeline(tenant)
        self._closed = ClosedSprints(tenant, project_id)
        self._project_id = project_id
        self._rules = rules

    async def all(self, as_of: datetime) -> Sequence[Sprint]:
        """Every milestone as a sprint, as it was known at a moment."""
        milestones = await self._timeline.milestones(self._project_id)
        return [sprint_of(events, as_of, self._rules.calendar) for events in milestones.values()]

    async def numbers(self, now: datetime) -> list[Numbers]:
        """Those of every sprint. What was taken is not folded again."""
        taken, found = await self._closed.all_latest(), list[Numbers]()
        for sprint in await self.all(now):
            closed = taken.get(sprint.milestone)
            # One that goes on after its end is open again: its numbers will be taken again.
            is_final = closed is not None and closed.ended_at == sprint.end
            found.append(Numbers(sprint, closed if closed and is_final else await self._fold(sprint, now)))
        return found

    async def outcomes(self, now: datetime) -> list[Outcome]:
        """What each sprint that has ended came to, the oldest end first."""
        found = [outcome for one in await self.numbers(now) if (outcome := one.outcome(now))]
        return sorted(found, key=lambda outcome: (outcome.end, outcome.milestone))

    async def facts(self, milestone: int, as_of: datetime) -> Facts | None:
        """The numbers of the sprint with GitHub's id `milestone`, or None if we never heard of it."""
        events = await self._timeline.milestone(self._project_id, milestone)
        if not events:
            return None
        return await self._fold(sprint_of(events, as_of, self._rules.calendar), as_of)

    async def closed(self, milestone: int, now: datetime) -> Closed | None:
        """The numbers of a finished sprint as they were taken, and are taken now if nobody has yet.

        What is read for the first time when it is settled is what stays. None before, and while history is
        still coming in.
        """
        events = await self._timeline.milestone(self._project_id, milestone)
        sprint = sprint_of(events, now, self._rules.calendar) if events else None
        last = await self._closed.latest(milestone)
        if sprint is None or sprint.end is None or not is_settled(sprint, now):
            return last
        if last is not None and last.ended_at == sprint.end:
            return last
        if await self._closed.is_history_still_coming():
            return last
        at_end = plain(await self._fold(sprint, sprint.end))
        # What was done late is known only afterwards.
        await self._closed.take(sprint, at_end | {"late": plain(await self._fold(sprint, now))["late"]}, now)
        return await self._closed.latest(milestone)

    async def milestone_id(self, number: int) -> int | None:
        """GitHub's id of the milestone with this number."""
        return await self._timeline.milestone_id(self._project_id, number)

    async def _fold(self, sprint: Sprint, as_of: datetime) -> Facts:
        items = await self._timeline.items_of(self._project_id, sprint.milestone)
        labels = await self._timeline.labels(self._project_id)
        return facts_of(sprint, items, as_of, self._rules.estimates, labels)
