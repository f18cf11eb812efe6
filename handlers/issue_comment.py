"""Comments on issues and pull requests. Their commands are found in `comment_commands.py`."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, FactRecorded
from handlers.items import ItemDelivery, record_item
from handlers.payloads import IssuePayload


class _Payload(ItemDelivery, kw_only=True):
    issue: IssuePayload


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_comment(delivery: Delivery) -> Iterator[FactRecorded]:
    """Record the comment's issue: a comment changes no number, but its issue may not be recorded yet."""
    payload = delivery.read(_PAYLOAD)
    yield from record_item(delivery, payload.issue, ItemDelivery(sender=payload.sender), event="commented")
