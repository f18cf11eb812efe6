"""Days as a team counts them: local midnights by IANA time zone, working days and holidays."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

MONDAY_TO_FRIDAY = frozenset(range(5))

# Days outside of these are not computed with: GitHub takes any due date from the year 1 to the year 9999, but
# time zones have no answer at either end, and work that is done for each day must have an end.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
# Two years, from a sprint's first day to its due date. Without a due date it lasts until it is closed.
MOST_SPRINT_DAYS = 731


def is_in_range(day: date) -> bool:
    """Whether a typed day is in the range of dates that computations support."""
    return FIRST_DAY <= day <= LAST_DAY


def latest_due(first: date) -> date:
    """The last day that a sprint may have which begins on `first`."""
    return min(first + timedelta(days=MOST_SPRINT_DAYS - 1), LAST_DAY)


def earliest_start(due: date) -> date:
    """The earliest first day of a sprint that is due on `due`."""
    return max(due - timedelta(days=MOST_SPRINT_DAYS - 1), FIRST_DAY)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A team's days.

    `zones` are its time zones, oldest first, each with the first day that it holds for: who moves does not
    move the days that are over. `weekdays` are those on which it works (0 is Monday), `holidays` the dates
    on which it does not.
    """

    zones: tuple[tuple[date, tzinfo], ...] = ((date.min, UTC),)
    weekdays: Collection[int] = MONDAY_TO_FRIDAY
    holidays: Collection[date] = ()

    @classmethod
    def of(cls, zone: tzinfo, **more: Collection[int] | Collection[date]) -> "Calendar":
        """A calendar of one time zone."""
        return cls(((date.min, zone),), **more)  # type: ignore[arg-type]

    def midnight(self, day: date) -> datetime:
        """The instant at which `day` begins, in UTC. A day may last 23 or 25 hours.

        Instants are kept in UTC, because Python compares two times of one zone by their wall clocks, which
        run through an hour twice in autumn.
        """
        return self.instant(day, time.min)

    def instant(self, day: date, clock: time) -> datetime:
        """The instant at which the team's clock shows `clock` on `day`, in UTC."""
        return datetime.combine(day, clock, self.zone_of(day)).astimezone(UTC)

    def local(self, moment: datetime) -> datetime:
        """`moment` as the team's clock shows it, in the zone that is in force at that moment."""
        return moment.astimezone(self.zone_of(self.day_of(moment)))

    def day_of(self, moment: datetime) -> date:
        """The local day that holds `moment`."""
        day = max(moment.astimezone(zone).date() for _, zone in self.zones)
        if len(self.zones) == 1:
            return day
        while self.midnight(day) > moment:
            day -= timedelta(days=1)
        return day

    def next_midnight(self, moment: datetime) -> datetime:
        """The end of the local day that holds `moment`."""
        return self.midnight(self.day_of(moment) + timedelta(days=1))

    def is_working_day(self, day: date) -> bool:
        """Whether the team is expected to work."""
        return day.weekday() in self.weekdays and day not in self.holidays

    def zone_of(self, day: date) -> tzinfo:
        """The time zone in force on `day`; before the first zone's first day, that zone."""
        return next((zone for since, zone in reversed(self.zones) if since <= day), self.zones[0][1])


def days_between(first: date, last: date) -> list[date]:
    """All days from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def working_days(calendar: Calendar, first: date, last: date) -> list[date]:
    """The working days from `first` to `last`, both included."""
    return [day for day in days_between(first, last) if calendar.is_working_day(day)]
