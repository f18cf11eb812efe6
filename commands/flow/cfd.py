"""`/cfd`: the cumulative flow of items that wait, are in progress, and have left."""

from datetime import date
from itertools import pairwise

from commands.formatting.wording import counted, footer, full_day, moment, plain, table, weekday, weekdays
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.charts import AS, ChartText, reply_with
from commands.messages.flow_window import Window
from commands.shared.choosing import resolve_sprint
from commands.shared.flow_window import LAST, resolve_window
from commands.shared.reporting import read_facts
from sprints.calendar import Calendar
from sprints.cumulative_flow import CumulativeFlow, FlowDay, count_cumulative_flow, select_sprint_flows
from sprints.flow import build_flows
from sprints.milestone import Sprint
from sprints.selection import choose_sprint

_MOST_DAYS = 62
# So many working days in a row on which nothing leaves are worth a word.
_IDLE_DAYS = 3
# One more of anything is nothing unusual.
_GROWS_BY = 2


@command(
    "cfd",
    summary="cumulative flow: what waits, is in progress and has left, day by day",
    level=Level.READ,
    feature="flow",
    arguments=(
        Argument("for", ArgumentKind.TEXT, "the milestone's title; else the one that is running"),
        Argument(LAST.name, LAST.kind, "all items of the repository instead, in so many calendar weeks"),
        AS,
    ),
    examples=("/cfd", '/cfd for:"Sprint 24"', "/cfd last:8 as:mermaid"),
)
async def cfd(context: Context, arguments: Arguments) -> Reply:
    """Show where work piles up, the items by state, and whether anything leaves."""
    sprint = None
    if arguments.number("last") is None:
        sprint = await _find_sprint(context, arguments.text("for"))
    if sprint is None:
        cumulative, name, span = await _count_repository_flow(context, arguments)
    else:
        cumulative, name, span = await _count_sprint_flow(context, sprint)
    as_of = moment(context.calendar.local(context.now))
    text = ChartText(
        f"Cumulative flow · {name}",
        flow_reading(cumulative, context.calendar, context.calendar.day_of(context.now)),
        "Items at the end of each day",
        flow_table(cumulative),
        footer(f"As of {as_of}", span, "waiting + in progress + done + dropped = arrived"),
    )
    return reply_with(
        context, text, cumulative if cumulative.days[-1].arrived else None, arguments.text("as")
    )


async def _find_sprint(context: Context, title: str | None) -> Sprint | None:
    """Resolve the sprint; None if no title is given and the repository has no sprint."""
    if title is None and not choose_sprint(
        await context.sprints.all(context.now), context.now, context.request.milestone
    ):
        return None
    return await resolve_sprint(context, title)


async def _count_sprint_flow(planning: Planning, sprint: Sprint) -> tuple[CumulativeFlow, str, str]:
    """Count the items of a sprint on its days so far; returns the flow, its name and its span in words."""
    name, now = plain(sprint.title), planning.now
    if not sprint.start < now:
        raise UserError(f"{name} begins on {full_day(sprint.first_day)}: no day of it is over.")
    until = min(sprint.end, now) if sprint.end else now
    facts = await read_facts(planning, sprint, until)
    # All items are read, because events of other items may start those of the sprint.
    events = await planning.history.items()
    labels = await planning.history.labels()
    flows = select_sprint_flows(facts, build_flows(events, until, planning.project.rules, labels))
    today = planning.calendar.day_of(now)
    last = max(sprint.first_day, min(sprint.last_day or today, today))
    window = Window(sprint.first_day, last, name)
    estimates = planning.project.rules.estimates
    cumulative = count_cumulative_flow(
        flows, events, until, sprint.calendar, window.first, window.last, estimates
    )
    return cumulative, name, f"{window.days}, items of the sprint"


async def _count_repository_flow(context: Context, arguments: Arguments) -> tuple[CumulativeFlow, str, str]:
    """Count all items of the repository in the last weeks; returns as `_count_sprint_flow` does."""
    window = await resolve_window(context, arguments)
    events = await context.history.items()
    flows = await context.read_flows()
    estimates = context.project.rules.estimates
    cumulative = count_cumulative_flow(
        flows, events, context.now, context.calendar, window.first, window.last, estimates
    )
    return cumulative, window.name, f"{window.days}, all items but what others tell"


def flow_reading(flow: CumulativeFlow, calendar: Calendar, today: date) -> list[str]:
    """Where work piles up and what to do about it, what is in which state, and a standstill or the peak."""
    if not flow.days[-1].arrived:
        return ["**There is nothing to draw**: no item was here in these days."]
    return [_pile(flow, today), _states(flow.days[-1]), _standstill(flow, calendar, today)]


def flow_table(flow: CumulativeFlow) -> str:
    """The figures of each day: the states add up to what had arrived."""
    has_dropped = flow.days[-1].dropped > 0
    head = ["Day", "Waiting", "In progress", "Done", *(["Dropped"] if has_dropped else []), "**Arrived**"]
    rows = [
        [
            weekday(day.date),
            *map(str, (day.waiting, day.in_progress, day.done)),
            *([str(day.dropped)] if has_dropped else []),
            f"**{day.arrived}**",
        ]
        for day in flow.days[-_MOST_DAYS:]
    ]
    if len(rows) < len(flow.days):
        earlier = f"… {counted(len(flow.days) - len(rows), 'earlier day')}"
        rows.insert(0, [earlier, *[""] * (len(head) - 1)])
    return table(head, rows)


def _pile(flow: CumulativeFlow, today: date) -> str:
    first, last = flow.days[0], flow.days[-1]
    is_over = last.date < today
    since = f"since the end of {weekday(first.date)}"
    if is_over:
        since = f"from the end of {weekdays(first.date, last.date)}"
    started, left = last.started - first.started, _left(last) - _left(first)
    went = f"{left} {_gone(flow)}"
    if last.in_progress - first.in_progress >= _GROWS_BY:
        grew = f"**Work in progress grew from {first.in_progress} to {last.in_progress}** {since}"
        do = " Finish something before the next is begun: `/aging` tells the oldest."
        return f"{grew}: {started} started, {went}.{'' if is_over else do}"
    arrived = last.arrived - first.arrived
    if last.waiting - first.waiting >= _GROWS_BY:
        grew = f"**What waits grew from {first.waiting} to {last.waiting}** {since}"
        do = " Agree on what can wait for another time."
        return f"{grew}: {arrived} arrived, {started} started.{'' if is_over else do}"
    if not last.waiting + last.in_progress:
        return f"**Everything is {_gone(flow)}.**"
    if not started + left:
        do = " Ask what is in the way: `/standup`."
        return f"**Nothing moved** {since}: none started, none {_gone(flow)}.{'' if is_over else do}"
    return f"**Nothing piled up** {since}: {arrived} arrived, {started} started, {went}."


def _states(day: FlowDay) -> str:
    states = [(day.waiting, "waiting"), (day.in_progress, "in progress"), (day.done, "done")]
    told = [f"{count} {name}" for count, name in [*states, (day.dropped, "dropped")] if count]
    return f"{' + '.join(told)} = **{counted(day.arrived, 'item')}** on {weekday(day.date)}."


def _gone(flow: CumulativeFlow) -> str:
    """How items have left; "left" alone would also mean what is still there."""
    return "done or dropped" if flow.days[-1].dropped else "done"


def _standstill(flow: CumulativeFlow, calendar: Calendar, today: date) -> str:
    """The longest stretch of working days on which nothing left, or else the peak. Today is not over."""
    longest, run = list[FlowDay](), list[FlowDay]()
    for before, day in pairwise(flow.days):
        if _left(day) != _left(before) or day.date >= today:
            run = []
        elif calendar.is_working_day(day.date) and before.waiting + before.in_progress:
            run = [*run, day]
        longest = max(longest, run, key=len)
    if len(longest) < _IDLE_DAYS:
        return _peak(flow)
    return (
        f"Nothing was {_gone(flow)} on {len(longest)} working days in a row, "
        f"{weekdays(longest[0].date, longest[-1].date)}."
    )


def _peak(flow: CumulativeFlow) -> str:
    peak = max(flow.days, key=lambda day: day.in_progress)
    if not peak.in_progress:
        return ""
    return f"Most was in progress on {weekday(peak.date)}: {counted(peak.in_progress, 'item')} at once."


def _left(day: FlowDay) -> int:
    return day.done + day.dropped
