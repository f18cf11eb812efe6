"""The cadence of recurring sprints: how long each one lasts, and on which weekday it begins."""

import re
from dataclasses import dataclass

LEAST_CADENCE_DAYS, MOST_CADENCE_DAYS = 7, 56

_PERIOD = re.compile(r"(\d{1,2}) (week|day)s?", re.IGNORECASE)

_EVERY = re.compile(
    r"(?:every|each|once every|once in)? ?(?P<count>\d{1,2}|[a-z]+)? ?-?(?P<unit>week|day)s?(?:ly)?"
)
_COUNTS = {"a": 1, "one": 1, "other": 2, "second": 2, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_COUNTS |= {"seven": 7, "eight": 8, "ten": 10}
_SINGLE_WORDS = {"weekly": 1, "fortnightly": 2, "fortnight": 2, "biweekly": 2, "bi-weekly": 2}


@dataclass(frozen=True, slots=True)
class Cadence:
    """A sprint every `days` calendar days. `starts` is the weekday of its first day (0 is Monday), if set."""

    days: int
    starts: int | None = None


def parse_period(value: object) -> int | None:
    """Parse `2 weeks` or `10 days` to calendar days; None for anything else or outside of the bounds."""
    match = _PERIOD.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    days = int(match[1]) * (7 if match[2].lower() == "week" else 1)
    return days if LEAST_CADENCE_DAYS <= days <= MOST_CADENCE_DAYS else None


def normalize_period(text: str) -> str | None:
    """`two weeks`, `every 2 weeks` or `fortnightly` as `2 weeks`; None for anything else or out of bounds."""
    plain = " ".join(text.casefold().split())
    if plain.removeprefix("every ") in _SINGLE_WORDS:
        count, unit = _SINGLE_WORDS[plain.removeprefix("every ")], "week"
    elif match := _EVERY.fullmatch(plain):
        typed, unit = match["count"] or "one", match["unit"]
        count = int(typed) if typed.isdigit() else _COUNTS.get(typed, 0)
    else:
        return None
    period = f"{count} {unit}{'' if count == 1 else 's'}"
    return period if parse_period(period) else None
