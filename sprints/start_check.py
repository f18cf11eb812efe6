"""What deserves a second look before a sprint starts: its length, its days, and the sprints beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sprints.cadence import MOST_CADENCE_DAYS
from sprints.calendar import Calendar, working_days
from sprints.milestone import Sprint
from sprints.succession import TimeBox

# Without any sprint to compare with, one of more working days than eight weeks have is unusually long.
_LONG = 40
# A start that is further away is unusual.
_LONG_AGO, _FAR_OFF = timedelta(days=14), timedelta(days=MOST_CADENCE_DAYS)


@dataclass(frozen=True, slots=True)
class StartCheck:
    """The days of a sprint that is about to start, compared with what is usual.

    `usual` is the usual number of working days, None if no sprint has ended. `overlapping` are the other
    sprints that run or are planned on some of its days. `is_start_new` unless the milestone states the start.
    """

    box: TimeBox
    today: date
    calendar: Calendar
    usual: int | None = None
    overlapping: Sequence[Sprint] = ()
    is_start_new: bool = True

    @property
    def working_days(self) -> int:
        return len(working_days(self.calendar, self.box.first, self.box.due))

    @property
    def is_long(self) -> bool:
        """Whether it is more than twice as long as usual."""
        return self.working_days > (_LONG if self.usual is None else max(2 * self.usual, 1))

    @property
    def is_short(self) -> bool:
        """Whether it is less than half as long as usual, or has one working day or none."""
        return self.working_days <= 1 or 2 * self.working_days < (self.usual or 0)

    @property
    def starts_long_ago(self) -> bool:
        return self.is_start_new and self.box.first < self.today - _LONG_AGO

    @property
    def starts_far_off(self) -> bool:
        return self.is_start_new and self.box.first > self.today + _FAR_OFF

    @property
    def last_working_day(self) -> date | None:
        """The last working day, if the due date is a day off; None if it is not, or if none is left."""
        days = working_days(self.calendar, self.box.first, self.box.due)
        return days[-1] if days and days[-1] != self.box.due else None

    @property
    def is_questionable(self) -> bool:
        """Whether the person who starts it should be asked first."""
        return self.is_long or self.is_short or self.starts_long_ago or self.starts_far_off


def correct_year(day: date, near: date, least: date) -> date | None:
    """The same day of a year near to `near`, if it is from `least` on and within eight weeks of `near`.

    For a day with a mistyped year; None if another year does not help.
    """
    for year in (near.year - 1, near.year, near.year + 1):
        try:
            corrected = day.replace(year=year)
        except ValueError:  # 29 February.
            continue
        if corrected != day and corrected >= least and abs(corrected - near) < _FAR_OFF:
            return corrected
    return None
