"""The texts of `/help`: all commands on one page, a group of them, or one."""

from collections.abc import Sequence
from dataclasses import dataclass

from commands.formatting.wording import counted, folded, footer, person, table
from commands.framework.permissions import AUTHOR, Level, Requirement
from commands.framework.registry import CONFIRM, Command

# The group of a command by its first word; all others are grouped by whether they change something.
_GROUPS = {
    "sprint": "The sprint",
    "team": "The team",
    "my": "The team",
    "standup": "The team",
    "wip": "The team",
    "calendar": "The team",
    "agile": "This bot",
    "help": "This bot",
}
_CHANGING, _READING = "Work on an issue", "Numbers and charts"
_ORDER = ("The sprint", _CHANGING, _READING, "The team", "This bot")


@dataclass(frozen=True, slots=True)
class HelpEntry:
    """A command as this repository uses it: its spelling, who may run it, and whether the asker may."""

    command: Command
    spelled: str
    need: Requirement
    is_allowed: bool

    @property
    def group(self) -> str:
        usual = _CHANGING if self.command.is_changing else _READING
        return _GROUPS.get(self.command.words[0], usual)

    @property
    def syntax(self) -> str:
        return " ".join([self.spelled, *(argument.syntax for argument in self.command.arguments)])

    @property
    def examples(self) -> list[str]:
        """The command's examples, in this repository's spelling."""
        own = f"/{self.command.name}"
        return [f"{self.spelled}{example.removeprefix(own)}" for example in self.command.examples]

    @property
    def summary(self) -> str:
        return f"{self.command.summary[0].upper()}{self.command.summary[1:]}"


def help_overview(entries: Sequence[HelpEntry]) -> str:
    """All commands that the asker may run, by purpose; commands for other roles are folded."""
    allowed = [entry for entry in entries if entry.is_allowed]
    others = [entry for entry in entries if not entry.is_allowed]
    parts = ["Write a command on a line of its own in a comment, several on several lines."]
    parts += _by_group(allowed)
    if others:
        parts.append(folded(f"{counted(len(others), 'command')} for other roles", _rows(others)))
    parts.append(_closing(entries))
    return "\n\n".join(parts)


def command_group_text(entries: Sequence[HelpEntry]) -> str:
    """The commands that begin with the same word."""
    return f"{_rows(entries)}\n\n{_closing(entries)}"


def command_text(entry: HelpEntry, level: Level) -> str:
    """The full description of one command."""
    command = entry.command
    parts = [
        f"### `{entry.spelled}`",
        f"{entry.summary}.",
        f"```text\n{entry.syntax.replace(chr(92), '')}\n```",
        f"**Who may:** {who_may_text(entry.need)}. {_own_permission(entry, level)}",
    ]
    rows = [(f"`{argument.syntax}`", argument.summary) for argument in command.accepted]
    parts.append(table(("Argument", "Meaning"), rows, numbers_from=2))
    parts.append("For example:\n\n" + "\n".join(f"- `{example}`" for example in entry.examples))
    if CONFIRM in command.accepted:
        parts.append(
            "Where it changes more than one thing, it shows first what it would do, and waits for a tick."
        )
    if len(command.words) > 1 and command.words[0] == "agile":
        return "\n\n".join(parts)
    usual = f"/agile {command.name}"
    if entry.spelled != usual:
        parts.append(footer(f"`{usual}` does the same."))
    return "\n\n".join(parts)


def who_may_text(need: Requirement) -> str:
    """Say who may run a command: a role, teams and people."""
    named = [f"the team {person(team)}" for team in sorted(need.teams)]
    named += [person(login) for login in sorted(need.users - {AUTHOR})]
    if AUTHOR in need.users:
        named.append("whoever opened the thread")
    level = need.level.name.lower()
    role = f"the {level} role" if need.level is Level.ADMIN else f"the {level} role or a higher one"
    return ", ".join([role, *named])


def _own_permission(entry: HelpEntry, level: Level) -> str:
    role = f"your role here is {level.name.lower()}" if level is not Level.NONE else "you have no role here"
    return f"You may: {role}." if entry.is_allowed else f"You may not: {role}."


def _by_group(entries: Sequence[HelpEntry]) -> list[str]:
    groups = {group: [entry for entry in entries if entry.group == group] for group in _ORDER}
    return [f"### {group}\n\n{_rows(members)}" for group, members in groups.items() if members]


def _rows(entries: Sequence[HelpEntry]) -> str:
    rows = [(f"`{entry.syntax}`", _description(entry), _short_who(entry.need)) for entry in entries]
    return table(("Command", "What it does", "Who may"), rows, numbers_from=3)


def _description(entry: HelpEntry) -> str:
    # An example teaches the arguments, so a command without arguments needs none.
    examples = [example for example in entry.examples if example != entry.spelled]
    example = f"<br>`{examples[0]}`".replace("|", "\\|") if examples else ""
    return f"{entry.summary}{example}"


def _short_who(need: Requirement) -> str:
    """The required role, and the number of teams and people who may run it besides."""
    more = len(need.teams) + len(need.users)
    return need.level.name.lower() + (f" and {more} more" if more else "")


def _closing(entries: Sequence[HelpEntry]) -> str:
    spelled = {entry.command.name: entry.spelled for entry in entries}
    help_ = spelled.get("help", "/agile help")
    example = next((entry.command.name for entry in entries if entry.command.name != "help"), "help")
    return footer(
        f"`{help_} {example}` tells all about one command",
        "a role includes those below it: read, triage, write, maintain, admin",
        "every command also answers to `/agile …`",
    )
