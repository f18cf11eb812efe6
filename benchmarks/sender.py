"""Sends deliveries to the webhook endpoint from a process of its own, so that nothing else delays them.

The child, `python -m benchmarks.sender URL FILE RATE COUNT`, sends the bodies of a file in turn and over
again, each with a new GUID: RATE of them a second whether the last one was answered or not, or with RATE 0 as
fast as 32 connections are answered. It ends after COUNT, or with COUNT 0 when it is stopped.
"""

import asyncio
import json
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path

import aiohttp

from benchmarks.common import ROOT, sign

_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Answer:
    """The webhook endpoint's answer to a delivery. `sent_at` is the system's time, in seconds since 1970."""

    sent_at: float
    seconds: float
    status: int


class Sender:
    """A running child. Its answers can be read while it runs."""

    def __init__(self, process: asyncio.subprocess.Process, answers: Path) -> None:
        self._process, self._answers = process, answers

    async def wait(self) -> list[Answer]:
        """Wait until all deliveries are answered. Raises RuntimeError if one was not accepted."""
        await self._process.wait()
        return self.answers()

    async def wait_for(self, count: int) -> None:
        """Wait until so many deliveries are answered."""
        while len(self.answers()) < count:  # noqa: ASYNC110 - another process writes them
            await asyncio.sleep(0.05)

    async def stop(self) -> list[Answer]:
        """Stop sending, and return the answers to what was sent."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
        return await self.wait()

    def answers(self) -> list[Answer]:
        """The answers until now. Raises RuntimeError if a delivery was not accepted."""
        answers = [Answer(*json.loads(line)) for line in self._answers.read_text().splitlines()]
        refused = [answer.status for answer in answers if answer.status != 202]
        if refused:
            raise RuntimeError(
                f"{len(refused)} of {len(answers)} deliveries were not accepted: {refused[:5]}"
            )
        return answers


@asynccontextmanager
async def sending(
    folder: Path, url: str, bodies: Iterable[bytes], rate: float, *, endless: bool = False
) -> AsyncIterator[Sender]:
    """Start to send the bodies, a number of them a second or, with rate 0, all at once."""
    mark = uuid.uuid4().hex[:8]
    file, answers = folder / f"{mark}.bodies", folder / f"{mark}.answers"
    lines = [b"%s %s\n" % (sign(body).encode(), body) for body in bodies]
    file.write_bytes(b"".join(lines))
    with answers.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.sender", url, str(file), str(rate)),
            str(0 if endless else len(lines)),
            cwd=ROOT,
            stdout=output,
        )
    try:
        yield Sender(process, answers)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def main() -> None:
    url, file, rate, most = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    signed = [line.split(b" ", 1) for line in file.read_bytes().splitlines()]
    asyncio.run(_send_all(url, signed, rate, most))


async def _send_all(url: str, signed: list[list[bytes]], rate: float, most: int) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stopped.set)
    connections = aiohttp.TCPConnector(limit=0 if rate else _CONNECTIONS)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connections, timeout=timeout) as session:
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            numbers = range(most) if most else count()
            for number, (signature, body) in zip(numbers, cycle(signed), strict=False):
                if stopped.is_set():
                    break
                group.create_task(_send(session, url, signature.decode(), body))
                if rate:
                    await asyncio.sleep(max(0.0, started + (number + 1) / rate - time.perf_counter()))


async def _send(session: aiohttp.ClientSession, url: str, signature: str, body: bytes) -> None:
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": signature,
    }
    sent_at, started = time.time(), time.perf_counter()
    async with session.post(url, data=body, headers=headers) as response:
        await response.read()
    print(json.dumps([sent_at, time.perf_counter() - started, response.status]), flush=True)


if __name__ == "__main__":
    main()
