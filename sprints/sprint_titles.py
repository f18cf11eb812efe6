"""The title of the sprint after another one: the same words with the next number."""

import re
from collections.abc import Collection
from datetime import date

# A date or a year is no counter.
_DATES = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}\.\d{1,2}\.(?:\d{4})?|(?<!\d)(?:19|20)\d\d(?!\d)")
_NUMBER = re.compile(r"\d{1,9}(?!\d)")
# A number after such a word counts sprints, whatever other numbers the title has.
_COUNTED_WORD = re.compile(r"(?:sprint|iteration|cycle|week|kw|cw|[siw])[\s#.:_-]*$", re.IGNORECASE)
_WEEK_WORD = re.compile(r"(?:week|kw|cw|w)[\s#.:_-]*$", re.IGNORECASE)
_CLOSING = re.compile(r"^[)\]}]*")
_MOST_TRIES = 1000


def find_next_title(title: str, first: date, next_first: date, taken: Collection[str]) -> str | None:
    """Count a sprint's title on to the next free one: `Sprint 24` becomes `Sprint 25`.

    A title by calendar week follows the weeks: `first` and `next_first` are the first days of both sprints.
    What stands behind the number is that sprint's own name and left out. `taken` are the titles in use. None
    if the title has no number to count on.
    """
    counter = _find_counter(title)
    if counter is None:
        return None
    before, digits = title[: counter.start()], counter[0]
    closing = _CLOSING.match(title[counter.end() :])
    after = closing[0] if closing else ""
    used = {text.casefold() for text in taken}
    if _WEEK_WORD.search(before) and int(digits) == first.isocalendar().week:
        year, week, _ = next_first.isocalendar()
        before = before.replace(str(first.isocalendar().year), str(year))
        by_week = f"{before}{week:0{len(digits)}}{after}"
        return None if by_week.casefold() in used else by_week
    for number in range(int(digits) + 1, int(digits) + _MOST_TRIES):
        candidate = f"{before}{number:0{len(digits)}}{after}"
        if candidate.casefold() not in used:
            return candidate
    return None


def find_stem(title: str) -> str:
    """The words before a title's number, in one case: equal for the titles of one series."""
    counter = _find_counter(title)
    return (title[: counter.start()] if counter else title).strip().casefold()


def _find_counter(title: str) -> re.Match[str] | None:
    """The number that counts: the first one after a word such as “Sprint”, else the last one."""
    spans = [match.span() for match in _DATES.finditer(title)]
    numbers = [
        match
        for match in _NUMBER.finditer(title)
        if not any(start <= match.start() < end for start, end in spans)
    ]
    return next((match for match in numbers if _COUNTED_WORD.search(title[: match.start()])), None) or (
        numbers[-1] if numbers else None
    )
