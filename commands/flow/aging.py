"""`/aging`: what is in progress, how long it has been, and what is older than usual."""

from charts.values import build_aging as aging_of
from commands.formatting.wording import counted, footer, moment, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.aging import ages_table, aging_reading
from commands.messages.charts import AS, ChartText, chart_reply
from commands.shared.choosing import resolve_facts
from sprints.durations import measure_ages
from sprints.expectation import measure_past


@command(
    "aging",
    summary="what is in progress, the oldest first, beside how long finished items took",
    level=Level.READ,
    feature="flow",
    arguments=(Argument("for", ArgumentKind.TEXT, "only what is open in the sprint with this title"), AS),
    examples=("/aging", '/aging for:"Sprint 24"', "/aging as:table"),
)
async def aging(context: Context, arguments: Arguments) -> Reply:
    """What is older than 85 % of finished items ever were: the work to talk about first."""
    flows, calendar, title = await context.read_flows(), context.calendar, arguments.text("for")
    old, name = measure_ages(flows, context.now, calendar), "in progress now"
    if title is not None:
        facts = await resolve_facts(context, title)
        members = {item.number for item in facts.items}
        old, name = [age for age in old if age.flow.number in members], plain(facts.sprint.title)
    past = measure_past(flows, context.now, calendar)
    finished, days = past.times, f"the last {past.window} days" if past.window else "all that is known"
    as_of = moment(calendar.local(context.now))
    usual = f"compared with {counted(finished.n, 'item')} done in {days}" if finished.n else ""
    words = ChartText(
        f"Age of work · {name}",
        aging_reading(old, finished),
        "Items in progress, the oldest first",
        ages_table(old, calendar),
        footer(f"As of {as_of}", usual, "days = today − start + 1"),
    )
    return chart_reply(context, words, aging_of(old, finished) if old else None, arguments.text("as"))
