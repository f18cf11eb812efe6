"""`replay`: recorded deliveries, signed and sent through the door like GitHub's own."""

import argparse
import asyncio
import hashlib
import hmac
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import msgspec
from tqdm import tqdm

from bot.cli.serve import web_server
from bot.jobs.event_processor import until_processed
from bot.jobs.worker import worker
from bot.services import Services, services
from bot.settings import Secret, Settings
from storage.deliveries import Deliveries, ReceiveOutcome
from storage.lookups import all_tenants

_AT_ONCE = 32
_TIMEOUT = aiohttp.ClientTimeout(total=30)


class RecordedDelivery(msgspec.Struct):
    event: str
    delivery: str
    payload: msgspec.Raw


@dataclass(slots=True)
class ReplayResult:
    """What became of the deliveries, and sentences on those that failed."""

    accepted: int = 0
    repeated: int = 0
    failures: list[str] = field(default_factory=list)


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Replays a file. Exit status 1 if any delivery failed, 2 if the file cannot be read."""
    try:
        recorded = read(options.file)
    except (OSError, msgspec.DecodeError) as problem:
        print(f"{options.file}: {problem}", file=sys.stderr)
        return 2
    if options.url and not settings.webhook_secrets:
        print(
            "GITHUB_WEBHOOK_SECRET is missing: the running door takes only what is signed with it",
            file=sys.stderr,
        )
        return 2
    tally = asyncio.run(replay(settings, recorded, options.url))
    for failure in tally.failures[:20]:
        print(failure, file=sys.stderr)
    print(f"accepted {tally.accepted}, repeated {tally.repeated}, failed {len(tally.failures)}")
    return 1 if tally.failures else 0


def read(path: Path) -> list[RecordedDelivery]:
    """The file's deliveries. Raises DecodeError that names the line."""
    recorded = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if line.strip():
            try:
                recorded.append(msgspec.json.decode(line, type=RecordedDelivery))
            except msgspec.DecodeError as problem:
                raise msgspec.DecodeError(
                    f"line {number} must be a JSON object with event, delivery and payload: {problem}"
                ) from None
    return recorded


async def replay(settings: Settings, recorded: list[RecordedDelivery], url: str | None) -> ReplayResult:
    if url is not None:
        return await _send_all(url.rstrip("/"), settings.webhook_secrets[0].reveal(), recorded)
    secret = Secret(secrets.token_urlsafe(32))
    async with services(replace(settings, webhook_secrets=(secret,))) as base, _processing(base) as address:
        tally = await _send_all(address, secret.reveal(), recorded)
        bar = tqdm(total=len(recorded), desc="processed", unit=" deliveries", disable=not sys.stderr.isatty())
        await until_processed(base, lambda waiting: bar.update(max(len(recorded) - waiting - bar.n, 0)))
        bar.close()
        tally.failures += await _parked(base, {one.delivery for one in recorded})
    return tally


@asynccontextmanager
async def _processing(base: Services) -> AsyncIterator[str]:
    """A door and a worker that records; it answers nobody and does nothing by the clock."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(worker(base, talks=False))
        port = await stack.enter_async_context(web_server(base, "127.0.0.1", 0))
        yield f"http://127.0.0.1:{port}"


async def _send_all(address: str, secret: str, recorded: list[RecordedDelivery]) -> ReplayResult:
    tally, waiting = ReplayResult(), iter(recorded)
    bar = tqdm(total=len(recorded), desc="sent", unit=" deliveries", disable=not sys.stderr.isatty())
    target = address if address.endswith("/webhooks/github") else f"{address}/webhooks/github"
    connector = aiohttp.TCPConnector(limit=_AT_ONCE)
    async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session:

        async def sender() -> None:
            for one in waiting:
                await _send(session, target, secret, one, tally)
                bar.update()

        await asyncio.gather(*(sender() for _ in range(_AT_ONCE)))
    bar.close()
    return tally


async def _send(
    session: aiohttp.ClientSession, url: str, secret: str, one: RecordedDelivery, tally: ReplayResult
) -> None:
    body = bytes(one.payload)
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": one.event,
        "X-GitHub-Delivery": one.delivery,
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }
    try:
        async with session.post(url, data=body, headers=headers) as response:
            answer = await response.json(content_type=None)
            if response.status != 202:
                tally.failures.append(f"{one.delivery}: {response.status} {answer.get('message', '')}")
            elif answer.get("message") == ReceiveOutcome.REPEATED.value:
                tally.repeated += 1
            else:
                tally.accepted += 1
    except (aiohttp.ClientError, TimeoutError) as problem:
        tally.failures.append(f"{one.delivery}: {type(problem).__name__}")


async def _parked(base: Services, deliveries: set[str]) -> list[str]:
    """What of the replayed failed in processing."""
    failures = []
    async with base.database.unscoped() as connection:
        tenants = await all_tenants(connection)
    for organization_id in tenants:
        async with base.database.tenant(organization_id) as tenant:
            parked = await Deliveries(tenant).parked(most=10_000)
        failures += [f"{one}: {event}: {why}" for one, event, why in parked if one in deliveries]
    return failures
