"""Texts and tables about velocity."""

from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from statistics import median

from charts.reading import number, quantity
from commands.formatting.wording import counted, full_day, plain, table
from commands.messages.charts import for_sprint
from commands.messages.progress import percent
from sprints.burndown import measure
from sprints.calendar import Calendar
from sprints.outliers import farthest
from sprints.velocity import LEAST_SPRINTS, Velocity


def sprints_table(found: Velocity, calendar: Calendar) -> str:
    """The figures of each sprint, oldest first."""
    head = ("Sprint", "Last day", "Committed", "Completed", "Kept", "Say/do", "Carried over", "Done late")
    rows = []
    for one in found.outcomes:
        last_day = full_day(calendar.day_of(one.end - timedelta(microseconds=1)))
        amounts = (one.committed, one.completed, one.kept)
        figures = [number(measure(amount, found.unit)) for amount in amounts]
        rest = [number(measure(amount, found.unit)) for amount in (one.carried, one.late)]
        rows.append([plain(one.title), last_day, *figures, _percent(one.say_do(found.unit)), *rest])
    return table(head, rows) if rows else ""


def _percent(share: Decimal | None) -> str:
    """A share of 1 as whole percent, halves to even; nothing for none."""
    return "" if share is None else percent(share, ROUND_HALF_EVEN)


VELOCITY_WARNING = "a help to plan, no measure to compare teams by"


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
    place = farthest(found.values)
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
