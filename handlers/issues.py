"""Issues: opened, edited, moved, closed, transferred, deleted."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, FactRecorded
from handlers.items import ItemDelivery, record_item
from handlers.payloads import ChangesPayload, IssuePayload, IssueReference, RepositoryReference, clean


class _Type(msgspec.Struct):
    name: str


class _Changes(ChangesPayload):
    new_issue: IssueReference | None = None
    old_issue: IssueReference | None = None
    old_repository: RepositoryReference | None = None


class _Payload(ItemDelivery, kw_only=True):
    issue: IssuePayload
    changes: _Changes | None = None
    type: _Type | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_issue(delivery: Delivery) -> Iterator[FactRecorded]:
    """Record the event on the timeline."""
    payload = delivery.read(_PAYLOAD)
    issue, changes = payload.issue, payload.changes
    if delivery.action == "opened" and changes and (changes.old_issue or changes.old_repository):
        # The issue was transferred: its creation time is from the other repository, where it was until now.
        former = changes.old_issue.key if changes.old_issue else None
        yield from record_item(delivery, issue, payload, at=issue.updated_at, named=former)
        return
    yield from record_item(delivery, issue, payload, named=_named(delivery.action, payload))


def _named(action: str | None, payload: _Payload) -> str | None:
    """The key or name that the event carries besides labels, milestones and people."""
    match action:
        case "transferred" if payload.changes and payload.changes.new_issue:
            return payload.changes.new_issue.key
        case "typed" | "untyped" if payload.type:
            return clean(payload.type.name)
        case "status_changed" if payload.issue.status:
            return payload.issue.status.category
        case _:
            return None
