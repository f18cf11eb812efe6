"""Data of a sprint's report and summary."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from commands.framework.planning import Planning
from commands.messages.report import ClosedSnapshot, ReportData
from commands.messages.undo import frozen_before_footnote, undone_footnote
from commands.shared.undoing import list_undone
from sprints.burndown import build_burndown
from sprints.facts import Facts
from sprints.late import apply_credits
from sprints.milestone import Sprint
from sprints.numbering import Number
from sprints.plain import Values, convert_facts, list_footnotes
from sprints.report import build_final_burndown, build_report
from sprints.thanks import list_contributors
from sprints.velocity import MOST_SPRINTS, SprintOutcome
from sprints.waits import list_waits
from storage.closed_sprints import ClosedSprint
from storage.sprints import SprintNumbers, compute_facts_aside

# The key of the setting with late work that is credited to a sprint, by GitHub's id of the milestone.
LATE = "late"


async def read_report(planning: Planning, sprint: Sprint) -> ReportData:
    """Read a sprint's report: from the snapshot taken at its present end, else from its events."""
    now, is_over = planning.now, sprint.has_ended(planning.now)
    closed = await planning.sprints.closed(sprint.milestone, now)
    is_final = closed is not None and closed.ended_at == sprint.end
    facts = await read_facts(planning, sprint, now)
    values = closed.facts if closed and is_final else await _build_values(planning, sprint, facts)
    credit = planning.project.settings.late_credits.get(sprint.milestone)
    report = build_report(values, is_over=is_over)
    return ReportData(
        sprint=sprint,
        report=report,
        as_of=now,
        outcomes=await _read_outcomes_until(planning, sprint, report.unit),
        crossed=await read_crossings(planning, sprint),
        verdict=planning.project.settings.goal_verdicts.get(sprint.milestone),
        credit=credit,
        snapshot=ClosedSnapshot(closed.revision, closed.taken_at) if closed and is_final else None,
        footnotes=await _list_footnotes(planning, facts, closed, is_final=is_final) if closed else (),
        burndown=build_final_burndown(values, sprint) if is_over else build_burndown(facts),
    )


async def _list_footnotes(
    planning: Planning, facts: Facts, closed: ClosedSprint, *, is_final: bool
) -> list[str]:
    """List what became known after a snapshot, and what was undone since."""
    undone = [
        undone_footnote(entry.change, entry.items, planning.calendar)
        for entry in await list_undone(planning, facts.sprint)
        if entry.change.undone_at > closed.taken_at
    ]
    if is_final:
        return [*undone, *list_footnotes(closed.facts, facts)]
    if not undone:
        return []
    # The sprint was opened again, and runs on.
    return [*undone, frozen_before_footnote(closed.facts, planning.calendar.local(closed.taken_at))]


async def add_people(planning: Planning, report: ReportData) -> ReportData:
    """Add the longest waits and the contributors to a report."""
    sprint = report.sprint
    until = min(sprint.end, planning.now) if sprint.end else planning.now
    facts = await read_facts(planning, sprint, until)
    flows = await planning.flows.closing({item.item for item in facts.items}, until)
    reviews = await planning.history.activity("review", sprint.start, until)
    done = frozenset(report.report.done.numbers)
    return replace(
        report,
        waits=list_waits(report.report, sprint.start, until, flows),
        thanks=list_contributors(done, sprint.start, until, flows, reviews),
    )


async def read_facts(planning: Planning, sprint: Sprint, as_of: datetime) -> Facts:
    """Compute a sprint's facts from its events before a moment, with its present dates."""
    items = await planning.history.items_of(sprint.milestone)
    labels, gaps = await planning.history.labels(), await planning.read_gaps()
    estimates = planning.project.rules.estimates
    return await compute_facts_aside(sprint, items, as_of, estimates, labels, gaps)


async def read_outcomes(
    planning: Planning, most: int = MOST_SPRINTS, until: Sprint | None = None
) -> list[SprintOutcome]:
    """The outcomes of the last sprints that have ended, with credited late work; see Sprints.outcomes."""
    outcomes = await planning.sprints.outcomes(planning.now, most, until)
    return apply_credits(outcomes, planning.project.settings.late_credits)


async def read_crossings(planning: Planning, sprint: Sprint) -> dict[Number, int]:
    """Count, by item of a sprint, the ends of sprints that it has crossed up to this sprint's end."""
    items = await planning.history.items_of(sprint.milestone)
    milestones = {
        milestone
        for events in items.values()
        for event in events
        for milestone in (event.milestone, event.snapshot.milestone)
        if milestone is not None
    }
    numbers = await planning.sprints.numbers_of(milestones, planning.now)
    return count_sprint_crossings(numbers, sprint, planning.now)


def count_sprint_crossings(
    numbers: Iterable[SprintNumbers], sprint: Sprint, now: datetime
) -> dict[Number, int]:
    """Count, by item, the ends of sprints that it has crossed, up to and including this sprint's end."""
    crossings = Counter[Number]()
    for other in numbers:
        outcome = other.outcome(now)
        if outcome is None or outcome.is_abandoned:
            continue
        if sprint.end is None or outcome.order <= (sprint.end, sprint.milestone):
            crossings.update(_list_carried(other.numbers))
    return dict(crossings)


def _list_carried(numbers: Facts | ClosedSprint) -> set[Number]:
    if isinstance(numbers, ClosedSprint):
        carried: Mapping[str, Any] = numbers.facts["carried"]
        return set(carried["items"])
    return {item.number for item in numbers.carried}


async def _build_values(planning: Planning, sprint: Sprint, facts: Facts) -> Values:
    """The plain values of a running sprint so far, or of an ended one in the form of its snapshot."""
    if sprint.end is None or not sprint.has_ended(planning.now):
        return convert_facts(facts)
    at_end = convert_facts(await read_facts(planning, sprint, sprint.end))
    # Late work is done after the end, so it is not in the facts as of the end.
    return at_end | {"late": convert_facts(facts)["late"]}


async def _read_outcomes_until(planning: Planning, sprint: Sprint, unit: str) -> list[SprintOutcome]:
    """The outcomes of the last sprints that had ended by a sprint's end, its own included.

    The sprint's own outcome gets the report's unit, as in its snapshot: all items without an estimate may
    have been moved on since, which would change the unit.
    """
    outcomes = await read_outcomes(planning, MOST_SPRINTS + 1, sprint)
    if all(outcome.milestone != sprint.milestone for outcome in outcomes):  # It was abandoned.
        own = await planning.sprints.numbers_of({sprint.milestone}, planning.now)
        own_outcomes = [outcome for numbers in own if (outcome := numbers.outcome(planning.now))]
        outcomes += apply_credits(own_outcomes, planning.project.settings.late_credits)
    return [
        replace(outcome, unit=unit) if outcome.milestone == sprint.milestone else outcome
        for outcome in outcomes
    ]
