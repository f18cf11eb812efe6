"""Previews: proposed changes whose comments show a box, until they are confirmed, replaced, or too old."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, select, tuple_, update

from storage.changes import ChangeState
from storage.database import Tenant
from storage.outbox import MessageKind
from storage.tables import changes, outbox

# A box can be ticked for this long.
PREVIEWS_LAST = timedelta(hours=24)
_SHOWING = (MessageKind.REPLY, MessageKind.EDIT, MessageKind.MINIMIZE, MessageKind.DELETE)


@dataclass(frozen=True, slots=True)
class Preview:
    """A change with a preview. `comment_id` is the comment that still shows its box, if one does."""

    event_id: int
    thread: int
    command: str
    slot: str
    state: ChangeState
    created_at: datetime
    comment_id: int | None

    def is_expired(self, now: datetime) -> bool:
        """Whether its box may not be ticked any more."""
        return now >= self.created_at + PREVIEWS_LAST


class Previews:
    """The previews of one repository."""

    def __init__(self, tenant: Tenant, project_id: int) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id
        self._project_id = project_id

    async def get(self, change_id: int) -> Preview | None:
        """Return the preview of a change, and where it is shown."""
        shown, later = outbox.alias("shown"), outbox.alias("later")
        is_sent = and_(later.c.sent_at.is_not(None), later.c.refused.is_(None))
        is_replaced = exists().where(
            later.c.organization_id == shown.c.organization_id,
            later.c.project_id == shown.c.project_id,
            later.c.thread == shown.c.thread,
            later.c.comment_id == shown.c.comment_id,
            later.c.kind.in_(_SHOWING),
            is_sent,
            tuple_(later.c.sent_at, later.c.id) > tuple_(shown.c.sent_at, shown.c.id),
        )
        comment_id = (
            select(shown.c.comment_id)
            .where(shown.c.organization_id == changes.c.organization_id)
            .where(shown.c.project_id == changes.c.project_id, shown.c.thread == changes.c.thread)
            .where(shown.c.change_id == changes.c.id, shown.c.sent_at.is_not(None))
            .where(shown.c.comment_id.is_not(None), shown.c.refused.is_(None), ~is_replaced)
            .order_by(shown.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        columns = (changes.c[name] for name in ("event_id", "thread", "command", "slot", "state"))
        query = select(*columns, changes.c.created_at, comment_id).where(
            self._is_mine, changes.c.id == change_id
        )
        row = (await self._connection.execute(query)).first()
        if row is None:
            return None
        return Preview(
            row[0], row.thread, row.command, row.slot, ChangeState(row.state), row.created_at, row[6]
        )

    async def close(self, change_id: int, state: ChangeState, at: datetime) -> None:
        """End a proposal as outdated or expired; a change that was decided on stays as it is."""
        await self._close(state, at, changes.c.id == change_id)

    async def outdate_others(self, thread: int, slot: str, change_id: int, at: datetime) -> None:
        """End the proposals before a change that are about the same in its thread."""
        is_other = and_(changes.c.thread == thread, changes.c.slot == slot, changes.c.id < change_id)
        await self._close(ChangeState.OUTDATED, at, is_other)

    async def _close(self, state: ChangeState, at: datetime, which: ColumnElement[bool]) -> None:
        is_open = changes.c.state == ChangeState.PROPOSED
        statement = update(changes).where(self._is_mine, which, is_open)
        await self._connection.execute(statement.values(state=state, decided_at=at))

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        is_tenant = changes.c.organization_id == self._organization_id
        return is_tenant & (changes.c.project_id == self._project_id)
