"""Dependencies: an issue is blocked by another, or not any more. The fact belongs to the blocked issue."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, FactRecorded
from handlers.items import ItemDelivery, record_item
from handlers.payloads import IssuePayload, IssueReference, RepositoryPayload, RepositoryReference

_EVENTS = {
    "blocked_by_added": "blocked",
    "blocking_added": "blocked",
    "blocked_by_removed": "unblocked",
    "blocking_removed": "unblocked",
}


class _Payload(ItemDelivery, kw_only=True):
    blocked_issue: IssuePayload
    blocking_issue: IssueReference
    repository: RepositoryPayload
    blocked_issue_repo: RepositoryReference | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_dependency(delivery: Delivery) -> Iterator[FactRecorded]:
    """Record on the timeline which issue waits for which."""
    payload = delivery.read(_PAYLOAD)
    home = payload.blocked_issue_repo
    if home is not None and home.key != payload.repository.key:
        return  # The blocked issue is in another repository, which gets an event of its own.
    event = _EVENTS[delivery.action or ""]
    yield from record_item(
        delivery, payload.blocked_issue, payload, event=event, named=payload.blocking_issue.key
    )
