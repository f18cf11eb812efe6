"""GitHub's webhook endpoint: verify, store, answer. Nothing else happens while GitHub waits."""

from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from aiohttp import web

from bot.metrics.instruments import Instruments
from bot.metrics.label_values import OTHER
from bot.webhooks.delivery_writer import DatabaseUnavailableError, DeliveryWriter
from bot.webhooks.request_bodies import MAX_BODY_BYTES as MAX_BODY_BYTES  # noqa: PLC0414 - the webhook's limit
from bot.webhooks.request_bodies import (
    RequestBodies,
    extract_json,
    make_database_away_refusal,
    make_response,
    run_in_thread_if_large,
)
from bot.webhooks.signatures import SignedDeliveryReader
from handlers import ROUTES
from handlers.lenient import convert_leniently, decode_leniently
from handlers.payloads import (
    AccountPayload,
    Id,
    Kind,
    MalformedError,
    OwnerChangePayload,
    clean,
    decode,
    replace_half_pairs,
)
from storage.deliveries import ReceivedDelivery, ReceiveOutcome


class _Installation(msgspec.Struct):
    id: Id
    account: AccountPayload | None = None


class _Repository(msgspec.Struct):
    id: Id | None = None
    owner: AccountPayload | None = None


class _Changes(msgspec.Struct):
    owner: OwnerChangePayload | None = None


class _Organization(AccountPayload):
    """An account under the key `organization`, where its type may be missing."""

    type: Kind = "Organization"


class _Envelope(msgspec.Struct):
    """The parts of a payload that say which account and repository it concerns."""

    action: str | None = None
    installation: _Installation | None = None
    repository: _Repository | None = None
    organization: _Organization | None = None
    changes: Any = None

    @property
    def account(self) -> AccountPayload | None:
        """The tenant's account; for events about an installation, the account where it is installed."""
        installed_on = self.installation.account if self.installation else None
        owner = self.repository.owner if self.repository else None
        account = installed_on or owner or self.organization
        # `organization` is of type Organization, even where `repository.owner` does not give its type.
        organization = self.organization
        if account and organization and organization.id == account.id and organization.login:
            return organization
        return account

    @property
    def former_owner(self) -> AccountPayload | None:
        """The owner of the repository before its transfer."""
        try:
            owner = convert_leniently(_Changes, self.changes).owner
        except MalformedError:
            return None
        return owner.former_owner if owner else None


class _OddEnvelope(msgspec.Struct):
    """An envelope with malformed parts; the required ones stay raw, so that they are decoded strictly."""

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

# Events of all other names, which a stranger may choose, are counted together.
_EVENTS = frozenset(event for event, _ in ROUTES)
# What became of a delivery that the database did not see; the others are those of ReceiveOutcome.
_IGNORED, _MALFORMED, _FAILED = "ignored", "malformed", "failed"
_REFUSALS = {401: "unsigned", 503: "unavailable"}
_OUTCOMES = (*ReceiveOutcome, _IGNORED, _MALFORMED, _FAILED, *_REFUSALS.values())


def read_envelope(body: bytes) -> tuple[_Envelope, bytes]:
    """Return a body's envelope, and the body in a form that can be stored.

    Malformed values count as absent. Raises MalformedError if the body is not JSON, or if its action or the
    id of its installation is malformed.
    """
    try:
        return decode(_ENVELOPE, body), body
    except MalformedError:
        body = replace_half_pairs(body)
        malformed_envelope = decode_leniently(_ODD_ENVELOPE, body)
        envelope = _Envelope(
            action=decode(_ACTION, bytes(malformed_envelope.action)),
            installation=decode_leniently(_INSTALLATION, malformed_envelope.installation),
            repository=malformed_envelope.repository,
            organization=malformed_envelope.organization,
            changes=malformed_envelope.changes,
        )
        return envelope, body


class GitHubWebhookEndpoint:
    """`POST /webhooks/github`: receives GitHub's deliveries."""

    def __init__(
        self,
        delivery_writer: DeliveryWriter,
        secrets: Sequence[str],
        bodies: RequestBodies,
        instruments: Instruments,
    ) -> None:
        """Raises ValueError without a secret."""
        self._delivery_writer = delivery_writer
        self._instruments = instruments
        instruments.expect_deliveries([*_EVENTS, OTHER], _OUTCOMES)
        self._reader = SignedDeliveryReader(secrets, bodies)
        self._log = structlog.get_logger(__name__)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer 202 once the delivery is on disk or ignored; GitHub shows any other status as failed."""
        outcome = _FAILED
        try:
            outcome, response = await self._receive(request)
        except web.HTTPException as refusal:
            outcome = _REFUSALS.get(refusal.status, _MALFORMED)
            raise
        else:
            return response
        finally:
            event = request.headers.get("X-GitHub-Event", OTHER)
            self._instruments.deliveries.labels(event if event in _EVENTS else OTHER, outcome).inc()

    async def _receive(self, request: web.Request) -> tuple[str, web.Response]:
        """Store a delivery, or ignore it. Returns what became of it, and the response."""
        async with self._reader.read(request) as (event, delivery, body):
            try:
                envelope, payload = await run_in_thread_if_large(len(body), _read_body, request, body)
            except MalformedError as problem:
                return _MALFORMED, make_response(400, f"the body is not the JSON of a webhook: {problem}")
            if (event, envelope.action) not in ROUTES:
                self._log.debug(
                    "delivery ignored", delivery=delivery, github_event=event, action=envelope.action
                )
                return _IGNORED, make_response(202, "ignored: this event is not used")
            outcome = await self._store(event, delivery, envelope, payload)
            return outcome.value, self._respond(outcome, delivery)

    async def _store(self, event: str, delivery: str, envelope: _Envelope, payload: bytes) -> ReceiveOutcome:
        account = envelope.account
        if (event, envelope.action) == _TRANSFER and envelope.installation:
            try:
                account = await self._choose_side(envelope.installation.id, envelope.former_owner, account)
            except DatabaseUnavailableError:
                raise self._refuse_without_database(delivery, event) from None
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
            return await self._delivery_writer.store(received)
        except DatabaseUnavailableError:
            raise self._refuse_without_database(delivery, event) from None

    def _respond(self, outcome: ReceiveOutcome, delivery: str) -> web.Response:
        if outcome is ReceiveOutcome.NO_TENANT:
            return make_response(400, "the payload names neither a known installation nor an account")
        if outcome is ReceiveOutcome.REFUSED:
            self._log.warning("delivery refused: its installation is another account's", delivery=delivery)
            return make_response(
                409,
                "This installation isn't linked to this account. Run `python -m bot doctor`, then redeliver.",
            )
        return make_response(202, outcome.value)

    async def _choose_side(
        self, installation: int, former_owner: AccountPayload | None, account: AccountPayload | None
    ) -> AccountPayload | None:
        """Return the account of a transfer: the former owner if the installation is theirs, else the new one.

        If GitHub does not name the former owner, the installation's account is resolved later (None).
        """
        account_id = await self._delivery_writer.find_account(installation)
        if former_owner is None:
            return account if account_id is None else None
        return former_owner if account_id == former_owner.id else account

    def _refuse_without_database(self, delivery: str, event: str) -> web.HTTPException:
        self._log.warning(
            "delivery refused: the database is unavailable", delivery=delivery, github_event=event
        )
        return make_database_away_refusal()


def _read_body(request: web.Request, body: bytearray) -> tuple[_Envelope, bytes]:
    return read_envelope(extract_json(request, body))
