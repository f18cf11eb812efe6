"""Events on issues and pull requests, which become facts in the same way."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from handlers.delivery import Delivery, FactRecorded
from handlers.payloads import (
    AccountPayload,
    ChangesPayload,
    IssuePayload,
    LabelPayload,
    MilestonePayload,
    PullRequestPayload,
    clean,
    get_login,
)
from sprints.model import ItemEvent


class ItemDelivery(msgspec.Struct):
    """The data that an event on an item carries besides the item."""

    milestone: MilestonePayload | None = None
    label: LabelPayload | None = None
    assignee: AccountPayload | None = None
    changes: ChangesPayload | None = None
    sender: AccountPayload | None = None

    @property
    def actor(self) -> str | None:
        return get_login(self.sender)


def record_item(
    delivery: Delivery,
    item: IssuePayload | PullRequestPayload,
    payload: ItemDelivery,
    *,
    event: str | None = None,
    at: datetime | None = None,
    named: str | None = None,
) -> Iterator[FactRecorded]:
    """Record the fact about an item, and its milestone as the payload shows it.

    `event` and `at` default to the delivery's action and GitHub's time of it. `named` is what the event names
    besides labels, milestones and people.
    """
    event = event or delivery.action or ""
    at = at or _event_time(event, item)
    if event in {"assigned", "unassigned"} and payload.assignee:
        named = payload.assignee.canonical_login
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
    yield FactRecorded(fact, tuple(account for account in accounts if account))
    milestone = payload.milestone or item.milestone
    if milestone and milestone.title:
        yield FactRecorded(milestone.to_event("observed", at, delivery.id, payload.actor))


def _named_milestone(
    event: str, item: IssuePayload | PullRequestPayload, payload: ItemDelivery
) -> int | None:
    """The id of the milestone that the event names. An item that has left one does not show it any more."""
    named = {"milestoned": payload.milestone or item.milestone, "demilestoned": payload.milestone}.get(event)
    return named.id if named else None


def _event_time(event: str, item: IssuePayload | PullRequestPayload) -> datetime:
    """GitHub's time of an event."""
    if event == "opened":
        return item.created_at
    if event == "closed" and item.closed_at:
        return item.closed_at
    return item.updated_at
