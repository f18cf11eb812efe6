"""GitHub's deliveries: received at the door, worked off once, kept as the log."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from sqlalchemy import Select, bindparam, func, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sprints.model import EventSource
from storage.cipher import PayloadCipher, delivery_place
from storage.database import Blobs, Tenant
from storage.tables import github_events, organizations, projects, timeline

# After so many failures an event is parked: kept, and shown by `doctor`, until GitHub redelivers it.
MOST_ATTEMPTS = 5
_FIRST_DELAY = timedelta(seconds=15)
# One would do, but a transferred item brings some of another repository.
_MOST_FACTS_OF_A_PROJECT = 20


class Outcome(StrEnum):
    """What became of a delivery at the door."""

    STORED = "stored"
    REPEATED = "repeated"
    RETRIED = "retried"
    NO_TENANT = "no_tenant"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Received:
    """A delivery at the door. `payload` is as it came; the rest says whose it is."""

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
    """A delivery to be worked off. `payload` is sealed for the tenant's `account` (storage/cipher.py)."""

    id: int
    delivery: str
    event: str
    action: str | None
    payload: bytes = field(repr=False)
    attempts: int
    received_at: datetime
    account: int


def open_payload(cipher: PayloadCipher, event: StoredEvent) -> bytes:
    """A stored delivery's payload. Raises LookupError if it is not this delivery's of this tenant.

    What an earlier version has stored is not bound to them, and opens nevertheless (docs/security.md).
    """
    return cipher.open(event.payload, delivery_place(event.account, event.delivery), may_be_unbound=True)


_RECEIVE = text("select receive_deliveries(cast(:descriptions as text), :payloads, :moment)")
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


async def receive(
    connection: AsyncConnection,
    batch: Sequence[Received],
    sealed: Sequence[bytes],
    moment: datetime | None = None,
) -> list[Outcome]:
    """Stores a batch, each delivery at most once, with the wake-up for the worker; one outcome for each.

    No two of the batch may have the same delivery id; `sealed` are their payloads, encrypted; they arrived
    at `moment`, by default now by the database's clock.
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
    return [Outcome(outcome) for outcome in outcomes or ()]


class Deliveries:
    """One tenant's deliveries."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def let_the_door_finish(self) -> None:
        """Waits for deliveries being stored that rely on the job that now begins (see wake_tenant).

        The lock is let go at once: what is stored from now on brings a job of its own.
        """
        wanted = f"events:{self._organization_id}"
        await self._connection.execute(
            text(
                "select pg_advisory_lock(key), pg_advisory_unlock(key)"
                " from hashtextextended(:wanted, 0) as key"
            ),
            {"wanted": wanted},
        )

    async def claim(self, most: int, moment: datetime, only: int | None = None) -> list[StoredEvent]:
        """The oldest events due at `moment`, for this transaction alone; `only` names a single one."""
        query = (
            self._events()
            .where(github_events.c.processed_at.is_(None), github_events.c.parked_at.is_(None))
            .where(github_events.c.due_at <= moment)
            .order_by(github_events.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        if only is not None:
            query = query.where(github_events.c.id == only)
        return [StoredEvent(*row) for row in await self._connection.execute(query)]

    async def get(self, event_id: int) -> StoredEvent | None:
        """The event, unless the retention of its payload is over."""
        query = self._events().where(github_events.c.id == event_id, github_events.c.payload != b"")
        row = (await self._connection.execute(query)).first()
        return StoredEvent(*row) if row else None

    async def mark_processed(self, notes: dict[int, str | None], at: datetime) -> None:
        """Marks events done, by id; a note says why one carried nothing usable."""
        if notes:
            await self._connection.execute(
                update(github_events)
                .where(github_events.c.organization_id == self._organization_id)
                .where(github_events.c.id == bindparam("event_id"))
                .values(processed_at=at, note=bindparam("why")),
                [{"event_id": event_id, "why": note} for event_id, note in notes.items()],
            )

    async def mark_failed(self, event: StoredEvent, why: str, at: datetime) -> bool:
        """Puts an event off with growing delays, or parks it. Returns whether it was parked."""
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
        """How many deliveries are processed, waiting, parked, and processed without being usable."""
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

    async def forget_payloads(self, before: datetime, most: int) -> int:
        """Empties the oldest payloads from before a moment, at most so many, and returns how many.

        The rows stay as a log, by which repetitions are told.
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

    async def newest(self) -> tuple[str, datetime] | None:
        """The event that came last, and when."""
        query = (
            select(github_events.c.event_type, github_events.c.created_at)
            .where(github_events.c.organization_id == self._organization_id)
            .order_by(github_events.c.id.desc())
            .limit(1)
        )
        row = (await self._connection.execute(query)).first()
        return (row[0], row[1]) if row else None

    async def last_before(self, moment: datetime) -> datetime | None:
        """When the last event came before a moment; None if none did."""
        query = select(func.max(github_events.c.created_at)).where(
            github_events.c.organization_id == self._organization_id, github_events.c.created_at < moment
        )
        found: datetime | None = await self._connection.scalar(query)
        return found

    async def last_processed_before(self, moment: datetime) -> datetime | None:
        """The same, without those that still wait."""
        query = select(func.max(github_events.c.created_at)).where(
            github_events.c.organization_id == self._organization_id,
            github_events.c.created_at < moment,
            github_events.c.processed_at.is_not(None),
        )
        found: datetime | None = await self._connection.scalar(query)
        return found

    async def project_of(self, repository_id: int) -> int | None:
        """The project of the repository with GitHub's id, by the deliveries that told of it last.

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
        found: int | None = await self._connection.scalar(query)
        return found

    async def parked(self, most: int = 20) -> list[tuple[str, str, str | None]]:
        """The newest parked deliveries: id, event and why."""
        query = (
            select(github_events.c.delivery_id, github_events.c.event_type, github_events.c.note)
            .where(github_events.c.organization_id == self._organization_id)
            .where(github_events.c.parked_at.is_not(None))
            .order_by(github_events.c.id.desc())
            .limit(most)
        )
        return [(row[0], row[1], row[2]) for row in await self._connection.execute(query)]

    def _events(self) -> Select[int, str, str, str | None, bytes, int, datetime, int]:
        """The columns of a StoredEvent."""
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
