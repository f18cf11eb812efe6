"""`/explain`: what a number means, how it adds up, and which events it rests on."""

import difflib
import re
from collections.abc import Callable

from commands.formatting.wording import footer, moment, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages import explain_flow as flow
from commands.messages import explain_sprint as sprint
from commands.messages.charts import BY
from commands.messages.explain import Explanation, explanation_text
from commands.messages.explain_overview import RULES, explain_overview
from commands.messages.sprint_charts import sprint_footer
from commands.shared.choosing import facts_meant
from commands.shared.flow_window import LAST, window_of
from sprints.durations import done_within
from sprints.expectation import WINDOW_DAYS
from sprints.facts import Cause, Facts
from sprints.history import LabelBook, changes
from sprints.milestone import Sprint
from sprints.throughput import throughput
from sprints.velocity import CarryOver, carry_over, velocity

_BY_SPRINT: dict[str, Callable[[sprint.SprintEvidence], Explanation]] = {
    "committed": sprint.explain_committed,
    "added": lambda told: sprint.explain_cause(told, sprint.ADDED, Cause.ADDED),
    "removed": lambda told: sprint.explain_cause(told, sprint.REMOVED, Cause.REMOVED),
    "dropped": lambda told: sprint.explain_cause(told, sprint.DROPPED, Cause.DROPPED),
    "reestimated": lambda told: sprint.explain_cause(told, sprint.REESTIMATED, Cause.REESTIMATED),
    "scope": sprint.explain_scope,
    "done": sprint.explain_done,
    "remaining": sprint.explain_remaining,
    "say/do": sprint.explain_say_do,
}
_BY_FLOW: dict[str, Callable[[flow.FlowEvidence], Explanation]] = {
    "throughput": lambda told: flow.explain_throughput(
        told, throughput(told.flows, told.calendar, told.window.first, told.window.last)
    ),
    "cycle time": flow.explain_cycle_time,
    "lead time": flow.explain_lead_time,
    "wip": flow.explain_wip,
}
METRICS = tuple(RULES)


@command(
    "explain",
    summary="what a number means, how it adds up, and who did what when behind it",
    level=Level.READ,
    arguments=(
        Argument("metric", ArgumentKind.TEXTS, ", ".join(METRICS), is_positional=True),
        Argument("for", ArgumentKind.TEXT, "in the sprint with this title, or during its days"),
        LAST,
        BY,
    ),
    examples=(
        "/explain",
        "/explain added",
        "/explain cycle time last:8",
        '/explain carry-over for:"Sprint 24"',
    ),
)
async def explain(context: Context, arguments: Arguments) -> Reply:
    """Without a metric: what can be explained, and how the sprint's scope came about."""
    words = arguments.texts("metric")
    if not words:
        return await _overview(context, arguments)
    metric = _metric_meant(" ".join(words))
    if metric in _BY_FLOW:
        return await _flow_explained(context, arguments, metric)
    if metric == "velocity":
        return await _velocity_explained(context, arguments)
    facts = await facts_meant(context, arguments.text("for"))
    told = await _told(context, facts, arguments.text("by") or facts.unit)
    if metric == "carry-over":
        explanation = sprint.explain_carry_over(told, await _carry_over(context, facts))
    else:
        explanation = _BY_SPRINT[metric](told)
    return Reply((explanation_text(explanation, sprint_footer(facts)),), says_completeness=True)


def _metric_meant(said: str) -> str:
    """A metric by its name, however it is spelt. Raises UserError for what is none."""
    names = {_letters(name): name for name in METRICS}
    if found := names.get(_letters(said)):
        return found
    close = difflib.get_close_matches(_letters(said), names, n=1)
    guess = f" Did you mean `/explain {names[close[0]]}`?" if close else ""
    known = ", ".join(f"`{name}`" for name in METRICS)
    raise UserError(f"I cannot explain “{plain(said)}”.{guess} What I can explain: {known}.")


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


async def _overview(context: Context, arguments: Arguments) -> Reply:
    facts = await facts_meant(context, arguments.text("for"))
    return Reply((explain_overview(facts), sprint_footer(facts)), says_completeness=True)


async def _told(planning: Planning, facts: Facts, unit: str) -> sprint.SprintEvidence:
    """The facts with the histories that they are folded from."""
    milestone, estimates = facts.sprint.milestone, planning.project.rules.estimates
    items = await planning.history.items_of(milestone)
    book = LabelBook(await planning.history.labels())
    histories = {item: changes(told, milestone, estimates, book.of(told)) for item, told in items.items()}
    return sprint.SprintEvidence(facts, histories, unit)


async def _carry_over(planning: Planning, facts: Facts) -> CarryOver:
    """With the ends that each item has crossed, of those sprints that it ever was in."""
    if not facts.carried:
        return carry_over(facts)
    carried = {item.item for item in facts.carried}
    items = await planning.history.items_of(facts.sprint.milestone)
    been_in = {
        milestone
        for item, told in items.items()
        if item in carried
        for event in told
        for milestone in (event.milestone, event.snapshot.milestone)
    }
    boxes = list[tuple[Sprint, list[str]]]()
    for box in await planning.sprints.all(planning.now):
        if box.milestone in been_in and box.end and box.milestone != facts.sprint.milestone:
            before = await planning.sprints.facts(box.milestone, planning.now)
            boxes.append((box, [item.item for item in before.carried] if before else []))
    return carry_over(facts, boxes)


async def _velocity_explained(planning: Planning, arguments: Arguments) -> Reply:
    if arguments.text("for") or arguments.number("last"):
        raise UserError(
            "Velocity is that of the last 3 to 7 sprints: it takes neither `for` nor `last` here."
        )
    found = velocity(await planning.sprints.outcomes(planning.now), arguments.text("by"))
    return Reply((explanation_text(flow.explain_velocity(found, planning.calendar), _footer(planning)),))


async def _flow_explained(context: Context, arguments: Arguments, metric: str) -> Reply:
    usual_days = None if metric == "throughput" else WINDOW_DAYS
    window, calendar = await window_of(context, arguments, usual_days), context.calendar
    flows = await context.flows()
    told = flow.FlowEvidence(
        flows,
        done_within(flows, window.first, window.last, calendar),
        await context.history.items(),
        window,
        calendar,
        context.now,
    )
    days = "" if metric == "wip" else window.days
    return Reply((explanation_text(_BY_FLOW[metric](told), _footer(context, days)),))


def _footer(planning: Planning, *more: str) -> str:
    return footer(f"As of {moment(planning.calendar.local(planning.now))}", *more)
