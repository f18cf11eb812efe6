"""Reads what a sprint's report and summary are made of."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from commands.framework.context import Context
from commands.messages.report import ClosedSnapshot, Sheet
from commands.shared.goals import verdicts
from sprints.burndown import build_burndown
from sprints.facts import Facts, compute_facts
from sprints.flow import build_flows
from sprints.late import apply_credits, parse_credits
from sprints.milestone import Sprint
from sprints.numbering import Number
from sprints.plain import Values, convert_facts, list_footnotes
from sprints.report import build_final_burndown, build_report
from sprints.thanks import list_contributors
from sprints.velocity import SprintOutcome
from sprints.waits import list_waits
from storage.closed import ClosedSprint
from storage.sprints import Numbers

# The setting that keeps what was done late and credited, by GitHub's id of the milestone.
LATE = "late"


async def sheet_of(context: Context, sprint: Sprint) -> Sheet:
    """A sprint's report: from the numbers that were taken of it, if its present end has been taken."""
    now, is_over = context.now, sprint.has_ended(context.now)
    closed = await context.sprints.closed(sprint.milestone, now) if is_over else None
    is_taken = closed is not None and closed.ended_at == sprint.end
    facts = await fold(context, sprint, now)
    values = closed.facts if closed and is_taken else await _values(context, sprint, facts)
    credit = parse_credits(context.project.settings.get(LATE)).get(sprint.milestone)
    numbers = await context.sprints.numbers(now)
    report = build_report(values, is_over=is_over)
    return Sheet(
        sprint=sprint,
        report=report,
        as_of=now,
        outcomes=_until(sprint, report.unit, outcomes_of(context, numbers)),
        crossed=crossed_of(numbers, sprint, now),
        verdict=verdicts(context.project.settings).get(str(sprint.milestone)),
        credit=credit,
        taken=ClosedSnapshot(closed.revision, closed.taken_at) if closed and is_taken else None,
        footnotes=list_footnotes(closed.facts, facts) if closed and is_taken else (),
        burndown=build_final_burndown(values, sprint) if is_over else build_burndown(facts),
    )


async def with_people(context: Context, sheet: Sheet) -> Sheet:
    """The same with where work waited and whom it is owed to."""
    sprint = sheet.sprint
    until = min(sprint.end, context.now) if sprint.end else context.now
    events = await context.history.items()
    labels = await context.history.labels()
    flows = build_flows(events, until, context.project.rules, labels)
    reviews = await context.history.activity("review", sprint.start, until)
    done = frozenset(sheet.report.done.numbers)
    return replace(
        sheet,
        waits=list_waits(sheet.report, sprint.start, until, flows),
        thanks=list_contributors(done, sprint.start, until, flows, events, reviews),
    )


async def fold(context: Context, sprint: Sprint, as_of: datetime) -> Facts:
    """A sprint's numbers from its events before a moment, in the frame that is known of it now."""
    items = await context.history.items_of(sprint.milestone)
    labels, gaps = await context.history.labels(), await context.gaps()
    return compute_facts(sprint, items, as_of, context.project.rules.estimates, labels, gaps)


def outcomes_of(context: Context, numbers: Iterable[Numbers]) -> list[SprintOutcome]:
    """What each sprint that has ended came to, the oldest end first, with what the team credits."""
    found = [outcome for one in numbers if (outcome := one.outcome(context.now))]
    ordered = sorted(found, key=lambda outcome: outcome.order)
    return apply_credits(ordered, parse_credits(context.project.settings.get(LATE)))


def crossed_of(numbers: Iterable[Numbers], sprint: Sprint, now: datetime) -> dict[Number, int]:
    """By number, how many sprints' ends an item has crossed by this sprint's end, this one included."""
    crossed = Counter[Number]()
    for one in numbers:
        outcome = one.outcome(now)
        if outcome is None or outcome.is_abandoned:
            continue
        if sprint.end is None or outcome.order <= (sprint.end, sprint.milestone):
            crossed.update(_carried(one.known))
    return dict(crossed)


def _carried(known: Facts | ClosedSprint) -> set[Number]:
    if isinstance(known, ClosedSprint):
        carried: Mapping[str, Any] = known.facts["carried"]
        return set(carried["items"])
    return {item.number for item in known.carried}


async def _values(context: Context, sprint: Sprint, facts: Facts) -> Values:
    """The plain values of a sprint so far, or as its snapshot will have them."""
    if sprint.end is None or not sprint.has_ended(context.now):
        return convert_facts(facts)
    at_end = convert_facts(await fold(context, sprint, sprint.end))
    # What was done late is known only afterwards.
    return at_end | {"late": convert_facts(facts)["late"]}


def _until(sprint: Sprint, unit: str, outcomes: Iterable[SprintOutcome]) -> list[SprintOutcome]:
    """Those of the sprints that had ended by then. Its own speaks the report's unit, as its snapshot will:
    what was moved on since may be all that was not estimated.
    """
    known = [one for one in outcomes if sprint.end is None or one.order <= (sprint.end, sprint.milestone)]
    return [replace(one, unit=unit) if one.milestone == sprint.milestone else one for one in known]
