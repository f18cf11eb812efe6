"""Times and threads without unasked posts: quiet threads, quiet hours, and the morning after them.

All times of day are local times of the team, without a time zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sprints.calendar import Calendar

_MORNING = time(8)
_MORNING_DURATION = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A daily period without unasked posts, `end` excluded; over midnight if `end` is the earlier time."""

    begin: time
    end: time

    def includes(self, now: time) -> bool:
        """Whether a local time of day lies within these hours."""
        now = now.replace(tzinfo=None)
        if self.begin < self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end


@dataclass(frozen=True, slots=True)
class QuietRules:
    """The threads and the hours in which nothing is posted unasked.

    `threads` has for each quiet thread, by its number, the first day that is not quiet any more; `date.max`
    means for good.
    """

    threads: Mapping[int, date] = field(default_factory=dict)
    hours: QuietHours | None = None

    def is_quiet_thread(self, thread: int | None, today: date) -> bool:
        """Whether nothing is posted unasked in a thread today. False without a thread."""
        end = self.threads.get(thread) if thread is not None else None
        return end is not None and today < end

    def is_quiet_hour(self, now: time) -> bool:
        """Whether a local time of day lies within the quiet hours."""
        return self.hours is not None and self.hours.includes(now)

    @property
    def morning(self) -> time:
        """The local time at which the morning begins: 08:00, or the end of quiet hours that include 08:00."""
        if self.hours is not None and self.hours.includes(_MORNING):
            return self.hours.end
        return _MORNING

    def is_morning(self, now: datetime, calendar: Calendar) -> bool:
        """Whether it is the morning of a working day, when people look at news and can act on it.

        A morning lasts four hours.
        """
        local, begin = calendar.local(now), self.morning
        end = (datetime.combine(local.date(), begin) + _MORNING_DURATION).time()
        is_within = begin <= local.time() and (local.time() < end or end < begin)
        return is_within and calendar.is_working_day(local.date())
