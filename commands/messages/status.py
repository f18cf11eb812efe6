"""Texts of the sprint's status card. Pure functions from facts to Markdown."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from charts.reading import WEEKDAYS, number, percent, quantity, signed
from commands.formatting.wording import (
    counted,
    folded,
    footer,
    format_moment,
    full_day,
    named,
    plain,
    weekday,
    weekdays,
)
from commands.messages.causes import CAUSES
from commands.messages.completeness import completeness_text
from commands.messages.nothing_left import is_empty, nothing_left_sentence, nothing_yet_text
from commands.messages.progress import (
    is_single,
    open_work_text,
    progress_percent,
    progress_text,
    share_done,
)
from commands.messages.time_left import time_left_text
from sprints.burndown import Burndown, compute_pace, measure_amount
from sprints.facts import Amount, Facts
from sprints.milestone import Sprint
from sprints.numbering import ref, split_number
from sprints.rollup import roll_up

_BAR_CELLS = 20
_MOST_NAMED = 10
# A longer table says less than its chart, so only its last days are shown.
_MOST_DAYS = 31
# A milestone's past is recorded, and that of the time zone; of other settings only the present is known.
_TODAYS_SETTINGS = "days off, labels and estimates according to today's settings"


def status_head(facts: Facts, burndown: Burndown, expected: str = "", *, is_past: bool = False) -> str:
    """The card down to its chart: title, pace, progress, the `expected` end, goal and dates.

    The answer comes first. `is_past` states that the card is about a moment that somebody named.
    """
    sprint = facts.sprint
    parts = [f"### {plain(sprint.title)} · {_when(sprint, facts.as_of)}{_past_day(facts) if is_past else ''}"]
    if is_empty(facts):
        day = weekday(_day_before(sprint, facts.as_of))
        parts.append(f"Nothing was in it yet on {day}." if is_past else nothing_yet_text(facts.sprint.title))
    else:
        parts += [_pace_sentence(facts, burndown, is_past=is_past), _progress(facts, burndown.unit), expected]
    goal = f"**Goal:** {plain(sprint.goal)}" if sprint.goal else ""
    parts += [goal, _dates(sprint), _due_sentence(sprint)]
    parts.extend(f"> [!WARNING]\n> {warning}" for warning in _warnings(sprint))
    return "\n\n".join(part for part in parts if part)


def status_details(
    facts: Facts, burndown: Burndown, *, asked_unit: str | None = None, is_past: bool = False
) -> str:
    """The card below its chart: the ledger, items without an estimate, covered items, and each day.

    `asked_unit` is the unit that somebody typed. `is_past` is that of `status_head`.
    """
    parts = [
        _ledger(facts),
        _not_estimated(facts, burndown.unit),
        _unit_reason(facts, burndown.unit, asked_unit),
        _covered_items(facts, burndown.unit),
        _days_table(facts, burndown.unit),
    ]
    as_of = format_moment(facts.sprint.calendar.local(facts.as_of))
    parts.append(footer(f"As of {as_of}", facts_completeness(facts), _TODAYS_SETTINGS if is_past else ""))
    return "\n\n".join(part for part in parts if part)


def _past_day(facts: Facts) -> str:
    """The day in the past that a card is about, for its heading. A midnight belongs to the day it ends."""
    return f" · as of {weekday(_day_before(facts.sprint, facts.as_of), with_year=True)}"


def _day_before(sprint: Sprint, moment: datetime) -> date:
    return sprint.calendar.day_of(moment - timedelta(microseconds=1))


def _when(sprint: Sprint, as_of: datetime) -> str:
    # A midnight belongs to the day that ends with it.
    today = _day_before(sprint, as_of)
    if sprint.has_ended(as_of):
        return "abandoned" if sprint.is_deleted else "ended"
    if not sprint.has_begun(as_of):
        days = (sprint.first_day - today).days
        return f"starts in {counted(days, 'day')}" if days else "starts today"
    day = (today - sprint.first_day).days + 1
    if sprint.end is None or sprint.due is None:
        return f"day {day}"
    return f"day {day} of {(sprint.due - sprint.first_day).days + 1}"


def _dates(sprint: Sprint) -> str:
    if sprint.due is None:
        until = "no due date"
        if sprint.end:
            until = f"closed on {full_day(sprint.calendar.day_of(sprint.end))}"
        return f"{full_day(sprint.first_day)} – {until}"
    dates = f"{full_day(sprint.first_day)} – {full_day(sprint.due)}"
    if sprint.last_day and sprint.last_day != sprint.due:
        return f"{dates} · closed on {full_day(sprint.last_day)}"
    return dates


def _progress(facts: Facts, unit: str) -> str:
    """The progress bar, full only if everything is done and empty only if nothing is."""
    if not facts.scope.count:
        return ""
    share = share_done(facts.done, facts.scope, unit) or Decimal(0)
    filled = max(int(share * _BAR_CELLS), 1) if share else 0
    bar = "█" * filled + "░" * (_BAR_CELLS - filled)
    return f"`{bar}` **{progress_text(facts, unit)}** ({progress_percent(facts, unit) or percent(share)})"


def _pace_sentence(facts: Facts, burndown: Burndown, *, is_past: bool) -> str:
    sprint, unit = facts.sprint, burndown.unit
    left, is_one = open_work_text(facts, unit), is_single(facts, unit)
    remain = "remains" if is_one else "remain"
    if sprint.is_due_before_start():
        return ""
    if sprint.has_ended(facts.as_of):
        if facts.remaining.count == 0:
            return nothing_left_sentence(facts)
        return f"**{left}** {'was' if is_one else 'were'} not done when it ended.{_carried(facts)}"
    if not sprint.has_begun(facts.as_of):
        return _planned_sentence(facts, left, is_past=is_past)
    if not facts.remaining.count:
        return _nothing_open_sentence(facts)
    behind = compute_pace(burndown)
    if behind is None:
        return f"**{left}** {remain}. {_why_no_ideal(sprint)}"
    until = _until(sprint, facts.as_of)
    behind = behind.quantize(Decimal("0.1"))
    if not behind:
        return f"**On the ideal line:** {left} {remain}, {until}."
    side = "behind" if behind > 0 else "ahead of"
    return f"**{quantity(abs(behind), unit)} {side}** the ideal line: {left} {remain}, {until}."


def _planned_sentence(facts: Facts, left: str, *, is_past: bool) -> str:
    if is_past:
        were = "was" if is_single(facts, facts.unit) else "were"
        day = weekday(_day_before(facts.sprint, facts.as_of))
        return f"The sprint had not started on {day}: **{left}** {were} planned."
    return f"**{left}** planned so far; the commitment is whatever is in it when it starts."


def _nothing_open_sentence(facts: Facts) -> str:
    """A running sprint without open items, and the time that it still has."""
    left = time_left_text(facts.sprint, facts.as_of)
    sentence = nothing_left_sentence(facts).removesuffix(".")
    return f"**{sentence}**, with {left}." if left else f"**{sentence}**."


def _carried(facts: Facts) -> str:
    """Say how many items were carried over, and how many of these were done after the end."""
    if not facts.carried:
        return ""
    late = f", {len(facts.late)} of them done late" if facts.late else ""
    return f" {counted(len(facts.carried), 'item')} carried over{late}."


def _due_sentence(sprint: Sprint) -> str:
    """Describe the moves of the due date while the sprint ran, from the first date to the latest."""
    if not sprint.due_moves:
        return ""
    before, after = sprint.due_moves[0].before, sprint.due_moves[-1].after
    times = f" {len(sprint.due_moves)} times" if len(sprint.due_moves) > 1 else ""
    if before is None:
        return f"The due date was set while the sprint ran: {weekday(after)}." if after else ""
    if after is None:
        return f"The due date was removed; it was {weekday(before)}."
    slip = (after - before).days
    if not slip:
        return f"The due date was moved{times} and is back on {weekday(after)}."
    shift = f"{counted(abs(slip), 'day')} {'later' if slip > 0 else 'earlier'}"
    return f"The due date was moved{times} from {weekdays(before, after)}: {shift}."


def _until(sprint: Sprint, as_of: datetime) -> str:
    left = time_left_text(sprint, as_of)
    return f"with {left}" if left else "and no working days are left"


def _why_no_ideal(sprint: Sprint) -> str:
    if sprint.due is None:
        return "Without a due date there is no ideal line to compare with."
    return "Its first day has not been recorded, so there is no ideal line to compare with."


def _warnings(sprint: Sprint) -> list[str]:
    warnings = [f"{reason}, so it was ignored." for reason in sprint.ignored_starts]
    if sprint.ignored_due:
        warnings.append(sprint.ignored_due)
    if sprint.is_due_before_start() and sprint.due:
        warnings.append(
            f"This milestone is due on {full_day(sprint.due)}, before it starts on "
            f"{full_day(sprint.first_day)}. Move its due date, or put an earlier day into its "
            "description as `Start: YYYY-MM-DD`."
        )
    return warnings


def _ledger(facts: Facts) -> str:
    rows = [("Committed", facts.committed, "")] if facts.is_committed else []
    rows += [(name, facts.total(cause), sign) for name, cause, sign in CAUSES]
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


def _not_estimated(facts: Facts, unit: str) -> str:
    missing = [item for item in facts.open_items if item.points is None]
    if not missing:
        return ""
    links = named(item.number for item in missing)
    verb, they = ("is", "it counts") if len(missing) == 1 else ("are", "they count")
    if facts.sprint.has_ended(facts.as_of):
        return f"**{counted(len(missing), 'item')} carried over without an estimate:** {links}."
    text = f"**{counted(len(missing), 'open item')} {verb} not estimated:** {links}"
    if unit == "points":
        return f"{text}. In points {they} as 0."
    return f"{text}."


def _unit_reason(facts: Facts, unit: str, asked: str | None) -> str:
    """Say why a card counts items where nobody asked for them, or points where estimates are scarce."""
    if facts.unit == "points" or is_empty(facts):
        return ""
    if unit == "points":
        return "More than 30 % of its items have no estimate, so `by:count` is more meaningful."
    return "" if asked else "More than 30 % of its items have no estimate, so this card counts items."


def _covered_items(facts: Facts, unit: str) -> str:
    """A folded list of parents and pull requests whose work other items cover. Nothing to act on."""
    covered = [item for item in facts.items if item.is_covered and item.state in {"open", "done"}]
    if not covered:
        return ""
    verb = "is" if len(covered) == 1 else "are"
    summary = f"{counted(len(covered), 'item')} {verb} not counted: already covered by linked items"
    numbers = {item.item: item.number for item in facts.items}
    lines = []
    for item in covered[:_MOST_NAMED]:
        below = roll_up(item, facts.items)
        done, total = measure_amount(below.done, unit), measure_amount(below.total, unit)
        share = f"{number(done)} of {quantity(total, unit)} done" if total else "nothing estimated"
        line = f"- {ref(item.number)}: {share} in "
        line += named(
            sorted((numbers[node] for node in item.covered_by if node in numbers), key=split_number)
        )
        if item.points:
            line += f"; estimated twice, its own {quantity(item.points, 'points')} left out"
        lines.append(line)
    if len(covered) > _MOST_NAMED:
        lines.append(f"- and {len(covered) - _MOST_NAMED} more")
    listed = "\n".join(lines)
    return folded(summary, listed)


def facts_completeness(facts: Facts) -> str:
    """Whether every event behind a sprint's facts arrived when it happened."""
    quality, calendar = facts.completeness, facts.sprint.calendar
    return completeness_text(calendar, quality.reconstructed_before, quality.gaps, quality.first_seen)


def _days_table(facts: Facts, unit: str) -> str:
    if not facts.days:
        return ""
    shown = facts.days[-_MOST_DAYS:]
    lines = ["| Day | Scope | Done | Remaining |", "|:--|--:|--:|--:|"]
    if len(shown) < len(facts.days):
        lines.append(f"| … {counted(len(facts.days) - len(shown), 'earlier day')} | | | |")
    for day in shown:
        values = (measure_amount(value, unit) for value in (day.scope, day.done, day.remaining))
        lines.append(
            f"| {WEEKDAYS[day.date.weekday()]} {full_day(day.date)} | "
            + " | ".join(number(v) for v in values)
            + " |"
        )
    heading = "Data by day, in points" if unit == "points" else "Data by day, in items"
    return folded(heading, "\n".join(lines))


def _signed(value: Decimal, sign: str) -> str:
    """The value with a `sign` in front; ± stands for the value's own sign."""
    if not value:
        return "0"
    return signed(value) if sign == "±" else f"{sign}{number(value)}"
