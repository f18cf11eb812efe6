"""The outbox of answers: stored in the transaction that makes them, sent afterwards, exactly once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tenant
from storage.tables import outbox

# With each message the thread's last answer of its slot, as it was before this attempt.
_BEGIN_ATTEMPTS = text(
    """
    with begun as (
        update outbox set attempts = attempts + 1
        where organization_id = :tenant and event_id = :event and sent_at is null
        returning *
    )
    select begun.*, github_events.delivery_id, github_events.created_at as received_at,
        earlier.comment_id as earlier, earlier.body as earlier_body
    from begun
    join github_events
        on github_events.organization_id = begun.organization_id and github_events.id = begun.event_id
    left join lateral (
        select comment_id, body from outbox as sent
        where sent.organization_id = begun.organization_id and sent.project_id = begun.project_id
            and sent.thread = begun.thread and sent.slot = begun.slot
            and sent.kind = 'reply' and sent.sent_at is not null
        order by sent.id desc limit 1
    ) as earlier on true
    order by begun.position
    """
)


class MessageKind(StrEnum):
    """The kind of a message: a comment, or a reaction to the comment that is answered."""

    REPLY = "reply"
    REACTION = "reaction"


@dataclass(frozen=True, slots=True)
class Message:
    """A message to send. `slot` names a reply within its thread: a later reply with the same slot edits it.

    A reaction's `body` is GitHub's name of the reaction, `comment_id` the id of its target, and `slot` the
    kind of target by the name that GitHub's API uses.
    """

    kind: MessageKind
    body: str
    slot: str = ""
    comment_id: int | None = None


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message in the outbox. `key` is unique among all messages; `attempts` includes the present one.

    `earlier` is the comment with the thread's last answer of the same slot, `earlier_body` its text.
    """

    id: int
    project_id: int
    thread: int
    message: Message
    attempts: int
    created_at: datetime
    key: str
    earlier: int | None
    position: int
    # When the delivery that is answered was stored.
    received_at: datetime
    earlier_body: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class RefusedAnswer:
    """An event whose answer GitHub refused, and the thread of the answer."""

    event_id: int
    project_id: int
    thread: int


class Outbox:
    """The outbox of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def enqueue(self, project_id: int, event_id: int, thread: int, messages: Sequence[Message]) -> None:
        """Queue the answer to an event. A second answer to the same event is ignored."""
        values = [
            {
                "organization_id": self._organization_id,
                "project_id": project_id,
                "event_id": event_id,
                "position": position,
                "kind": message.kind,
                "thread": thread,
                "slot": message.slot,
                "body": message.body,
                "comment_id": message.comment_id,
            }
            for position, message in enumerate(messages)
        ]
        if values:
            await self._connection.execute(insert(outbox).on_conflict_do_nothing(), values)

    async def is_answered(self, event_id: int) -> bool:
        """Whether the event has an answer, sent or not."""
        query = select(func.count()).select_from(outbox).where(self._is_mine, outbox.c.event_id == event_id)
        return bool(await self._connection.scalar(query))

    async def begin_attempts(self, event_id: int) -> list[QueuedMessage]:
        """Count an attempt for the unsent messages of an event, and return them in order."""
        values = {"tenant": self._organization_id, "event": event_id}
        return [
            QueuedMessage(
                id=row.id,
                project_id=row.project_id,
                thread=row.thread,
                message=Message(MessageKind(row.kind), row.body, row.slot, row.comment_id),
                attempts=row.attempts,
                created_at=row.created_at,
                key=f"{row.delivery_id}/{row.position}",
                earlier=row.earlier,
                position=row.position,
                received_at=row.received_at,
                earlier_body=row.earlier_body,
            )
            for row in await self._connection.execute(_BEGIN_ATTEMPTS, values)
        ]

    async def mark_sent(self, message_id: int, at: datetime, comment_id: int | None) -> None:
        await self._update(message_id, sent_at=at, comment_id=comment_id)

    async def mark_refused(self, message_id: int, at: datetime, why: str) -> None:
        """Mark a message as refused by GitHub; it is kept for `doctor` and `retry_refused`."""
        await self._update(message_id, sent_at=at, comment_id=None, refused=why[:500])

    async def retry_refused(
        self, since: datetime, project_id: int | None = None, thread: int | None = None
    ) -> list[RefusedAnswer]:
        """Make answers due again that were refused since a moment.

        `project_id` and `thread` limit them to a repository or a thread. Returns them in the order of events.
        """
        statement = update(outbox).where(
            self._is_mine,
            outbox.c.refused.is_not(None),
            outbox.c.kind == MessageKind.REPLY,
            outbox.c.sent_at >= since,
        )
        if project_id is not None:
            statement = statement.where(outbox.c.project_id == project_id)
        if thread is not None:
            statement = statement.where(outbox.c.thread == thread)
        columns = (outbox.c.event_id, outbox.c.project_id, outbox.c.thread)
        retried = statement.values(refused=None, sent_at=None).returning(*columns)
        return sorted({RefusedAnswer(*row) for row in await self._connection.execute(retried)})

    async def refused(self, most: int = 20) -> list[tuple[int, str]]:
        """The newest messages of the last 7 days that GitHub refused: thread and reason."""
        query = (
            select(outbox.c.thread, outbox.c.refused)
            .where(self._is_mine, outbox.c.refused.is_not(None))
            .where(outbox.c.created_at > func.app_now() - timedelta(days=7))
            .order_by(outbox.c.id.desc())
            .limit(most)
        )
        return [(row[0], row[1]) for row in await self._connection.execute(query)]

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        return outbox.c.organization_id == self._organization_id

    async def _update(self, message_id: int, **values: object) -> None:
        await self._connection.execute(
            update(outbox).where(self._is_mine, outbox.c.id == message_id).values(**values)
        )
