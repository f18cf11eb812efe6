"""Pull requests: opened, closed (merged or not), reopened, milestoned, demilestoned, labeled, unlabeled."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, Recorded
from handlers.items import record_item
from handlers.payloads import Account, Label, Milestone, PullRequest


class _Payload(msgspec.Struct):
    pull_request: PullRequest
    milestone: Milestone | None = None
    label: Label | None = None
    sender: Account | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_pull_request(delivery: Delivery) -> Iterator[Recorded]:
    """Puts the event on the timeline."""
    payload = delivery.read(_PAYLOAD)
    yield from record_item(
        delivery, payload.pull_request, payload.sender, milestone=payload.milestone, label=payload.label
    )
