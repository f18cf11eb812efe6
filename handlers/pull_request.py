"""Pull requests: opened, edited, closed (merged or not), reopened, moved, labeled, assigned."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, Recorded
from handlers.items import ItemPayload, record_item
from handlers.payloads import PullRequest


class _Payload(ItemPayload, kw_only=True):
    pull_request: PullRequest


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_pull_request(delivery: Delivery) -> Iterator[Recorded]:
    """Puts the event on the timeline."""
    payload = delivery.read(_PAYLOAD)
    yield from record_item(delivery, payload.pull_request, payload)
