"""The texts of `/help`: what fits here and now, all commands by family, one family, or one command."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from commands.formatting.wording import code, counted, folded, footer, person, plain, table, weekday
from commands.framework.permissions import AUTHOR, Level, Requirement
from commands.framework.registry import CONFIRM, Command
from commands.messages.help_suggestions import (
    HelpSituation,
    SprintStage,
    SuggestedLine,
    list_suggestions,
    write_sprint_argument,
)

# The families of commands, by the folder in which a command is declared, in the order of the page.
FAMILIES = MappingProxyType(
    {
        "sprint": "Sprints",
        "items": "Items",
        "flow": "Flow",
        "team": "Team",
        "calendar": "Calendar",
        "agile": "About the bot",
    }
)
_MOST_SUGGESTED = 8


@dataclass(frozen=True, slots=True)
class HelpEntry:
    """A command as this repository uses it: its spelling, who may run it, and whether the asker may.

    It `is_enabled` if the account's plan includes it.
    """

    command: Command
    spelled: str
    need: Requirement
    is_allowed: bool
    is_enabled: bool = True

    @property
    def family(self) -> str:
        """The folder in which the command is declared."""
        return self.command.run.__module__.split(".")[1]

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


def help_overview(entries: Sequence[HelpEntry], situation: HelpSituation) -> str:
    """The commands that matter most to the asker here and now; below them all others, folded by family."""
    lines = [
        f"- {code(line)}: {entry.command.summary}" for entry, line in choose_suggestions(entries, situation)
    ]
    place = f"{_sprint_sentence(situation)} Write a command on a line of its own, for example:"
    parts = ["### What you can do here", place, "\n".join(lines)]
    parts += [
        folded(f"{name}: {counted(len(members), 'command')}", _rows(members))
        for name, members in group_by_family(entries)
    ]
    parts.append(_closing(entries))
    return "\n\n".join(part for part in parts if part)


def choose_suggestions(entries: Sequence[HelpEntry], situation: HelpSituation) -> list[tuple[HelpEntry, str]]:
    """Choose at most eight commands that the asker may run, each with a line that works now."""
    usable = {entry.command.name: entry for entry in entries if entry.is_allowed and entry.is_enabled}
    chosen = dict[str, tuple[HelpEntry, str]]()
    for suggestion in list_suggestions(situation):
        entry = usable.get(suggestion.command)
        if entry and len(chosen) < _MOST_SUGGESTED:
            chosen.setdefault(suggestion.command, (entry, _write_line(entry, suggestion, situation)))
    return list(chosen.values())


def _write_line(entry: HelpEntry, suggestion: SuggestedLine, situation: HelpSituation) -> str:
    words = suggestion.words
    if words is None:
        words = write_sprint_argument(entry.command.arguments, situation.sprint)
    return f"{entry.spelled} {words}".rstrip()


def _sprint_sentence(situation: HelpSituation) -> str:
    """Say what the first lines are about: the sprint, and whether this thread is in it."""
    title, until = plain(situation.sprint), ""
    if situation.last_day is not None:
        until = f" until {weekday(situation.last_day)}"
    match situation.stage:
        case SprintStage.NONE:
            return "There is no sprint here yet."
        case SprintStage.PLANNED:
            sentence = f"{title} has not started yet"
        case SprintStage.RUNNING:
            sentence = f"{title} runs{until}"
        case SprintStage.LAST_DAY:
            sentence = f"{title} ends today"
        case SprintStage.ENDED:
            sentence = f"{title} is over but not closed yet"
        case SprintStage.CLOSED:
            sentence = f"{title} is closed"
    if situation.item is None:
        return f"{sentence}."
    return f"{sentence}, and #{situation.thread} is {'' if situation.item.is_in_sprint else 'not '}in it."


def group_by_family(entries: Iterable[HelpEntry]) -> list[tuple[str, list[HelpEntry]]]:
    """Group commands by family, each with its name."""
    listed = list(entries)
    groups = {key: [entry for entry in listed if entry.family == key] for key in FAMILIES}
    return [(FAMILIES[key], members) for key, members in groups.items() if members]


def family_text(entries: Sequence[HelpEntry]) -> str:
    """All commands of one family."""
    parts = [f"### {name}\n\n{_rows(members)}" for name, members in group_by_family(entries)]
    return "\n\n".join([*parts, _closing(entries)])


def command_text(entry: HelpEntry, level: Level) -> str:
    """The full description of one command."""
    command = entry.command
    parts = [
        f"### `{entry.spelled}`",
        f"{entry.summary}.",
        f"```text\n{entry.syntax.replace(chr(92), '')}\n```",
        f"**Who may run it:** {who_may_text(entry.need)}. {_own_permission(entry, level)}",
    ]
    rows = [(f"`{argument.syntax}`", argument.summary) for argument in command.accepted]
    parts.append(table(("Argument", "Meaning"), rows, numbers_from=2))
    parts.append("For example:\n\n" + "\n".join(f"- `{example}`" for example in entry.examples))
    if CONFIRM in command.accepted:
        parts.append(
            "If it would change more than one thing, it first shows what it would do, with a box to "
            "confirm it."
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
    return f"You may run it: {role}." if entry.is_allowed else f"You may not run it: {role}."


def _rows(entries: Sequence[HelpEntry]) -> str:
    rows = [(f"`{entry.syntax}`", _description(entry), _who(entry)) for entry in entries]
    return table(("Command", "What it does", "Who may"), rows, numbers_from=3)


def _description(entry: HelpEntry) -> str:
    # An example teaches the arguments, so a command without arguments needs none.
    examples = [example for example in entry.examples if example != entry.spelled]
    example = f"<br>`{examples[0]}`".replace("|", "\\|") if examples else ""
    return f"{entry.summary}{example}"


def _who(entry: HelpEntry) -> str:
    """The required role, and how many teams and people may besides; marked if the asker may not."""
    more = len(entry.need.teams) + len(entry.need.users)
    role = entry.need.level.name.lower() + (f" and {more} more" if more else "")
    if not entry.is_allowed:
        return f"**needs {role}**"
    return role if entry.is_enabled else f"{role}, **not in your plan**"


def _closing(entries: Sequence[HelpEntry]) -> str:
    spelled = {entry.command.name: entry.spelled for entry in entries}
    help_ = spelled.get("help", "/agile help")
    example = next((entry.command.name for entry in entries if entry.command.name != "help"), "help")
    return footer(
        f"`{help_} {example}` explains one command, `{help_} flow` lists a family",
        "a role includes those below it: read, triage, write, maintain, admin",
        "every command also works as `/agile …`",
    )
