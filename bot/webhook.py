"""The door: verify, store, answer. Nothing else happens while GitHub waits."""

import hashlib
import hmac
from collections.abc import Sequence

import msgspec
import structlog
from aiohttp import web

from bot.inbox import DatabaseAwayError, Inbox
from handlers import ROUTES
from handlers.payloads import Account, clean
from storage.deliveries import Outcome, Received

MOST_BYTES = 25 * 1024 * 1024
_RETRY_AFTER_SECONDS = 30


class _Installation(msgspec.Struct):
    id: int
    account: Account | None = None


class _Repository(msgspec.Struct):
    id: int
    owner: Account | None = None


class _Envelope(msgspec.Struct):
    """Whose delivery it is, and what it is about."""

    action: str | None = None
    installation: _Installation | None = None
    repository: _Repository | None = None
    organization: Account | None = None

    @property
    def account(self) -> Account | None:
        """The tenant's account: in events about an installation that on which it is installed."""
        installed_on = self.installation.account if self.installation else None
        owner = self.repository.owner if self.repository else None
        return installed_on or owner or self.organization


_ENVELOPE = msgspec.json.Decoder(_Envelope)


class Door:
    """`POST /webhooks/github`."""

    def __init__(self, inbox: Inbox, secrets: Sequence[str]) -> None:
        if not any(secrets):
            raise ValueError("the door needs a webhook secret")
        self._inbox = inbox
        self._secrets = [secret.encode() for secret in secrets]
        self._log = structlog.get_logger(__name__)

    async def receive(self, request: web.Request) -> web.Response:
        """202 once the delivery is safe, or of no interest; otherwise a status that makes GitHub show it."""
        body = await request.read()
        if not self._is_signed(request.headers.get("X-Hub-Signature-256", ""), body):
            return _answer(401, "the signature X-Hub-Signature-256 is missing or does not fit the body")
        event, delivery = request.headers.get("X-GitHub-Event"), request.headers.get("X-GitHub-Delivery")
        if not event or not delivery:
            missing = "X-GitHub-Event" if not event else "X-GitHub-Delivery"
            return _answer(400, f"the header {missing} is missing")
        try:
            envelope = _ENVELOPE.decode(body)
        except msgspec.DecodeError as problem:
            return _answer(400, f"the body is not the JSON of a webhook: {problem}")
        if (event, envelope.action) not in ROUTES:
            self._log.debug("delivery ignored", delivery=delivery, github_event=event, action=envelope.action)
            return _answer(202, "ignored: not an event that we act on")
        return await self._store(event, delivery, envelope, body)

    async def _store(self, event: str, delivery: str, envelope: _Envelope, body: bytes) -> web.Response:
        account = envelope.account
        received = Received(
            delivery=clean(delivery)[:100],
            event=event,
            action=envelope.action,
            installation=envelope.installation.id if envelope.installation else None,
            account=account.id if account else None,
            login=clean(account.login) if account else None,
            account_type=account.type if account else None,
            repository=envelope.repository.id if envelope.repository else None,
            payload=body,
        )
        try:
            outcome = await self._inbox.put(received)
        except DatabaseAwayError:
            self._log.warning("delivery refused: the database is away", delivery=delivery, github_event=event)
            return web.json_response(
                {"message": "the database is away; redeliver this later"},
                status=503,
                headers={"Retry-After": str(_RETRY_AFTER_SECONDS)},
            )
        if outcome is Outcome.NO_TENANT:
            return _answer(400, "the payload names no installation that we know and no account")
        if outcome is Outcome.REFUSED:
            self._log.warning("delivery refused: its installation is another account's", delivery=delivery)
            return _answer(
                409,
                "the installation and the account of this delivery are not known to belong together; "
                "`python -m bot doctor` says more, and once they are, redeliver this",
            )
        return _answer(202, outcome.value)

    def _is_signed(self, signature: str, body: bytes) -> bool:
        given = signature.encode("utf-8", "surrogateescape")
        return any(
            hmac.compare_digest(given, b"sha256=" + hmac.digest(secret, body, hashlib.sha256).hex().encode())
            for secret in self._secrets
        )


def _answer(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
