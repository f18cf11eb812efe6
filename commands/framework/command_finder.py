"""Find the command that a line names, or the one that was probably meant.

Silence towards what is not ours is law: a line is ours if it begins with the first word of a command, or
with our own name. A line that nearly does is ours only if nothing else can be meant.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from commands.framework.permissions import NAMESPACE, Policy
from commands.framework.plain_input import clean_line
from commands.framework.registry import Command
from commands.framework.request import CommandLine, Request
from commands.framework.spelling import find_distance

# The most lines of one comment that are compared with all names of commands, in search of a typo.
_MOST_COMPARISONS = 20
# Characters of a mistyped name that are compared; no command's name is nearly as long.
_LONGEST_NAME = 60
# A shorter word is too likely to be the command of another bot.
_LEAST_LETTERS = 6
_SINGLE_WORD = re.compile(r"/[a-zA-Z]+(?:-[a-zA-Z]+)?(?:\s.*)?")
# What people write between the words of a name in place of a blank.
_JOINT = re.compile("[-_]")
_CLOSING_MARKS = ".,!?;:…"
_HELP = "help"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The command that was probably meant, and how many of the typed words stand for its name."""

    command: Command
    words: int


class CommandFinder:
    """A finder of commands by their names and synonyms."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self._commands = {command.words: command for command in commands}
        self._verbs = {command.words[0] for command in commands}
        self._joined = _join_names(self._commands)
        self._synonyms = {
            tuple(synonym.split()): command for command in commands for synonym in command.synonyms
        }

    def select_lines(self, request: Request, policy: Policy) -> list[CommandLine]:
        """Return the lines that are commands of this bot; a bot's lines only if the team lists the bot."""
        if request.is_bot and request.sender.lower() not in policy.bots:
            return []
        lines, comparisons = list[CommandLine](), 0
        for typed in request.lines:
            line = CommandLine(clean_line(typed.text), typed.line)
            words = split_name(line.text)
            is_command = bool(words) and words[0] == NAMESPACE
            if words and not is_command:
                words = expand_alias(words, policy)
                is_short = policy.answers_short_form(words[0])
                is_command = (is_short and words[0] in self._verbs) or self._is_joined(words[0], policy)
                if is_short and not is_command and comparisons < _MOST_COMPARISONS:
                    comparisons += 1
                    is_command = self._is_misspelled(line.text, words, policy)
            if is_command:
                lines.append(line)
        return lines

    def resolve(self, words: Sequence[str], policy: Policy) -> tuple[Command | None, int]:
        """Resolve the command that a line names, and the number of words before its name."""
        skipped = 1 if words[0] == NAMESPACE else 0
        # The full names of commands about the bot begin with `agile`.
        if skipped and (command := self.find_longest_match(words)) and len(command.words) > 1:
            return command, 0
        if len(words) == skipped:
            return self._commands.get((_HELP,)), skipped
        return self.find_longest_match(expand_alias(words[skipped:], policy)), skipped

    def find_longest_match(self, words: Sequence[str]) -> Command | None:
        """The command with the longest name with which the words begin."""
        longest = max(map(len, self._commands), default=0)
        for length in range(min(len(words), longest), 0, -1):
            if command := self._commands.get(tuple(words[:length])):
                return command
        return None

    def suggest(self, words: Sequence[str]) -> Suggestion | None:
        """The command that was meant by words that name none; None if they are too vague.

        A command that writes is suggested only for a declared synonym or a close misspelling of its name.
        """
        if joined := self._find_joined(words[0]):
            return Suggestion(self._commands[joined], 1)
        # A synonym of one word is all that was written: `/sprint`, but not `/sprint velocity`.
        for length in range(min(len(words), 3), 1 if len(words) > 1 else 0, -1):
            if command := self._synonyms.get(tuple(words[:length])):
                return Suggestion(command, length)
        for length in range(min(len(words), 3), 0, -1):
            if command := self._find_closest(words[:length]):
                return Suggestion(command, length)
        # `/sprint velocity`: the name of a command stands behind another word of ours.
        inner = self._commands.get(tuple(words[1:2])) if words[0] in self._verbs else None
        if inner and not inner.is_changing:
            return Suggestion(inner, 2)
        # `/agile status`: the last word of a command.
        reading = [command for command in self._commands.values() if not command.is_changing]
        ending = [command for command in reading if len(words) == 1 and command.words[-1] == words[0]]
        return Suggestion(ending[0], 1) if len(ending) == 1 else None

    def is_first_word(self, word: str) -> bool:
        """Whether the names of some commands begin with a word."""
        return word in self._verbs

    def list_readings(self, verb: str) -> list[Command]:
        """The commands that change nothing and begin with a word; all of them after our own name."""
        return [
            command
            for command in self._commands.values()
            if verb in {command.words[0], NAMESPACE} and not command.is_changing
        ]

    def _is_joined(self, word: str, policy: Policy) -> bool:
        """Whether a word is the whole name of a command in one, such as `sprint-status` or `agileundo`."""
        joined = self._find_joined(word)
        if joined is None:
            return False
        return word.startswith(NAMESPACE) or policy.answers_short_form(joined[0])

    def _find_joined(self, word: str) -> tuple[str, ...] | None:
        """The words of the command whose name a word writes in one; None if there is none."""
        if (words := self._joined.get(_JOINT.sub("", word))) is not None:
            return words
        parts = _JOINT.split(word)
        if len(parts) == 1 or not all(parts):
            return None
        closest = self._find_closest(parts)
        return closest.words if closest else None

    def _is_misspelled(self, line: str, words: Sequence[str], policy: Policy) -> bool:
        """Whether a line that begins with no word of ours is a misspelled command nevertheless."""
        if len(words) > 1 and self._find_closest(words[:2]):
            return True
        if policy.has_other_bots or len(words[0]) < _LEAST_LETTERS - 1 or not _SINGLE_WORD.fullmatch(line):
            return False
        closest = self._find_closest(words[:1])
        return (
            closest is not None
            and len(closest.name) >= _LEAST_LETTERS
            and policy.answers_short_form(closest.name)
        )

    def _find_closest(self, words: Sequence[str]) -> Command | None:
        """The command whose name is misspelled by the words, each by few slips; None if two may be."""
        if sum(map(len, words)) > _LONGEST_NAME:
            return None
        distances = {
            name: distance
            for name in self._commands
            if len(name) == len(words) and (distance := _measure_distance(words, name)) is not None
        }
        least = min(distances.values(), default=None)
        closest = [name for name, distance in distances.items() if distance == least]
        return self._commands[closest[0]] if len(closest) == 1 else None


def _join_names(names: Iterable[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The names of several words, and all names behind our own one, by their spelling in one word."""
    by_spelling = dict[str, tuple[str, ...]]()
    for words in names:
        if len(words) > 1:
            by_spelling[_JOINT.sub("", "".join(words))] = words
        by_spelling.setdefault(_JOINT.sub("", f"{NAMESPACE}{''.join(words)}"), words)
    return by_spelling


def split_name(line: str) -> list[str]:
    """Split a line into words in lower case, without the slash and the marks that end a sentence."""
    return [word.rstrip(_CLOSING_MARKS) for word in line.lstrip("/").lower().split()]


def expand_alias(words: Sequence[str], policy: Policy) -> list[str]:
    """Replace a team's own name for a command by the command's words."""
    return [*policy.resolve_alias(words[0]).split(), *words[1:]] if words else []


def find_end_of_words(line: str, count: int) -> int:
    """The position at which the first `count` words of a line end."""
    position = 0
    for _ in range(count):
        while line[position : position + 1].isspace():
            position += 1
        while position < len(line) and not line[position].isspace():
            position += 1
    return position


def _measure_distance(words: Sequence[str], name: Iterable[str]) -> int | None:
    total = 0
    for typed, word in zip(words, name, strict=True):
        distance = find_distance(typed, word)
        if distance is None:
            return None
        total += distance
    return total
