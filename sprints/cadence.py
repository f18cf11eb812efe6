"""The cadence of recurring sprints: how long each one lasts, and on which weekday it begins."""

import re
from dataclasses import dataclass

LEAST_CADENCE_DAYS, MOST_CADENCE_DAYS = 7, 56

_PERIOD = re.compile(r"(\d{1,2}) (week|day)s?", re.IGNORECASE)


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
