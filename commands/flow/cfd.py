"""`/cfd`: the cumulative flow of items that wait, are in progress, and have left."""

from commands.formatting.wording import footer, format_moment, full_day, plain
from commands.framework.arguments import Argument, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.charts import AS, ChartText, chart_reply
from commands.messages.cumulative_flow import flow_table, sum_text, summarize_cumulative_flow
from commands.messages.flow_window import Window
from commands.shared.choosing import SPRINT, resolve_sprint
from commands.shared.flow_window import LAST, resolve_window
from commands.shared.reporting import read_facts
from sprints.cumulative_flow import CumulativeFlow, count_cumulative_flow, select_sprint_flows
from sprints.milestone import Sprint
from sprints.selection import choose_sprint


@command(
    "cfd",
    summary="cumulative flow: what waits, is in progress and has left, day by day",
    level=Level.READ,
    feature="flow",
    arguments=(
        SPRINT,
        Argument(LAST.name, LAST.kind, "all items of the repository instead, in so many calendar weeks"),
        AS,
    ),
    examples=("/cfd", '/cfd "Sprint 24"', "/cfd last:8 as:mermaid"),
)
async def cfd(context: Context, arguments: Arguments) -> Reply:
    """Show where work piles up, the items by state, and whether anything leaves."""
    sprint = None
    if arguments.number("last") is None:
        sprint = await _find_sprint(context, arguments.text("sprint"))
    if sprint is None:
        cumulative, name, span = await _count_repository_flow(context, arguments)
    else:
        cumulative, name, span = await _count_sprint_flow(context, sprint)
    as_of = format_moment(context.calendar.local(context.now))
    text = ChartText(
        f"Cumulative flow · {name}",
        summarize_cumulative_flow(cumulative, context.calendar, context.calendar.day_of(context.now)),
        "Items at the end of each day",
        flow_table(cumulative),
        footer(f"As of {as_of}", span, sum_text(cumulative)),
    )
    return chart_reply(
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
    """Count a sprint's items on each of its days so far; return the flow, its name and its span in words."""
    name, now = plain(sprint.title), planning.now
    if not sprint.start < now:
        raise UserError(f"{name} begins on {full_day(sprint.first_day)}, so it has no complete day yet.")
    until = min(sprint.end, now) if sprint.end else now
    facts = await read_facts(planning, sprint, until)
    members = {item.item for item in facts.items}
    flows = select_sprint_flows(facts, await planning.flows.of_items(members, until))
    today = planning.calendar.day_of(now)
    last = max(sprint.first_day, min(sprint.last_day or today, today))
    window = Window(sprint.first_day, last, name)
    cumulative = count_cumulative_flow(flows, sprint.calendar, window.first, window.last)
    return cumulative, name, f"{window.days}, items of the sprint"


async def _count_repository_flow(context: Context, arguments: Arguments) -> tuple[CumulativeFlow, str, str]:
    """Count all items of the repository in the last weeks; returns as `_count_sprint_flow` does."""
    window = await resolve_window(context, arguments)
    calendar = context.calendar
    flows = await context.flows.active(calendar.midnight(window.first), context.now)
    cumulative = count_cumulative_flow(flows, calendar, window.first, window.last)
    return cumulative, window.name, f"{window.days}, without items already covered by linked items"
