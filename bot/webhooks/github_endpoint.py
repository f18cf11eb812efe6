"""The door: verify, store, answer. Nothing else happens while GitHub waits."""

from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from aiohttp import web

from bot.webhooks.delivery_writer import DatabaseAwayError, DeliveryWriter
from bot.webhooks.request_bodies import MOST_BYTES as MOST_BYTES  # noqa: PLC0414 - it is the webhook's limit
from bot.webhooks.request_bodies import (
    Bodies,
    answer,
    check_before_reading,
    extract_json,
    refusal,
    run_aside,
)
from bot.webhooks.signatures import Signatures
from handlers import ROUTES
from handlers.lenient import convert_leniently, decode_leniently
from handlers.payloads import AccountPayload, Id, Kind, MalformedError, clean, decode, replace_half_pairs
from storage.deliveries import ReceivedDelivery, ReceiveOutcome

_RETRY_AFTER_SECONDS = 30


class _Installation(msgspec.Struct):
    id: Id
    account: AccountPayload | None = None


class _Repository(msgspec.Struct):
    id: Id | None = None
    owner: AccountPayload | None = None


class _Owner(msgspec.Struct):
    user: AccountPayload | None = None
    organization: AccountPayload | None = None


class _OwnerChange(msgspec.Struct):
    from_: _Owner | None = msgspec.field(name="from", default=None)


class _Changes(msgspec.Struct):
    owner: _OwnerChange | None = None


class _Organization(AccountPayload):
    """An account that is told under `organization` needs no type."""

    type: Kind = "Organization"


class _Envelope(msgspec.Struct):
    """Whose delivery it is, and what it is about."""

    action: str | None = None
    installation: _Installation | None = None
    repository: _Repository | None = None
    organization: _Organization | None = None
    changes: Any = None

    @property
    def account(self) -> AccountPayload | None:
        """The tenant's account: in events about an installation that on which it is installed."""
        installed_on = self.installation.account if self.installation else None
        owner = self.repository.owner if self.repository else None
        account = installed_on or owner or self.organization
        # An organization is one, also where its type is missing.
        organization = self.organization
        if account and organization and organization.id == account.id and organization.login:
            return organization
        return account

    @property
    def former_owner(self) -> AccountPayload | None:
        """Who had the repository before it was transferred."""
        try:
            owner = convert_leniently(_Changes, self.changes).owner
        except MalformedError:
            return None
        return (owner.from_.organization or owner.from_.user) if owner and owner.from_ else None


class _OddEnvelope(msgspec.Struct):
    """An envelope with odd parts. Those that a delivery must not be taken without are still to be read."""

    action: msgspec.Raw = msgspec.Raw(b"null")
    installation: msgspec.Raw = msgspec.Raw(b"null")
    repository: _Repository | None = None
    organization: _Organization | None = None
    changes: Any = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ODD_ENVELOPE = msgspec.json.Decoder(_OddEnvelope)
_ACTION = msgspec.json.Decoder(str | None)
_INSTALLATION = msgspec.json.Decoder(_Installation | None)
_TRANSFER = ("repository", "transferred")


def read_envelope(body: bytes) -> tuple[_Envelope, bytes]:
    """A body's envelope, and the body as it can be stored.

    Odd values count as absent. Raises MalformedError if the body is not JSON, or if its action or the id of
    its installation is odd.
    """
    try:
        return decode(_ENVELOPE, body), body
    except MalformedError:
        body = replace_half_pairs(body)
        odd = decode_leniently(_ODD_ENVELOPE, body)
        envelope = _Envelope(
            action=decode(_ACTION, bytes(odd.action)),
            installation=decode_leniently(_INSTALLATION, odd.installation),
            repository=odd.repository,
            organization=odd.organization,
            changes=odd.changes,
        )
        return envelope, body


class WebhookEndpoint:
    """`POST /webhooks/github`."""

    def __init__(self, inbox: DeliveryWriter, secrets: Sequence[str], bodies: Bodies) -> None:
        if not any(secrets):
            raise ValueError("the door needs a webhook secret")
        self._inbox = inbox
        self._signatures = Signatures(secrets)
        self._bodies = bodies
        self._log = structlog.get_logger(__name__)

    async def receive(self, request: web.Request) -> web.Response:
        """202 once the delivery is safe, or of no interest; otherwise a status that makes GitHub show it."""
        check_before_reading(request)
        signature, event, delivery = self._signatures.read_headers(request)
        async with self._bodies.read(request) as body:
            await run_aside(len(body), self._signatures.check, signature, body)
            try:
                envelope, payload = await run_aside(len(body), _read, request, body)
            except MalformedError as problem:
                return answer(400, f"the body is not the JSON of a webhook: {problem}")
            if (event, envelope.action) not in ROUTES:
                self._log.debug(
                    "delivery ignored", delivery=delivery, github_event=event, action=envelope.action
                )
                return answer(202, "ignored: not an event that we act on")
            return await self._store(event, delivery, envelope, payload)

    async def _store(self, event: str, delivery: str, envelope: _Envelope, payload: bytes) -> web.Response:
        account = envelope.account
        if (event, envelope.action) == _TRANSFER and envelope.installation:
            try:
                account = await self._side_of(envelope.installation.id, envelope.former_owner, account)
            except DatabaseAwayError:
                raise self._away(delivery, event) from None
        received = ReceivedDelivery(
            delivery=delivery,
            event=event,
            action=envelope.action,
            installation=envelope.installation.id if envelope.installation else None,
            account=account.id if account else None,
            login=clean(account.login) if account else None,
            account_type=account.type if account else None,
            repository=envelope.repository.id if envelope.repository else None,
            payload=payload,
        )
        try:
            outcome = await self._inbox.put(received)
        except DatabaseAwayError:
            raise self._away(delivery, event) from None
        if outcome is ReceiveOutcome.NO_TENANT:
            return answer(400, "the payload names no installation that we know and no account")
        if outcome is ReceiveOutcome.REFUSED:
            self._log.warning("delivery refused: its installation is another account's", delivery=delivery)
            return answer(
                409,
                "This installation isn't linked to this account. Run `python -m bot doctor`, then redeliver.",
            )
        return answer(202, outcome.value)

    async def _side_of(
        self, installation: int, former_owner: AccountPayload | None, account: AccountPayload | None
    ) -> AccountPayload | None:
        """Whom a transfer is told: the former owner where the installation is theirs, else the new one.

        Where GitHub does not name the former owner, it is told to whoever has the installation (None).
        """
        account_id = await self._inbox.account_of(installation)
        if former_owner is None:
            return account if account_id is None else None
        return former_owner if account_id == former_owner.id else account

    def _away(self, delivery: str, event: str) -> web.HTTPException:
        self._log.warning("delivery refused: the database is away", delivery=delivery, github_event=event)
        return refusal(
            web.HTTPServiceUnavailable,
            "the database is away; redeliver this later",
            retry_after=_RETRY_AFTER_SECONDS,
        )


def _read(request: web.Request, body: bytearray) -> tuple[_Envelope, bytes]:
    return read_envelope(extract_json(request, body))
