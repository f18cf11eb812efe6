"""Milestones: created, edited, closed, reopened, deleted."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, FactRecorded, UnusableError
from handlers.payloads import AccountPayload, ChangesPayload, MilestonePayload, get_login


class _Payload(msgspec.Struct):
    milestone: MilestonePayload
    changes: ChangesPayload | None = None
    sender: AccountPayload | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_milestone(delivery: Delivery) -> Iterator[FactRecorded]:
    """Record the event on the timeline."""
    payload = delivery.read(_PAYLOAD)
    milestone, event = payload.milestone, delivery.action or ""
    times = {"created": milestone.created_at, "closed": milestone.closed_at}
    at = times.get(event) or milestone.updated_at or milestone.created_at
    if at is None:
        raise UnusableError("the milestone carries no time")
    before = payload.changes.before("title", "description", "due_on") if payload.changes else None
    actor = get_login(payload.sender)
    yield FactRecorded(milestone.to_event(event, at, delivery.id, actor, before))
