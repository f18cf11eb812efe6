"""Labels: renamed or deleted. Every item that bears one follows at that moment, and so does its estimate."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, Recorded
from handlers.payloads import AccountPayload, ChangesPayload, Id, clean
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


def record_label(delivery: Delivery) -> Iterator[Recorded]:
    """Puts a change of name, or the end of a label, on the timeline. Its colour is no fact of ours."""
    payload = delivery.read(_PAYLOAD)
    label, name = payload.label, clean(payload.label.name)
    before = payload.changes.before("name") if payload.changes else None
    told = {
        # GitHub tells no time of it; what a webhook carries otherwise may be days old.
        "label": label.node_id or f"label:{label.id}",
        "at": delivery.received_at,
        "delivery": delivery.id,
        "actor": payload.sender.known_as if payload.sender else None,
    }
    if delivery.action == "deleted":
        yield Recorded(LabelEvent(event="deleted", name=name, **told))  # type: ignore[arg-type]
    elif before and before.get("name"):
        yield Recorded(
            LabelEvent(event="renamed", name=str(before["name"]), new_name=name, **told)  # type: ignore[arg-type]
        )
