"""`/aging`: the age of work in progress, and the items that are older than usual."""

from dataclasses import replace

from charts.values import build_aging
from commands.formatting.wording import counted, footer, format_moment, plain
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.aging import ages_table, summarize_aging
from commands.messages.charts import AS, ChartText, chart_reply
from commands.shared.choosing import SPRINT, resolve_facts
from commands.shared.work import read_past, read_recent_flows
from sprints.durations import measure_ages


@command(
    "aging",
    summary="what is in progress, the oldest first, beside how long finished items took",
    level=Level.READ,
    feature="flow",
    arguments=(replace(SPRINT, summary="only what is open in this sprint, by its title or number"), AS),
    examples=("/aging", '/aging "Sprint 24"', "/aging as:table"),
    synonyms=("wip", "sprint wip", "sprint aging"),
)
async def aging(context: Context, arguments: Arguments) -> Reply:
    """Show the age of items in progress; the ones older than 85 % of finished items come first."""
    flows, calendar, title = await read_recent_flows(context), context.calendar, arguments.text("sprint")
    ages, name = measure_ages(flows, context.now, calendar), "in progress now"
    if title is not None:
        facts = await resolve_facts(context, title)
        members = {item.number for item in facts.items}
        ages, name = [age for age in ages if age.flow.number in members], plain(facts.sprint.title)
    past = await read_past(context)
    finished, days = past.times, f"the last {past.window} days" if past.window else "all recorded history"
    as_of = format_moment(calendar.local(context.now))
    usual = f"compared with {counted(finished.n, 'item')} done in {days}" if finished.n else ""
    text = ChartText(
        f"Age of work · {name}",
        summarize_aging(ages, finished),
        "Items in progress, the oldest first",
        ages_table(ages, calendar),
        footer(f"As of {as_of}", usual, "days = today − start + 1"),
    )
    return chart_reply(context, text, build_aging(ages, finished) if ages else None, arguments.text("as"))
