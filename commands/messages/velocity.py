"""Texts and tables about velocity."""

from datetime import timedelta
from decimal import Decimal
from statistics import median

from charts.reading import number, percent, quantity
from commands.formatting.wording import counted, full_day, plain, table
from commands.messages.charts import sprint_argument
from sprints.burndown import measure_amount
from sprints.calendar import Calendar
from sprints.order_statistics import find_outlier
from sprints.velocity import LEAST_SPRINTS, Velocity

# The last part of the footer.
VELOCITY_WARNING = "for planning, not for comparing teams"


def summarize_velocity(velocity: Velocity) -> list[str]:
    """The amount to plan with, the sprint that stands out, and the reliability of commitments."""
    if not velocity.n:
        return [
            "**No sprint has finished yet.** A sprint counts once its due date has passed or it is closed."
        ]
    sentences = [_plan_sentence(velocity), _outlier(velocity), _kept_sentence(velocity)]
    if velocity.is_too_few:
        sentences[:2] = reversed(sentences[:2])
    return sentences


def sprints_table(velocity: Velocity, calendar: Calendar) -> str:
    """A table of each sprint's numbers, the oldest first."""
    head = ("Sprint", "Last day", "Committed", "Completed", "Kept", "Say/do", "Carried over", "Done late")
    rows = []
    for outcome in velocity.outcomes:
        last_day = full_day(calendar.day_of(outcome.end - timedelta(microseconds=1)))
        amounts = (outcome.committed, outcome.completed, outcome.kept)
        figures = [number(measure_amount(amount, velocity.unit)) for amount in amounts]
        rest = [number(measure_amount(amount, velocity.unit)) for amount in (outcome.carried, outcome.late)]
        rows.append(
            [plain(outcome.title), last_day, *figures, _percent(outcome.say_do(velocity.unit)), *rest]
        )
    return table(head, rows) if rows else ""


def _percent(share: Decimal | None) -> str:
    """A share from 0 to 1 as a whole percentage. Empty for None."""
    return "" if share is None else percent(share)


def _outlier(velocity: Velocity) -> str:
    if velocity.median is None:
        return (
            f"**{counted(velocity.n, 'sprint').capitalize()} finished: too few for a velocity**, which needs "
            f"{LEAST_SPRINTS}. Until then, plan with your best guess."
        )
    place = find_outlier(velocity.values)
    if place is None:
        return (
            "**No sprint stands out**: none completed more than twice or less than half of the median. "
            "Plan as usual."
        )
    outcome, value = velocity.outcomes[place], velocity.values[place]
    completed = f"**{plain(outcome.title)} completed {quantity(value, velocity.unit)}**"
    text = f"{completed}, the median is {number(velocity.median)}"
    committed = measure_amount(outcome.committed, velocity.unit)
    carried = measure_amount(outcome.carried, velocity.unit)
    if value > velocity.median:
        return f"{text}; its commitment was {number(committed)}. Do not plan with it: it was the exception."
    return (
        f"{text}: of {number(committed)} committed, it carried over {number(carried)}. See what this "
        f"waited for (`/explain carry-over{sprint_argument(outcome.title)}`) before you plan the next one."
    )


def _plan_sentence(velocity: Velocity) -> str:
    values = [quantity(value, velocity.unit) for value in velocity.values]
    if velocity.median is None or velocity.least is None or velocity.most is None:
        return f"Completed so far: {', '.join(values)}."
    spread = f"{number(velocity.least)} to {number(velocity.most)}"
    return (
        f"Plan the next sprint with about **{quantity(velocity.median, velocity.unit)}**: "
        f"the median of the last "
        f"{velocity.n}, which completed {spread}."
    )


def _kept_sentence(velocity: Velocity) -> str:
    shares = [
        (share, outcome)
        for outcome in velocity.outcomes
        if (share := outcome.say_do(velocity.unit)) is not None
    ]
    if not shares:
        return "Nothing was committed in any of them, so there is no say/do."
    if len(shares) < LEAST_SPRINTS:
        shares_text = ", ".join(f"{_percent(share)} in {plain(outcome.title)}" for share, outcome in shares)
        return f"Share of the commitment done: {shares_text}."
    least, outcome = min(shares, key=lambda pair: pair[0])
    if all(share == least for share, _ in shares):
        return f"Of what was committed, {_percent(least)} was done in each of these {len(shares)} sprints."
    return (
        f"Of what was committed, {_percent(median(share for share, _ in shares))} was done (median of "
        f"{len(shares)}), with the lowest in {plain(outcome.title)} ({_percent(least)})."
    )
