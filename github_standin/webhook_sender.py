"""Webhooks on their way from emulate to the bot: repaired where they are thinner than GitHub's, then sent on.

Deliveries go out one after another in the order of arrival. GitHub promises no order; a test that wants
disorder can redeliver.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import aiohttp
import structlog

DELIVERY_SECONDS = 10.0
FIRST_ATTEMPT = 3_842_000_000_000_000_001  # GitHub's ids, too, have outgrown what JavaScript counts exactly

Observe = Callable[[str, dict[str, Any]], None]
Told = tuple[str, dict[str, Any]]
Repair = Callable[[str, dict[str, Any]], Awaitable[list[Told]]]


@dataclass
class Delivery:
    """One attempt to deliver a webhook; `status` None means that nobody answered.

    `id` is what the bot sees in `X-GitHub-Delivery`, `attempt` is the id in the list of deliveries.
    """

    id: str
    event: str
    body: bytes
    signature: str
    status: int | None = None
    redelivery: bool = False
    attempt: int = 0
    delivered_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    duration: float = 0.0
    timed_out: bool = False
    is_over: bool = False

    @property
    def payload(self) -> dict[str, Any]:
        """The body as JSON."""
        payload: dict[str, Any] = json.loads(self.body)
        return payload

    @property
    def action(self) -> str | None:
        """The payload's action, which some events lack."""
        action: str | None = self.payload.get("action")
        return action


@dataclass(frozen=True)
class Arrival:
    """What emulate sent, untouched; `is_full` says that the front wrote it and nothing is to be repaired."""

    event: str
    body: bytes
    signature: str
    is_full: bool = False


class WebhookSender:
    """Receives from emulate, repairs, signs again what was changed, and forwards to `target`.

    `target` None drops everything; `muted` drops what arrives meanwhile. `observe` sees what is dropped, too.
    """

    def __init__(self, secret: str, repair: Repair, observe: Observe) -> None:
        self.target: str | None = None
        self.deliveries: list[Delivery] = []
        self.muted = False
        self.last_arrival = 0.0
        self._secret = secret
        self._repair = repair
        self._observe = observe
        self._attempts = count(FIRST_ATTEMPT)
        self._arrived: asyncio.Queue[tuple[Arrival, bool]] = asyncio.Queue()
        self._outgoing: asyncio.Queue[Delivery] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Begin to forward."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DELIVERY_SECONDS))
        self._workers = [
            asyncio.create_task(self._read_all(), name="stand-in webhooks from emulate"),
            asyncio.create_task(self._forward_all(), name="stand-in webhooks to the bot"),
        ]

    async def stop(self) -> None:
        """Stop at once; what waits is lost, as with GitHub when nobody listens."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def receive(self, arrival: Arrival) -> None:
        """Take one in; returns at once because emulate must not wait for the bot."""
        self.last_arrival = asyncio.get_running_loop().time()
        self._arrived.put_nowait((arrival, not self.muted and self.target is not None))

    def emit(self, event: str, payload: dict[str, Any]) -> None:
        """A webhook that the front makes itself; it goes out behind those that arrived before."""
        body = json.dumps(payload).encode()
        self.receive(Arrival(event, body, self._sign(body), is_full=True))

    async def read(self) -> None:
        """Wait until everything received was observed. The bot may be answering meanwhile, and asking us."""
        await self._arrived.join()

    async def settle(self) -> None:
        """Wait until everything received was forwarded and answered."""
        await self._arrived.join()
        await self._outgoing.join()

    async def send(self, event: str, payload: dict[str, Any], delivery_id: str | None = None) -> Delivery:
        """Sign and deliver a payload that emulate cannot make, such as `installation`."""
        body = json.dumps(payload).encode()
        delivery = Delivery(delivery_id or str(uuid.uuid4()), event, body, self._sign(body))
        self.deliveries.append(delivery)
        self._observe(event, json.loads(body))
        await self._post(delivery)
        return delivery

    async def redeliver(self, delivery_id: str) -> Delivery:
        """Send an earlier delivery again under its own id, as GitHub does."""
        first = next(delivery for delivery in self.deliveries if delivery.id == delivery_id)
        again = _again(first)
        self.deliveries.append(again)
        await self._post(again)
        return again

    def attempt_again(self, first: Delivery) -> None:
        """The same, soon: GitHub's API only takes note of the wish."""
        self._outgoing.put_nowait(_again(first))

    def age(self, by: timedelta) -> None:
        """Let all deliveries made so far be older."""
        for delivery in self.deliveries:
            delivery.delivered_at -= by

    def headers_of(self, delivery: Delivery) -> dict[str, str]:
        """What stands above the body."""
        return {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/stand-in",
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Delivery": delivery.id,
            "X-Hub-Signature-256": delivery.signature,
        }

    async def _read_all(self) -> None:
        while True:
            arrival, is_forwarded = await self._arrived.get()
            try:
                for delivery in await self._deliveries_of(arrival):
                    self._observe(delivery.event, delivery.payload)
                    if is_forwarded:
                        self._outgoing.put_nowait(delivery)
            except Exception:  # noqa: BLE001 - whoever waits for the next arrival would wait for ever
                _log().exception("webhook of emulate lost", github_event=arrival.event)
            finally:
                self._arrived.task_done()

    async def _forward_all(self) -> None:
        while True:
            delivery = await self._outgoing.get()
            try:
                self.deliveries.append(delivery)
                await self._post(delivery)
            except Exception:  # noqa: BLE001 - the same
                _log().exception("webhook not delivered", github_event=delivery.event)
            finally:
                self._outgoing.task_done()

    async def _deliveries_of(self, arrival: Arrival) -> list[Delivery]:
        if arrival.is_full:
            return [Delivery(str(uuid.uuid4()), arrival.event, arrival.body, arrival.signature)]
        original = json.loads(arrival.body)
        deliveries = []
        for event, payload in await self._repair(arrival.event, json.loads(arrival.body)):
            untouched = payload == original
            body = arrival.body if untouched else json.dumps(payload).encode()
            signature = arrival.signature if untouched else self._sign(body)
            deliveries.append(Delivery(str(uuid.uuid4()), event, body, signature))
        return deliveries

    async def _post(self, delivery: Delivery) -> None:
        if self.target is None or self._session is None:
            return
        delivery.attempt, delivery.delivered_at = next(self._attempts), datetime.now(UTC)
        clock = asyncio.get_running_loop().time
        began, headers = clock(), self.headers_of(delivery)
        try:
            async with self._session.post(self.target, data=delivery.body, headers=headers) as answer:
                delivery.status = answer.status
        except TimeoutError:
            delivery.timed_out = True
        except aiohttp.ClientError:
            delivery.status = None
        delivery.duration, delivery.is_over = clock() - began, True

    def _sign(self, body: bytes) -> str:
        return "sha256=" + hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()


def _log() -> Any:
    return structlog.get_logger(__name__)


def _again(first: Delivery) -> Delivery:
    return Delivery(first.id, first.event, first.body, first.signature, redelivery=True)
