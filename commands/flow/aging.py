"""`/aging`: what is in progress, how long it has been, and what is older than usual."""

from charts.values import aging as aging_of
from commands.formatting.wording import counted, footer, moment, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.aging import ages_table, aging_reading
from commands.messages.charts import AS, ChartText, chart_reply
from commands.shared.choosing import facts_meant
from sprints.durations import ages
from sprints.expectation import past_of


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
    flows, calendar, title = await context.flows(), context.calendar, arguments.text("for")
    old, name = ages(flows, context.now, calendar), "in progress now"
    if title is not None:
        facts = await facts_meant(context, title)
        members = {item.number for item in facts.items}
        old, name = [age for age in old if age.flow.number in members], plain(facts.sprint.title)
    past = past_of(flows, context.now, calendar)
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
