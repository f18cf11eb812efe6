"""GitHub Projects: created, edited, closed, reopened, deleted. No number uses them yet."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from handlers.delivery import Delivery, FactRecorded, require_key
from handlers.field_values import ABSENT, FieldChange, digest, to_stored_value
from handlers.payloads import AccountPayload, Id, Name, Number, clean, get_login, to_details
from sprints.model import ActivityEvent


class _Project(msgspec.Struct):
    id: Id = 0
    node_id: Name = ""
    number: Number | None = None
    title: str | None = None
    public: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    closed_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def key(self) -> str:
        """The project's key: its node id or number. Raises UnusableError if it has neither."""
        return require_key(self.node_id, self.id)


class _Payload(msgspec.Struct):
    projects_v2: _Project
    # By the name of the changed field. GitHub documents four fields, and may add more.
    changes: dict[str, msgspec.Raw] = {}
    sender: AccountPayload | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)
_CHANGE = msgspec.json.Decoder(FieldChange)
_MOST_CHANGES = 20


def record_project(delivery: Delivery) -> Iterator[FactRecorded]:
    """Record the event on the account's timeline, with the changed fields' values before and after."""
    payload = delivery.read(_PAYLOAD)
    project, before, after = payload.projects_v2, dict[str, object](), dict[str, object]()
    for name, raw in list(payload.changes.items())[:_MOST_CHANGES]:
        change = _read_change(raw)
        if change.from_ != ABSENT:
            before[clean(name)[:100]] = to_stored_value(change.from_)
        after[clean(name)[:100]] = to_stored_value(change.to) if change.to != ABSENT else None
    title = to_stored_value(msgspec.Raw(msgspec.json.encode(project.title)))
    yield FactRecorded(
        ActivityEvent(
            kind="project",
            subject=f"{project.key}/{digest(before, after)}" if after else project.key,
            event=delivery.action or "",
            at=_event_time(delivery, project),
            delivery=delivery.id,
            details=to_details({"number": project.number, "title": title, "is_public": project.public})
            | ({"changes": after} if after else {}),
            before=before or None,
            actor=get_login(payload.sender),
        )
    )


def _read_change(raw: msgspec.Raw) -> FieldChange:
    """Decode a change; empty if it has another shape, so that at least its name is recorded."""
    try:
        return _CHANGE.decode(raw)
    except msgspec.DecodeError:
        return FieldChange()


def _event_time(delivery: Delivery, project: _Project) -> datetime:
    times = {
        "created": project.created_at,
        "closed": project.closed_at,
        "deleted": project.deleted_at or delivery.received_at,
    }
    return times.get(delivery.action or "") or project.updated_at or delivery.received_at
