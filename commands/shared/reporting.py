"""Reads what a sprint's report and summary are made of."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from commands.framework.planning import Planning
from commands.messages.report import ClosedSnapshot, ReportData
from sprints.burndown import build_burndown
from sprints.facts import Facts, compute_facts
from sprints.flow import build_flows
from sprints.late import apply_credits
from sprints.milestone import Sprint
from sprints.numbering import Number
from sprints.plain import Values, convert_facts, list_footnotes
from sprints.report import build_final_burndown, build_report
from sprints.thanks import list_contributors
from sprints.velocity import SprintOutcome
from sprints.waits import list_waits
from storage.closed_sprints import ClosedSprint
from storage.sprints import SprintNumbers

# The setting that keeps what was done late and credited, by GitHub's id of the milestone.
LATE = "late"


async def read_report(planning: Planning, sprint: Sprint) -> ReportData:
    """A sprint's report: from the numbers that were taken of it, if its present end has been taken."""
    now, is_over = planning.now, sprint.has_ended(planning.now)
    closed = await planning.sprints.closed(sprint.milestone, now) if is_over else None
    is_taken = closed is not None and closed.ended_at == sprint.end
    facts = await read_facts(planning, sprint, now)
    values = closed.facts if closed and is_taken else await _values(planning, sprint, facts)
    credit = planning.project.settings.late_credits.get(sprint.milestone)
    numbers = await planning.sprints.numbers(now)
    report = build_report(values, is_over=is_over)
    return ReportData(
        sprint=sprint,
        report=report,
        as_of=now,
        outcomes=_until(sprint, report.unit, list_outcomes(planning, numbers)),
        crossed=count_sprint_crossings(numbers, sprint, now),
        verdict=planning.project.settings.goal_verdicts.get(sprint.milestone),
        credit=credit,
        taken=ClosedSnapshot(closed.revision, closed.taken_at) if closed and is_taken else None,
        footnotes=list_footnotes(closed.facts, facts) if closed and is_taken else (),
        burndown=build_final_burndown(values, sprint) if is_over else build_burndown(facts),
    )


async def add_people(planning: Planning, sheet: ReportData) -> ReportData:
    """The same with where work waited and whom it is owed to."""
    sprint = sheet.sprint
    until = min(sprint.end, planning.now) if sprint.end else planning.now
    events = await planning.history.items()
    labels = await planning.history.labels()
    flows = build_flows(events, until, planning.project.rules, labels)
    reviews = await planning.history.activity("review", sprint.start, until)
    done = frozenset(sheet.report.done.numbers)
    return replace(
        sheet,
        waits=list_waits(sheet.report, sprint.start, until, flows),
        thanks=list_contributors(done, sprint.start, until, flows, events, reviews),
    )


async def read_facts(planning: Planning, sprint: Sprint, as_of: datetime) -> Facts:
    """A sprint's numbers from its events before a moment, in the frame that is known of it now."""
    items = await planning.history.items_of(sprint.milestone)
    labels, gaps = await planning.history.labels(), await planning.read_gaps()
    return compute_facts(sprint, items, as_of, planning.project.rules.estimates, labels, gaps)


def list_outcomes(planning: Planning, numbers: Iterable[SprintNumbers]) -> list[SprintOutcome]:
    """What each sprint that has ended came to, the oldest end first, with what the team credits."""
    found = [outcome for one in numbers if (outcome := one.outcome(planning.now))]
    ordered = sorted(found, key=lambda outcome: outcome.order)
    return apply_credits(ordered, planning.project.settings.late_credits)


def count_sprint_crossings(
    numbers: Iterable[SprintNumbers], sprint: Sprint, now: datetime
) -> dict[Number, int]:
    """By number, how many sprints' ends an item has crossed by this sprint's end, this one included."""
    crossed = Counter[Number]()
    for one in numbers:
        outcome = one.outcome(now)
        if outcome is None or outcome.is_abandoned:
            continue
        if sprint.end is None or outcome.order <= (sprint.end, sprint.milestone):
            crossed.update(_carried(one.numbers))
    return dict(crossed)


def _carried(known: Facts | ClosedSprint) -> set[Number]:
    if isinstance(known, ClosedSprint):
        carried: Mapping[str, Any] = known.facts["carried"]
        return set(carried["items"])
    return {item.number for item in known.carried}


async def _values(planning: Planning, sprint: Sprint, facts: Facts) -> Values:
    """The plain values of a sprint so far, or as its snapshot will have them."""
    if sprint.end is None or not sprint.has_ended(planning.now):
        return convert_facts(facts)
    at_end = convert_facts(await read_facts(planning, sprint, sprint.end))
    # What was done late is known only afterwards.
    return at_end | {"late": convert_facts(facts)["late"]}


def _until(sprint: Sprint, unit: str, outcomes: Iterable[SprintOutcome]) -> list[SprintOutcome]:
    """Those of the sprints that had ended by then. Its own speaks the report's unit, as its snapshot will:
    what was moved on since may be all that was not estimated.
    """
    known = [one for one in outcomes if sprint.end is None or one.order <= (sprint.end, sprint.milestone)]
    return [replace(one, unit=unit) if one.milestone == sprint.milestone else one for one in known]
