"""A sample sprint in its second week, with everything that a burndown can show."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sprints.burndown import Burndown, BurndownDay
from sprints.calendar import Calendar

_START = date(2026, 11, 16)
_REMAINING = (34, 31, 31, 29, 26, 26, 26, 17)
_SCOPE = (34, 34, 42, 42, 39, 39, 39, 39)


def _day(index: int) -> BurndownDay:
    day = _START + timedelta(days=index)
    working_days = sum(Calendar().is_working_day(_START + timedelta(days=n)) for n in range(index + 1))
    ideal = Decimal(34) * (10 - working_days) / 10
    if index >= len(_REMAINING):
        return BurndownDay(day, Calendar().is_working_day(day), None, None, None, ideal)
    remaining, scope = Decimal(_REMAINING[index]), Decimal(_SCOPE[index])
    return BurndownDay(day, Calendar().is_working_day(day), remaining, scope, scope - remaining, ideal)


SAMPLE = Burndown(
    unit="points",
    committed=Decimal(34),
    days=tuple(_day(index) for index in range(14)),
    as_of=datetime(2026, 11, 23, 15, 20, tzinfo=UTC),
    is_open_ended=False,
    is_day_complete=False,
)
