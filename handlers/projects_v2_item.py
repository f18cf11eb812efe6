"""Items of GitHub Projects: added, changed in a field, archived, restored, converted, deleted.

GitHub has no API for the history of a project's fields, so the webhooks are recorded although no number uses
them yet. The events name an organization and no repository; `content` is the node id of the issue or pull
request.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from handlers.delivery import Delivery, FactRecorded, require_key
from handlers.field_values import ABSENT, FieldChange, digest, to_stored_value
from handlers.payloads import AccountPayload, Id, Name, Number, clean, get_login, to_details
from sprints.model import ActivityEvent


class _Item(msgspec.Struct):
    id: Id = 0
    node_id: Name = ""
    project_node_id: Name | None = None
    content_node_id: Name | None = None
    content_type: Name | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived_at: datetime | None = None

    @property
    def key(self) -> str:
        """The item's key: its node id or number. Raises UnusableError if it has neither."""
        return require_key(self.node_id, self.id)


class _FieldChange(FieldChange):
    field_node_id: Name | None = None
    field_type: Name | None = None
    field_name: Name | None = None
    project_number: Number | None = None


class _Changes(msgspec.Struct):
    """The changes that are recorded. Of a change of a draft's text only the event itself is."""

    field_value: _FieldChange | None = None
    content_type: FieldChange | None = None


class _Payload(msgspec.Struct):
    projects_v2_item: _Item
    changes: _Changes | None = None
    sender: AccountPayload | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_project_item(delivery: Delivery) -> Iterator[FactRecorded]:
    """Record the event on the account's timeline, with the field's value before and after."""
    payload = delivery.read(_PAYLOAD)
    item, changes = payload.projects_v2_item, payload.changes or _Changes()
    subject, before = item.key, dict[str, object]()
    details: dict[str, object] = to_details(
        {
            "project": item.project_node_id,
            "content": item.content_node_id,
            "content_type": item.content_type,
        }
    )
    if field := changes.field_value:
        value = _read_sides(field)
        before |= {"value": value["from"]} if "from" in value else {}
        details |= to_details(
            {
                "field": field.field_node_id,
                "field_name": field.field_name,
                "field_type": field.field_type,
                "project_number": field.project_number,
            }
        )
        details |= {"value": value["to"]} if "to" in value else {}
        # Several fields can change within a second, and one several times.
        subject = f"{item.key}/{field.field_node_id or field.field_name or ''}/{digest(value)}"
    if changes.content_type:
        before |= {"content_type": to_stored_value(changes.content_type.from_)}
    yield FactRecorded(
        ActivityEvent(
            kind="project_item",
            subject=clean(subject),
            event=delivery.action or "",
            at=_event_time(delivery, item),
            delivery=delivery.id,
            details=details,
            before=before or None,
            actor=get_login(payload.sender),
        )
    )


def _read_sides(change: FieldChange) -> dict[str, object]:
    """The stored values of `from` and `to`, as far as the payload has them; null is an empty field."""
    sides = {"from": change.from_, "to": change.to}
    return {name: to_stored_value(side) for name, side in sides.items() if side != ABSENT}


def _event_time(delivery: Delivery, item: _Item) -> datetime:
    """GitHub's time of an event; of a deletion, for which the payload has no time, when it was received."""
    times = {"created": item.created_at, "archived": item.archived_at, "deleted": delivery.received_at}
    return times.get(delivery.action or "") or item.updated_at or delivery.received_at
