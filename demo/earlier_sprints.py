"""The sprints before the demo's own: eight of them, so that there is a velocity, a forecast and a record.

Made in the stand-in as they ended, and told as the webhooks that GitHub sent. Always the same ones: what a
sprint holds and what of it was done follows from its number alone.
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
# Estimates of a sprint's items; a number of them, by the sprint, is not done in time.
_POINTS = (5, 3, 8, 2, 3, 5, 1, 3)
_LEFT_OVER = (1, 0, 2, 1, 0, 1, 0, 2)
_WORK = (
    "Search finds plurals", "Gift cards", "Faster product pages", "Wish list by mail", "Stock in shops",
    "Newsletter in two languages", "Invoice as PDF", "Returns without paper", "Sort by rating",
    "Dark product photos", "Cookie banner that remembers", "Shipping costs by weight", "Size advice",
    "Order history", "Cross-selling on the basket page", "Address book",
)  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """One item of an earlier sprint. `done_at` is None where it was not done in it."""

    title: str
    points: int
    who: str
    opened_at: datetime
    joined_at: datetime
    started_at: datetime
    done_at: datetime | None


@dataclass(frozen=True)
class Earlier:
    """One earlier sprint."""

    title: str
    first_day: date
    last_day: date
    pieces: tuple[Piece, ...]

    @property
    def made_at(self) -> datetime:
        """When its milestone was made: three days before its start."""
        return _at(self.first_day - timedelta(days=3), 11)

    @property
    def closed_at(self) -> datetime:
        """When its milestone was closed: in the last working hour."""
        return _at(self.last_day, 16)


def earlier_sprints(first_day: date) -> Iterator[Earlier]:
    """The sprints before one that begins on `first_day`, the oldest first."""
    for n in range(SPRINTS):
        begin = first_day - timedelta(days=14 * (SPRINTS - n))
        begin -= timedelta(days=begin.weekday())
        days = [day for i in range(14) if (day := begin + timedelta(days=i)).weekday() < 5]
        yield Earlier(f"Sprint {FIRST + n}", begin, days[-1], tuple(_pieces(n, begin, days)))


def _pieces(sprint: int, begin: date, days: list[date]) -> Iterator[Piece]:
    count = len(_POINTS)
    for i, points in enumerate(_POINTS):
        # They are begun one after another and done in about the order of their beginning.
        done_on = days[min((i * len(days)) // count + 1 + (i * 7 + sprint * 3) % 3, len(days) - 1)]
        is_done = i < count - _LEFT_OVER[sprint % len(_LEFT_OVER)]
        yield Piece(
            title=_WORK[(sprint * 5 + i) % len(_WORK)] + ("" if sprint < 3 else f", part {1 + sprint // 3}"),
            points=points,
            who=_TEAM[(sprint + i) % len(_TEAM)],
            opened_at=_at(begin - timedelta(days=10 + i), 9 + i % 6),
            joined_at=_at(begin - timedelta(days=3), 13),
            started_at=_at(max(done_on - timedelta(days=1 + (i + sprint) % 5), begin), 10),
            done_at=_at(done_on, 11 + i % 4) if is_done else None,
        )


async def play_earlier(github: StandInGitHub, repo: Json, first_day: date, deliver: Deliver) -> None:
    """Makes the earlier sprints, and tells of them in the order in which they happened."""
    told = list[tuple[datetime, str, str, Json]]()
    async with github.muted():
        users = {login: await github.call("GET", "/user", as_user=login) for login in seed.ROLES}
        for sprint in earlier_sprints(first_day):
            told += [one async for one in _make(github, repo, sprint, users)]
    told.sort(key=lambda one: one[0])
    for n, (at, event, action, parts) in enumerate(told):
        payload = {
            "action": action,
            "repository": repo,
            "organization": repo["owner"],
            "sender": users[seed.ADMIN],
            "installation": {"id": seed.INSTALLATION_ID},
        }
        name = f"{n} {event}.{action} {at.isoformat()}"
        await deliver(event, str(uuid.uuid5(DELIVERIES, name)), payload | parts)


async def _make(github: StandInGitHub, repo: Json, sprint: Earlier, users: Json) -> Any:
    """The objects as they ended, and what happened to them."""
    name = repo["full_name"]
    milestone = await github.create_milestone(
        name,
        sprint.title,
        due_on=f"{sprint.last_day}T07:00:00Z",
        description=f"Start: {sprint.first_day}",
    )
    issues = [await _make_issue(github, name, milestone, piece) for piece in sprint.pieces]
    closed = await github.update_milestone(name, milestone["number"], state="closed")
    made, ended = _stamp(sprint.made_at), _stamp(sprint.closed_at)
    github.backdate(closed, created_at=made, updated_at=ended, closed_at=ended)
    open_box = milestone | {"created_at": made, "updated_at": made}
    closed_box = open_box | {"state": "closed", "updated_at": ended, "closed_at": ended}
    yield sprint.made_at, "milestone", "created", {"milestone": open_box}
    for piece, issue in zip(sprint.pieces, issues, strict=True):
        for at, action, parts in _life(piece, issue, open_box, users):
            yield at, "issues", action, parts
    yield sprint.closed_at, "milestone", "closed", {"milestone": closed_box}


async def _make_issue(github: StandInGitHub, name: str, milestone: Json, piece: Piece) -> Json:
    labels = [f"points: {piece.points}", "feature"]
    in_sprint = milestone["number"] if piece.done_at else None
    issue = await github.create_issue(
        name, piece.title, labels=labels, milestone=in_sprint, assignees=[piece.who], as_user=piece.who
    )
    # What was not done in time was done without haste afterwards, outside of any sprint.
    done_at = piece.done_at or piece.joined_at + timedelta(days=16, hours=2)
    closed = await github.close_issue(name, issue["number"], "completed", piece.who)
    github.backdate(closed, created_at=_stamp(piece.opened_at), closed_at=_stamp(done_at))
    github.backdate(closed, updated_at=_stamp(done_at))
    return issue


def _life(piece: Piece, issue: Json, box: Json, users: Json) -> Iterator[tuple[datetime, str, Json]]:
    """What happened to one item, as webhooks told it."""
    points = [label for label in issue["labels"] if label["name"].startswith("points")]
    plain = [label for label in issue["labels"] if not label["name"].startswith("points")]
    person = {"sender": users[piece.who]}
    shown = issue | {
        "created_at": _stamp(piece.opened_at),
        "assignees": [],
        "assignee": None,
        "milestone": None,
    }

    def told(at: datetime, **more: Any) -> Json:
        nonlocal shown
        shown = shown | more | {"updated_at": _stamp(at)}
        return person | {"issue": shown}

    yield piece.opened_at, "opened", told(piece.opened_at, labels=plain)
    estimated_at = piece.joined_at - timedelta(hours=1)
    for label in points:
        yield estimated_at, "labeled", told(estimated_at, labels=[*plain, label]) | {"label": label}
    yield piece.joined_at, "milestoned", told(piece.joined_at, milestone=box) | {"milestone": box}
    somebody = users[piece.who]
    people = {"assignees": [somebody], "assignee": somebody}
    yield piece.started_at, "assigned", told(piece.started_at, **people) | {"assignee": somebody}
    done_at = piece.done_at
    if done_at is None:
        left_at = piece.joined_at + timedelta(days=15)
        yield left_at, "demilestoned", told(left_at, milestone=None) | {"milestone": box}
        done_at = piece.joined_at + timedelta(days=16, hours=2)
    closed = {"state": "closed", "state_reason": "completed", "closed_at": _stamp(done_at)}
    yield done_at, "closed", told(done_at, **closed)


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
