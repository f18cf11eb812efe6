"""Texts about work that several answers share: durations, limits and blockers."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from charts.reading import quantity
from commands.formatting.wording import counted, plain, weekday
from sprints.blocked import BlockedSpan
from sprints.calendar import Calendar
from sprints.durations import Age
from sprints.estimates import Points
from sprints.flow import Flow
from sprints.numbering import ref
from sprints.wip import Wip

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
MOST_LISTED = 10


def duration_text(elapsed: timedelta) -> str:
    """The elapsed time in whole days or hours: 3 days, 5 hours, less than an hour."""
    if elapsed >= _DAY:
        return counted(elapsed // _DAY, "day")
    return counted(elapsed // _HOUR, "hour") if elapsed >= _HOUR else "less than an hour"


def ordinal(count: int) -> str:
    """1st, 2nd, 11th, 23rd."""
    ending = "th" if count % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


def since_text(moment: datetime, now: datetime, calendar: Calendar) -> str:
    """since today, since Fri 20 Nov."""
    day = calendar.day_of(moment)
    if day == calendar.day_of(now):
        return "since today"
    return f"since {weekday(day, with_year=day.year != calendar.day_of(now).year)}"


def wip_sentence(wip: Wip) -> str:
    """4 items are in progress; the limit is 5."""
    be = "is" if wip.count == 1 else "are"
    text = f"{counted(wip.count, 'item')}{_of(wip)} {be} in progress"
    if wip.excess:
        return f"**{text}, {wip.excess} over the limit of {wip.most}.**"
    return f"{text}; the limit is {wip.most}." if wip.most is not None else f"{text}."


def _of(wip: Wip) -> str:
    return f" of team {plain(wip.team)}" if wip.team else ""


def blockers_text(blocks: Iterable[BlockedSpan]) -> str:
    """The blockers of an item: by #9 (the API comes first) and by #12."""
    parts = []
    for block in blocks:
        by = f"by {ref(block.number)}" if block.number else "by an issue of another repository"
        reason = f" ({plain(block.reason)})" if block.by and block.reason else ""
        parts.append(f"{by}{reason}" if block.by else plain(block.reason or "set by a command"))
    return " and ".join(parts)


def blocked_line(flow: Flow, now: datetime) -> str:
    """#12 – for 3 days, by #9."""
    blocks = flow.open_blocks
    longest = now - min(block.span.since for block in blocks)
    return f"{ref(flow.number)} – for {duration_text(longest)}, {blockers_text(blocks)}"


def blocked_suffix(flow: Flow) -> str:
    """; blocked: by #9 (the API comes first)."""
    return f"; blocked: {blockers_text(flow.open_blocks)}" if flow.open_blocks else ""


def in_progress_line(age: Age) -> str:
    """#12 – 3 days; blocked: by #9. The days are those of `/aging`, today included."""
    days = "since today" if age.days == 1 and not age.is_at_least else counted(age.days, "day")
    at_least = "at least " if age.is_at_least else ""
    return f"{ref(age.flow.number)} – {at_least}{days}{blocked_suffix(age.flow)}"


def reason_sentence(reason: str) -> str:
    """A person's reason, with exactly one full stop."""
    return f"{plain(reason).rstrip('.')}."


def bullet_list(lines: Sequence[str], most: int = MOST_LISTED) -> str:
    """A Markdown list of at most `most` lines, with the number of further ones."""
    shown = [f"- {line}" for line in lines[:most]]
    if len(lines) > most:
        shown.append(f"- and {len(lines) - most} more")
    return "\n".join(shown)


def estimate_text(points: Points | None) -> str:
    """5 points; no estimate."""
    return "no estimate" if points is None else quantity(points, "points")
