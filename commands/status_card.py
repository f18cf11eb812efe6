"""The words of the status card. Pure functions from facts to Markdown."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from charts.reading import MONTHS, WEEKDAYS, number, quantity, signed
from sprints.burndown import Burndown, measure, pace
from sprints.calendar import days_between
from sprints.facts import Amount, Cause, Facts
from sprints.milestone import Phase, Sprint

_BAR_CELLS = 20
_MOST_NAMED = 10
# A table longer than this says less than its picture; only its last days are shown.
_MOST_DAYS = 31


def before_chart(facts: Facts, burndown: Burndown) -> str:
    """Title, goal, progress and pace: what a reader wants to know first."""
    sprint = facts.sprint
    parts = [f"### {plain(sprint.title)} · {_when(sprint, facts.as_of)}", _dates(sprint)]
    if sprint.goal:
        parts.append(f"**Goal:** {plain(sprint.goal)}")
    parts.append(_progress(facts, burndown.unit))
    parts.append(_pace_sentence(facts, burndown))
    parts.extend(f"> [!WARNING]\n> {warning}" for warning in _warnings(sprint))
    return "\n\n".join(part for part in parts if part)


def after_chart(facts: Facts, burndown: Burndown) -> str:
    """The numbers behind the picture, what is not estimated, and as of when all this holds."""
    parts = [_ledger(facts), _not_estimated(facts, burndown.unit), _days_table(facts, burndown.unit)]
    parts.append(f"<sub>As of {_moment(facts.as_of.astimezone(facts.sprint.timezone))}</sub>")
    return "\n\n".join(part for part in parts if part)


def _when(sprint: Sprint, as_of: datetime) -> str:
    # As of a midnight is as of the end of the day before.
    today = sprint.calendar.day_of(as_of - timedelta(microseconds=1))
    if sprint.has_ended(as_of):
        return "abandoned" if sprint.is_deleted else "ended"
    if sprint.phase(as_of) is Phase.PLANNED:
        return f"starts in {_count((sprint.first_day - today).days, 'day')}"
    day = (today - sprint.first_day).days + 1
    if sprint.end is None or sprint.due is None:
        return f"day {day}"
    return f"day {day} of {(sprint.due - sprint.first_day).days + 1}"


def _dates(sprint: Sprint) -> str:
    if sprint.due is None:
        until = "no due date"
        if sprint.end:
            until = f"closed on {_day(sprint.end.astimezone(sprint.timezone).date())}"
        return f"{_day(sprint.first_day)} – {until}"
    return f"{_day(sprint.first_day)} – {_day(sprint.due)}"


def _progress(facts: Facts, unit: str) -> str:
    scope, done = measure(facts.scope, unit), measure(facts.done, unit)
    share = done / scope if scope else Decimal(0)
    filled = int(share * _BAR_CELLS)
    bar = "█" * filled + "░" * (_BAR_CELLS - filled)
    return f"`{bar}` **{number(done)} of {quantity(scope, unit)} done** ({int(share * 100)} %)"


def _pace_sentence(facts: Facts, burndown: Burndown) -> str:
    sprint, unit = facts.sprint, burndown.unit
    remaining = measure(facts.remaining, unit)
    left, remain = quantity(remaining, unit), "remains" if remaining == 1 else "remain"
    if sprint.is_due_before_start():
        return ""
    if sprint.has_ended(facts.as_of):
        if facts.remaining.count == 0:
            return "Everything in scope was done."
        return f"{left} {'was' if remaining == 1 else 'were'} not done when it ended."
    if sprint.phase(facts.as_of) is Phase.PLANNED:
        return f"{left} planned so far; the commitment is what it holds when it starts."
    behind = pace(burndown)
    if behind is None:
        return f"{left} {remain}. Without a due date there is no ideal line to compare with."
    until = _working_days_left(sprint, facts.as_of)
    behind = behind.quantize(Decimal("0.1"))
    if not behind:
        return f"**On the ideal line:** {left} {remain}, {until}."
    side = "behind" if behind > 0 else "ahead of"
    return f"**{quantity(abs(behind), unit)} {side}** the ideal line: {left} {remain}, {until}."


def _working_days_left(sprint: Sprint, as_of: datetime) -> str:
    today, is_working = sprint.calendar.day_of(as_of), sprint.calendar.is_working_day
    left = sum(map(is_working, days_between(today, sprint.due))) if sprint.due else 0
    return (
        f"with {_count(left, 'working day')} to go (today included)" if left else "and no working day is left"
    )


def _warnings(sprint: Sprint) -> list[str]:
    warnings = list(sprint.ignored_starts)
    warnings = [f"{reason}, so it was ignored." for reason in warnings]
    if sprint.is_due_before_start() and sprint.due:
        warnings.append(
            f"This milestone is due on {_day(sprint.due)}, before it starts on {_day(sprint.first_day)}. "
            "Move its due date, or write an earlier day as `Start: YYYY-MM-DD` into its description."
        )
    return warnings


def _ledger(facts: Facts) -> str:
    rows = [("Committed", facts.committed, "")]
    rows += [(name, facts.total(cause), sign) for name, cause, sign in _CAUSES]
    rows += [("**Scope**", facts.scope, ""), ("Done", facts.done, ""), ("**Remaining**", facts.remaining, "")]
    lines = ["| | Points | Items |", "|:--|--:|--:|"]
    for name, amount, sign in rows:
        if sign and amount == Amount():
            continue
        points, count = _signed(amount.points, sign), _signed(Decimal(amount.count), sign)
        if name.startswith("**"):
            points, count = f"**{points}**", f"**{count}**"
        lines.append(f"| {name} | {points} | {count} |")
    return "\n".join(lines)


_CAUSES = (
    ("Added", Cause.ADDED, "+"),
    ("Removed", Cause.REMOVED, "−"),
    ("Dropped", Cause.DROPPED, "−"),
    ("Re-estimated", Cause.REESTIMATED, "±"),
)


def _not_estimated(facts: Facts, unit: str) -> str:
    missing = [item for item in facts.items if item.points is None and item.state == "open"]
    if not missing:
        return ""
    named = ", ".join(f"#{item.number}" for item in missing[:_MOST_NAMED])
    if len(missing) > _MOST_NAMED:
        named += f" and {len(missing) - _MOST_NAMED} more"
    verb, they = ("is", "it counts") if len(missing) == 1 else ("are", "they count")
    text = f"**{_count(len(missing), 'open item')} {verb} not estimated:** {named}"
    if unit == "points":
        return f"{text}. In points {they} as 0."
    return f"{text}. So much is not estimated that this card counts items instead of points."


def _days_table(facts: Facts, unit: str) -> str:
    if not facts.days:
        return ""
    shown = facts.days[-_MOST_DAYS:]
    lines = ["| Day | Scope | Done | Remaining |", "|:--|--:|--:|--:|"]
    if len(shown) < len(facts.days):
        lines.append(f"| … {len(facts.days) - len(shown)} earlier days | | | |")
    for day in shown:
        values = (measure(value, unit) for value in (day.scope, day.done, day.remaining))
        lines.append(
            f"| {WEEKDAYS[day.date.weekday()]} {_day(day.date)} | "
            + " | ".join(number(v) for v in values)
            + " |"
        )
    heading = "Data by day, in points" if unit == "points" else "Data by day, in items"
    table = "\n".join(lines)
    return f"<details>\n<summary>{heading}</summary>\n\n{table}\n\n</details>"


def _signed(value: Decimal, sign: str) -> str:
    """`sign` is put before a value that is positive by nature; ± means that the value has its own."""
    if not value:
        return "0"
    return signed(value) if sign == "±" else f"{sign}{number(value)}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _moment(moment: datetime) -> str:
    return f"{_day(moment.date())}, {moment:%H:%M} {moment.tzname()}"


def plain(text: str) -> str:
    """Words that somebody wrote elsewhere: they mention nobody and format nothing here."""
    escaped = "".join(f"\\{c}" if c in "\\`*_[]<>|#~&" else c for c in " ".join(text.split()))
    return escaped.replace("@", "@\u200b")
