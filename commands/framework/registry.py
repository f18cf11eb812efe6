"""A command says in one value all there is to say of it, and is found by its file being there."""

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

# What every command understands besides its own arguments; and every one that changes something.
COMMON = (Argument("new", ArgumentKind.FLAG, "answer in a new comment instead of editing the last answer"),)
# Commands about the bot and the team's days.
_NO_FIGURES = {NAMESPACE, "help", "calendar"}
CONFIRM = Argument("confirm", ArgumentKind.FLAG, "do it without showing first what will be changed")


@dataclass(frozen=True, slots=True)
class Command:
    """A command. From this value come the grammar, its help, its documentation and a test of its examples.

    `level` is the role that it needs unless the team's settings say otherwise.
    """

    name: str
    summary: str
    level: Level
    arguments: tuple[Argument, ...]
    examples: tuple[str, ...]
    run: Run
    is_changing: bool = False
    feature: str | None = None

    @property
    def accepted(self) -> tuple[Argument, ...]:
        """All arguments that it understands."""
        return (*self.arguments, *((CONFIRM,) if self.is_changing else ()), *COMMON)

    @property
    def tells_figures(self) -> bool:
        """Whether it answers with numbers that the history of the repository makes."""
        is_reading = self.level is Level.READ and not self.is_changing
        return is_reading and self.words[0] not in _NO_FIGURES

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.name.split())

    @property
    def syntax(self) -> str:
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
) -> Callable[[Run], Command]:
    """Makes a command of the function that runs it.

    One that `is_changing` may return Changes. `feature` is what a plan must include for it, if anything.
    """
    return lambda run: Command(
        name, summary, level, tuple(arguments), tuple(examples), run, is_changing, feature
    )


def load(package: ModuleType) -> tuple[Command, ...]:
    """All commands defined in the modules of a package, by name. Raises ValueError if two share a name."""
    found: dict[str, Command] = {}
    for module in _modules(package):
        for value in vars(module).values():
            if isinstance(value, Command) and value.run.__module__ == module.__name__:
                if value.name in found:
                    raise ValueError(f"two commands are called {value.name}")
                found[value.name] = value
    return tuple(found[name] for name in sorted(found))


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)
