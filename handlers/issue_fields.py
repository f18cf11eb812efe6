"""Fields of issues, which an organization defines (a preview of GitHub's): a value was set or cleared.

GitHub has no API for their history, so they are recorded although no number uses them yet.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from handlers.delivery import Delivery, FactRecorded, require_key
from handlers.field_values import ABSENT, FieldChange, digest, to_stored_value
from handlers.payloads import AccountPayload, Id, IssueReference, Name, Number, get_login, to_details
from sprints.model import ActivityEvent


class _Issue(IssueReference):
    number: Number | None = None
    updated_at: datetime | None = None


class _Field(msgspec.Struct):
    id: Id | None = None
    name: Name | None = None
    field_type: Name | None = None


class _Changes(msgspec.Struct):
    issue_field_value: FieldChange | None = None


class _Payload(msgspec.Struct):
    issue: _Issue
    issue_field: _Field | None = None
    issue_field_value: msgspec.Raw = ABSENT
    changes: _Changes | None = None
    sender: AccountPayload | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_issue_field(delivery: Delivery) -> Iterator[FactRecorded]:
    """Record the field's value before and after on the timeline."""
    payload = delivery.read(_PAYLOAD)
    require_key(payload.issue.node_id, payload.issue.id)
    issue, field = payload.issue, payload.issue_field or _Field()
    change = payload.changes.issue_field_value if payload.changes else None
    value, former = payload.issue_field_value, change.from_ if change else ABSENT
    if delivery.action == "field_removed":  # Then the payload's value is the one that was cleared.
        value, former = ABSENT, former if former != ABSENT else value
    details = to_details(
        {
            "content": issue.key,
            "number": issue.number,
            "field": field.id,
            "field_name": field.name,
            "field_type": field.field_type,
        }
    ) | ({"value": to_stored_value(value)} if value != ABSENT else {"value": None})
    before = {"value": to_stored_value(former)} if former != ABSENT else None
    yield FactRecorded(
        ActivityEvent(
            kind="issue_field",
            subject=f"{issue.key}/{field.id or ''}/{digest(details, before)}",
            event=delivery.action or "",
            at=issue.updated_at or delivery.received_at,
            delivery=delivery.id,
            details=details,
            before=before,
            actor=get_login(payload.sender),
        )
    )
