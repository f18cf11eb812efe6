"""The sprints of a repository and their numbers, folded from its history."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError

from sprints.estimates import Estimates
from sprints.fact_folding import compute_facts
from sprints.facts import Facts
from sprints.forecast_inputs import MOST_OWN
from sprints.gaps import EventGap
from sprints.milestone import GRACE_AFTER_END, Sprint, derive_sprint
from sprints.model import ItemEvent, LabelEvent, MilestoneEvent
from sprints.outlook import SprintRecord
from sprints.plain import convert_facts, parse_days
from sprints.rules import Rules
from sprints.shared import renumber_values
from sprints.velocity import SprintOutcome, compute_outcome, has_run, parse_outcome
from storage.closed_sprints import ClosedSprint, ClosedSprints, is_snapshot_due
from storage.database import Tenant
from storage.gaps import Gaps
from storage.history import History
from storage.projects import Project

# A forecast uses the last MOST_OWN sprints; some more are loaded, because some were abandoned.
_MOST_RECORDS = MOST_OWN + 10
# A sprint with more events is folded in a thread.
_MOST_EVENTS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class SprintNumbers:
    """The numbers of a sprint: the snapshot of its present end, or else the facts folded from history."""

    sprint: Sprint
    numbers: Facts | ClosedSprint

    def outcome(self, now: datetime) -> SprintOutcome | None:
        """The outcome of the sprint; None until its end."""
        end = self.sprint.end
        if end is None or end > now:
            return None
        if isinstance(self.numbers, ClosedSprint):
            return parse_outcome(self.sprint, self.numbers.facts)
        # Numbers do not change after the end, so the outcome need not wait for the milestone to be closed.
        return compute_outcome(replace(self.numbers, as_of=end + GRACE_AFTER_END))

    def record(self, now: datetime) -> SprintRecord | None:
        """The record of the sprint for forecasts; None until its end."""
        outcome = self.outcome(now)
        if outcome is None:
            return None
        if isinstance(self.numbers, ClosedSprint):
            return SprintRecord(self.sprint, parse_days(self.numbers.facts, self.sprint.calendar), outcome)
        return SprintRecord(self.sprint, self.numbers.days, outcome)


@dataclass(slots=True)
class LoadedSprints:
    """The sprints of a repository, and the kind of error, by milestone, of unreadable ones."""

    sprints: list[Sprint] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)


async def compute_facts_aside(
    sprint: Sprint,
    items: Mapping[str, Sequence[ItemEvent]],
    as_of: datetime,
    estimates: Estimates,
    labels: Sequence[LabelEvent],
    gaps: Sequence[EventGap],
) -> Facts:
    """Compute the facts of a sprint; of a large one in a thread, so that it does not hold the event loop."""
    arguments = (sprint, items, as_of, estimates, labels, gaps)
    if sum(map(len, items.values())) <= _MOST_EVENTS_AT_ONCE:
        return compute_facts(*arguments)
    return await asyncio.to_thread(compute_facts, *arguments)


def select_ended(sprints: Iterable[Sprint], now: datetime, until: Sprint | None = None) -> list[Sprint]:
    """Select the sprints that ended by a moment and were not abandoned, the oldest end first.

    With `until`, that sprint is the last one; it is left out, too, if it was abandoned.
    """
    ended = [(sprint.end, sprint.milestone, sprint) for sprint in sprints if sprint.end and has_run(sprint)]
    ended = [row for row in ended if row[0] <= now]
    if until is not None and until.end is not None:
        ended = [row for row in ended if row[:2] <= (until.end, until.milestone)]
    return [sprint for _, _, sprint in sorted(ended, key=lambda row: row[:2])]


class Sprints:
    """The sprints of one repository, shared ones included, by its team's rules.

    Like a `History`, they are for one transaction that asks before it writes.
    """

    def __init__(
        self,
        tenant: Tenant,
        project: Project,
        rules: Rules | None = None,
        *,
        history: History | None = None,
    ) -> None:
        """`rules` replace the rules of the project's settings. A `history` that is read already is shared."""
        self._tenant = tenant
        self._project = project
        self._history = history or History(tenant, project)
        self._loaded: dict[datetime, LoadedSprints] = {}
        # Of the sprint that was folded last: its numbers and its snapshot are often asked for together.
        self._last_items: tuple[int, Mapping[str, Sequence[ItemEvent]]] | None = None
        self._last_facts: tuple[int, datetime, Facts] | None = None
        self._project_ids = {project.id, *(member.id for member in project.sharing)}
        self._closed = ClosedSprints(tenant, self._project_ids)
        self._gaps: tuple[EventGap, ...] | None = None
        self._rules = rules or project.rules
        self._log = structlog.get_logger(__name__)

    async def all(self, as_of: datetime) -> Sequence[Sprint]:
        """All readable sprints as of a moment. The milestones of a shared sprint form one."""
        return (await self.load(as_of)).sprints

    async def load(self, as_of: datetime) -> LoadedSprints:
        """Load all milestones as sprints as of a moment, with the errors of unreadable ones.

        An unreadable milestone does not affect the others.
        """
        if as_of not in self._loaded:
            self._loaded[as_of] = await self._load(as_of)
        return self._loaded[as_of]

    async def _load(self, as_of: datetime) -> LoadedSprints:
        milestones = await self._history.milestones()
        if (
            self._project.sharing
        ):  # Loaded here, so that in the loop only the rows can be the cause of an error.
            await self._history.sharing()
        loaded = LoadedSprints()
        for milestone, events in milestones.items():
            try:
                loaded.sprints.append(await self._sprint(events, as_of))
            except Exception as problem:  # noqa: BLE001 - any error concerns this milestone alone
                self._log.exception("milestone unreadable", project=self._project.id, milestone=milestone)
                loaded.problems[milestone] = type(problem).__name__
        return loaded

    async def numbers(self, now: datetime) -> list[SprintNumbers]:
        """The numbers of every sprint, from snapshots where there are any."""
        return await self._numbers(await self.all(now), now)

    async def numbers_of(self, milestones: Collection[int], now: datetime) -> list[SprintNumbers]:
        """The numbers of the sprints with GitHub's ids `milestones`."""
        wanted = [sprint for sprint in await self.all(now) if sprint.milestone in milestones]
        return await self._numbers(wanted, now)

    async def outcomes(self, now: datetime, most: int, until: Sprint | None = None) -> list[SprintOutcome]:
        """The outcomes of the last sprints that have ended, up to `most`, the oldest end first.

        Abandoned ones are left out. With `until`, that sprint is the last one.
        """
        last = select_ended(await self.all(now), now, until)[-most:]
        numbers = await self._numbers(last, now)
        outcomes = [outcome for sprint in numbers if (outcome := sprint.outcome(now))]
        return sorted(outcomes, key=lambda outcome: outcome.order)

    async def records(self, now: datetime) -> list[SprintRecord]:
        """The last sprints that have ended, with their days, as many as a forecast uses."""
        ended = [(sprint.end, sprint.milestone, sprint) for sprint in await self.all(now) if sprint.end]
        last = sorted((row for row in ended if row[0] <= now), key=lambda row: row[:2])[-_MOST_RECORDS:]
        numbers = await self._numbers([sprint for _, _, sprint in last], now)
        return [record for sprint_numbers in numbers if (record := sprint_numbers.record(now))]

    async def facts(self, milestone: int, as_of: datetime) -> Facts | None:
        """Fold the numbers of the sprint with GitHub's id `milestone`; None if it is unknown."""
        events = await self._history.milestone(milestone)
        return await self._fold(await self._sprint(events, as_of), as_of) if events else None

    async def closed(self, milestone: int, now: datetime) -> ClosedSprint | None:
        """Return the snapshot of a closed sprint; create it now if it is due and missing.

        Returns the last earlier snapshot, or None, before it is due and while history is still coming in.
        """
        events = await self._history.milestone(milestone)
        sprint = await self._sprint(events, now) if events else None
        if sprint is not None and sprint.repository:
            return self._as_seen(
                sprint, await Sprints(self._tenant, self._project.leader).closed(milestone, now)
            )
        last = await self._closed.latest(milestone)
        if sprint is None or sprint.end is None or not is_snapshot_due(sprint, now):
            return last
        if last is not None and last.ended_at == sprint.end:
            return last
        if await self._closed.is_history_still_coming():
            return last
        # Late work is known only after the end.
        late = convert_facts(await self._fold(sprint, now))["late"]
        at_end = convert_facts(await self._fold(sprint, sprint.end))
        await self._closed.take_snapshot(sprint, at_end | {"late": late}, now)
        return await self._closed.latest(milestone)

    async def gaps(self) -> tuple[EventGap, ...]:
        """The gaps in the events of any of the repositories; loaded once."""
        if self._gaps is None:
            self._gaps = await Gaps(self._tenant).of_projects(self._project_ids)
        return self._gaps

    async def milestone_id(self, number: int) -> int | None:
        """GitHub's id of the sprint of this repository's milestone with a number."""
        return await self._history.milestone_id(number)

    async def numbers_of_sprint(self, sprint: Sprint, now: datetime) -> SprintNumbers | None:
        """The numbers of one sprint; None if it cannot be read."""
        return next(iter(await self._numbers([sprint], now)), None)

    async def _numbers(self, sprints: Sequence[Sprint], now: datetime) -> list[SprintNumbers]:
        snapshots = await self._closed.latest_of({sprint.milestone for sprint in sprints})
        numbers = list[SprintNumbers]()
        for sprint in sprints:
            closed = self._as_seen(sprint, snapshots.get(sprint.milestone))
            # A sprint with another end than its snapshot was reopened, and gets another snapshot later.
            if closed is not None and closed.ended_at == sprint.end:
                numbers.append(SprintNumbers(sprint, closed))
            elif facts := await self._fold_alone(sprint, now):
                numbers.append(SprintNumbers(sprint, facts))
        return numbers

    async def _fold_alone(self, sprint: Sprint, as_of: datetime) -> Facts | None:
        """Fold the numbers of one sprint; None, and a log entry, if its rows cannot be folded."""
        # Read here, so that only the fold can be the cause of an error.
        await self._items_of(sprint.milestone)
        try:
            return await self._fold(sprint, as_of)
        except DBAPIError:
            raise
        except Exception:  # noqa: BLE001 - an error in one sprint must not affect the others
            self._log.exception("sprint unreadable", project=self._project.id, sprint=sprint.number)
            return None

    async def _fold(self, sprint: Sprint, as_of: datetime) -> Facts:
        last = self._last_facts
        if last is not None and last[:2] == (sprint.milestone, as_of) and last[2].sprint == sprint:
            return last[2]
        items = await self._items_of(sprint.milestone)
        labels, gaps = await self._history.labels(), await self.gaps()
        facts = await compute_facts_aside(sprint, items, as_of, self._rules.estimates, labels, gaps)
        self._last_facts = (sprint.milestone, as_of, facts)
        return facts

    async def _items_of(self, milestone: int) -> Mapping[str, Sequence[ItemEvent]]:
        if self._last_items is None or self._last_items[0] != milestone:
            self._last_items = (milestone, await self._history.items_of(milestone))
        return self._last_items[1]

    async def _sprint(self, events: Sequence[MilestoneEvent], as_of: datetime) -> Sprint:
        sprint = derive_sprint(events, as_of, self._rules.calendar)
        if not self._project.sharing:
            return sprint
        sharing = await self._history.sharing()
        is_elsewhere = self._project.is_led and sprint.milestone in sharing.leading
        repository = (self._project.leader.full_name or "") if is_elsewhere else ""
        return replace(sprint, repository=repository, parts=sharing.parts.get(sprint.milestone, ()))

    def _as_seen(self, sprint: Sprint, closed: ClosedSprint | None) -> ClosedSprint | None:
        """Translate the item numbers of a snapshot from another repository to this repository's view."""
        if closed is None or not sprint.repository:
            return closed
        own_name = self._project.full_name or ""
        return replace(closed, facts=renumber_values(closed.facts, sprint.repository, own_name))
