"""A repository's sprints and their numbers, folded from its history."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from sprints.facts import Facts, compute_facts
from sprints.forecast_inputs import MOST_OWN
from sprints.gaps import EventGap
from sprints.milestone import GRACE_AFTER_END, Sprint, derive_sprint
from sprints.model import MilestoneEvent
from sprints.outlook import SprintRecord
from sprints.plain import convert_facts, parse_days
from sprints.rules import Rules
from sprints.shared import renumber_values
from sprints.velocity import SprintOutcome, compute_outcome, parse_outcome
from storage.closed import ClosedSprint, ClosedSprints, is_settled
from storage.database import Tenant
from storage.gaps import Gaps
from storage.history import History
from storage.projects import Project

# A forecast learns from the last thirty; some of those that ended were abandoned.
_MOST_RECORDS = MOST_OWN + 10


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is known of a sprint: the numbers that were taken at its present end, or else the fold."""

    sprint: Sprint
    known: Facts | ClosedSprint

    def outcome(self, now: datetime) -> SprintOutcome | None:
        """What it came to. None until its end."""
        end = self.sprint.end
        if end is None or end > now:
            return None
        if isinstance(self.known, ClosedSprint):
            return parse_outcome(self.sprint, self.known.facts)
        # Its numbers stand still from its end on, so nobody has to wait until its milestone is closed.
        return compute_outcome(replace(self.known, as_of=end + GRACE_AFTER_END))

    def record(self, now: datetime) -> SprintRecord | None:
        """What a forecast learns from it. None until its end."""
        outcome = self.outcome(now)
        if outcome is None:
            return None
        if isinstance(self.known, ClosedSprint):
            return SprintRecord(self.sprint, parse_days(self.known.facts, self.sprint.calendar), outcome)
        return SprintRecord(self.sprint, self.known.days, outcome)


@dataclass(slots=True)
class Readable:
    """The sprints of a repository, and by milestone the kind of error of those that cannot be read."""

    sprints: list[Sprint] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)


class Sprints:
    """The sprints of one repository, and those that it shares, by its team's rules."""

    def __init__(self, tenant: Tenant, project: Project, rules: Rules | None = None) -> None:
        """`rules` are others than those that its settings say."""
        self._tenant = tenant
        self._project = project
        self._history = History(tenant, project)
        self._project_ids = {project.id, *(one.id for one in project.sharing)}
        self._closed = ClosedSprints(tenant, self._project_ids)
        self._gaps: tuple[EventGap, ...] | None = None
        self._rules = rules or project.rules
        self._log = structlog.get_logger(__name__)

    async def all(self, as_of: datetime) -> Sequence[Sprint]:
        """Every milestone as a sprint, as it was known at a moment. Those of one shared sprint are one."""
        return (await self.readable(as_of)).sprints

    async def readable(self, as_of: datetime) -> "Readable":
        """Every milestone that can be read as a sprint, and what is wrong with the others.

        One that cannot be read stops only itself.
        """
        milestones = await self._history.milestones()
        if self._project.sharing:  # Asked for here, so that below nothing but the rows can be wrong.
            await self._history.sharing()
        readable = Readable()
        for milestone, events in milestones.items():
            try:
                readable.sprints.append(await self._sprint(events, as_of))
            except Exception as problem:  # noqa: BLE001 - whatever is wrong, it is wrong with this one
                self._log.exception("milestone unreadable", project=self._project.id, milestone=milestone)
                readable.problems[milestone] = type(problem).__name__
        return readable

    async def numbers(self, now: datetime) -> list[Numbers]:
        """Those of every sprint. What was taken is not folded again."""
        return await self._numbers(await self.all(now), now)

    async def outcomes(self, now: datetime) -> list[SprintOutcome]:
        """What each sprint that has ended came to, the oldest end first."""
        # Of the others nothing has come yet, and folding one that runs takes long if it is large.
        ended = [sprint for sprint in await self.all(now) if sprint.end and sprint.end <= now]
        numbers = await self._numbers(ended, now)
        outcomes = [outcome for sprint in numbers if (outcome := sprint.outcome(now))]
        return sorted(outcomes, key=lambda outcome: outcome.order)

    async def records(self, now: datetime) -> list[SprintRecord]:
        """The last of these with their days, as many as a forecast learns from."""
        ended = [(sprint.end, sprint.milestone, sprint) for sprint in await self.all(now) if sprint.end]
        last = sorted((one for one in ended if one[0] <= now), key=lambda one: one[:2])[-_MOST_RECORDS:]
        numbers = await self._numbers([sprint for _, _, sprint in last], now)
        return [record for one in numbers if (record := one.record(now))]

    async def facts(self, milestone: int, as_of: datetime) -> Facts | None:
        """The numbers of the sprint with GitHub's id `milestone`, or None if we never heard of it."""
        events = await self._history.milestone(milestone)
        return await self._fold(await self._sprint(events, as_of), as_of) if events else None

    async def closed(self, milestone: int, now: datetime) -> ClosedSprint | None:
        """The numbers of a finished sprint as they were taken, and are taken now if nobody has yet.

        What is read for the first time when it is settled is what stays. None before, and while history is
        still coming in.
        """
        events = await self._history.milestone(milestone)
        sprint = await self._sprint(events, now) if events else None
        if sprint is not None and sprint.repository:
            return self._as_seen(
                sprint, await Sprints(self._tenant, self._project.leader).closed(milestone, now)
            )
        last = await self._closed.latest(milestone)
        if sprint is None or sprint.end is None or not is_settled(sprint, now):
            return last
        if last is not None and last.ended_at == sprint.end:
            return last
        if await self._closed.is_history_still_coming():
            return last
        at_end = convert_facts(await self._fold(sprint, sprint.end))
        # What was done late is known only afterwards.
        await self._closed.take(
            sprint, at_end | {"late": convert_facts(await self._fold(sprint, now))["late"]}, now
        )
        return await self._closed.latest(milestone)

    async def gaps(self) -> tuple[EventGap, ...]:
        """When GitHub's events did not reach us, of any of the repositories; asked for once."""
        if self._gaps is None:
            self._gaps = await Gaps(self._tenant).of_projects(self._project_ids)
        return self._gaps

    async def milestone_id(self, number: int) -> int | None:
        """GitHub's id of the sprint of this repository's milestone with a number."""
        return await self._history.milestone_id(number)

    async def _numbers(self, sprints: Sequence[Sprint], now: datetime) -> list[Numbers]:
        taken = await self._closed.latest_of({sprint.milestone for sprint in sprints})
        found = list[Numbers]()
        for sprint in sprints:
            closed = self._as_seen(sprint, taken.get(sprint.milestone))
            # One that goes on after its end is open again: its numbers will be taken again.
            if closed is not None and closed.ended_at == sprint.end:
                found.append(Numbers(sprint, closed))
            elif facts := await self._fold_alone(sprint, now):
                found.append(Numbers(sprint, facts))
        return found

    async def _fold_alone(self, sprint: Sprint, as_of: datetime) -> Facts | None:
        """The numbers of one sprint among many; None, and a line in the log, if its rows cannot be folded."""
        items = await self._history.items_of(sprint.milestone)
        labels, gaps = await self._history.labels(), await self.gaps()
        try:
            return compute_facts(sprint, items, as_of, self._rules.estimates, labels, gaps)
        except Exception:  # noqa: BLE001 - whatever is wrong with one sprint, the others have their numbers
            self._log.exception("sprint unreadable", project=self._project.id, sprint=sprint.number)
            return None

    async def _fold(self, sprint: Sprint, as_of: datetime) -> Facts:
        items = await self._history.items_of(sprint.milestone)
        labels, gaps = await self._history.labels(), await self.gaps()
        return compute_facts(sprint, items, as_of, self._rules.estimates, labels, gaps)

    async def _sprint(self, events: Sequence[MilestoneEvent], as_of: datetime) -> Sprint:
        sprint = derive_sprint(events, as_of, self._rules.calendar)
        if not self._project.sharing:
            return sprint
        sharing = await self._history.sharing()
        is_elsewhere = self._project.is_led and sprint.milestone in sharing.leading
        repository = (self._project.leader.full_name or "") if is_elsewhere else ""
        return replace(sprint, repository=repository, parts=sharing.parts.get(sprint.milestone, ()))

    def _as_seen(self, sprint: Sprint, closed: ClosedSprint | None) -> ClosedSprint | None:
        """Numbers that were taken in another repository call its items by that one's name."""
        if closed is None or not sprint.repository:
            return closed
        here = self._project.full_name or ""
        return replace(closed, facts=renumber_values(closed.facts, sprint.repository, here))
