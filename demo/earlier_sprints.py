"""The eight sprints before the demo's own, which velocity, forecast and forecast record need.

They are created in the stand-in in their final state, and their history is delivered as GitHub's webhooks.
They are always the same: a sprint's items and results follow from its number alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from github_standin import seed
from github_standin.github import StandInGitHub

Json = dict[str, Any]
Deliver = Callable[[str, str, Json], Awaitable[None]]
DELIVERIES = uuid.UUID("0d6e2f6c-53b5-4f5d-8a2e-6b6b2d7a9c11")

FIRST, SPRINTS, WORKING_DAYS = 16, 8, 10
_TEAM = ("alice", "bob", "carol", "dave")
# The estimates of each sprint's items, in points.
_POINTS = (5, 3, 8, 2, 3, 5, 1, 3)
# How many items, by the sprint's number, are not finished in time.
_LEFT_OVER = (1, 0, 2, 1, 0, 1, 0, 2)
_WORK = (
    "Search finds plurals", "Gift cards", "Faster product pages", "Wish list by mail", "Stock in shops",
    "Newsletter in two languages", "Invoice as PDF", "Returns without paper", "Sort by rating",
    "Dark product photos", "Cookie banner that remembers", "Shipping costs by weight", "Size advice",
    "Order history", "Cross-selling on the basket page", "Address book",
)  # fmt: skip


@dataclass(frozen=True)
class EarlierItem:
    """An item of an earlier sprint; `done_at` is None if it was not finished in that sprint."""

    title: str
    points: int
    assignee: str
    opened_at: datetime
    joined_at: datetime
    started_at: datetime
    done_at: datetime | None


@dataclass(frozen=True)
class EarlierSprint:
    """An earlier sprint with its items."""

    title: str
    first_day: date
    last_day: date
    items: tuple[EarlierItem, ...]

    @property
    def created_at(self) -> datetime:
        """When its milestone was created: three days before its start."""
        return _at(self.first_day - timedelta(days=3), 11)

    @property
    def closed_at(self) -> datetime:
        """When its milestone was closed: in the last working hour."""
        return _at(self.last_day, 16)


def earlier_sprints(first_day: date) -> Iterator[EarlierSprint]:
    """Generate the sprints before the one that begins on `first_day`, oldest first."""
    for n in range(SPRINTS):
        begin = first_day - timedelta(days=14 * (SPRINTS - n))
        begin -= timedelta(days=begin.weekday())
        days = [day for i in range(14) if (day := begin + timedelta(days=i)).weekday() < 5]
        yield EarlierSprint(f"Sprint {FIRST + n}", begin, days[-1], tuple(_items(n, begin, days)))


def _items(sprint: int, begin: date, days: list[date]) -> Iterator[EarlierItem]:
    count = len(_POINTS)
    for i, points in enumerate(_POINTS):
        # Items are started one after another and finished in about the same order.
        done_on = days[min((i * len(days)) // count + 1 + (i * 7 + sprint * 3) % 3, len(days) - 1)]
        is_done = i < count - _LEFT_OVER[sprint % len(_LEFT_OVER)]
        yield EarlierItem(
            title=_WORK[(sprint * 5 + i) % len(_WORK)] + ("" if sprint < 3 else f", part {1 + sprint // 3}"),
            points=points,
            assignee=_TEAM[(sprint + i) % len(_TEAM)],
            opened_at=_at(begin - timedelta(days=10 + i), 9 + i % 6),
            joined_at=_at(begin - timedelta(days=3), 13),
            started_at=_at(max(done_on - timedelta(days=1 + (i + sprint) % 5), begin), 10),
            done_at=_at(done_on, 11 + i % 4) if is_done else None,
        )


async def play_earlier(github: StandInGitHub, repo: Json, first_day: date, deliver: Deliver) -> None:
    """Create the earlier sprints and deliver the webhooks of their history in order."""
    webhooks = list[tuple[datetime, str, str, Json]]()
    async with github.muted():
        users = {login: await github.call("GET", "/user", as_user=login) for login in seed.ROLES}
        for sprint in earlier_sprints(first_day):
            webhooks += [webhook async for webhook in _create(github, repo, sprint, users)]
    webhooks.sort(key=lambda webhook: webhook[0])
    for n, (at, event, action, parts) in enumerate(webhooks):
        payload = {
            "action": action,
            "repository": repo,
            "organization": repo["owner"],
            "sender": users[seed.ADMIN],
            "installation": {"id": seed.INSTALLATION_ID},
        }
        name = f"{n} {event}.{action} {at.isoformat()}"
        await deliver(event, str(uuid.uuid5(DELIVERIES, name)), payload | parts)


async def _create(github: StandInGitHub, repo: Json, sprint: EarlierSprint, users: Json) -> Any:
    """Create a sprint's objects in their final state; yields its history's webhooks."""
    name = repo["full_name"]
    milestone = await github.create_milestone(
        name,
        sprint.title,
        due_on=f"{sprint.last_day}T07:00:00Z",
        description=f"Start: {sprint.first_day}",
    )
    issues = [await _create_issue(github, name, milestone, item) for item in sprint.items]
    closed = await github.update_milestone(name, milestone["number"], state="closed")
    created_at, closed_at = _stamp(sprint.created_at), _stamp(sprint.closed_at)
    github.backdate(closed, created_at=created_at, updated_at=closed_at, closed_at=closed_at)
    open_milestone = milestone | {"created_at": created_at, "updated_at": created_at}
    closed_milestone = open_milestone | {"state": "closed", "updated_at": closed_at, "closed_at": closed_at}
    yield sprint.created_at, "milestone", "created", {"milestone": open_milestone}
    for item, issue in zip(sprint.items, issues, strict=True):
        for at, action, parts in _item_webhooks(item, issue, open_milestone, users):
            yield at, "issues", action, parts
    yield sprint.closed_at, "milestone", "closed", {"milestone": closed_milestone}


async def _create_issue(github: StandInGitHub, name: str, milestone: Json, item: EarlierItem) -> Json:
    labels = [f"points: {item.points}", "feature"]
    number = milestone["number"] if item.done_at else None
    person = item.assignee
    issue = await github.create_issue(
        name, item.title, labels=labels, milestone=number, assignees=[person], as_user=person
    )
    # Items that were not finished in time are finished later, outside of any sprint.
    done_at = item.done_at or item.joined_at + timedelta(days=16, hours=2)
    closed = await github.close_issue(name, issue["number"], "completed", person)
    github.backdate(closed, created_at=_stamp(item.opened_at), closed_at=_stamp(done_at))
    github.backdate(closed, updated_at=_stamp(done_at))
    return issue


def _item_webhooks(
    item: EarlierItem, issue: Json, milestone: Json, users: Json
) -> Iterator[tuple[datetime, str, Json]]:
    """The history of an item as webhooks: time, action, and the payload's own keys."""
    points = [label for label in issue["labels"] if label["name"].startswith("points")]
    other_labels = [label for label in issue["labels"] if not label["name"].startswith("points")]
    assignee = users[item.assignee]
    state = issue | {
        "created_at": _stamp(item.opened_at),
        "assignees": [],
        "assignee": None,
        "milestone": None,
    }

    def changed(at: datetime, **fields: Any) -> Json:
        nonlocal state
        state = state | fields | {"updated_at": _stamp(at)}
        return {"sender": assignee, "issue": state}

    yield item.opened_at, "opened", changed(item.opened_at, labels=other_labels)
    estimated_at = item.joined_at - timedelta(hours=1)
    for label in points:
        yield estimated_at, "labeled", changed(estimated_at, labels=[*other_labels, label]) | {"label": label}
    joined = changed(item.joined_at, milestone=milestone) | {"milestone": milestone}
    yield item.joined_at, "milestoned", joined
    assigned = changed(item.started_at, assignees=[assignee], assignee=assignee)
    yield item.started_at, "assigned", assigned | {"assignee": assignee}
    done_at = item.done_at
    if done_at is None:
        left_at = item.joined_at + timedelta(days=15)
        yield left_at, "demilestoned", changed(left_at, milestone=None) | {"milestone": milestone}
        done_at = item.joined_at + timedelta(days=16, hours=2)
    closed = {"state": "closed", "state_reason": "completed", "closed_at": _stamp(done_at)}
    yield done_at, "closed", changed(done_at, **closed)


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
