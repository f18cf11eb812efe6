"""Check that names say what they hold: `python tools/check_language.py`, run by `make lint`.

It fails on more than a few variables with vague names, on names that the glossary has replaced, and on public
classes that share a name. The rules are those of docs/glossary.md.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOMS = ("bot", "reports", "handlers", "commands", "charts", "storage", "marketplace", "sprints")
# A variable is called by what it holds, a delivery or a sprint, never by one of these.
VAGUE_NAMES = frozenset({"one", "told", "found", "said", "meant", "known"})
MOST_VAGUE_NAMES = 40
# Classes, functions and parameters that have another name now.
REPLACED_NAMES = frozenset(
    {
        "Door",
        "Inbox",
        "Recording",
        "work_off",
        "Asked",
        "Desk",
        "Clockwork",
        "BillingClockwork",
        "Standing",
        "Books",
        "had_after",
        "Told",
        "Foretold",
        "Fate",
        "Wanted",
        "want",
        "nobody",
        "at_once",
        "Tickets",
        "Shop",
        "OurShop",
        "Impacts",
        "Tie",
        "Moved",
        "Living",
        "Surroundings",
        "Board",
        "Situation",
        "Presence",
        "InARow",
        "Recorded",
        "PurchasePages",
        "DatabaseAwayError",
        "bring_back",
        "github_of",
        "billing_parts",
        "wip_of",
        "goes_on_text",
        "went_on_text",
        "greets_strangers",
        "tells_figures",
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def main(root: Path = Path()) -> int:
    """Print each problem on a line. Exit status 1 if there is any, else 0."""
    modules = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sources(root)}
    problems = [*vague_names(modules), *replaced_names(modules), *shared_class_names(modules)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def sources(root: Path) -> Iterator[Path]:
    """The Python files of the product, without the stand-in for GitHub, the demo, tests and benchmarks."""
    for room in ROOMS:
        yield from sorted((root / room).rglob("*.py"))


def vague_names(modules: Mapping[Path, ast.Module]) -> Sequence[str]:
    """The places that bind a vague name, if there are more than a few."""
    places = [
        f"{Place(path, line)}: call `{name}` by what it holds"
        for path, module in modules.items()
        for name, line in bindings(module)
        if name in VAGUE_NAMES
    ]
    count = f"{len(places)} variables have vague names; at most {MOST_VAGUE_NAMES - 1} may."
    return [*places, count] if len(places) >= MOST_VAGUE_NAMES else []


def bindings(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Each name that a variable, an argument, a loop, a pattern or an `except` binds, with its line."""
    for node in ast.walk(module):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name, node.lineno
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
                yield name, node.lineno


def replaced_names(modules: Mapping[Path, ast.Module]) -> Iterator[str]:
    """The definitions and parameters that still have a name of the past."""
    for path, module in modules.items():
        for node in ast.walk(module):
            match node:
                case (
                    ast.ClassDef(name=name)
                    | ast.FunctionDef(name=name)
                    | ast.AsyncFunctionDef(name=name)
                    | ast.arg(arg=name)
                ) if name in REPLACED_NAMES:
                    yield f"{Place(path, node.lineno)}: `{name}` has another name in docs/glossary.md"


def shared_class_names(modules: Mapping[Path, ast.Module]) -> Iterator[str]:
    """Public classes of which another one has the name."""
    places = defaultdict[str, list[Place]](list)
    for path, module in modules.items():
        for node in module.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(Place(path, node.lineno))
    for name, shared in sorted(places.items()):
        if len(shared) > 1:
            yield f"{name} is the name of {len(shared)} classes: {', '.join(map(str, shared))}"


if __name__ == "__main__":
    sys.exit(main())
