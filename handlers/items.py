"""What issues and pull requests have in common: how an event on one becomes a fact."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from handlers.delivery import Delivery, Recorded
from handlers.payloads import (
    AccountPayload,
    ChangesPayload,
    IssuePayload,
    LabelPayload,
    MilestonePayload,
    PullRequestPayload,
    clean,
)
from sprints.model import ItemEvent


class ItemDelivery(msgspec.Struct):
    """What an event on an item carries beside the item."""

    milestone: MilestonePayload | None = None
    label: LabelPayload | None = None
    assignee: AccountPayload | None = None
    changes: ChangesPayload | None = None
    sender: AccountPayload | None = None

    @property
    def actor(self) -> str | None:
        return self.sender.known_as if self.sender else None


def record_item(
    delivery: Delivery,
    item: IssuePayload | PullRequestPayload,
    payload: ItemDelivery,
    *,
    event: str | None = None,
    at: datetime | None = None,
    named: str | None = None,
) -> Iterator[Recorded]:
    """The fact about the item, and the picture of its milestone that came along.

    `event`, `at` and `named` are given where they are not what they are for most events.
    """
    event = event or delivery.action or ""
    at = at or _time_of(event, item)
    if event in {"assigned", "unassigned"} and payload.assignee:
        named = payload.assignee.known_as
    fact = ItemEvent(
        item=item.key,
        event=event,
        at=at,
        delivery=delivery.id,
        snapshot=item.snapshot(),
        milestone=_named_milestone(event, item, payload),
        label=clean(payload.label.name) if payload.label and event in {"labeled", "unlabeled"} else None,
        named=named,
        before=payload.changes.before("title") if payload.changes else None,
        actor=payload.actor,
    )
    accounts = (item.user, *item.assignees, payload.assignee)
    yield Recorded(fact, tuple(account for account in accounts if account))
    shown = payload.milestone or item.milestone
    if shown and shown.title:
        yield Recorded(shown.told("observed", at, delivery.id, payload.actor))


def _named_milestone(
    event: str, item: IssuePayload | PullRequestPayload, payload: ItemDelivery
) -> int | None:
    """What an item has just left is never the milestone that it shows."""
    named = {"milestoned": payload.milestone or item.milestone, "demilestoned": payload.milestone}.get(event)
    return named.id if named else None


def _time_of(event: str, item: IssuePayload | PullRequestPayload) -> datetime:
    """GitHub's own time of an event."""
    if event == "opened":
        return item.created_at
    if event == "closed" and item.closed_at:
        return item.closed_at
    return item.updated_at
