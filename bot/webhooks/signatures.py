"""GitHub's signatures of webhooks, and the headers that name a delivery."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import NamedTuple

from aiohttp import web

from bot.webhooks.request_bodies import refusal

# https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
# GitHub's names and GUIDs are shorter. Other characters could not be stored, nor logged.
_WORD = re.compile(r"[!-~]{1,100}")


class SignedHeaders(NamedTuple):
    """The signature of a delivery, which event it is, and GitHub's id of it. Not checked yet."""

    signature: bytes
    event: str
    delivery: str


class Signatures:
    """Checks `X-Hub-Signature-256` by each configured secret."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = [secret.encode() for secret in secrets]

    def read_headers(self, request: web.Request) -> SignedHeaders:
        """What the headers say. Raises web.HTTPException if one is missing or malformed."""
        signature = request.headers.get("X-Hub-Signature-256", "")
        if not _SIGNATURE.fullmatch(signature):
            raise signature_refusal()
        event, delivery = (_read_word(request, name) for name in ("X-GitHub-Event", "X-GitHub-Delivery"))
        return SignedHeaders(signature.encode(), event, delivery)

    def check(self, signature: bytes, body: bytearray) -> None:
        """Raises web.HTTPException unless the signature fits the body by one of the secrets."""
        for secret in self._secrets:
            digest = hmac.digest(secret, body, hashlib.sha256).hex().encode()
            if hmac.compare_digest(signature, b"sha256=" + digest):
                return
        raise signature_refusal()


def signature_refusal() -> web.HTTPException:
    """Refuses a request that cannot be shown to come from GitHub."""
    return refusal(
        web.HTTPUnauthorized, "the signature X-Hub-Signature-256 is missing or does not fit the body"
    )


def _read_word(request: web.Request, header: str) -> str:
    """A header that must be there. Raises web.HTTPException if it is missing or holds odd characters."""
    value = request.headers.get(header)
    if not value:
        raise refusal(web.HTTPBadRequest, f"the header {header} is missing")
    if not _WORD.fullmatch(value):
        raise refusal(web.HTTPBadRequest, f"the header {header} is malformed")
    return value
