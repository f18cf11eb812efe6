"""`/sprint status`: the state of the sprint in one card."""

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import BY, chart_parts
from commands.messages.status import status_details, status_head
from commands.shared.choosing import SPRINT, resolve_facts, resolve_moment
from commands.shared.forecasting import write_expectation
from sprints.burndown import build_burndown


@command(
    "sprint status",
    summary="where the sprint stands: scope, done, remaining, and the burndown",
    level=Level.READ,
    arguments=(
        SPRINT,
        BY,
        Argument("as-of", ArgumentKind.DATE, "how it stood at the end of that day", is_past=True),
    ),
    examples=(
        "/sprint status",
        '/sprint status "Sprint 24"',
        "/sprint status by:count",
        "/sprint status as-of:yesterday",
    ),
    synonyms=(
        *("sprint", "sprint show", "sprint state", "sprint info", "sprint current", "sprint now"),
        *("sprint progress", "sprint view"),
    ),
)
async def sprint_status(context: Context, arguments: Arguments) -> Reply:
    """Show goal and dates, the commitment and its changes, the pace, and the burndown."""
    facts = await resolve_facts(context, arguments.text("sprint"), resolve_moment(context, arguments))
    is_past = arguments.date("as-of") is not None and facts.as_of < context.now
    burndown = build_burndown(facts, arguments.text("by"))
    expected = await write_expectation(context, facts, "status")
    card = (
        status_head(facts, burndown, expected.words, is_past=is_past),
        *chart_parts(context, burndown),
        status_details(facts, burndown, asked_unit=arguments.text("by"), is_past=is_past),
    )
    forecasts = expected.forecasts if arguments.date("as-of") is None else ()
    return Reply(card, forecasts=forecasts, says_completeness=True)
