"""Reads what a sprint's report and summary are made of."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from commands.framework.planning import Planning
from commands.messages.report import ClosedSnapshot, ReportData
from sprints.burndown import burndown_of
from sprints.facts import Facts, facts_of
from sprints.flow import flows_of
from sprints.late import credited
from sprints.milestone import Sprint
from sprints.numbering import Number
from sprints.plain import Values, footnotes, plain
from sprints.report import burndown_at_end, report_of
from sprints.thanks import thanks_of
from sprints.velocity import Outcome
from sprints.waits import waits_of
from storage.closed_sprints import ClosedSprint
from storage.sprints import SprintNumbers

# The setting that keeps what was done late and credited, by GitHub's id of the milestone.
LATE = "late"


async def sheet_of(planning: Planning, sprint: Sprint) -> ReportData:
    """A sprint's report: from the numbers that were taken of it, if its present end has been taken."""
    now, is_over = planning.now, sprint.has_ended(planning.now)
    closed = await planning.sprints.closed(sprint.milestone, now) if is_over else None
    is_taken = closed is not None and closed.ended_at == sprint.end
    facts = await fold(planning, sprint, now)
    values = closed.facts if closed and is_taken else await _values(planning, sprint, facts)
    credit = planning.project.settings.late_credits.get(sprint.milestone)
    numbers = await planning.sprints.numbers(now)
    report = report_of(values, is_over=is_over)
    return ReportData(
        sprint=sprint,
        report=report,
        as_of=now,
        outcomes=_until(sprint, report.unit, outcomes_of(planning, numbers)),
        crossed=crossed_of(numbers, sprint, now),
        verdict=planning.project.settings.goal_verdicts.get(sprint.milestone),
        credit=credit,
        snapshot=ClosedSnapshot(closed.revision, closed.taken_at) if closed and is_taken else None,
        footnotes=footnotes(closed.facts, facts) if closed and is_taken else (),
        burndown=burndown_at_end(values, sprint) if is_over else burndown_of(facts),
    )


async def with_people(planning: Planning, sheet: ReportData) -> ReportData:
    """The same with where work waited and whom it is owed to."""
    sprint = sheet.sprint
    until = min(sprint.end, planning.now) if sprint.end else planning.now
    events = await planning.history.items()
    labels = await planning.history.labels()
    flows = flows_of(events, until, planning.project.rules, labels)
    reviews = await planning.history.activity("review", sprint.start, until)
    done = frozenset(sheet.report.done.numbers)
    return replace(
        sheet,
        waits=waits_of(sheet.report, sprint.start, until, flows),
        thanks=thanks_of(done, sprint.start, until, flows, events, reviews),
    )


async def fold(planning: Planning, sprint: Sprint, as_of: datetime) -> Facts:
    """A sprint's numbers from its events before a moment, in the frame that is known of it now."""
    items = await planning.history.items_of(sprint.milestone)
    labels, gaps = await planning.history.labels(), await planning.gaps()
    return facts_of(sprint, items, as_of, planning.project.rules.estimates, labels, gaps)


def outcomes_of(planning: Planning, numbers: Iterable[SprintNumbers]) -> list[Outcome]:
    """What each sprint that has ended came to, the oldest end first, with what the team credits."""
    found = [outcome for one in numbers if (outcome := one.outcome(planning.now))]
    ordered = sorted(found, key=lambda outcome: outcome.order)
    return credited(ordered, planning.project.settings.late_credits)


def crossed_of(numbers: Iterable[SprintNumbers], sprint: Sprint, now: datetime) -> dict[Number, int]:
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
        return plain(facts)
    at_end = plain(await fold(planning, sprint, sprint.end))
    # What was done late is known only afterwards.
    return at_end | {"late": plain(facts)["late"]}


def _until(sprint: Sprint, unit: str, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Those of the sprints that had ended by then. Its own speaks the report's unit, as its snapshot will:
    what was moved on since may be all that was not estimated.
    """
    known = [one for one in outcomes if sprint.end is None or one.order <= (sprint.end, sprint.milestone)]
    return [replace(one, unit=unit) if one.milestone == sprint.milestone else one for one in known]
