"""Comments on issues and pull requests, and what they show. What they ask of us: asking.py."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, Recorded
from handlers.items import ItemDelivery, record_item
from handlers.payloads import IssuePayload


class _Payload(ItemDelivery, kw_only=True):
    issue: IssuePayload


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_comment(delivery: Delivery) -> Iterator[Recorded]:
    """A comment changes no number, but it shows its issue, of which we may never have heard before."""
    payload = delivery.read(_PAYLOAD)
    yield from record_item(delivery, payload.issue, ItemDelivery(sender=payload.sender), event="commented")
