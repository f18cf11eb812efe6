"""When a team wants to hear something unasked, and when not: paused, in quiet hours, in quiet threads.

Settings are read leniently; whatever cannot be understood silences nothing.
"""

from collections.abc import Mapping
from datetime import date, time


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


def standup_at(settings: Mapping[str, object]) -> time | None:
    """When a team wants its standup told each working day, by its clock; None if it did not ask for that."""
    told = settings.get("standup")
    return _time(told) if isinstance(told, str) else None


def _time(told: object) -> time | None:
    try:
        return time.fromisoformat(str(told).zfill(5)) if told else None
    except ValueError:
        return None
