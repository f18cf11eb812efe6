"""Reads stored deliveries with their handlers, before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from bot.jobs.comment_reader import CommentReader
from bot.pauses import CooperativePause
from handlers import handle
from handlers.delivery import Delivery, Envelope, FactRecorded, Outcome, UnusableError
from sprints.model import ActivityEvent
from storage.cipher import PayloadCipher
from storage.deliveries import StoredEvent, open_payload


@dataclass(frozen=True, slots=True)
class ReadEvent:
    """A delivery that was read: its envelope, and the outcomes of its handlers."""

    event: StoredEvent
    envelope: Envelope
    outcomes: list[Outcome]


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """A batch of deliveries after reading. `unusable` maps event ids to the reasons."""

    events: list[ReadEvent] = field(default_factory=list)
    unusable: dict[int, str | None] = field(default_factory=dict)
    failed: list[tuple[StoredEvent, str]] = field(default_factory=list)


class DeliveryReader:
    """Reads batches of one worker. Without `comments`, long texts are read on the event loop as well."""

    def __init__(self, cipher: PayloadCipher, comments: CommentReader | None) -> None:
        self._cipher = cipher
        self._comments = comments
        self._log = structlog.get_logger(__name__)

    async def read(self, organization_id: int, events: Sequence[StoredEvent]) -> ReadBatch:
        """Read a tenant's deliveries. A bug with one of them stops no other."""
        batch, pause = ReadBatch(), CooperativePause()
        for event in events:
            await pause.pause_if_long()
            try:
                batch.events.append(await self._read_one(organization_id, event))
            except UnusableError as problem:
                self._log.info(
                    "delivery carries nothing usable", delivery=event.delivery, reason=str(problem)
                )
                batch.unusable[event.id] = f"nothing usable: {problem}"
            except Exception as problem:  # noqa: BLE001 - a bug with one delivery stops no other
                self._log.exception("delivery failed", delivery=event.delivery, github_event=event.event)
                batch.failed.append((event, f"{type(problem).__name__} in its handler"))
        return batch

    async def _read_one(self, organization_id: int, event: StoredEvent) -> ReadEvent:
        """Raises UnusableError if nothing of the delivery can be recorded."""
        delivery = Delivery(
            id=event.delivery,
            event=event.event,
            action=event.action,
            body=open_payload(self._cipher, event),
            received_at=event.received_at,
        )
        envelope = delivery.envelope
        if self._comments is None:
            outcomes, problems = handle(delivery)
        else:
            outcomes, problems = await self._comments.read_outcomes(organization_id, delivery)
        for problem in problems:
            self._log.info("part of a delivery is malformed", delivery=delivery.id, reason=str(problem))
        if envelope.repository is None and any(map(_needs_repository, outcomes)):
            raise UnusableError("it names no repository")
        return ReadEvent(event, envelope, outcomes)


def _needs_repository(outcome: Outcome) -> bool:
    return isinstance(outcome, FactRecorded) and not isinstance(outcome.fact, ActivityEvent)
