"""When a team wants to hear something unasked, and when not: paused, in quiet hours, in quiet threads.

Settings are read leniently; whatever cannot be understood silences nothing.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from sprints.calendar import Calendar

_MORNING = time(8)
_MORNING_LASTS = timedelta(hours=4)


def is_paused(settings: Mapping[str, object]) -> bool:
    """Whether nothing at all is said in this repository until somebody resumes it."""
    return settings.get("paused") is True


def is_quiet_thread(settings: Mapping[str, object], thread: int | None, today: date) -> bool:
    """Whether a thread is silenced: `quiet` names threads, each with `on` or the last day of its silence."""
    told = settings.get("quiet")
    said = told.get(str(thread)) if isinstance(told, Mapping) else None
    if said is True or said == "on":
        return True
    try:
        return today <= date.fromisoformat(str(said))
    except ValueError:
        return False


def is_quiet_hour(settings: Mapping[str, object], now: time) -> bool:
    """Whether it is one of the `quiet_hours`, by the team's clock. They may run over midnight."""
    told = settings.get("quiet_hours")
    if not isinstance(told, Mapping):
        return False
    begin, end = _time(told.get("from")), _time(told.get("until"))
    if begin is None or end is None or begin == end:
        return False
    now = now.replace(tzinfo=None)
    return begin <= now < end if begin < end else now >= begin or now < end


def morning_of(settings: Mapping[str, object]) -> time:
    """When a team's morning begins, by its clock: at 08:00, or at the end of quiet hours that last longer."""
    hours = settings.get("quiet_hours")
    end = _time(hours.get("until")) if isinstance(hours, Mapping) else None
    return end if end is not None and is_quiet_hour(settings, _MORNING) else _MORNING


def is_morning(settings: Mapping[str, object], now: datetime, calendar: Calendar) -> bool:
    """Whether it is the morning of a working day: when people look at what is new, and can act on it."""
    there, begin = calendar.local(now), morning_of(settings)
    end = (datetime.combine(there.date(), begin) + _MORNING_LASTS).time()
    is_within = begin <= there.time() and (there.time() < end or end < begin)
    return is_within and calendar.is_working_day(there.date())


def standup_at(settings: Mapping[str, object]) -> time | None:
    """When a team wants its standup told each working day, by its clock; None if it did not ask for that."""
    told = settings.get("standup")
    return _time(told) if isinstance(told, str) else None


def _time(told: object) -> time | None:
    try:
        return time.fromisoformat(str(told).zfill(5)) if told else None
    except ValueError:
        return None
