"""What differs between two values of a setting, never cut to the same text on both sides."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from commands.formatting.wording import code, full_day, person
from commands.settings.text import format_yaml
from sprints.rules import DaysOff
from sprints.settings_parser import parse_settings

_DAYS_OFF = "days_off"
_A_DAY = timedelta(days=1)


def days_off_changes(key: str, before: object, after: object) -> str | None:
    """The days on which a change of days off has an effect: `no longer off: 31 Dec 2026`.

    None for another setting, and where no day differs.
    """
    if key != _DAYS_OFF:
        return None
    old, new = _list_days(before), _list_days(after)
    lines = [
        *_describe_days("no longer off", "no longer away", old, new),
        *_describe_days("off", "away", new, old),
    ]
    return "; ".join(lines) or None


def shorten_both(before: Any, after: Any, most: int) -> tuple[str | None, str | None]:
    """Format two values as code, each up to about `most` characters; None for a missing one.

    Values that are too long are reduced to what differs.
    """
    texts = [None if value is None else format_yaml(value) for value in (before, after)]
    if any(text and len(text) > most for text in texts):
        values = _reduce(before, after)
        texts = [None if value is None else format_yaml(value) for value in values]
    old, new = texts
    if old and new and old[: most - 1] == new[: most - 1]:
        start = max(0, _count_shared(old, new) - most // 3)
        old, new = f"…{old[start:]}", f"…{new[start:]}"
    return _cut(old, most), _cut(new, most)


def differing_entries(before: object, after: object) -> tuple[object, object]:
    """Reduce two mappings to the entries that differ; other values are returned as they are."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return before, after
    keys = _differing_keys(before, after)
    return (
        {key: before[key] for key in keys if key in before} or None,
        {key: after[key] for key in keys if key in after} or None,
    )


def _differing_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [key for key in {**before, **after} if before.get(key) != after.get(key)]


def _reduce(before: Any, after: Any) -> tuple[Any, Any]:
    """Reduce mappings and lists, at every depth, to the entries that differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = {key: _reduce(before.get(key), after.get(key)) for key in _differing_keys(before, after)}
        return (
            {key: old for key, (old, _) in pairs.items() if old is not None} or None,
            {key: new for key, (_, new) in pairs.items() if new is not None} or None,
        )
    if isinstance(before, list) and isinstance(after, list):
        old, new = _subtract(before, after), _subtract(after, before)
        return (old or None, new or None) if old or new else (before, after)
    return before, after


def _subtract(entries: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    left, rest = list[Any](), list(others)
    for entry in entries:
        if entry in rest:
            rest.remove(entry)
        else:
            left.append(entry)
    return left


def _count_shared(old: str, new: str) -> int:
    """The length of the common beginning of two texts."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((n for n, (left, right) in pairs if left != right), min(len(old), len(new)))


def _cut(text: str | None, most: int) -> str | None:
    return None if text is None else code(text if len(text) <= most else f"{text[: most - 1]}…")


def _list_days(value: object) -> dict[str, set[date]]:
    """The days off of the team, under an empty name, and of each person."""
    settings = parse_settings({_DAYS_OFF: value})
    days = dict[str, set[date]]()
    for off in (*settings.days_off, *settings.absences):
        days.setdefault(off.person, set()).update(off.days)
    return days


def _describe_days(
    team: str, away: str, days: dict[str, set[date]], others: dict[str, set[date]]
) -> Iterator[str]:
    """A phrase for the team and each person with days that the other value lacks."""
    for login in sorted(days):
        if more := sorted(days[login] - others.get(login, set())):
            ranges = ", ".join(_range_text(off) for off in _join_days(more))
            yield f"{person(login)} {away}: {ranges}" if login else f"{team}: {ranges}"


def _join_days(days: Sequence[date]) -> Iterator[DaysOff]:
    first = last = days[0]
    for day in days[1:]:
        if day != last + _A_DAY:
            yield DaysOff(first, last)
            first = day
        last = day
    yield DaysOff(first, last)


def _range_text(off: DaysOff) -> str:
    return full_day(off.first) if off.first == off.last else f"{full_day(off.first)} – {full_day(off.last)}"
