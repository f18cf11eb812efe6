"""Command declarations and discovery: every `Command` defined in `commands/` is registered."""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import NAMESPACE, Level

Run = Callable[[Context, Arguments], Awaitable[Reply | Changes]]

# Arguments of every command besides its own.
COMMON = (Argument("new", ArgumentKind.FLAG, "answer in a new comment instead of editing the last answer"),)
# First words of commands that answer without figures: about the bot and the team's calendar.
_NO_FIGURES = {NAMESPACE, "help", "calendar"}
# The argument of every command that changes something.
CONFIRM = Argument("confirm", ArgumentKind.FLAG, "do it without showing first what will be changed")


@dataclass(frozen=True, slots=True)
class Command:
    """A command, from which its grammar, help, documentation and a test of its examples are derived.

    `level` is the role that it needs unless the team's settings say otherwise. `feature` is the feature that
    a plan must include for it, if any. `synonyms` are what people write when they mean it; they are answered
    with a question, and run nothing. A command that `needs_history` computes what it changes from the
    recorded history; so it waits until GitHub's webhooks about the last changes are recorded.
    """

    name: str
    summary: str
    level: Level
    arguments: tuple[Argument, ...]
    examples: tuple[str, ...]
    run: Run
    is_changing: bool = False
    feature: str | None = None
    synonyms: tuple[str, ...] = ()
    needs_history: bool = True

    @property
    def accepted(self) -> tuple[Argument, ...]:
        """All arguments that the command accepts, shared ones included."""
        return (*self.arguments, *((CONFIRM,) if self.is_changing else ()), *COMMON)

    @property
    def has_figures(self) -> bool:
        """Whether the answer holds figures derived from the repository's history."""
        is_reading = self.level is Level.READ and not self.is_changing
        return is_reading and self.words[0] not in _NO_FIGURES

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the name: `sprint`, `status`."""
        return tuple(self.name.split())

    @property
    def syntax(self) -> str:
        """The command with its own arguments, as the list of commands writes it."""
        return " ".join([f"/{self.name}", *(argument.syntax for argument in self.arguments)])


def command(
    name: str,
    *,
    summary: str,
    level: Level,
    examples: Sequence[str],
    arguments: Sequence[Argument] = (),
    is_changing: bool = False,
    feature: str | None = None,
    synonyms: Sequence[str] = (),
    needs_history: bool = True,
) -> Callable[[Run], Command]:
    """Declare the decorated function as a command.

    Only a command that `is_changing` may return Changes. `feature` is the feature that a plan must include
    for it, if any. See Command for `synonyms` and `needs_history`.
    """
    return lambda run: Command(
        name,
        summary,
        level,
        tuple(arguments),
        tuple(examples),
        run,
        is_changing,
        feature,
        tuple(synonyms),
        needs_history,
    )


def load_commands(package: ModuleType) -> tuple[Command, ...]:
    """Load all commands defined in a package, sorted by name. Raises ValueError for duplicate names."""
    loaded: dict[str, Command] = {}
    for module in _import_modules(package):
        for value in vars(module).values():
            if isinstance(value, Command) and value.run.__module__ == module.__name__:
                if value.name in loaded:
                    raise ValueError(f"two commands are called {value.name}")
                loaded[value.name] = value
    return tuple(loaded[name] for name in sorted(loaded))


def _import_modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)
