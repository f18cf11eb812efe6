"""Labels: renamed or deleted. This changes every item with the label at that moment, and its estimate."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, FactRecorded
from handlers.payloads import AccountPayload, ChangesPayload, Id, clean, get_login
from sprints.model import LabelEvent


class _Label(msgspec.Struct):
    name: str
    id: Id = 0
    node_id: str = ""


class _Payload(msgspec.Struct):
    label: _Label
    changes: ChangesPayload | None = None
    sender: AccountPayload | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_label(delivery: Delivery) -> Iterator[FactRecorded]:
    """Record on the timeline that a label was renamed or deleted. Changes of its colour are ignored."""
    payload = delivery.read(_PAYLOAD)
    label, name = payload.label, clean(payload.label.name)
    before = payload.changes.before("name") if payload.changes else None
    common = {
        # The payload has no time of the change; that of the repository may be days old.
        "label": label.node_id or f"label:{label.id}",
        "at": delivery.received_at,
        "delivery": delivery.id,
        "actor": get_login(payload.sender),
    }
    if delivery.action == "deleted":
        yield FactRecorded(LabelEvent(event="deleted", name=name, **common))  # type: ignore[arg-type]
    elif before and before.get("name"):
        yield FactRecorded(
            LabelEvent(event="renamed", name=str(before["name"]), new_name=name, **common)  # type: ignore[arg-type]
        )
