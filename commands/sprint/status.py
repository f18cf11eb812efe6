"""`/sprint status`: where the sprint stands, in one card."""

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import BY, chart_parts
from commands.messages.status import status_details, status_head
from commands.shared.choosing import facts_meant, moment_of
from commands.shared.forecasting import expectation
from sprints.burndown import burndown_of


@command(
    "sprint status",
    summary="where the sprint stands: scope, done, remaining, and the burndown",
    level=Level.READ,
    arguments=(
        Argument(
            "name",
            ArgumentKind.TEXT,
            "the milestone's title; else the one that is running",
            is_positional=True,
        ),
        BY,
        Argument("as-of", ArgumentKind.DATE, "how it stood at the end of that day"),
    ),
    examples=(
        "/sprint status",
        '/sprint status "Sprint 24"',
        "/sprint status by:count",
        "/sprint status as-of:2026-11-20",
    ),
)
async def sprint_status(context: Context, arguments: Arguments) -> Reply:
    """One card: goal and dates, what was committed and what became of it, the pace, and the picture."""
    facts = await facts_meant(context, arguments.text("name"), moment_of(context, arguments))
    burndown = burndown_of(facts, arguments.text("by"))
    expected = await expectation(context, facts, "status")
    card = (
        status_head(facts, burndown, expected.words),
        *chart_parts(context, burndown),
        status_details(facts, burndown),
    )
    forecasts = expected.foretold if arguments.date("as-of") is None else ()
    return Reply(card, foretold=forecasts, says_completeness=True)
