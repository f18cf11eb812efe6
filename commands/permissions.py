"""Who may run a command. GitHub decides; what is not known is not allowed."""

from collections.abc import Mapping
from enum import IntEnum


class Level(IntEnum):
    """Roles in a repository, each including those below it."""

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5

    @property
    def whom_to_ask(self) -> str:
        return "anyone with the admin role" if self is Level.ADMIN else "a maintainer of this repository"


_BY_NAME = {level.name.lower(): level for level in Level}
# The names of the flags in `user.permissions`, from the highest.
_FLAGS = {
    "admin": Level.ADMIN,
    "maintain": Level.MAINTAIN,
    "push": Level.WRITE,
    "triage": Level.TRIAGE,
    "pull": Level.READ,
}


def level_from(answer: Mapping[str, object]) -> Level:
    """The level that GitHub's answer on a collaborator's permission means.

    `role_name` counts, because `permission` folds maintain into write and triage into read. For a custom
    role it is the highest flag that is true, else the base permission.
    """
    role = str(answer.get("role_name") or "").lower()
    if role in _BY_NAME:
        return _BY_NAME[role]
    user = answer.get("user")
    flags = user.get("permissions") if isinstance(user, Mapping) else None
    if isinstance(flags, Mapping):
        for flag, level in _FLAGS.items():
            if flags.get(flag) is True:
                return level
    return _BY_NAME.get(str(answer.get("permission") or "").lower(), Level.NONE)
