"""`/velocity`: what the last sprints completed, and how much to plan for the next one."""

from statistics import median

from charts.reading import number, quantity
from charts.values import build_velocity_bars
from commands.formatting.wording import counted, footer, moment, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import AS, BY, ChartText, for_sprint, reply_with
from commands.messages.velocity import _percent, sprints_table
from sprints.burndown import measure
from sprints.late import apply_credits
from sprints.order_statistics import find_outlier
from sprints.velocity import LEAST_SPRINTS, MOST_SPRINTS, Velocity
from sprints.velocity import compute_velocity as velocity_of


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
    """Show the sprint that stands out, the median to plan with, and the share of commitments kept."""
    last = arguments.number("last")
    if last is not None and not LEAST_SPRINTS <= last <= MOST_SPRINTS:
        raise UserError(
            f"`last:{last}` is not from {LEAST_SPRINTS} to {MOST_SPRINTS}: fewer sprints say too little, and "
            "older ones tell of another team."
        )
    late_credits = context.project.settings.late_credits
    outcomes = apply_credits(await context.sprints.outcomes(context.now), late_credits)
    finished = [outcome for outcome in outcomes if not outcome.is_abandoned]
    measured = velocity_of(finished[-(last or MOST_SPRINTS) :], arguments.text("by"))
    left_out = len(outcomes) - len(finished)
    as_of = moment(context.calendar.local(context.now))
    abandoned = f"{counted(left_out, 'abandoned milestone')} left out" if left_out else ""
    text = ChartText(
        "Velocity",
        velocity_reading(measured),
        "The sprints, in points" if measured.unit == "points" else "The sprints, in items",
        sprints_table(measured, context.calendar),
        footer(f"As of {as_of}", f"n = {counted(measured.n, 'sprint')}", abandoned, _WARNING),
    )
    return reply_with(
        context,
        text,
        build_velocity_bars(measured, context.calendar) if measured.n else None,
        arguments.text("as"),
    )


_WARNING = "a help to plan, no measure to compare teams by"


def velocity_reading(found: Velocity) -> list[str]:
    """What stands out, what to plan with, and how reliable promises were."""
    if not found.n:
        return ["**No sprint has finished yet.** One counts once its due date has passed or it is closed."]
    return [_outlier(found), _plan(found), _kept(found)]


def _outlier(found: Velocity) -> str:
    if found.median is None:
        return (
            f"**{counted(found.n, 'sprint').capitalize()} finished: too few for a velocity**, which needs "
            f"{LEAST_SPRINTS}. Until then plan with what you believe."
        )
    place = find_outlier(found.values)
    if place is None:
        return (
            "**No sprint stands out**: none completed more than twice or less than half of the median. "
            "Plan as usual."
        )
    one, value = found.outcomes[place], found.values[place]
    completed = f"**{plain(one.title)} completed {quantity(value, found.unit)}**"
    said = f"{completed}, the median is {number(found.median)}"
    committed, carried = measure(one.committed, found.unit), measure(one.carried, found.unit)
    if value > found.median:
        return f"{said}; {number(committed)} were committed. Do not plan with it: it was the exception."
    return (
        f"{said}: of {number(committed)} committed, {number(carried)} were carried over. See what they "
        f"waited for (`/explain carry-over{for_sprint(one.title)}`) before you plan the next one."
    )


def _plan(found: Velocity) -> str:
    values = [quantity(value, found.unit) for value in found.values]
    if found.median is None or found.least is None or found.most is None:
        return f"Completed so far: {', '.join(values)}."
    spread = f"{number(found.least)} to {number(found.most)}"
    return (
        f"Plan the next sprint with about **{quantity(found.median, found.unit)}**: the median of the last "
        f"{found.n}, which completed {spread}."
    )


def _kept(found: Velocity) -> str:
    shares = [(share, one) for one in found.outcomes if (share := one.say_do(found.unit)) is not None]
    if not shares:
        return "Nothing was committed in any of them, so there is no say/do."
    if len(shares) < LEAST_SPRINTS:
        told = ", ".join(f"{_percent(share)} in {plain(one.title)}" for share, one in shares)
        return f"Of what was committed was kept: {told}."
    least, one = min(shares, key=lambda pair: pair[0])
    return (
        f"Of what was committed {_percent(median(share for share, _ in shares))} was kept (median of "
        f"{len(shares)}), the least in {plain(one.title)}: {_percent(least)}."
    )
