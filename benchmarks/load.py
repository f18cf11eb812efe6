"""Load on the door: as fast as it answers, or a little of everything at a steady pace."""

import asyncio
import itertools
import json
import random
import secrets
import shutil
import subprocess
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.common import ROOT, sign

Json = dict[str, Any]
_EXAMPLES = ROOT / "github_standin/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
_EVENTS_PER_SECOND, _SPRINTS_SHARE = 50, 10
_CONNECTIONS = 32
_BODIES = 64

# GUIDs are made while running, so that no delivery comes twice however long it runs.
_WRK = """
local lines, guid, event, n = {}, nil, nil, 0
function init(args)
  for line in io.lines(args[1]) do lines[#lines + 1] = {line:sub(1, 71), line:sub(73)} end
  guid, event = args[2], args[3]
end
function request()
  n = n + 1
  local one = lines[n % #lines + 1]
  return wrk.format("POST", nil, {
    ["Content-Type"] = "application/json", ["X-GitHub-Event"] = event,
    ["X-GitHub-Delivery"] = string.format("%s%012x", guid, n), ["X-Hub-Signature-256"] = one[1],
  }, one[2])
end
function done(summary, latency)
  io.write(string.format('\\n{"requests":%d,"seconds":%f,"bad":%d,"p50_ms":%f,"p99_ms":%f}\\n',
    summary.requests, summary.duration / 1e6, summary.errors.status + summary.errors.connect
    + summary.errors.read + summary.errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


def issue_payloads() -> list[bytes]:
    """GitHub's own example of an event on an issue, about 12 KB, in as many versions as are cheap to keep."""
    for event in json.loads(_EXAMPLES.read_bytes()):
        for payload in event["examples"]:
            if event["name"] == "issues" and payload["action"] == "reopened" and "installation" in payload:
                return [_version(payload, number) for number in range(_BODIES)]
    raise LookupError("the examples hold no event of the kind we send")


def _version(payload: dict[str, Any], number: int) -> bytes:
    issue = payload["issue"] | {"id": 1_000_000 + number, "number": number, "node_id": secrets.token_hex(12)}
    return json.dumps(payload | {"issue": issue}, separators=(",", ":")).encode()


class Load:
    """Signed deliveries from `wrk`, which costs far less than what it asks."""

    def __init__(self, folder: Path, bodies: Sequence[bytes]) -> None:
        if shutil.which("wrk") is None:
            raise FileNotFoundError("wrk is missing: apt-get install wrk")
        self._script, self._bodies = folder / "deliver.lua", folder / "bodies.txt"
        self._script.write_text(_WRK)
        self._bodies.write_bytes(b"".join(b"%s %s\n" % (sign(body).encode(), body) for body in bodies))

    def run(self, url: str, seconds: float, event: str = "issues") -> dict[str, float]:
        """Sends over 32 connections, as fast as they are answered."""
        guid = str(uuid.uuid4())[:24]
        shape = ["-t1", f"-c{_CONNECTIONS}", f"-d{seconds:g}s", "-s", str(self._script)]
        done = subprocess.run(
            ["wrk", *shape, url, "--", str(self._bodies), guid, event],
            check=True,
            capture_output=True,
            text=True,
        )
        found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
        if found["bad"]:
            raise RuntimeError(f"{found['bad']:.0f} of {found['requests']:.0f} were not taken by {url}")
        return found


class Others:
    """What else happens in the repository: labels come and go."""

    def __init__(self, url: str, template: Json, sprint: list[Json], elsewhere: list[Json]) -> None:
        self._url = url
        self._template = template
        self._sprint, self._elsewhere = itertools.cycle(sprint), itertools.cycle(elsewhere)
        self.sent = 0

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Sends until cancelled, one each tick whether the last was answered or not."""
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._send(session))
                self.sent += 1
                await asyncio.sleep(started + self.sent / _EVENTS_PER_SECOND - time.perf_counter())

    async def _send(self, session: aiohttp.ClientSession) -> None:
        issue = next(self._elsewhere if self.sent % _SPRINTS_SHARE else self._sprint)
        label = {"name": f"points: {random.randint(1, 13)}"}
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        changed = issue | {"labels": [label], "updated_at": now}
        payload = self._template | {"action": "labeled", "issue": changed, "label": label}
        body = json.dumps(payload).encode()
        headers = {"X-GitHub-Event": "issues", "X-GitHub-Delivery": str(uuid.uuid4())}
        signed = headers | {"X-Hub-Signature-256": sign(body)}
        async with session.post(self._url, data=body, headers=signed) as answer:
            answer.raise_for_status()
