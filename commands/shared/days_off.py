"""Days off as commands read and write them: the team's, and those of single people."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from commands.framework.changes import ChangeSetting
from commands.framework.errors import UserError
from commands.framework.planning import Planning
from sprints.rules import DaysOff

DAYS_OFF = "days_off"
_LOGIN = re.compile(r"@([A-Za-z0-9](?:-?[A-Za-z0-9])*(?:_[a-z0-9]+)?)")
_LONGEST_LOGIN, _MOST_PEOPLE, _MOST_NAME, _MOST_ENTRIES = 60, 20, 100, 500


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose days off these are: the logins in lower case, none for the whole team; and their name."""

    people: tuple[str, ...]
    name: str


def read_owners(words: Iterable[str]) -> Owners:
    """Read `@bob "vacation"`. Raises UserError for too many people, or too long a name."""
    people, names = list[str](), list[str]()
    for word in words:
        match = _LOGIN.fullmatch(word.strip())
        if match and len(match[1]) <= _LONGEST_LOGIN:
            people.append(match[1].lower())
        else:
            names.append(word)
    name = " ".join(" ".join(names).split())
    if len(people) > _MOST_PEOPLE:
        raise UserError(f"You named {len(people)} people. You can name up to {_MOST_PEOPLE} at once.")
    if len(name) > _MOST_NAME:
        raise UserError(f"This name has {len(name)} characters. A name can have up to {_MOST_NAME}.")
    return Owners(tuple(dict.fromkeys(people)), name)


def days_off_topic(owners: Owners, first: date, last: date) -> str:
    """The topic of a change of days off: which days, and of whom."""
    return " ".join([f"{first}..{last}", *(f"@{login}" for login in sorted(owners.people))])


def list_days_off(planning: Planning) -> list[DaysOff]:
    """All days off in force, of the team and of people."""
    settings = planning.project.settings
    return [*settings.days_off, *settings.absences]


def change_days_off(planning: Planning, days_off: Iterable[DaysOff]) -> ChangeSetting:
    """The step that replaces all days off. Raises UserError for too many."""
    serialized = serialize_days_off(
        sorted(days_off, key=lambda off: (off.first, off.last, off.name, off.person))
    )
    if len(serialized) > _MOST_ENTRIES:
        raise UserError(f"The calendar holds up to {_MOST_ENTRIES} entries. Remove some past ones first.")
    return ChangeSetting(DAYS_OFF, planning.project.stored_settings.get(DAYS_OFF), serialized)


def serialize_days_off(days_off: Sequence[DaysOff]) -> list[dict[str, str]]:
    """Serialize days off as the settings store them."""
    return [
        {"from": off.first.isoformat(), "to": off.last.isoformat()}
        | ({"name": off.name} if off.name else {})
        | ({"person": off.person} if off.person else {})
        for off in days_off
    ]
