"""Who may run a command. GitHub decides; what is not known is not allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from sprints.team_settings import CommandRule, TeamSettings

# Every command answers to `/agile …` too, for threads in which another bot owns its short form.
NAMESPACE = "agile"
# Among the users of a command: whoever opened the issue or pull request.
AUTHOR = "@author"
# The setting that `/agile pause` gives.
PAUSED = "paused"


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


_NO_RULE = CommandRule()
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


@dataclass(frozen=True, slots=True)
class Need:
    """Who may run a command: who has the level, or is in one of the teams, or is one of the users.

    Logins and slugs are in lower case; the user `@author` is who opened the issue or pull request.
    """

    level: Level
    teams: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()

    def admits(self, login: str, level: Level, author: str | None = None) -> bool:
        """Whether somebody may by level or by name. Whether by a team, only GitHub knows."""
        if level is not Level.NONE and level >= self.level:
            return True
        is_author = AUTHOR in self.users and author is not None and login.lower() == author.lower()
        return login.lower() in self.users or is_author


class Policy:
    """A team's policy on commands: who may run them, and how they are written."""

    def __init__(self, settings: TeamSettings, other_bots: tuple[str, ...] = ()) -> None:
        """`other_bots` are the verbs that other bots answer to in this repository."""
        self._settings = settings
        self._commands = settings.commands
        self._other_bots = other_bots

    @property
    def greets_strangers(self) -> bool:
        """Whether somebody who is no collaborator gets a polite line rather than silence."""
        return self._commands.answers_strangers

    @property
    def is_paused(self) -> bool:
        """Whether we say and change nothing here until somebody resumes it."""
        return self._settings.is_paused

    @property
    def public_level(self) -> Level:
        """What anybody may do in a public repository."""
        return Level.READ if self._commands.is_public_readable else Level.NONE

    @property
    def bots(self) -> frozenset[str]:
        """The bots whose comments count, by login in lower case."""
        return self._commands.bots

    def granted(self, login: str) -> Level:
        """The level that an admin granted to a person by command."""
        return _BY_NAME.get(self._commands.roles.get(login.lower(), ""), Level.NONE)

    def need(self, command: str, usual: Level) -> Need:
        """Who may run a command that usually needs a level."""
        rule = self._rule(command)
        return Need(_BY_NAME.get(rule.role, usual), rule.teams, rule.users)

    def answers_short(self, verb: str) -> bool:
        """Whether `/verb` is ours here, and not only `/agile verb`."""
        if not self._commands.has_short_forms:
            return False
        has_short_form = self._rule(verb).has_short_form
        return verb not in self._other_bots if has_short_form is None else has_short_form

    def spelled(self, command: str) -> str:
        """How a command is written here: by the team's name for it, in short, or behind `/agile`."""
        verb = command.partition(" ")[0]
        name = self._rule(command).name
        own = command if name is None else name
        if verb == NAMESPACE or self.answers_short(verb):
            return f"/{own}"
        return f"/{NAMESPACE} {own}"

    def meant_by(self, verb: str) -> str:
        """The command that a team calls by another name, or the same word."""
        for name, rule in self._commands.rules.items():
            if rule.name == verb:
                return name
        return verb

    def _rule(self, command: str) -> CommandRule:
        return self._commands.rules.get(command, _NO_RULE)
