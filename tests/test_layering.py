"""Which room and which folder may import which. Imports point down, none is hidden, and there is no circle."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the lowest room to the highest: a room may import those that stand before it in its own entry.
_DOMAIN = {"sprints"}
_BELOW_COMMANDS = _DOMAIN | {"charts", "storage", "marketplace"}
_PRODUCT = _BELOW_COMMANDS | {"commands", "handlers", "reports", "bot"}
MAY_IMPORT = {
    "sprints": set[str](),
    "charts": _DOMAIN,
    "storage": _DOMAIN,
    "marketplace": {"storage"},
    "commands": _BELOW_COMMANDS,
    "handlers": _BELOW_COMMANDS | {"commands"},
    "reports": _BELOW_COMMANDS | {"commands"},
    "bot": _BELOW_COMMANDS | {"commands", "handlers", "reports"},
    "github_standin": set[str](),
    "demo": _PRODUCT | {"github_standin"},
}
# Folders within rooms, from the lowest to the highest; those of one line do not import each other. A file that
# lies directly in the room stands here by its name.
FOLDERS = {
    "bot": (
        {"settings", "pauses", "processes"},
        {"metrics"},
        {"logs", "github"},
        {"isolation", "services", "job_blueprint"},
        {"publishing", "sync", "billing"},
        {"checks"},
        {"webhooks", "jobs"},
        {"cli"},
        {"__main__"},
    ),
    "commands": (
        {"formatting"},
        {"framework", "settings"},
        {"messages"},
        {"shared"},
        {"dispatch", "sprint", "flow", "items", "team", "calendar", "agile"},
    ),
    "github_standin": (
        {"seed", "manifest", "emulate"},
        {"actions", "history"},
        {"proxy", "completion"},
        {"graphql", "webhooks"},
        {"rest", "fault_controls"},
        {"github"},
    ),
}
# Libraries that belong to one end of the house.
FORBIDDEN = {
    "sprints": {"matplotlib", "sqlalchemy", "aiohttp", "gidgethub", "psycopg"},
    "charts": {"matplotlib.pyplot", "sqlalchemy", "aiohttp", "gidgethub"},
    "storage": {"aiohttp", "gidgethub", "matplotlib"},
    "marketplace": {"aiohttp", "gidgethub", "matplotlib"},
    "commands": {"aiohttp", "gidgethub", "matplotlib", "procrastinate"},
    "handlers": {"aiohttp", "gidgethub", "matplotlib", "procrastinate"},
    "reports": {"aiohttp", "gidgethub", "matplotlib", "procrastinate"},
    "github_standin": {"sqlalchemy", "psycopg", "matplotlib", "gidgethub"},
    "demo": set[str](),
    "bot": {"matplotlib.pyplot"},
}
SOURCES = [
    path
    for room in MAY_IMPORT
    for path in sorted((ROOT / room).rglob("*.py"))
    if "node_modules" not in path.parts
]


def imports_of(path: Path) -> set[str]:
    """Every module named in an import, wherever it stands in the file."""
    result = set[str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            result |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            result |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return result


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    rooms = {name.split(".")[0] for name in imports_of(path)} & MAY_IMPORT.keys()
    assert rooms <= MAY_IMPORT[room] | {room}
    forbidden = {
        name for name in imports_of(path) if name in FORBIDDEN[room] or name.split(".")[0] in FORBIDDEN[room]
    }
    assert not forbidden


@pytest.mark.parametrize("room", FOLDERS)
def test_folders_import_down(room: str) -> None:
    height = {folder: level for level, folders in enumerate(FOLDERS[room]) for folder in folders}
    for path in (path for path in SOURCES if path.relative_to(ROOT).parts[0] == room):
        folder = path.relative_to(ROOT).with_suffix("").parts[1]
        for name in (name for name in imports_of(path) if name.startswith(f"{room}.")):
            target = name.split(".")[1]
            if folder not in {"__init__", target} and target in height:
                assert height[target] < height[folder], f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("room", FOLDERS)
def test_each_folder_has_its_place(room: str) -> None:
    listed = set[str]().union(*FOLDERS[room])
    children = (ROOT / room).glob("[!_]*")
    there = {path.stem for path in children if path.suffix == ".py" or any(path.glob("*.py"))}
    assert there <= listed


def walks() -> list[list[str]]:
    """The files of each table below a heading “What happens to …” in docs/architecture.md, in their order."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    sections = [part for part in text.split("\n## ") if part.startswith("What happens to")]
    tables = [table for section in sections for table in section.split("| File | What it does |\n")[1:]]
    return [re.findall(r"`([a-z_/0-9]+\.py)`", table.split("\n\n")[0]) for table in tables]


def height_of(path: str) -> tuple[int, int]:
    """How high a file lies: its room, and its folder within the room."""
    room, _, rest = path.partition("/")
    rooms = ("sprints", "storage", "marketplace", "charts", "commands", "handlers", "reports", "bot")
    folder = rest.split("/")[0].removesuffix(".py")
    levels = [level for level, folders in enumerate(FOLDERS.get(room, ())) if folder in folders]
    return rooms.index(room), levels[0] if levels else 0


def test_the_documented_walks_go_down_without_turning_back() -> None:
    assert len(walks()) == 5
    for files in walks():
        assert all((ROOT / file).exists() for file in files)
        heights = [height_of(file) for file in files]
        assert heights == sorted(heights, reverse=True), list(zip(files, heights, strict=True))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_import_hides_behind_type_checking(path: Path) -> None:
    assert "TYPE_CHECKING" not in path.read_text(encoding="utf-8")


def test_modules_do_not_import_in_circles() -> None:
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in SOURCES}
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}
    arrows = {
        name: {target for target in imports_of(path) if target in modules} - {name}
        for name, path in modules.items()
    }
    done = set[str]()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " → ".join([*way, name])
        if name not in done:
            for target in arrows[name]:
                visit(target, (*way, name))
            done.add(name)

    for name in arrows:
        visit(name, ())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_bot_reads_the_environment_and_the_clock(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.relative_to(ROOT).parts[0] not in {"bot", "github_standin", "demo"}:
        assert not {"os.environ", "os.getenv", "datetime.now", "date.today", "time.time"} & _calls(text)


def _calls(text: str) -> set[str]:
    return {ast.unparse(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}


def test_no_file_imports_a_test_file() -> None:
    """Shared helpers live in tests/support/."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        names = {name for name in imports_of(path) if name.startswith("tests.")}
        in_tests = {name for name in names if any(part.startswith("test_") for part in name.split("."))}
        assert not in_tests, f"{path.relative_to(ROOT)} imports {in_tests}"


@pytest.mark.parametrize("room", [*MAY_IMPORT, "benchmarks"])
def test_only_tests_import_tests(room: str) -> None:
    for path in sorted((ROOT / room).rglob("*.py")):
        if "node_modules" not in path.parts:
            names = {name for name in imports_of(path) if name.split(".")[0] == "tests"}
            assert not names, f"{path.relative_to(ROOT)} imports {names}"
