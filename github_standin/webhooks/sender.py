"""Forwards emulate's webhooks to the bot, completed to GitHub's form, and keeps a log of the deliveries.

Deliveries go out one after another in the order of arrival. GitHub guarantees no order; a test that needs
another order can redeliver.
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
FIRST_ATTEMPT = 3_842_000_000_000_000_001  # As GitHub's ids, larger than JavaScript's exact integers.

Observe = Callable[[str, dict[str, Any]], None]
Webhook = tuple[str, dict[str, Any]]
# Completes the event and payload of emulate's webhook; returns one or more webhooks of GitHub.
Repair = Callable[[str, dict[str, Any]], Awaitable[list[Webhook]]]


@dataclass
class DeliveryAttempt:
    """One attempt to deliver a webhook; `status` None means that there was no response.

    `id` is the value of `X-GitHub-Delivery`, `attempt` the id in the App's list of deliveries. `duration` is
    in seconds.
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
        """The payload's action; None for events without one."""
        action: str | None = self.payload.get("action")
        return action


@dataclass(frozen=True)
class IncomingWebhook:
    """A webhook as emulate sent it; with `is_full` the stand-in made it, and it needs no repair."""

    event: str
    body: bytes
    signature: str
    is_full: bool = False


class WebhookSender:
    """Receives webhooks from emulate, repairs them, signs changed ones again, and forwards them to `target`.

    With `target` None all webhooks are dropped; with `muted`, those that arrive meanwhile. `observe` is
    called with dropped webhooks, too.
    """

    def __init__(self, secret: str, repair: Repair, observe: Observe) -> None:
        self.target: str | None = None
        self.deliveries: list[DeliveryAttempt] = []
        self.muted = False
        self.last_arrival = 0.0
        self._secret = secret
        self._repair = repair
        self._observe = observe
        self._attempts = count(FIRST_ATTEMPT)
        self._arrived: asyncio.Queue[tuple[IncomingWebhook, bool]] = asyncio.Queue()
        self._outgoing: asyncio.Queue[DeliveryAttempt] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Start forwarding."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DELIVERY_SECONDS))
        self._workers = [
            asyncio.create_task(self._read_all(), name="stand-in webhooks from emulate"),
            asyncio.create_task(self._forward_all(), name="stand-in webhooks to the bot"),
        ]

    async def stop(self) -> None:
        """Stop at once; waiting webhooks are lost."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def receive(self, webhook: IncomingWebhook) -> None:
        """Queue a webhook; returns at once, because emulate must not wait for the bot."""
        self.last_arrival = asyncio.get_running_loop().time()
        self._arrived.put_nowait((webhook, not self.muted and self.target is not None))

    def emit(self, event: str, payload: dict[str, Any]) -> None:
        """Queue a webhook that the stand-in makes itself, behind those that arrived before."""
        body = json.dumps(payload).encode()
        self.receive(IncomingWebhook(event, body, self._sign(body), is_full=True))

    async def wait_until_observed(self) -> None:
        """Wait until everything received was observed; the bot may still be handling it."""
        await self._arrived.join()

    async def wait_until_delivered(self) -> None:
        """Wait until everything received was forwarded and answered."""
        await self._arrived.join()
        await self._outgoing.join()

    async def send(
        self, event: str, payload: dict[str, Any], delivery_id: str | None = None
    ) -> DeliveryAttempt:
        """Sign and deliver a payload that emulate cannot make, such as `installation`."""
        body = json.dumps(payload).encode()
        delivery = DeliveryAttempt(delivery_id or str(uuid.uuid4()), event, body, self._sign(body))
        self.deliveries.append(delivery)
        self._observe(event, json.loads(body))
        await self._post(delivery)
        return delivery

    async def redeliver(self, delivery_id: str) -> DeliveryAttempt:
        """Send an earlier delivery again under its own id, as GitHub does."""
        original = next(delivery for delivery in self.deliveries if delivery.id == delivery_id)
        redelivery = _redelivery_of(original)
        self.deliveries.append(redelivery)
        await self._post(redelivery)
        return redelivery

    def queue_redelivery(self, original: DeliveryAttempt) -> None:
        """Queue a redelivery, as GitHub's API does, which only accepts the request."""
        self._outgoing.put_nowait(_redelivery_of(original))

    def age(self, by: timedelta) -> None:
        """Move all deliveries made so far into the past."""
        for delivery in self.deliveries:
            delivery.delivered_at -= by

    def headers_of(self, delivery: DeliveryAttempt) -> dict[str, str]:
        """The HTTP headers of a delivery."""
        return {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/stand-in",
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Delivery": delivery.id,
            "X-Hub-Signature-256": delivery.signature,
        }

    async def _read_all(self) -> None:
        while True:
            webhook, is_forwarded = await self._arrived.get()
            try:
                for delivery in await self._deliveries_of(webhook):
                    self._observe(delivery.event, delivery.payload)
                    if is_forwarded:
                        self._outgoing.put_nowait(delivery)
            except Exception:  # noqa: BLE001 - the loop must go on for callers that wait for later webhooks
                _log().exception("webhook of emulate lost", github_event=webhook.event)
            finally:
                self._arrived.task_done()

    async def _forward_all(self) -> None:
        while True:
            delivery = await self._outgoing.get()
            try:
                self.deliveries.append(delivery)
                await self._post(delivery)
            except Exception:  # noqa: BLE001 - as above
                _log().exception("webhook not delivered", github_event=delivery.event)
            finally:
                self._outgoing.task_done()

    async def _deliveries_of(self, webhook: IncomingWebhook) -> list[DeliveryAttempt]:
        if webhook.is_full:
            return [DeliveryAttempt(str(uuid.uuid4()), webhook.event, webhook.body, webhook.signature)]
        original = json.loads(webhook.body)
        deliveries = []
        for event, payload in await self._repair(webhook.event, json.loads(webhook.body)):
            is_unchanged = payload == original
            body = webhook.body if is_unchanged else json.dumps(payload).encode()
            signature = webhook.signature if is_unchanged else self._sign(body)
            deliveries.append(DeliveryAttempt(str(uuid.uuid4()), event, body, signature))
        return deliveries

    async def _post(self, delivery: DeliveryAttempt) -> None:
        if self.target is None or self._session is None:
            return
        delivery.attempt, delivery.delivered_at = next(self._attempts), datetime.now(UTC)
        clock = asyncio.get_running_loop().time
        started, headers = clock(), self.headers_of(delivery)
        try:
            async with self._session.post(self.target, data=delivery.body, headers=headers) as response:
                delivery.status = response.status
        except TimeoutError:
            delivery.timed_out = True
        except aiohttp.ClientError:
            delivery.status = None
        delivery.duration, delivery.is_over = clock() - started, True

    def _sign(self, body: bytes) -> str:
        return "sha256=" + hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()


def _log() -> Any:
    return structlog.get_logger(__name__)


def _redelivery_of(original: DeliveryAttempt) -> DeliveryAttempt:
    return DeliveryAttempt(original.id, original.event, original.body, original.signature, redelivery=True)
