"""Permission to run commands, by the role on GitHub and the team's settings; unknown roles are refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from sprints.team_settings import CommandRule, TeamSettings

# Every command can also be written `/agile …`, for threads in which another bot uses the short form.
NAMESPACE = "agile"
# Stands for the person who opened the issue or pull request, among the users of a command.
AUTHOR = "@author"
# The key of the setting that `/agile pause` sets.
PAUSED = "paused"


class Level(IntEnum):
    """Roles in a repository; each includes those below it."""

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5

    @property
    def whom_to_ask(self) -> str:
        """The people who can help a person without this role, as words for a reply."""
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


def parse_level(answer: Mapping[str, object]) -> Level:
    """Parse the level from GitHub's answer on a collaborator's permission.

    `role_name` is preferred, because `permission` folds maintain into write and triage into read. For a
    custom role the level is the highest flag that is true, else the base permission.
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
class Requirement:
    """The requirement of a command: a level, or membership in one of the teams, or being one of the users.

    Logins and slugs are in lower case; the user `@author` is the author of the issue or pull request.
    """

    level: Level
    teams: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()

    def admits(self, login: str, level: Level, author: str | None = None) -> bool:
        """Whether a person is allowed by level or name; only GitHub knows about membership in `teams`."""
        if level is not Level.NONE and level >= self.level:
            return True
        is_author = AUTHOR in self.users and author is not None and login.lower() == author.lower()
        return login.lower() in self.users or is_author


class Policy:
    """A team's policy on commands: who may run them, and how they are written."""

    def __init__(self, settings: TeamSettings, other_bots: tuple[str, ...] = ()) -> None:
        """Create a policy; `other_bots` are the first words of other bots' commands in this repository."""
        self._settings = settings
        self._commands = settings.commands
        self._other_bots = other_bots

    @property
    def settings(self) -> TeamSettings:
        """The settings that the policy is part of."""
        return self._settings

    @property
    def refuses_politely(self) -> bool:
        """Whether people who are no collaborators get a polite refusal rather than silence."""
        return self._commands.answers_strangers

    @property
    def is_paused(self) -> bool:
        """Whether the bot is paused in this repository by `/agile pause`."""
        return self._settings.is_paused

    @property
    def public_level(self) -> Level:
        """The level of everybody in a public repository."""
        return Level.READ if self._commands.is_public_readable else Level.NONE

    @property
    def bots(self) -> frozenset[str]:
        """The bots whose commands are run, by login in lower case."""
        return self._commands.bots

    def find_granted_level(self, login: str) -> Level:
        """The level that an admin granted to a person with `/agile roles`."""
        return _BY_NAME.get(self._commands.roles.get(login.lower(), ""), Level.NONE)

    def find_requirement(self, command: str, usual: Level) -> Requirement:
        """The requirement of a command; `usual` is its level unless the settings say otherwise."""
        rule = self._rule(command)
        return Requirement(_BY_NAME.get(rule.role, usual), rule.teams, rule.users)

    @property
    def has_other_bots(self) -> bool:
        """Whether another bot that takes commands was found in this repository."""
        return bool(self._other_bots)

    def answers_short_form(self, verb: str) -> bool:
        """Whether the short form `/verb` is answered here, and not only `/agile verb`."""
        if not self._commands.has_short_forms:
            return False
        has_short_form = self._rule(verb).has_short_form
        return verb not in self._other_bots if has_short_form is None else has_short_form

    def spell(self, command: str) -> str:
        """Spell a command in this repository's form: by the team's name, in short, or after `/agile`."""
        verb = command.partition(" ")[0]
        name = self._rule(command).name
        own = command if name is None else name
        if verb == NAMESPACE or self.answers_short_form(verb):
            return f"/{own}"
        return f"/{NAMESPACE} {own}"

    def resolve_alias(self, verb: str) -> str:
        """The name of the command for which a verb is the team's own name; else the verb itself."""
        for name, rule in self._commands.rules.items():
            if rule.name == verb:
                return name
        return verb

    def _rule(self, command: str) -> CommandRule:
        return self._commands.rules.get(command, _NO_RULE)
