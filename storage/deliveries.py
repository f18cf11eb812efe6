"""Webhook deliveries of GitHub: stored on arrival, processed once, kept as a log."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from sqlalchemy import Select, func, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sprints.model import EventSource
from storage.cipher import PayloadCipher, delivery_place
from storage.database import Blobs, Tenant
from storage.installation_claims import IS_UNCHECKED
from storage.tables import github_events, organizations, projects, timeline

# After this many failures an event is parked: kept, and shown by `doctor`, until GitHub redelivers it.
MOST_ATTEMPTS = 5
_FIRST_DELAY = timedelta(seconds=15)
# One would do, but a transferred item brings facts of another repository.
_MOST_FACTS_OF_A_PROJECT = 20


class ReceiveOutcome(StrEnum):
    """The result of receiving a delivery."""

    STORED = "stored"
    REPEATED = "repeated"
    RETRIED = "retried"
    NO_TENANT = "no_tenant"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ReceivedDelivery:
    """A delivery on arrival: its payload as received, and the fields that identify its tenant."""

    delivery: str
    event: str
    action: str | None
    installation: int | None
    account: int | None
    login: str | None
    account_type: str | None
    repository: int | None
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A delivery to be processed. `payload` is sealed for the tenant's `account` (storage/cipher.py)."""

    id: int
    delivery: str
    event: str
    action: str | None
    payload: bytes = field(repr=False)
    attempts: int
    received_at: datetime
    account: int


@dataclass(frozen=True, slots=True)
class ClaimedEvents:
    """Events that a transaction has locked to process them.

    `has_unchecked_installation` is whether GitHub is to be asked about an installation of the tenant first;
    unknown, and False, without events.
    """

    events: list[StoredEvent]
    has_unchecked_installation: bool


def open_payload(cipher: PayloadCipher, event: StoredEvent) -> bytes:
    """Decrypt a stored payload. Raises LookupError if it belongs to another delivery or tenant.

    Payloads stored by earlier versions are bound to neither, and open nevertheless (docs/security.md).
    """
    return cipher.open(event.payload, delivery_place(event.account, event.delivery), may_be_unbound=True)


_RECEIVE = text("select receive_deliveries(cast(:descriptions as text), :payloads, :moment)")
# The columns of a StoredEvent, and whether an installation is to be checked (InstallationClaims.unchecked).
# The last two are the same for all rows: the planner asks for them once.
_CLAIM = text(
    f"""
    select id, delivery_id, event_type, action, payload, attempts, created_at,
        (select github_account_id from organizations where id = :tenant),
        exists (select from installation_claims where organization_id = :tenant and {IS_UNCHECKED})
    from github_events
    where organization_id = :tenant and processed_at is null and parked_at is null and due_at <= :moment
        and (cast(:only as bigint) is null or id = :only)
    order by id limit :most
    for update skip locked
    """  # noqa: S608 - constants alone
)
_MARK_PROCESSED = text(
    """
    update github_events set processed_at = :at, note = marked.note
    from unnest(cast(:ids as bigint[]), cast(:notes as text[])) as marked (id, note)
    where organization_id = :tenant and github_events.id = marked.id
    """
)
_DESCRIPTION = (
    "delivery",
    "event",
    "action",
    "installation",
    "account",
    "login",
    "account_type",
    "repository",
)


async def receive_deliveries(
    connection: AsyncConnection,
    batch: Sequence[ReceivedDelivery],
    sealed: Sequence[bytes],
    moment: datetime | None = None,
) -> list[ReceiveOutcome]:
    """Store a batch, each delivery at most once, and wake the worker; return one outcome per delivery.

    Delivery ids must be unique within the batch. `sealed` are the encrypted payloads, in the same order. The
    deliveries arrived at `moment`, by default now by the database's clock.
    """
    descriptions = [{name: getattr(delivery, name) for name in _DESCRIPTION} for delivery in batch]
    outcomes = await connection.scalar(
        _RECEIVE,
        {
            "descriptions": msgspec.json.encode(descriptions).decode(),
            "payloads": Blobs(sealed),
            "moment": moment,
        },
    )
    return [ReceiveOutcome(outcome) for outcome in outcomes or ()]


def writers_lock(organization_id: int) -> str:
    """The advisory lock that writers of a tenant's deliveries hold until they commit (see wake_tenant).

    They rely on a waiting job to process their deliveries, so the job must wait for them before it looks.
    Deliveries that are stored once the job has begun defer their own job.
    """
    return f"events:{organization_id}"


class Deliveries:
    """The deliveries of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def claim(self, most: int, moment: datetime, only: int | None = None) -> ClaimedEvents:
        """Lock and return the oldest events due at `moment`; `only` is the id of a single one."""
        values = {"tenant": self._organization_id, "moment": moment, "most": most, "only": only}
        rows = (await self._connection.execute(_CLAIM, values)).all()
        return ClaimedEvents(
            [StoredEvent(*columns) for *columns, _ in rows],
            has_unchecked_installation=any(row[-1] for row in rows),
        )

    async def get(self, event_id: int) -> StoredEvent | None:
        """Return an event, or None once the retention of its payload is over."""
        query = self._events().where(github_events.c.id == event_id, github_events.c.payload != b"")
        row = (await self._connection.execute(query)).first()
        return StoredEvent(*row) if row else None

    async def mark_processed(self, notes: dict[int, str | None], at: datetime) -> None:
        """Mark events as processed, by id; a note gives the reason why an event had no usable content."""
        if notes:
            values = {"tenant": self._organization_id, "at": at}
            lists = {"ids": list(notes), "notes": list(notes.values())}
            await self._connection.execute(_MARK_PROCESSED, values | lists)

    async def mark_failed(self, event: StoredEvent, why: str, at: datetime) -> bool:
        """Postpone an event with growing delays, or park it; return whether it was parked."""
        attempts = event.attempts + 1
        parked = attempts >= MOST_ATTEMPTS
        await self._connection.execute(
            update(github_events)
            .where(github_events.c.organization_id == self._organization_id, github_events.c.id == event.id)
            .values(
                attempts=attempts,
                note=why[:500],
                due_at=at + _FIRST_DELAY * 4 ** (attempts - 1),
                parked_at=at if parked else None,
            )
        )
        return parked

    async def counts(self) -> dict[str, int]:
        """Count deliveries: `processed`, `waiting`, `parked`, and `unusable` among the processed."""
        done, parked, note = (
            github_events.c.processed_at.is_not(None),
            github_events.c.parked_at.is_not(None),
            github_events.c.note,
        )
        query = select(
            func.count().filter(done).label("processed"),
            func.count().filter(~done, ~parked).label("waiting"),
            func.count().filter(parked).label("parked"),
            func.count().filter(done, note.is_not(None), note != "redelivered").label("unusable"),
        ).where(github_events.c.organization_id == self._organization_id)
        return dict((await self._connection.execute(query)).mappings().one())

    async def empty_payloads(self, before: datetime, most: int) -> int:
        """Empty the payloads stored before a moment, oldest first and at most `most`; return how many.

        The rows stay as a log that identifies repeated deliveries.
        """
        old = (
            select(github_events.c.id)
            .where(github_events.c.organization_id == self._organization_id)
            .where(github_events.c.created_at < before, github_events.c.payload != b"")
            .where(github_events.c.processed_at.is_not(None) | github_events.c.parked_at.is_not(None))
            .order_by(github_events.c.created_at)
            .limit(most)
        )
        result = await self._connection.execute(
            update(github_events)
            .where(github_events.c.organization_id == self._organization_id, github_events.c.id.in_(old))
            .values(payload=b"")
        )
        return int(result.rowcount)

    async def newest_event(self) -> tuple[str, datetime] | None:
        """The kind of the last event, and when it was received."""
        query = (
            select(github_events.c.event_type, github_events.c.created_at)
            .where(github_events.c.organization_id == self._organization_id)
            .order_by(github_events.c.id.desc())
            .limit(1)
        )
        row = (await self._connection.execute(query)).first()
        return (row[0], row[1]) if row else None

    async def last_received_before(self, moment: datetime) -> datetime | None:
        """Return when the last event before a moment was received; None if there was none."""
        query = select(func.max(github_events.c.created_at)).where(
            github_events.c.organization_id == self._organization_id, github_events.c.created_at < moment
        )
        received_at: datetime | None = await self._connection.scalar(query)
        return received_at

    async def last_processed_before(self, moment: datetime) -> datetime | None:
        """Return when the last processed event before a moment was received; None if there was none."""
        query = select(func.max(github_events.c.created_at)).where(
            github_events.c.organization_id == self._organization_id,
            github_events.c.created_at < moment,
            github_events.c.processed_at.is_not(None),
        )
        received_at: datetime | None = await self._connection.scalar(query)
        return received_at

    async def project_of(self, repository_id: int) -> int | None:
        """Find the project of a repository by GitHub's id, from the deliveries of its last facts.

        Each step uses an index: the last facts of each project, and their deliveries.
        """
        last_facts = (
            select(timeline.c.delivery)
            .where(timeline.c.organization_id == self._organization_id)
            .where(timeline.c.project_id == projects.c.id, timeline.c.source == EventSource.WEBHOOK)
            .order_by(timeline.c.at.desc())
            .limit(_MOST_FACTS_OF_A_PROJECT)
            .lateral()
        )
        is_delivery = github_events.c.delivery_id == last_facts.c.delivery
        query = (
            select(projects.c.id)
            .select_from(projects)
            .join(last_facts, true())
            .join(github_events, is_delivery & (github_events.c.organization_id == self._organization_id))
            .where(projects.c.organization_id == self._organization_id)
            .where(github_events.c.github_id == repository_id)
            .limit(1)
        )
        project_id: int | None = await self._connection.scalar(query)
        return project_id

    async def parked(self, most: int = 20) -> list[tuple[str, str, str | None]]:
        """The newest parked deliveries: delivery id, event and reason."""
        query = (
            select(github_events.c.delivery_id, github_events.c.event_type, github_events.c.note)
            .where(github_events.c.organization_id == self._organization_id)
            .where(github_events.c.parked_at.is_not(None))
            .order_by(github_events.c.id.desc())
            .limit(most)
        )
        return [(row[0], row[1], row[2]) for row in await self._connection.execute(query)]

    def _events(self) -> Select[int, str, str, str | None, bytes, int, datetime, int]:
        """Select the columns of a StoredEvent."""
        return select(
            github_events.c.id,
            github_events.c.delivery_id,
            github_events.c.event_type,
            github_events.c.action,
            github_events.c.payload,
            github_events.c.attempts,
            github_events.c.created_at,
            select(organizations.c.github_account_id)
            .where(organizations.c.id == self._organization_id)
            .scalar_subquery(),
        ).where(github_events.c.organization_id == self._organization_id)
