"""Alt texts of pictures, two sentences each, for readers who cannot see them and images that fail to load."""

from datetime import date
from decimal import Decimal

from charts.fan_levels import compute_levels, get_done, get_scope
from charts.locales import write_day
from charts.reading import FULL_MONTHS, is_over, number, quantity
from charts.values import ForecastFan
from sprints.burndown import Burndown, compute_pace, ideal_before
from sprints.burnup import Burnup
from sprints.forecast_wording import in_words


def describe_burndown(burndown: Burndown) -> str:
    """Describe how the sprint stands against its ideal line, and how its scope changed.

    Plain words, numbers, and `. , : −` only: nothing that Markdown or HTML could interpret.
    """
    latest = burndown.latest
    if latest is None or latest.remaining is None or latest.scope is None:
        return _before_the_start(burndown)
    unit = burndown.unit
    left = _part_of(latest.remaining, latest.scope, unit)
    if burndown.hidden:
        left += f" and {_hidden(burndown)}"
    if is_over(burndown):
        stand = f"{left} were left at the end on {long_day(latest.date)}, day {len(burndown.days)}"
    else:
        days = "" if burndown.is_open_ended else f" of {len(burndown.days)}"
        when = f"on {long_day(latest.date)}, day {burndown.as_of_day + 1}{days}"
        is_one = latest.remaining == 1 and not burndown.hidden
        stand = f"{left} {'remains' if is_one else 'remain'} {when}; {_against_ideal(burndown)}"
    return f"Burndown: {stand}. {_scope(latest.scope - burndown.committed, unit)}{_due_date_moved(burndown)}."


def describe_burnup(burnup: Burnup) -> str:
    """Describe how much of the scope is done, against the ideal line, and how the scope changed."""
    sprint = burnup.sprint
    latest = sprint.latest
    if latest is None or latest.done is None or latest.scope is None:
        return _before_the_start(sprint, "Burnup")
    done = _part_of(latest.done, latest.scope, sprint.unit)
    is_one = sprint.hidden == 1
    be = ("was" if is_one else "were") if is_over(sprint) else ("is" if is_one else "are")
    still_open = f", and {_hidden(sprint)} {be} open" if sprint.hidden else ""
    if is_over(sprint):
        stand = f"{done} were done at the end on {long_day(latest.date)}, day {len(sprint.days)}{still_open}"
    else:
        days = "" if sprint.is_open_ended else f" of {len(sprint.days)}"
        when = f"on {long_day(latest.date)}, day {sprint.as_of_day + 1}{days}"
        stand = f"{done} are done {when}{still_open}; {_against_rising_ideal(burnup, latest.done)}"
    return f"Burnup: {stand}. {_scope(latest.scope - sprint.committed, sprint.unit)}."


def _part_of(part: Decimal, whole: Decimal, unit: str) -> str:
    """3 of 8 points; without any in scope only 0 points."""
    return f"{number(part)} of {quantity(whole, unit)}" if whole else quantity(part, unit)


def _hidden(burndown: Burndown) -> str:
    """Describe the open items of a sprint with no points left."""
    return f"{quantity(Decimal(burndown.hidden), 'count')} worth no points"


def _against_rising_ideal(burnup: Burnup, done: Decimal) -> str:
    sprint = burnup.sprint
    latest = sprint.latest
    if latest is None or latest.ideal is None:
        return "without a due date there is no ideal line"
    ends = sprint.committed - latest.ideal
    begins = sprint.committed - ideal_before(sprint, sprint.as_of_day)
    if sprint.is_day_complete:
        return _against_line(sprint, begins, ends, ends - done)
    # Until the day ends, any value between its first and last ideal value is on track.
    return _against_line(sprint, begins, ends, max(begins - done, min(ends - done, Decimal(0))))


def describe_fan(fan: ForecastFan) -> str:
    """Describe the chance to finish, and how much is likely to be done at the end."""
    stand = f"{number(get_done(fan))} of {quantity(get_scope(fan), fan.sprint.unit)} are done"
    chance = (
        ""
        if fan.chance in {None, 0, 1}
        else f", and the chance that all will be done is {in_words(fan.chance)}"
    )
    if not fan.days:
        return f"Forecast: {stand}{chance}. No working days are left."
    first, *others = compute_levels(fan)
    amounts = [f"{in_words(first.chance)} that at least {number(first.amount, 1)} are done"]
    amounts += [f"{in_words(level.chance)} that at least {number(level.amount, 1)} are" for level in others]
    return f"Forecast: {stand}{chance}. The chances for {long_day(fan.days[-1].date)}: {', '.join(amounts)}."


def _before_the_start(burndown: Burndown, chart_name: str = "Burndown") -> str:
    planned = f"{chart_name}: {quantity(burndown.committed, burndown.unit)} planned"
    if not burndown.days:
        return f"{planned}. The sprint has no days."
    first, last = long_day(burndown.days[0].date), long_day(burndown.days[-1].date)
    if burndown.is_open_ended:
        return f"{planned}, without a due date. There are no figures yet."
    return f"{planned} from {first} to {last}. The sprint has no figures yet."


def _against_ideal(burndown: Burndown) -> str:
    """Compare the sprint with the ideal at the day's end, or during the day with its range."""
    latest, off = burndown.latest, compute_pace(burndown)
    if latest is None or latest.ideal is None or off is None:
        return "without a due date there is no ideal line"
    return _against_line(burndown, ideal_before(burndown, burndown.as_of_day), latest.ideal, off)


def _against_line(burndown: Burndown, begins: Decimal, ends: Decimal, behind: Decimal) -> str:
    """Describe where the ideal line is on the latest day, and how far `behind` it the sprint is."""
    start, end = number(begins, 1), number(ends, 1)
    if burndown.is_day_complete or start == end:
        ideal = f"the ideal line is at {end}"
    else:
        ideal = f"the ideal line goes from {start} to {end} that day"
    distance = abs(behind).quantize(Decimal("0.1"))
    if not distance:
        return f"{ideal}, so the sprint is on the line"
    side = "behind" if behind > 0 else "ahead"
    return f"{ideal}, so the sprint is {quantity(distance, burndown.unit)} {side}"


def _scope(change: Decimal, unit: str) -> str:
    if not change:
        return "Scope is unchanged since the start"
    return f"Scope {'grew' if change > 0 else 'shrank'} by {quantity(abs(change), unit)} after the start"


def _due_date_moved(burndown: Burndown) -> str:
    """Describe when the first plan was given up, if the due date moved."""
    moved_on = next((day.date for day in burndown.days if day.ghost is not None), None)
    return f"; the due date was first moved on {long_day(moved_on)}" if moved_on else ""


def long_day(day: date) -> str:
    """Write a day as 20 November, in the form of the locale, with its year if that is another one."""
    return write_day(day, FULL_MONTHS[day.month - 1])
