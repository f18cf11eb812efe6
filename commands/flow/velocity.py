"""`/velocity`: the work completed in the last sprints, and the amount to plan for the next one."""

from charts.values import build_velocity_bars
from commands.formatting.wording import counted, footer, format_moment
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import AS, BY, ChartText, chart_reply
from commands.messages.velocity import VELOCITY_WARNING, sprints_table, summarize_velocity
from commands.shared.reporting import read_outcomes
from sprints.velocity import LEAST_SPRINTS, MOST_SPRINTS, compute_velocity, was_abandoned


@command(
    "velocity",
    summary="what the last finished sprints completed, and how much to plan for the next one",
    level=Level.READ,
    arguments=(
        Argument("last", ArgumentKind.NUMBER, f"how many sprints, {LEAST_SPRINTS} to {MOST_SPRINTS}"),
        BY,
        AS,
    ),
    examples=("/velocity", "/velocity last:5 by:count", "/velocity as:table"),
)
async def velocity(context: Context, arguments: Arguments) -> Reply:
    """Show the most unusual sprint, the median to plan with, and the share of commitments kept."""
    last = arguments.number("last")
    if last is not None and not LEAST_SPRINTS <= last <= MOST_SPRINTS:
        raise UserError(
            f"`last:{last}` is not valid. Use a number from {LEAST_SPRINTS} to {MOST_SPRINTS}: fewer "
            "sprints say too "
            "little, and older ones describe a different team."
        )
    result = compute_velocity(await read_outcomes(context, last or MOST_SPRINTS), arguments.text("by"))
    sprints = await context.sprints.all(context.now)
    left_out = sum(was_abandoned(sprint, context.now) for sprint in sprints)
    as_of = format_moment(context.calendar.local(context.now))
    abandoned = f"{counted(left_out, 'abandoned milestone')} left out" if left_out else ""
    text = ChartText(
        "Velocity",
        summarize_velocity(result),
        "The sprints, in points" if result.unit == "points" else "The sprints, in items",
        sprints_table(result, context.calendar),
        footer(f"As of {as_of}", f"n = {counted(result.n, 'sprint')}", abandoned, VELOCITY_WARNING),
    )
    return chart_reply(
        context,
        text,
        build_velocity_bars(result, context.calendar) if result.n else None,
        arguments.text("as"),
    )
