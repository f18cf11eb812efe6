"""What commands proposed and did, so that it is done once, in the sight of who asked, and can be undone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tenant
from storage.tables import audit_log, changes


class ChangeState(StrEnum):
    """How far a change has come.

    A begun change is applied, failed because GitHub refused it, or interrupted because who began it may not
    run its command any more.
    """

    PROPOSED = "proposed"
    BEGUN = "begun"
    APPLIED = "applied"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    OUTDATED = "outdated"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change as a command worked it out.

    `line` is the command's line in its comment, `slot` names the answer within the thread, `steps` are JSON.
    """

    event_id: int
    line: int
    thread: int
    command: str
    slot: str
    actor: str
    summary: str
    steps: bytes
    fingerprint: str
    done: str
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class CommandChange:
    """A change in the database.

    `note` says in Markdown why it failed or was interrupted, `decided_by` who let it be carried out.
    """

    id: int
    thread: int
    command: str
    slot: str
    actor: str
    summary: str
    steps: bytes
    fingerprint: str
    done: str
    undoes: int | None
    state: ChangeState
    note: str | None
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A line of the audit log."""

    actor: str
    action: str
    target: str
    details: Mapping[str, Any]
    at: datetime


_SET_GOING = (ChangeState.BEGUN, ChangeState.APPLIED, ChangeState.FAILED, ChangeState.INTERRUPTED)
_COLUMNS = tuple(changes.c[name] for name in CommandChange.__dataclass_fields__)


class ChangeLog:
    """The changes of one repository, and its audit log."""

    def __init__(self, tenant: Tenant, project_id: int) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id
        self._project_id = project_id

    async def put(self, proposal: Proposal, state: ChangeState) -> CommandChange:
        """The change of this line of this event: as it was put down first, whoever asks again."""
        values = {name: getattr(proposal, name) for name in Proposal.__dataclass_fields__}
        values["steps"] = msgspec.json.decode(proposal.steps)
        told = {"organization_id": self._organization_id, "project_id": self._project_id, "state": state}
        await self._connection.execute(insert(changes).values(**values, **told).on_conflict_do_nothing())
        found = await self.of(proposal.event_id, proposal.line)
        if found is None:
            raise LookupError("a change that was just put down is not there")
        return found

    async def of(self, event_id: int, line: int) -> CommandChange | None:
        """What was put down for a line of an event."""
        return await self._one(changes.c.event_id == event_id, changes.c.line == line)

    async def begun(self, event_id: int) -> list[tuple[int, CommandChange]]:
        """What an event's lines have set going, whether it has come to its end or not, by line."""
        query = (
            select(changes.c.line, *_COLUMNS)
            .where(self._mine, changes.c.event_id == event_id, changes.c.state.in_(_SET_GOING))
            .order_by(changes.c.line)
        )
        return [(row.line, _change(row)) for row in await self._connection.execute(query)]

    async def get(self, change_id: int) -> CommandChange | None:
        return await self._one(changes.c.id == change_id)

    async def last_applied(self, *, most_steps: int | None = None) -> CommandChange | None:
        """The newest change that holds: neither undone nor itself an undoing."""
        query = (
            select(*_COLUMNS)
            .where(self._mine, changes.c.state == ChangeState.APPLIED, changes.c.undoes.is_(None))
            .order_by(changes.c.decided_at.desc(), changes.c.id.desc())
        )
        for row in await self._connection.execute(query.limit(50)):
            if most_steps is None or len(row.steps) >= most_steps:
                return _change(row)
        return None

    async def applied(self, slot: str, most: int = 200) -> list[CommandChange]:
        """What one command has carried out and nobody has undone, the newest first. `slot` is its name."""
        query = (
            select(*_COLUMNS)
            .where(self._mine, changes.c.state == ChangeState.APPLIED, changes.c.slot.startswith(slot))
            .order_by(changes.c.id.desc())
            .limit(most)
        )
        return [_change(row) for row in await self._connection.execute(query)]

    async def waiting(self, thread: int, command: str) -> CommandChange | None:
        """The newest proposal of the same words in a thread, if it still waits to be decided on."""
        query = (
            select(*_COLUMNS)
            .where(self._mine, changes.c.thread == thread, changes.c.command == command)
            .order_by(changes.c.id.desc())
            .limit(1)
        )
        row = (await self._connection.execute(query)).first()
        return _change(row) if row is not None and row.state == ChangeState.PROPOSED else None

    async def decide(self, change_id: int, state: ChangeState, by: str, at: datetime) -> None:
        """What becomes of a change."""
        await self._update(change_id, state=state, decided_by=by, decided_at=at)

    async def end(self, change_id: int, steps: bytes, note: str | None) -> None:
        """A change was carried out: `steps` are those that were done, `note` says why others were not."""
        state = ChangeState.FAILED if note and steps == b"[]" else ChangeState.APPLIED
        await self._update(change_id, state=state, steps=msgspec.json.decode(steps), note=note)

    async def interrupt(self, change_id: int, why: str) -> None:
        """Ends a begun change whose remaining steps nobody may carry out; `why` is Markdown."""
        await self._update(change_id, state=ChangeState.INTERRUPTED, steps=[], note=why)

    async def audit(self, entry: AuditEntry) -> None:
        """Writes down who did what."""
        await self._connection.execute(
            insert(audit_log).values(
                organization_id=self._organization_id,
                project_id=self._project_id,
                actor=entry.actor,
                action=entry.action,
                target=entry.target,
                details=dict(entry.details),
                at=entry.at,
            )
        )

    async def audited(self, most: int) -> list[AuditEntry]:
        """The newest entries of this repository, the newest first."""
        query = (
            select(*(audit_log.c[name] for name in AuditEntry.__dataclass_fields__))
            .where(audit_log.c.organization_id == self._organization_id)
            .where(audit_log.c.project_id == self._project_id)
            .order_by(audit_log.c.at.desc(), audit_log.c.id.desc())
            .limit(most)
        )
        return [AuditEntry(*row) for row in await self._connection.execute(query)]

    async def _update(self, change_id: int, **values: object) -> None:
        await self._connection.execute(
            update(changes).where(self._mine, changes.c.id == change_id).values(**values)
        )

    @property
    def _mine(self) -> ColumnElement[bool]:
        is_tenant = changes.c.organization_id == self._organization_id
        return is_tenant & (changes.c.project_id == self._project_id)

    async def _one(self, *conditions: ColumnElement[bool]) -> CommandChange | None:
        row = (await self._connection.execute(select(*_COLUMNS).where(self._mine, *conditions))).first()
        return _change(row) if row is not None else None


def _change(row: Any) -> CommandChange:
    told = {name: getattr(row, name) for name in CommandChange.__dataclass_fields__}
    return CommandChange(**told | {"steps": msgspec.json.encode(row.steps), "state": ChangeState(row.state)})
