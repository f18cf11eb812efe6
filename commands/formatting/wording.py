"""Words that the answers share: counts, days, links, tables and what is folded."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from charts.reading import WEEKDAYS, short_day, whole
from commands.formatting.foreign_text import code, plain
from sprints.numbering import Number, ref

# Others import the words for foreign text from here, with all other words.
__all__ = ["code", "counted", "folded", "footer", "full_day", "moment", "named", "person", "plain", "table"]
_MOST_NAMED = 10
# A bar that ends a cell: GitHub takes a backslash before it together with the backslash before that one.
_OPEN_BAR = re.compile(r"(?<!\\)((?:\\\\)*)\|")


def person(login: str) -> str:
    """A person's name, without calling them."""
    return code(login)


def counted(count: int, noun: str) -> str:
    """3 items, 1 item; thousands set apart."""
    return f"{whole(count)} {noun}" if count == 1 else f"{whole(count)} {noun}s"


def named(numbers: Iterable[Number], most: int = _MOST_NAMED) -> str:
    """Issues as links, the first of them if there are many."""
    every = list(numbers)
    shown = ", ".join(ref(one) for one in every[:most])
    return f"{shown} and {len(every) - most} more" if len(every) > most else shown


def full_day(day: date) -> str:
    """20 Nov 2026, in the form of the locale."""
    return short_day(day, with_year=True)


def weekday(day: date, *, with_year: bool = False) -> str:
    """Fri 20 Nov; of another year, or where it is asked for, Fri 20 Nov 2026."""
    return f"{WEEKDAYS[day.weekday()]} {short_day(day, with_year=with_year)}"


def weekdays(first: date, last: date, joint: str = " to ") -> str:
    """Mon 16 Nov to Fri 20 Nov; across New Year both with their years."""
    with_year = first.year != last.year
    return f"{weekday(first, with_year=with_year)}{joint}{weekday(last, with_year=with_year)}"


def moment(at: datetime) -> str:
    """20 Nov 2026, 14:30 UTC, in the zone that the time comes with."""
    return f"{full_day(at.date())}, {at:%H:%M} {at.tzname()}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int = 1) -> str:
    """A Markdown table; the columns from `numbers_from` on are set to the right. Bars in cells stay there."""
    marks = [":--" if n < numbers_from else "--:" for n in range(len(head))]
    return "\n".join(map(_table_line, [head, marks, *rows]))


def _table_line(cells: Sequence[str]) -> str:
    closed = [_OPEN_BAR.sub(r"\1\|", cell) for cell in cells]
    return f"| {' | '.join(closed)} |"


def folded(summary: str, text: str) -> str:
    """What only those read who want to know. The summary is HTML, so it must hold no text of others."""
    return f"<details>\n<summary>{summary}</summary>\n\n{text}\n\n</details>"


def footer(*parts: str) -> str:
    """The small line at the end; none where there is nothing to say."""
    said = " · ".join(part for part in parts if part)
    return f"<sub>{said}</sub>" if said else ""
