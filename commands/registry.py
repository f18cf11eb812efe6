"""A command says in one value all there is to say of it, and is found by its file being there."""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

from commands.arguments import Argument, Arguments, Kind
from commands.context import Context
from commands.outcome import Reply
from commands.permissions import Level

Run = Callable[[Context, Arguments], Awaitable[Reply]]

# What every command understands besides its own arguments.
COMMON = (Argument("new", Kind.FLAG, "answer in a new comment instead of editing the last answer"),)


@dataclass(frozen=True, slots=True)
class Command:
    """A command. From this value come the grammar, its help, its documentation and a test of its examples."""

    name: str
    summary: str
    level: Level
    arguments: tuple[Argument, ...]
    examples: tuple[str, ...]
    run: Run

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
) -> Callable[[Run], Command]:
    """Makes a command of the function that runs it."""
    return lambda run: Command(name, summary, level, tuple(arguments), tuple(examples), run)


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
    for info in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{info.name}")
