"""Formats that replies share: counts, days, links, tables and folded sections."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from charts.reading import WEEKDAYS, short_day, whole
from commands.formatting.foreign_text import code, plain
from sprints.numbering import Number, ref

# The formats for foreign text are re-exported, so that callers import all formats from here.
__all__ = [
    "code",
    "counted",
    "folded",
    "footer",
    "format_moment",
    "full_day",
    "named",
    "person",
    "plain",
    "table",
]
_MOST_NAMED = 10
# A bar that would end a cell: an even number of backslashes before it does not escape it for GitHub.
_OPEN_BAR = re.compile(r"(?<!\\)((?:\\\\)*)\|")


def person(login: str) -> str:
    """Format a login without mentioning the person."""
    return code(login)


def counted(count: int, noun: str) -> str:
    """Format a count with its noun: 3 items, 1 item; thousands are separated."""
    return f"{whole(count)} {noun}" if count == 1 else f"{whole(count)} {noun}s"


def named(numbers: Iterable[Number], most: int = _MOST_NAMED) -> str:
    """List issues as links: the first `most` of them, and the number of the rest."""
    links = list(numbers)
    shown = ", ".join(ref(number) for number in links[:most])
    return f"{shown} and {len(links) - most} more" if len(links) > most else shown


def full_day(day: date) -> str:
    """Format a day with its year in the locale: 20 Nov 2026."""
    return short_day(day, with_year=True)


def weekday(day: date, *, with_year: bool = False) -> str:
    """Format a day with its weekday: Fri 20 Nov; of another year, or `with_year`, Fri 20 Nov 2026."""
    return f"{WEEKDAYS[day.weekday()]} {short_day(day, with_year=with_year)}"


def weekdays(first: date, last: date, joint: str = " to ") -> str:
    """Format a range of days: Mon 16 Nov to Fri 20 Nov; across New Year, both with their years."""
    with_year = first.year != last.year
    return f"{weekday(first, with_year=with_year)}{joint}{weekday(last, with_year=with_year)}"


def format_moment(at: datetime) -> str:
    """Format a time in its own zone: 20 Nov 2026, 14:30 UTC."""
    return f"{full_day(at.date())}, {at:%H:%M} {at.tzname()}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int = 1) -> str:
    """Render a Markdown table, right-aligned from the column `numbers_from` on; bars in cells are escaped."""
    marks = [":--" if n < numbers_from else "--:" for n in range(len(head))]
    return "\n".join(map(_table_line, [head, marks, *rows]))


def _table_line(cells: Sequence[str]) -> str:
    closed = [_OPEN_BAR.sub(r"\1\|", cell) for cell in cells]
    return f"| {' | '.join(closed)} |"


def folded(summary: str, text: str) -> str:
    """Render a collapsed section. The summary is HTML, so it must not contain text of others."""
    return f"<details>\n<summary>{summary}</summary>\n\n{text}\n\n</details>"


def footer(*parts: str) -> str:
    """Render the small line at the end of a reply; empty if all parts are."""
    text = " · ".join(part for part in parts if part)
    return f"<sub>{text}</sub>" if text else ""
