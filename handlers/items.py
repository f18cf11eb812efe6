"""What issues and pull requests have in common: how an event on one becomes a fact."""

from collections.abc import Iterator
from datetime import datetime

from handlers.delivery import Delivery, Recorded
from handlers.payloads import Account, Issue, Label, Milestone, PullRequest, clean
from sprints.model import ItemEvent


def record_item(
    delivery: Delivery,
    item: Issue | PullRequest,
    sender: Account | None,
    *,
    milestone: Milestone | None = None,
    label: Label | None = None,
    event: str | None = None,
    at: datetime | None = None,
) -> Iterator[Recorded]:
    """The fact about the item, and the picture of its milestone that came along."""
    event = event or delivery.action or ""
    at = at or _time_of(event, item)
    actor = sender.login if sender else None
    # What an item has just left is never the milestone that it shows.
    named = {"milestoned": milestone or item.milestone, "demilestoned": milestone}.get(event)
    fact = ItemEvent(
        item=item.key,
        event=event,
        at=at,
        delivery=delivery.id,
        snapshot=item.snapshot(),
        milestone=named.id if named else None,
        label=clean(label.name) if label else None,
    )
    yield Recorded(fact, actor)
    if shown := milestone or item.milestone:
        yield Recorded(shown.told("observed", at, delivery.id), actor)


def _time_of(event: str, item: Issue | PullRequest) -> datetime:
    """GitHub's own time of an event."""
    if event == "opened":
        return item.created_at
    if event == "closed" and item.closed_at:
        return item.closed_at
    return item.updated_at
