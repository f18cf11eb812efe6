"""Issues: opened, closed, reopened, milestoned, demilestoned, labeled, unlabeled."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, Recorded
from handlers.items import record_item
from handlers.payloads import Account, Issue, Label, Milestone


class _Payload(msgspec.Struct):
    issue: Issue
    milestone: Milestone | None = None
    label: Label | None = None
    sender: Account | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_issue(delivery: Delivery) -> Iterator[Recorded]:
    """Puts the event on the timeline."""
    payload = delivery.read(_PAYLOAD)
    yield from record_item(
        delivery, payload.issue, payload.sender, milestone=payload.milestone, label=payload.label
    )
