"""The outbox of answers: stored in the transaction that makes them, sent afterwards, exactly once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tenant
from storage.tables import outbox

# The first word of the slots of errors; the login of the person follows.
ERROR_SLOT = "error"
# The positions of messages that follow from the sending of another one.
_FOLLOW_UPS, _MOST_FOLLOW_UPS = 1000, 10
# A later answer is of no use.
ANSWERS_LAST = timedelta(days=1)

# With each message the comment that it may edit, as it is before this attempt: the target of the message, or
# the comment that shows the newest message of its slot, unless that comment shows something else by now.
_BEGIN_ATTEMPTS = text(
    """
    with begun as (
        update outbox set attempts = attempts + 1
        where organization_id = :tenant and event_id = :event and sent_at is null
        returning *
    )
    select begun.*, github_events.delivery_id, github_events.created_at as received_at,
        earlier.comment_id as earlier_id, earlier.body as earlier_body, earlier.comment_at as earlier_at,
        earlier.reposted_at as earlier_reposted_at, earlier.change_id as earlier_change,
        coalesce(earlier.id > begun.id, false) as is_superseded
    from begun
    join github_events
        on github_events.organization_id = begun.organization_id and github_events.id = begun.event_id
    left join lateral (
        select * from outbox as sent
        where sent.organization_id = begun.organization_id and sent.project_id = begun.project_id
            and sent.thread = begun.thread
            and (sent.slot = begun.slot or begun.comment_id is not null)
            and (sent.comment_id = begun.comment_id or begun.comment_id is null)
            and sent.kind in ('reply', 'edit') and sent.comment_id is not null
            and sent.sent_at is not null and sent.refused is null
        order by sent.sent_at desc, sent.id desc limit 1
    ) as earlier on not exists (
        select from outbox as later
        where later.organization_id = begun.organization_id and later.project_id = begun.project_id
            and later.thread = begun.thread and later.comment_id = earlier.comment_id
            and later.kind in ('reply', 'edit', 'minimize', 'delete')
            and later.sent_at is not null and later.refused is null
            and (later.sent_at, later.id) > (earlier.sent_at, earlier.id)
    )
    order by begun.position
    """
)
# The newest comment of a command's views, if as many as allowed were posted lately.
_NEWEST_VIEW = text(
    """
    select comment_id, body, comment_at, reposted_at, change_id
    from (
        select *, count(*) over () as comments
        from (
            select distinct on (comment_id) * from outbox
            where organization_id = :tenant and project_id = :project and thread = :thread
                and starts_with(slot, cast(:command as text) || ' ') and strpos(slot, '=') > 0
                and kind = 'reply' and comment_id is not null and sent_at >= :since and refused is null
            order by comment_id, sent_at desc, id desc
        ) as shown
    ) as counted
    where comments >= :most
    order by sent_at desc, id desc limit 1
    """
)


class MessageKind(StrEnum):
    """The kind of a message: a comment, a reaction to the comment that is answered, or a change of a comment.

    An edit gives one of our comments another text; a comment is minimized as outdated, deleted because its
    error is resolved, or the box of a change in it (`body` is the change's id) is unticked.
    """

    REPLY = "reply"
    REACTION = "reaction"
    EDIT = "edit"
    MINIMIZE = "minimize"
    DELETE = "delete"
    UNTICK = "untick"


@dataclass(frozen=True, slots=True)
class Message:
    """A message to send. `slot` names what a reply is about: a later reply with the same slot may edit it.

    A reaction's `body` is GitHub's name of the reaction, `comment_id` the id of its target, and `slot` the
    kind of target by the name that GitHub's API uses. A reply with a `comment_id` edits that comment; one
    that `is_new` edits none. `change_id` is the change whose box a reply shows, `failures` are the failed
    commands of an error, each with its text.
    """

    kind: MessageKind
    body: str
    slot: str = ""
    comment_id: int | None = None
    is_new: bool = False
    change_id: int | None = None
    failures: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ShownReply:
    """One of our comments with an answer, and what it shows.

    `comment_at` is when GitHub created the comment (None if unknown), `reposted_at` when it was posted in
    place of an earlier comment, `change_id` the change whose preview it shows.
    """

    comment_id: int
    body: str | None
    comment_at: datetime | None = None
    reposted_at: datetime | None = None
    change_id: int | None = None


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message in the outbox. `key` is unique among all messages; `attempts` includes the present one.

    `earlier` is the comment that the message may edit, or is about. It `is_superseded` if a later message
    has given that comment another text.
    """

    id: int
    project_id: int
    event_id: int
    thread: int
    message: Message
    attempts: int
    created_at: datetime
    key: str
    earlier: ShownReply | None
    position: int
    # When the delivery that is answered was stored.
    received_at: datetime
    is_superseded: bool = False


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

    async def enqueue(
        self, project_id: int, event_id: int, thread: int, messages: Sequence[Message], first: int = 0
    ) -> None:
        """Queue the answer to an event. A second answer to the same event is ignored.

        `first` is the position of the first message.
        """
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
                "is_new": message.is_new,
                "change_id": message.change_id,
                "failures": [list(failure) for failure in message.failures],
            }
            for position, message in enumerate(messages, start=first)
        ]
        if values:
            await self._connection.execute(insert(outbox).on_conflict_do_nothing(), values)

    async def enqueue_follow_ups(self, queued: QueuedMessage, messages: Sequence[Message]) -> None:
        """Queue what follows from sending a message; it is sent with the rest of the event's messages."""
        first = _FOLLOW_UPS + queued.position * _MOST_FOLLOW_UPS
        await self.enqueue(queued.project_id, queued.event_id, queued.thread, messages, first)

    async def is_answered(self, event_id: int) -> bool:
        """Whether the event has an answer, sent or not."""
        query = select(func.count()).select_from(outbox).where(self._is_mine, outbox.c.event_id == event_id)
        return bool(await self._connection.scalar(query))

    async def unsent_events(self, project_id: int, thread: int, before: int, since: datetime) -> list[int]:
        """The earlier events of a thread with unsent replies, oldest first."""
        query = (
            select(outbox.c.event_id)
            .where(self._is_mine, outbox.c.project_id == project_id, outbox.c.thread == thread)
            .where(outbox.c.event_id < before, outbox.c.kind == MessageKind.REPLY)
            .where(outbox.c.sent_at.is_(None), outbox.c.created_at >= since)
            .distinct()
            .order_by(outbox.c.event_id)
        )
        return list(await self._connection.scalars(query))

    async def begin_attempts(self, event_id: int) -> list[QueuedMessage]:
        """Count an attempt for the unsent messages of an event, and return them in order."""
        values = {"tenant": self._organization_id, "event": event_id}
        return [
            QueuedMessage(
                id=row.id,
                project_id=row.project_id,
                event_id=row.event_id,
                thread=row.thread,
                message=Message(
                    MessageKind(row.kind),
                    row.body,
                    row.slot,
                    row.comment_id,
                    row.is_new,
                    row.change_id,
                    _read_failures(row.failures),
                ),
                attempts=row.attempts,
                created_at=row.created_at,
                key=f"{row.delivery_id}/{row.position}",
                earlier=_read_earlier(row),
                position=row.position,
                received_at=row.received_at,
                is_superseded=row.is_superseded,
            )
            for row in await self._connection.execute(_BEGIN_ATTEMPTS, values)
        ]

    async def newest_view(
        self, queued: QueuedMessage, command: str, since: datetime, most: int
    ) -> ShownReply | None:
        """The newest comment with a view of a command in the thread, if `most` were posted since a moment."""
        values = {
            "tenant": self._organization_id,
            "project": queued.project_id,
            "thread": queued.thread,
            "command": command,
            "since": since,
            "most": most,
        }
        row = (await self._connection.execute(_NEWEST_VIEW, values)).first()
        return ShownReply(*row) if row is not None else None

    async def shown_failures(
        self, project_id: int, thread: int, slot: str
    ) -> tuple[int, tuple[tuple[str, str], ...]] | None:
        """The comment that shows a person's last error in a thread, with its failures; None without one."""
        query = (
            select(outbox.c.comment_id, outbox.c.failures)
            .where(self._is_mine, outbox.c.project_id == project_id, outbox.c.thread == thread)
            .where(outbox.c.slot == slot, outbox.c.comment_id.is_not(None))
            .where(outbox.c.sent_at.is_not(None), outbox.c.refused.is_(None))
            .order_by(outbox.c.sent_at.desc(), outbox.c.id.desc())
            .limit(1)
        )
        row = (await self._connection.execute(query)).first()
        failures = _read_failures(row.failures) if row is not None else ()
        return (row.comment_id, failures) if row is not None and failures else None

    async def mark_sent(self, message_id: int, at: datetime, shown: ShownReply | None) -> None:
        """Mark a message as sent; `shown` is the comment that shows it, or that it was about."""
        values: dict[str, object] = {"sent_at": at}
        if shown is not None:
            values |= {"comment_id": shown.comment_id, "comment_at": shown.comment_at}
            values |= {"reposted_at": shown.reposted_at}
        await self._update(message_id, **values)

    async def mark_refused(self, message_id: int, at: datetime, why: str) -> None:
        """Mark a message as refused by GitHub; it is kept for `doctor` and `retry_refused`."""
        await self._update(message_id, sent_at=at, refused=why[:500])

    async def retry_refused(
        self, since: datetime, project_id: int | None = None, thread: int | None = None
    ) -> list[RefusedAnswer]:
        """Make answers due again that were refused since a moment.

        `project_id` and `thread` limit them to a repository or a thread. Returns them in the order of events.
        """
        statement = update(outbox).where(
            self._is_mine,
            outbox.c.refused.is_not(None),
            outbox.c.kind.in_(_RETRIED),
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


# Reactions are not worth a second try.
_RETRIED: Collection[MessageKind] = frozenset(MessageKind) - {MessageKind.REACTION}


def _read_failures(failures: Any) -> tuple[tuple[str, str], ...]:
    return tuple((command, text) for command, text in failures or ())


def _read_earlier(row: Any) -> ShownReply | None:
    if row.earlier_id is None:
        return None
    return ShownReply(
        row.earlier_id, row.earlier_body, row.earlier_at, row.earlier_reposted_at, row.earlier_change
    )
