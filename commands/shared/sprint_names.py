"""Find the sprint that a name means: its title, part of it, its number, or a word such as “current”."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum

from commands.framework.plain_input import simplify
from sprints.milestone import Sprint
from sprints.selection import choose_sprint
from sprints.upcoming import find_next_sprint


class RelativeSprint(Enum):
    """A sprint that is named by its place beside the one that is running."""

    CURRENT = "current"
    PREVIOUS = "previous"
    NEXT = "next"


_WORDS = {
    **dict.fromkeys(("current", "this", "running", "now", "active"), RelativeSprint.CURRENT),
    **dict.fromkeys(("last", "previous", "prev"), RelativeSprint.PREVIOUS),
    "next": RelativeSprint.NEXT,
}
_PART = re.compile(r"\d+|[^\W\d_]+")
_ONLY_NUMBER = re.compile(r"(?:sprint|no\.?|number|#)? ?#?(\d{1,9})")


def find_sprints(name: str, sprints: Sequence[Sprint], now: datetime) -> list[Sprint]:
    """The sprints that a name may mean: one for each title, or none. A whole title wins over all else."""
    for is_meant in (_has_title(name), _has_same_letters(name)):
        if matching := [sprint for sprint in sprints if is_meant(sprint)]:
            return [max(matching, key=lambda sprint: (not sprint.is_deleted, sprint.number))]
    relative = find_relative_word(name)
    if relative and (by_word := _find_relative(relative, sprints, now)) is not None:
        return [by_word]
    existing = [sprint for sprint in sprints if not sprint.is_deleted]
    is_meant = _has_number(name) or _has_parts(name)
    by_title: dict[str, Sprint] = {}
    for sprint in sorted(existing, key=lambda sprint: sprint.number):
        if is_meant(sprint):
            by_title[sprint.title.casefold()] = sprint
    return list(by_title.values())


def _has_title(name: str) -> Callable[[Sprint], bool]:
    return lambda sprint: sprint.title.casefold() == name.casefold()


def _has_same_letters(name: str) -> Callable[[Sprint], bool]:
    parts = _list_parts(name)
    return lambda sprint: bool(parts) and _list_parts(sprint.title) == parts


def _has_number(name: str) -> Callable[[Sprint], bool] | None:
    match = _ONLY_NUMBER.fullmatch(simplify(name))
    if match is None:
        return None
    number = match[1].lstrip("0")
    return lambda sprint: number in {part.lstrip("0") for part in _list_parts(sprint.title) if part.isdigit()}


def _has_parts(name: str) -> Callable[[Sprint], bool]:
    """Whether the words of a name stand in a title side by side: “Sprint 2” is no part of “Sprint 24”."""
    parts = _list_parts(name)

    def is_part(sprint: Sprint) -> bool:
        titles = _list_parts(sprint.title)
        return bool(parts) and any(
            titles[start : start + len(parts)] == parts for start in range(len(titles) - len(parts) + 1)
        )

    return is_part


def _list_parts(text: str) -> list[str]:
    return _PART.findall(simplify(text))


def find_relative_word(name: str) -> RelativeSprint | None:
    """The relative sprint that a word such as “next” names; None for any other text."""
    return _WORDS.get(simplify(name).removeprefix("the ").removesuffix(" sprint").removesuffix(" one"))


def _find_relative(relative: RelativeSprint, sprints: Sequence[Sprint], now: datetime) -> Sprint | None:
    current = choose_sprint(sprints, now, None)
    if relative is RelativeSprint.CURRENT:
        return current
    if relative is RelativeSprint.NEXT:
        return find_next_sprint(sprints, current, now) if current else None
    ended = [
        sprint
        for sprint in sprints
        if not sprint.is_deleted and sprint.end and (sprint.closed_at is not None or sprint.has_ended(now))
    ]
    return max(ended, key=lambda sprint: (sprint.end or sprint.start, sprint.number), default=None)
