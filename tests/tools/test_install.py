"""`python -m tools.install`: progress in any log, pip's index for uv, and pip where uv does not work."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from tools import install


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


def test_a_step_prints_its_title_at_once_and_then_how_long_it_has_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "PROGRESS_SECONDS", 0.3)
    install.run_step("Installing", python("import time; print('Downloading numpy'); time.sleep(1.5)"))
    title, *progress = capsys.readouterr().out.splitlines()
    assert title == "Installing …"
    assert len(progress) >= 3
    assert re.fullmatch(r"  \d s · Downloading numpy", progress[-1])


def test_a_step_that_fails_prints_its_output(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(install.InstallError, match=r"^Installing: failed with exit status 3\.$"):
        install.run_step("Installing", python("print('no space left'); raise SystemExit(3)"))
    assert "no space left" in capsys.readouterr().err


def test_a_program_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(install.InstallError, match="Installing: "):
        install.run_step("Installing", [str(tmp_path / "nothing")])


@pytest.mark.parametrize(
    ("name", "uses_pip"), [("none", False), ("pip install uv", True), ("uv", True)], ids=str
)
def test_pip_installs_where_uv_does_not(monkeypatch: pytest.MonkeyPatch, name: str, uses_pip: bool) -> None:
    """`name` is what fails."""
    steps: list[list[str]] = []

    def run(title: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        assert "--require-hashes" in command
        module, lock_file = command[command.index("-m") + 1], command[command.index("-r") + 1]
        steps.append([module, lock_file])
        assert ("--no-index" in command) == (module == "uv")
        failing = {"pip install uv": ["pip", install.INSTALLER], "uv": ["uv", "requirements.txt"]}
        if steps[-1] == failing.get(name):
            raise install.InstallError(f"{title}: failed.")

    monkeypatch.setattr(install, "run_step", run)
    monkeypatch.setattr(install, "pip_settings", lambda _: {"no-index": "true"})
    install.install_packages("requirements.txt")
    assert steps[0] == ["pip", "requirements-installer.txt"]
    assert steps[-1] == ["pip" if uses_pip else "uv", "requirements.txt"]


@pytest.fixture
def pip_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """pip's settings with the given file and environment, and no others."""

    def settings(file: str, **environment: str) -> dict[str, str]:
        config = tmp_path / "pip.conf"
        config.write_text(file)
        monkeypatch.setattr(install, "venv_python", lambda: Path(sys.executable))
        only = {"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": str(config), "HOME": str(tmp_path)}
        return install.pip_settings(only | environment)

    return settings


def test_uv_fetches_from_where_pip_is_set_up_to(pip_of: Callable[..., dict[str, str]]) -> None:
    file = """
[global]
index-url = https://everything.example/simple
cert = /certificates/global.pem
[install]
index-url = https://user:secret@mirror.example/simple
extra-index-url = https://more.example/simple
    file:///packages/simple
find-links = /wheels /more-wheels
trusted-host = mirror.example
"""
    variables = install.uv_settings(pip_of(file, PIP_CERT="/certificates/own.pem"), {})
    assert variables["UV_DEFAULT_INDEX"] == "https://user:secret@mirror.example/simple"
    assert variables["UV_INDEX"] == "https://more.example/simple file:///packages/simple"
    assert variables["UV_FIND_LINKS"] == "/wheels,/more-wheels"
    assert variables["UV_INSECURE_HOST"] == "mirror.example"
    assert variables["SSL_CERT_FILE"] == "/certificates/own.pem"


def test_without_settings_of_pip_uv_fetches_from_its_own_default() -> None:
    assert install.uv_settings({}, {}).keys() == {"UV_INDEX_STRATEGY", "UV_NO_PROGRESS"}


def test_what_the_environment_tells_uv_stays() -> None:
    pip = {"index-url": "https://mirror.example/simple", "cert": "/certificates/pip.pem"}
    variables = install.uv_settings(
        pip, {"UV_DEFAULT_INDEX": "https://own.example", "SSL_CERT_FILE": "/own.pem"}
    )
    assert "UV_DEFAULT_INDEX" not in variables
    assert "SSL_CERT_FILE" not in variables


def test_wrong_use_shows_how() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.install", "everything"],
        cwd=install.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "python3 -m tools.install venv" in done.stderr
