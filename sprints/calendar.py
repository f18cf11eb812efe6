"""Days as a team counts them: local midnights by IANA time zone, and working days."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

_SATURDAY = 5


def local_midnight(day: date, timezone: tzinfo) -> datetime:
    """The instant at which `day` begins, in UTC. A day may last 23 or 25 hours.

    Instants are kept in UTC, because Python compares two times of one zone by their wall clocks, which run
    through an hour twice in autumn.
    """
    return datetime.combine(day, time.min, timezone).astimezone(UTC)


def next_midnight(moment: datetime, timezone: tzinfo) -> datetime:
    """The end of the local day that holds `moment`."""
    return local_midnight(moment.astimezone(timezone).date() + timedelta(days=1), timezone)


def is_working_day(day: date) -> bool:
    """Whether the team is expected to work: Monday to Friday."""
    return day.weekday() < _SATURDAY


def days_between(first: date, last: date) -> list[date]:
    """All days from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
