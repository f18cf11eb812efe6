"""Changes that commands proposed or applied: each applied once, visible to its author, and undoable."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tenant
from storage.tables import audit_log, changes


class ChangeState(StrEnum):
    """The state of a change.

    A change in progress ends as applied, as failed because GitHub refused it, or as interrupted because the
    person who started it may not run its command any more. A proposal that nobody confirms becomes outdated
    with a newer one, or expires.
    """

    PROPOSED = "proposed"
    IN_PROGRESS = "begun"
    APPLIED = "applied"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    OUTDATED = "outdated"
    EXPIRED = "expired"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that a command proposes.

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
    """A stored change.

    `note` says in Markdown why it failed or was interrupted, `decided_by` is the login of who approved it.
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
    """An entry of a repository's audit log."""

    actor: str
    action: str
    target: str
    details: Mapping[str, Any]
    at: datetime


_MOST_APPLIED, _MOST_RECENT = 200, 50
# A change that has been in progress for longer waits for GitHub, or for an operator; nobody waits for it.
_LONGEST_IN_PROGRESS = timedelta(minutes=10)
_STARTED = (
    ChangeState.IN_PROGRESS,
    ChangeState.APPLIED,
    ChangeState.FAILED,
    ChangeState.INTERRUPTED,
    ChangeState.UNDONE,
)
_COLUMNS = tuple(changes.c[name] for name in CommandChange.__dataclass_fields__)


class RecentChanges:
    """The latest changes of the repositories that share sprints, and the lock to make the next one."""

    def __init__(self, tenant: Tenant, project_ids: Collection[int]) -> None:
        self._connection = tenant.connection
        self._is_mine = changes.c.organization_id == tenant.organization_id
        self._is_here = self._is_mine & changes.c.project_id.in_(project_ids)
        self._lock = f"changes:{tenant.organization_id}:{min(project_ids)}"

    async def try_to_lock(self) -> bool:
        """Take the lock to start a change, until the transaction ends; False if somebody else has it."""
        key = func.hashtextextended(self._lock, 0)
        return bool(await self._connection.scalar(select(func.pg_try_advisory_xact_lock(key))))

    async def is_any_in_progress(self, event_id: int, now: datetime) -> bool:
        """Whether a change of another event is being carried out."""
        query = select(changes.c.id).where(
            self._is_here,
            changes.c.state == ChangeState.IN_PROGRESS,
            changes.c.event_id != event_id,
            changes.c.decided_at > now - _LONGEST_IN_PROGRESS,
        )
        return await self._connection.scalar(query.limit(1)) is not None

    async def applied_since(self, project_id: int, since: datetime) -> list[CommandChange]:
        """The changes that were applied in one of the repositories after a moment, the newest first."""
        query = (
            select(*_COLUMNS)
            .where(self._is_mine, changes.c.project_id == project_id)
            .where(changes.c.state == ChangeState.APPLIED, changes.c.finished_at > since)
            .order_by(changes.c.finished_at.desc(), changes.c.id.desc())
            .limit(_MOST_RECENT)
        )
        return [_change(row) for row in await self._connection.execute(query)]


class ChangeLog:
    """The changes of one repository, and its audit log."""

    def __init__(self, tenant: Tenant, project_id: int) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id
        self._project_id = project_id

    async def record(self, proposal: Proposal, state: ChangeState) -> CommandChange:
        """Record the change of one line of an event, once; a repeated call returns the first change."""
        values = {name: getattr(proposal, name) for name in Proposal.__dataclass_fields__}
        values["steps"] = msgspec.json.decode(proposal.steps)
        keys = {"organization_id": self._organization_id, "project_id": self._project_id, "state": state}
        await self._connection.execute(insert(changes).values(**values, **keys).on_conflict_do_nothing())
        change = await self.find(proposal.event_id, proposal.line)
        if change is None:
            raise LookupError("a change that was just recorded cannot be read")
        return change

    async def find(self, event_id: int, line: int) -> CommandChange | None:
        """Return the change recorded for a line of an event."""
        return await self._find(changes.c.event_id == event_id, changes.c.line == line)

    async def started_by(self, event_id: int) -> list[tuple[int, CommandChange]]:
        """The changes that were started for an event, finished or not, with their lines."""
        query = (
            select(changes.c.line, *_COLUMNS)
            .where(self._is_mine, changes.c.event_id == event_id, changes.c.state.in_(_STARTED))
            .order_by(changes.c.line)
        )
        return [(row.line, _change(row)) for row in await self._connection.execute(query)]

    async def get(self, change_id: int) -> CommandChange | None:
        return await self._find(changes.c.id == change_id)

    async def last_applied(self) -> list[CommandChange]:
        """The last applied changes that were not undone and do not undo others, the newest first."""
        query = (
            select(*_COLUMNS)
            .where(self._is_mine, changes.c.state == ChangeState.APPLIED, changes.c.undoes.is_(None))
            .order_by(changes.c.decided_at.desc(), changes.c.id.desc())
            .limit(_MOST_RECENT)
        )
        return [_change(row) for row in await self._connection.execute(query)]

    async def refused_undoes(self) -> set[int]:
        """The ids of changes that were to be undone, and GitHub refused every step of it."""
        query = select(changes.c.undoes).where(
            self._is_mine, changes.c.state == ChangeState.FAILED, changes.c.undoes.is_not(None)
        )
        return {row.undoes for row in await self._connection.execute(query)}

    async def applied(self, slot: str) -> list[CommandChange]:
        """The last applied changes of one command that were not undone, newest first. `slot` is its name."""
        query = (
            select(*_COLUMNS)
            .where(self._is_mine, changes.c.state == ChangeState.APPLIED, changes.c.slot.startswith(slot))
            .order_by(changes.c.id.desc())
            .limit(_MOST_APPLIED)
        )
        return [_change(row) for row in await self._connection.execute(query)]

    async def pending_proposal(self, thread: int, command: str) -> CommandChange | None:
        """The newest proposal of the same command in a thread, if it is still undecided."""
        query = (
            select(*_COLUMNS)
            .where(self._is_mine, changes.c.thread == thread, changes.c.command == command)
            .order_by(changes.c.id.desc())
            .limit(1)
        )
        row = (await self._connection.execute(query)).first()
        return _change(row) if row is not None and row.state == ChangeState.PROPOSED else None

    async def decide(self, change_id: int, state: ChangeState, by: str, at: datetime) -> None:
        """Set the state of a change, and who decided on it when."""
        await self._update(change_id, state=state, decided_by=by, decided_at=at)

    async def finish(self, change_id: int, steps: bytes, note: str | None, at: datetime) -> None:
        """Finish a change: `steps` are the finished steps, `note` explains why others were not done."""
        state = ChangeState.FAILED if note and steps == b"[]" else ChangeState.APPLIED
        values = {"state": state, "steps": msgspec.json.decode(steps), "note": note, "finished_at": at}
        await self._update(change_id, **values)

    async def mark_undone(self, change_id: int) -> None:
        """Mark a change as undone by another one."""
        await self._update(change_id, state=ChangeState.UNDONE)

    async def interrupt(self, change_id: int, why: str) -> None:
        """Interrupt a change in progress whose remaining steps may not be carried out; `why` is Markdown."""
        await self._update(change_id, state=ChangeState.INTERRUPTED, steps=[], note=why)

    async def record_audit_entry(self, entry: AuditEntry) -> None:
        """Add an entry to the audit log."""
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

    async def audit_entries(self, most: int) -> list[AuditEntry]:
        """The newest entries of the repository's audit log, the newest first."""
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
            update(changes).where(self._is_mine, changes.c.id == change_id).values(**values)
        )

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        is_tenant = changes.c.organization_id == self._organization_id
        return is_tenant & (changes.c.project_id == self._project_id)

    async def _find(self, *conditions: ColumnElement[bool]) -> CommandChange | None:
        row = (await self._connection.execute(select(*_COLUMNS).where(self._is_mine, *conditions))).first()
        return _change(row) if row is not None else None


def _change(row: Any) -> CommandChange:
    values = {name: getattr(row, name) for name in CommandChange.__dataclass_fields__}
    return CommandChange(
        **values | {"steps": msgspec.json.encode(row.steps), "state": ChangeState(row.state)}
    )
