"""`replay`: sends recorded deliveries, signed like GitHub's own, to the webhook endpoint."""

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
from bot.jobs.event_processor import wait_until_processed
from bot.jobs.worker import worker
from bot.services import Services, open_services
from bot.settings import Secret, Settings
from storage.deliveries import Deliveries, ReceiveOutcome
from storage.lookups import all_tenants

_AT_ONCE = 32
_TIMEOUT = aiohttp.ClientTimeout(total=30)


class RecordedDelivery(msgspec.Struct):
    """A line of the file: GitHub's headers `X-GitHub-Event` and `X-GitHub-Delivery`, and the payload."""

    event: str
    delivery: str
    payload: msgspec.Raw


@dataclass(slots=True)
class ReplayResult:
    """Counts of accepted and repeated deliveries, and sentences about failed ones."""

    accepted: int = 0
    repeated: int = 0
    failures: list[str] = field(default_factory=list)


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Replay a file. Exit status 1 if any delivery failed, 2 if the file cannot be read."""
    try:
        recorded = read(options.file)
    except (OSError, msgspec.DecodeError) as problem:
        print(f"{options.file}: {problem}", file=sys.stderr)
        return 2
    if options.url and not settings.webhook_secrets:
        print(
            "GITHUB_WEBHOOK_SECRET is missing: the running server accepts only deliveries signed with it",
            file=sys.stderr,
        )
        return 2
    result = asyncio.run(replay(settings, recorded, options.url))
    for failure in result.failures[:20]:
        print(failure, file=sys.stderr)
    print(f"accepted {result.accepted}, repeated {result.repeated}, failed {len(result.failures)}")
    return 1 if result.failures else 0


def read(path: Path) -> list[RecordedDelivery]:
    """Read the file's deliveries. Raises DecodeError that names the line."""
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
    """Send deliveries to the server at `url`, or to a server that is started for the replay."""
    if url is not None:
        return await _send_all(url.rstrip("/"), settings.webhook_secrets[0].reveal(), recorded)
    secret = Secret(secrets.token_urlsafe(32))
    async with (
        open_services(replace(settings, webhook_secrets=(secret,))) as base,
        _processing(base) as address,
    ):
        result = await _send_all(address, secret.reveal(), recorded)
        bar = tqdm(total=len(recorded), desc="processed", unit=" deliveries", disable=not sys.stderr.isatty())
        await wait_until_processed(base, lambda waiting: bar.update(max(len(recorded) - waiting - bar.n, 0)))
        bar.close()
        result.failures += await _parked(base, {delivery.delivery for delivery in recorded})
    return result


@asynccontextmanager
async def _processing(base: Services) -> AsyncIterator[str]:
    """Run a web server and a worker that only records deliveries. Yields the server's address."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(worker(base, talks=False))
        port = await stack.enter_async_context(web_server(base, "127.0.0.1", 0))
        yield f"http://127.0.0.1:{port}"


async def _send_all(address: str, secret: str, recorded: list[RecordedDelivery]) -> ReplayResult:
    result, deliveries = ReplayResult(), iter(recorded)
    bar = tqdm(total=len(recorded), desc="sent", unit=" deliveries", disable=not sys.stderr.isatty())
    target = address if address.endswith("/webhooks/github") else f"{address}/webhooks/github"
    connector = aiohttp.TCPConnector(limit=_AT_ONCE)
    async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session:

        async def sender() -> None:
            for delivery in deliveries:
                await _send(session, target, secret, delivery, result)
                bar.update()

        await asyncio.gather(*(sender() for _ in range(_AT_ONCE)))
    bar.close()
    return result


async def _send(
    session: aiohttp.ClientSession, url: str, secret: str, delivery: RecordedDelivery, result: ReplayResult
) -> None:
    body = bytes(delivery.payload)
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": delivery.event,
        "X-GitHub-Delivery": delivery.delivery,
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }
    try:
        async with session.post(url, data=body, headers=headers) as response:
            answer = await response.json(content_type=None)
            if response.status != 202:
                result.failures.append(f"{delivery.delivery}: {response.status} {answer.get('message', '')}")
            elif answer.get("message") == ReceiveOutcome.REPEATED.value:
                result.repeated += 1
            else:
                result.accepted += 1
    except (aiohttp.ClientError, TimeoutError) as problem:
        result.failures.append(f"{delivery.delivery}: {type(problem).__name__}")


async def _parked(base: Services, deliveries: set[str]) -> list[str]:
    """List the replayed deliveries that failed in processing."""
    failures = []
    async with base.database.unscoped() as connection:
        tenants = await all_tenants(connection)
    for organization_id in tenants:
        async with base.database.tenant(organization_id) as tenant:
            parked = await Deliveries(tenant).parked(most=10_000)
        failures += [f"{guid}: {event}: {why}" for guid, event, why in parked if guid in deliveries]
    return failures
