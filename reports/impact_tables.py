"""Tables of the check “Sprint impact”: the effect on the sprint, what is usual here, and the last days."""

from datetime import datetime, timedelta
from decimal import Decimal

from charts.reading import number, quantity
from commands.formatting.wording import (
    counted,
    folded,
    format_moment,
    plain,
    table,
    weekday,
)
from commands.messages.progress import hides_open_items
from commands.messages.work import duration_text
from sprints.burndown import Burndown, measure_amount
from sprints.calendar import Calendar
from sprints.facts import Amount
from sprints.forecast_wording import finish_in_words
from sprints.impact import Effect, Impact

_MOST_DAYS = 5


_HOUR = timedelta(hours=1)


def write_effect_table(impact: Impact) -> str:
    effect, sprint = impact.effect, impact.sprint
    if effect is None or sprint is None:
        return ""
    rows = [("Left to do", _left(effect.before, effect), f"**{_left(effect.after, effect)}**")]
    if effect.chance_before is not None and effect.chance_after is not None and sprint.due:
        chance = f"**{finish_in_words(effect.chance_after)}**"
        rows.append(
            (f"Chance to finish by {weekday(sprint.due)}", finish_in_words(effect.chance_before), chance)
        )
    head = "Once done" if effect.is_conditional else "Once merged"
    return table((plain(sprint.title), "Now", head), rows)


def _left(amount: Amount, effect: Effect) -> str:
    unit = choose_readable_unit(effect)
    return f"{number(measure_amount(amount, unit))} of {quantity(measure_amount(effect.scope, unit), unit)}"


def choose_readable_unit(effect: Effect) -> str:
    """The effect's unit; items where no points would be left although items are open."""
    return "count" if hides_open_items(effect.after, effect.unit) else effect.unit


def write_usual_table(impact: Impact, calendar: Calendar) -> str:
    rows = [("First review", _review(impact, calendar), _usual_wait(impact))]
    if impact.pull.lines is not None:
        rows.append(("Size", _size(impact), _usual_size(impact)))
    return table(("", "This pull request", "Usual here"), rows, numbers_from=3)


def _review(impact: Impact, calendar: Calendar) -> str:
    review = impact.review
    if review.first_at is not None:
        if review.ready_at is None or review.first_at <= review.ready_at:
            return f"on {format_known(review.first_at, calendar)}"
        return f"after {duration_text(review.first_at - review.ready_at)}"
    if impact.pull.is_draft:
        return "none yet (draft)"
    return f"waiting since {format_known(review.ready_at, calendar)}" if review.ready_at else "none yet"


def _usual_wait(impact: Impact) -> str:
    usual = impact.usual_wait
    if usual is None:
        return "not enough data yet"
    return f"half within {_within(usual.half)}, 85 % within {_within(usual.most)} (n = {usual.n})"


def _within(elapsed: timedelta) -> str:
    """Format a duration in hours or days, rounded up so that the statement “within” holds."""
    hours = -(-elapsed // _HOUR)
    return counted(hours, "hour") if hours < 48 else counted(-(-hours // 24), "day")


def _size(impact: Impact) -> str:
    lines, files = impact.pull.lines or 0, impact.pull.files
    size = _lines(lines)
    return f"{size} in {counted(files, 'file')}" if files is not None else size


def _usual_size(impact: Impact) -> str:
    usual = impact.usual_size
    return f"{_lines(usual.lines)} (median, n = {usual.n})" if usual else "not enough data yet"


def _lines(count: int) -> str:
    return f"{number(Decimal(count))} {'line' if count == 1 else 'lines'}"


def write_days_table(burndown: Burndown) -> str:
    """Build a table of the burndown's last days, for checks that may not link an image."""
    days = [day for day in burndown.days if day.remaining is not None][-_MOST_DAYS:]
    if not days:
        return ""
    rows = [
        (
            weekday(day.date),
            number(day.remaining or Decimal(0)),
            number(day.ideal) if day.ideal is not None else "",
        )
        for day in days
    ]
    unit = "points" if burndown.unit == "points" else "items"
    return folded(f"Burndown of the last days, in {unit}", table(("Day", "Left", "Ideal"), rows))


def format_known(at: datetime | None, calendar: Calendar) -> str:
    return format_moment(calendar.local(at)) if at else "an unknown date"
