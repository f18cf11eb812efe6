"""The examples of CONTRIBUTING.md, pasted into a copy of the project and run."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# The file that a block belongs to is named last before it.
_BLOCK = re.compile(
    r"`([\w./]+\.(?:py|yml))`(?:(?!```|`[\w./]+\.(?:py|yml)`).)*?:\n\n```(python|diff)\n(.*?)```", re.DOTALL
)
_LEFT_OUT = (".git", ".venv", "node_modules", ".data", ".*_cache", "__pycache__", ".hypothesis", "accepted")
TESTS = (
    "tests/handlers/test_odd_payloads.py",
    "tests/commands/sprint/test_left.py",
    "tests/handlers/test_star.py",
    "tests/storage/test_schema.py",
    "tests/test_manifest.py",
)


def examples() -> list[tuple[str, str, str]]:
    """Each example as the path of its file, `python` or `diff`, and its text."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    numbers = sorted(path.name[:4] for path in (ROOT / "storage/migrations/versions").glob("[0-9]*.py"))
    latest, following = numbers[-1], f"{int(numbers[-1]) + 1:04}"
    (written,) = re.findall(r'down_revision = "(\d{4})"', text)
    text = text.replace(f"{int(written) + 1:04}", following).replace(f'"{written}"', f'"{latest}"')
    return [(match[1], match[2], match[3]) for match in _BLOCK.finditer(text)]


def apply_diff(text: str, diff: str) -> str:
    """Insert the added lines of each hunk after, or else before, its one line of context."""
    for hunk in diff.split("@@\n")[1:]:
        lines = hunk.splitlines()
        context = "\n".join(line[1:] for line in lines if line.startswith(" "))
        result = "\n".join(line[1:] for line in lines)
        assert text.count(f"{context}\n") == 1, f"CONTRIBUTING.md shows a line that is not there: {context}"
        text = text.replace(f"{context}\n", f"{result}\n")
    return text


def test_each_example_names_its_file() -> None:
    assert [path for path, kind, _ in examples() if kind == "diff"] == [
        "handlers/__init__.py",
        "app.yml",
        "bot/github/app_manifest.py",
        "tests/handlers/test_odd_payloads.py",
        "storage/tables/accounts.py",
    ]


@pytest.mark.timeout(300)
def test_the_examples_work_as_they_are_written(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    (copy / "github_standin/node_modules").symlink_to(ROOT / "github_standin/node_modules")
    for path, kind, text in examples():
        file = copy / path
        file.write_text(apply_diff(file.read_text(), text) if kind == "diff" else text)
    chosen = "left or star or schema or manifest"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, *TESTS]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout
