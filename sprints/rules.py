"""What a team has settled about its numbers: days, estimates, and when work counts as started."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sprints.calendar import MONDAY_TO_FRIDAY, Calendar, days_between, is_in_range
from sprints.estimates import Estimates

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
STARTED_LABELS = frozenset({"in progress", "in-progress", "doing", "wip", "status: in progress"})

# In one stretch; a slip in a year must not fill the memory.
MOST_DAYS_OFF = 366


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one team. `started_labels` are labels, in lower case, that say that work has begun."""

    calendar: Calendar = field(default_factory=Calendar)
    estimates: Estimates = field(default_factory=Estimates)
    started_labels: frozenset[str] = STARTED_LABELS


def rules_of(settings: Mapping[str, object]) -> Rules:
    """The rules that a team's settings state (docs/operating.md tells each key).

    What cannot be understood is passed over, because a slip in a settings file must not stop all numbers.
    """
    return Rules(
        Calendar(_zones(settings), _weekdays(settings), _holidays(settings) | _off_days(settings)),
        Estimates(
            _sizes(settings),
            tuple(_texts(settings.get("estimate_labels"))),
            frozenset(text.lower() for text in _texts(settings.get("done_labels"))),
        ),
        frozenset(text.lower() for text in _texts(settings.get("started_labels"))) or STARTED_LABELS,
    )


def _zones(settings: Mapping[str, object]) -> tuple[tuple[date, ZoneInfo], ...]:
    """`timezone` is a name, or a list of `{"from": day, "zone": name}` of a team that has moved."""
    told = settings.get("timezone")
    moves = told if isinstance(told, list) else [{"zone": told}]
    found = [
        (_day(move.get("from")) or date.min, zone)
        for move in moves
        if isinstance(move, dict) and (zone := _zone(move.get("zone")))
    ]
    return tuple(sorted(found, key=lambda one: one[0])) or ((date.min, ZoneInfo("UTC")),)


def _zone(name: object) -> ZoneInfo | None:
    try:
        return ZoneInfo(str(name)) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _weekdays(settings: Mapping[str, object]) -> frozenset[int]:
    named = {text[:3].lower() for text in _texts(settings.get("working_days"))}
    return frozenset(n for n, name in enumerate(_WEEKDAYS) if name in named) or MONDAY_TO_FRIDAY


def _holidays(settings: Mapping[str, object]) -> frozenset[date]:
    told = settings.get("holidays")
    days = [_day(one) for one in (told if isinstance(told, list) else [])]
    return frozenset(day for day in days if day and is_in_range(day))


@dataclass(frozen=True, slots=True)
class DaysOff:
    """Days on which a team does not work, `first` and `last` included, and what for."""

    first: date
    last: date
    name: str = ""

    @property
    def days(self) -> list[date]:
        return days_between(self.first, self.last)


def days_off(settings: Mapping[str, object]) -> tuple[DaysOff, ...]:
    """What `days_off` states as `[{"from": day, "to": day, "name": text}]`, the earliest first.

    What cannot be understood, ends before it begins, is longer than a year or lies outside the years that
    can be computed with is passed over.
    """
    told = settings.get("days_off")
    found = []
    for one in told if isinstance(told, list) else []:
        if not isinstance(one, dict) or (first := _day(one.get("from"))) is None:
            continue
        last = _day(one.get("to", one["from"]))
        if last and 0 <= (last - first).days < MOST_DAYS_OFF and is_in_range(first) and is_in_range(last):
            found.append(DaysOff(first, last, str(one.get("name") or "")))
    return tuple(sorted(found, key=lambda off: (off.first, off.last, off.name)))


def _off_days(settings: Mapping[str, object]) -> frozenset[date]:
    return _days_of(days_off(settings))


@lru_cache(maxsize=256)
def _days_of(offs: tuple[DaysOff, ...]) -> frozenset[date]:
    """The days of several stretches, the earliest first; a day that lies in many of them is listed once."""
    days, next_day = set[date](), date.min
    for off in offs:
        days.update(days_between(max(off.first, next_day), off.last))
        next_day = max(next_day, off.last + timedelta(days=1))
    return frozenset(days)


def _sizes(settings: Mapping[str, object]) -> dict[str, Decimal]:
    told = settings.get("sizes")
    found = {}
    for name, worth in (told if isinstance(told, dict) else {}).items():
        try:
            points = Decimal(str(worth))
        except InvalidOperation:
            continue
        if points.is_finite() and 0 <= points < 10_000:
            found[str(name).upper()] = points
    return found


def _texts(told: object) -> list[str]:
    return [one for one in told if isinstance(one, str)] if isinstance(told, list) else []


def _day(told: object) -> date | None:
    try:
        return date.fromisoformat(str(told))
    except ValueError:
        return None
