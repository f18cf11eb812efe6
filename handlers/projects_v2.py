"""GitHub Projects: created, edited, closed, reopened, deleted. No number uses them yet."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from handlers.delivery import Delivery, Recorded, key_of
from handlers.field_values import ABSENT, FieldChange, digest, kept_value
from handlers.payloads import AccountPayload, Id, Name, Number, clean, plain
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
        """How we know the project. Raises UnusableError if it has neither id."""
        return key_of(self.node_id, self.id)


class _Payload(msgspec.Struct):
    projects_v2: _Project
    # By the name of what was changed. GitHub's description names four; fields may come.
    changes: dict[str, msgspec.Raw] = {}
    sender: AccountPayload | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)
_CHANGE = msgspec.json.Decoder(FieldChange)
_MOST_CHANGES = 20


def record_project(delivery: Delivery) -> Iterator[Recorded]:
    """Puts the event on the account's timeline, with what was changed before and after."""
    payload = delivery.read(_PAYLOAD)
    project, before, after = payload.projects_v2, dict[str, object](), dict[str, object]()
    for name, told in list(payload.changes.items())[:_MOST_CHANGES]:
        change = _change(told)
        if change.from_ != ABSENT:
            before[clean(name)[:100]] = kept_value(change.from_)
        after[clean(name)[:100]] = kept_value(change.to) if change.to != ABSENT else None
    title = kept_value(msgspec.Raw(msgspec.json.encode(project.title)))
    yield Recorded(
        ActivityEvent(
            kind="project",
            subject=f"{project.key}/{digest(before, after)}" if after else project.key,
            event=delivery.action or "",
            at=_time_of(delivery, project),
            delivery=delivery.id,
            details=plain({"number": project.number, "title": title, "is_public": project.public})
            | ({"changes": after} if after else {}),
            before=before or None,
            actor=payload.sender.known_as if payload.sender else None,
        )
    )


def _change(told: msgspec.Raw) -> FieldChange:
    """What was changed, or nothing where it is told in another shape; its name is kept all the same."""
    try:
        return _CHANGE.decode(told)
    except msgspec.DecodeError:
        return FieldChange()


def _time_of(delivery: Delivery, project: _Project) -> datetime:
    times = {
        "created": project.created_at,
        "closed": project.closed_at,
        "deleted": project.deleted_at or delivery.received_at,
    }
    return times.get(delivery.action or "") or project.updated_at or delivery.received_at
