"""Sub-issues: an issue got a parent, or lost it. GitHub notifies both; the fact belongs to the child."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, FactRecorded
from handlers.items import ItemDelivery, record_item
from handlers.payloads import IssuePayload, IssueReference, RepositoryPayload, RepositoryReference

_EVENTS = {
    "parent_issue_added": "parent_added",
    "sub_issue_added": "parent_added",
    "parent_issue_removed": "parent_removed",
    "sub_issue_removed": "parent_removed",
}


class _Payload(ItemDelivery, kw_only=True):
    sub_issue: IssuePayload
    parent_issue: IssueReference
    repository: RepositoryPayload
    sub_issue_repo: RepositoryReference | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_sub_issue(delivery: Delivery) -> Iterator[FactRecorded]:
    """Record the child's new or former parent on the timeline."""
    payload = delivery.read(_PAYLOAD)
    home = payload.sub_issue_repo
    if home is not None and home.key != payload.repository.key:
        return  # The child is in another repository, which gets an event of its own.
    event = _EVENTS[delivery.action or ""]
    yield from record_item(delivery, payload.sub_issue, payload, event=event, named=payload.parent_issue.key)
