"""Receives requests that GitHub signs: the headers that name a delivery, and the check of its signature."""

import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import web

from bot.webhooks.request_bodies import RequestBodies, check_headers, make_refusal, run_in_thread_if_large

# https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
# GitHub's event names and GUIDs are shorter. Other characters could be neither stored nor logged.
_HEADER_VALUE = re.compile(r"[!-~]{1,100}")


class SignedDelivery(NamedTuple):
    """A delivery whose signature was checked: its event's name, GitHub's id of it, and its body."""

    event: str
    delivery: str
    body: bytearray


class SignedDeliveryReader:
    """Reads deliveries that are signed in `X-Hub-Signature-256` with one of the configured secrets."""

    def __init__(self, secrets: Sequence[str], bodies: RequestBodies) -> None:
        """Raises ValueError without a secret, since anybody could then send events."""
        if not any(secrets):
            raise ValueError("a webhook endpoint needs a webhook secret")
        self._secrets = [secret.encode() for secret in secrets]
        self._bodies = bodies

    @asynccontextmanager
    async def read(self, request: web.Request) -> AsyncIterator[SignedDelivery]:
        """Read a delivery and check its signature. The body counts as in memory until the context ends.

        Raises web.HTTPException: 401 where the signature does not fit, other statuses for malformed requests.
        """
        check_headers(request)
        signature = request.headers.get("X-Hub-Signature-256", "")
        if not _SIGNATURE.fullmatch(signature):
            raise _make_signature_refusal()
        event, delivery = (_read_header(request, name) for name in ("X-GitHub-Event", "X-GitHub-Delivery"))
        async with self._bodies.read(request) as body:
            await run_in_thread_if_large(len(body), self._check, signature.encode(), body)
            yield SignedDelivery(event, delivery, body)

    def _check(self, signature: bytes, body: bytearray) -> None:
        """Raise web.HTTPUnauthorized unless the signature fits the body with one of the secrets."""
        for secret in self._secrets:
            digest = hmac.digest(secret, body, hashlib.sha256).hex().encode()
            if hmac.compare_digest(signature, b"sha256=" + digest):
                return
        raise _make_signature_refusal()


def _make_signature_refusal() -> web.HTTPException:
    return make_refusal(
        web.HTTPUnauthorized, "the signature X-Hub-Signature-256 is missing or does not match the body"
    )


def _read_header(request: web.Request, header: str) -> str:
    """Return a required header. Raises web.HTTPException if it is missing or has invalid characters."""
    value = request.headers.get(header)
    if not value:
        raise make_refusal(web.HTTPBadRequest, f"the header {header} is missing")
    if not _HEADER_VALUE.fullmatch(value):
        raise make_refusal(web.HTTPBadRequest, f"the header {header} is malformed")
    return value
