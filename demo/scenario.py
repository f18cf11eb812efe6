"""Plays the demo's sprint: creates its final state in the stand-in and delivers its history as webhooks.

In the stand-in everything happens now. So the issues are created in their final state without webhooks and
get past times, and each step of the story is delivered as the webhook that GitHub would have sent then.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from demo import story
from demo.earlier_sprints import play_earlier
from demo.story import CARDS, STEPS, Step
from github_standin import seed
from github_standin.github import StandInGitHub

Json = dict[str, Any]
Deliver = Callable[[str, str, Json], Awaitable[None]]

DELIVERIES = uuid.UUID("5b2f0f0e-7c1d-4d0a-9f59-2f3f6f2f1c24")


class DemoThread(NamedTuple):
    """The issue in which the demo's user types commands."""

    repo: str
    number: int


@dataclass
class Snapshot:
    """The state of an issue at a moment of the story."""

    created_at: str
    updated_at: str
    points: int | None = None
    in_sprint: bool = False
    state: str = "open"
    reason: str | None = None
    closed_at: str | None = None
    closed_by: str | None = None
    comments: int = 0


@dataclass
class CreatedObjects:
    """The objects as the stand-in returned them; the webhooks repeat their ids."""

    repo: Json
    milestone: Json
    labels: dict[str, Json]
    users: dict[str, Json]
    issues: dict[str, Json] = field(default_factory=dict)
    comments: list[Json] = field(default_factory=list)


async def play(github: StandInGitHub, now: datetime, deliver: Deliver) -> DemoThread:
    """Create the sprint, pass its webhooks to `deliver` in order, and return the demo's issue."""
    calendar = Calendar.around(now)
    steps = sorted(STEPS, key=lambda step: calendar.instant(step.when))
    async with github.muted():
        repo = await _create_repository(github)
    webhooks = list[tuple[str, str, Json]]()

    async def collect(event: str, delivery: str, payload: Json) -> None:
        webhooks.append((event, delivery, payload))

    await play_earlier(github, repo, calendar.first_day, collect)
    async with github.muted():
        created = await _create_objects(github, repo, calendar, steps)
    await _build_webhooks(created, calendar, steps, collect)
    # Items left over from earlier sprints were finished during this one, hence the sorting.
    for event, delivery, payload in sorted(webhooks, key=lambda webhook: event_time(webhook[2])):
        await deliver(event, delivery, payload)
    return DemoThread(created.repo["full_name"], created.issues[story.THREAD]["number"])


def event_time(payload: Json) -> str:
    """The time of a webhook as a GitHub timestamp, read from the object that it is about."""
    subject = payload.get("comment") or payload.get("issue") or payload.get("pull_request")
    return str((subject or payload["milestone"])["updated_at"])


class Calendar(NamedTuple):
    """The story's days as real dates, so that `now` is on the seventh working day."""

    first_day: date
    now: datetime

    @classmethod
    def around(cls, now: datetime) -> Calendar:
        """Build the calendar; on a weekend the seventh working day is the Friday before."""
        return cls(working_day(now.astimezone(UTC).date(), 1 - story.TODAY), now.astimezone(UTC))

    @property
    def last_day(self) -> date:
        """The due date."""
        return working_day(self.first_day, story.WORKING_DAYS - 1)

    def instant(self, when: str) -> datetime:
        """The time of a step's `when`."""
        day, _, time = when.partition(" ")
        if day == "now":
            return (self.now + timedelta(minutes=int(time))).replace(microsecond=0)
        hour, minute = map(int, time.split(":"))
        on = working_day(self.first_day, int(day) - 1)
        return datetime(on.year, on.month, on.day, hour, minute, tzinfo=UTC)

    def stamp(self, when: str) -> str:
        """The time of a step's `when` as a GitHub timestamp."""
        return self.instant(when).strftime("%Y-%m-%dT%H:%M:%SZ")


def working_day(day: date, offset: int) -> date:
    """The working day `offset` working days away; from a weekend, counted from the Friday before."""
    while day.weekday() >= 5:
        day -= timedelta(days=1)
    for _ in range(abs(offset)):
        day += timedelta(days=1 if offset > 0 else -1)
        while day.weekday() >= 5:
            day += timedelta(days=1 if offset > 0 else -1)
    return day


# The final state


async def _create_repository(github: StandInGitHub) -> Json:
    repo: Json = await github.create_repository(seed.ORG, story.REPOSITORY)
    for label, (color, description) in story.LABELS.items():
        body = {"name": label, "color": color, "description": description}
        await github.call("POST", f"/repos/{repo['full_name']}/labels", body)
    return repo


async def _create_objects(
    github: StandInGitHub, repo: Json, calendar: Calendar, steps: list[Step]
) -> CreatedObjects:
    name = repo["full_name"]
    labels = await github.call("GET", f"/repos/{name}/labels?per_page=100")
    milestone = await github.create_milestone(
        name,
        story.SPRINT,
        due_on=f"{calendar.last_day}T07:00:00Z",
        description=f"Start: {calendar.first_day}\nGoal: {story.GOAL}",
    )
    since = calendar.stamp(story.SPRINT_MADE)
    github.backdate(milestone, created_at=since, updated_at=since)
    users = {login: await github.call("GET", "/user", as_user=login) for login in seed.ROLES}
    created = CreatedObjects(repo, milestone, {label["name"]: label for label in labels}, users)
    snapshots: dict[str, Snapshot] = {}
    for step in steps:
        _advance(snapshots, step, calendar.stamp(step.when))
    for card, snapshot in snapshots.items():
        created.issues[card] = await _create_issue(github, created, card, snapshot)
    for step in steps:
        if step.action == "commented":
            created.comments.append(await _create_comment(github, created, step, calendar))
    for card, snapshot in snapshots.items():
        latest = await github.issue(name, created.issues[card]["number"])
        github.backdate(latest, updated_at=snapshot.updated_at)
    return created


async def _create_issue(
    github: StandInGitHub, created: CreatedObjects, card: str, snapshot: Snapshot
) -> Json:
    content = CARDS[card]
    issue = await github.create_issue(
        created.repo["full_name"],
        content.title,
        body=content.body,
        labels=_label_names(card, snapshot),
        milestone=created.milestone["number"] if snapshot.in_sprint else None,
        assignees=[content.assignee],
        as_user=content.author,
    )
    if snapshot.state == "closed":
        reason, who = snapshot.reason or "completed", snapshot.closed_by or content.assignee
        issue = await github.close_issue(created.repo["full_name"], issue["number"], reason, who)
        github.backdate(issue, closed_at=snapshot.closed_at or snapshot.updated_at)
    elif snapshot.reason is not None:
        issue = await github.update_issue(
            created.repo["full_name"], issue["number"], state_reason=snapshot.reason
        )
    github.backdate(issue, created_at=snapshot.created_at, updated_at=snapshot.updated_at)
    return issue


async def _create_comment(
    github: StandInGitHub, created: CreatedObjects, step: Step, calendar: Calendar
) -> Json:
    number = created.issues[step.card]["number"]
    comment = await github.comment(created.repo["full_name"], number, step.value, step.who)
    at = calendar.stamp(step.when)
    github.backdate(comment, created_at=at, updated_at=at)
    return {**comment, "created_at": at, "updated_at": at}


def _label_names(card: str, snapshot: Snapshot) -> list[str]:
    points = [] if snapshot.points is None else [f"points: {snapshot.points}"]
    return [CARDS[card].kind, *points]


def _advance(snapshots: dict[str, Snapshot], step: Step, at: str) -> None:
    """Apply a step of the story to the state of its issue."""
    if step.action == "opened":
        snapshots[step.card] = Snapshot(created_at=at, updated_at=at)
        return
    issue = snapshots[step.card]
    issue.updated_at = at
    match step.action:
        case "estimated":
            issue.points = int(step.value)
        case "joined" | "left":
            issue.in_sprint = step.action == "joined"
        case "closed" | "dropped":
            issue.state, issue.closed_at, issue.closed_by = "closed", at, step.who
            issue.reason = "completed" if step.action == "closed" else "not_planned"
        case "reopened":
            issue.state, issue.closed_at, issue.closed_by, issue.reason = "open", None, None, "reopened"
        case "commented":
            issue.comments += 1
        case unknown:
            raise ValueError(f"unknown action in the story: {unknown}")


# The history


async def _build_webhooks(
    created: CreatedObjects, calendar: Calendar, steps: list[Step], deliver: Deliver
) -> None:
    builder = _WebhookBuilder(created, calendar.stamp(story.SPRINT_MADE), deliver)
    sprint_made = calendar.instant(story.SPRINT_MADE)
    snapshots: dict[str, Snapshot] = {}
    for step in (step for step in steps if calendar.instant(step.when) < sprint_made):
        await builder.step(snapshots, step, calendar.stamp(step.when))
    await builder.milestone_created()
    for step in (step for step in steps if calendar.instant(step.when) >= sprint_made):
        await builder.step(snapshots, step, calendar.stamp(step.when))


class _WebhookBuilder:
    """Builds GitHub's payloads from the stand-in's objects and an issue's state at that time."""

    def __init__(self, created: CreatedObjects, sprint_made: str, deliver: Deliver) -> None:
        self._created = created
        self._sprint_made = sprint_made
        self._deliver = deliver
        self._comments = iter(created.comments)
        self._count = 0

    async def milestone_created(self) -> None:
        empty = {**self._milestone(self._sprint_made), "open_issues": 0, "closed_issues": 0}
        await self._send("milestone", "created", seed.ADMIN, milestone=empty)

    async def step(self, snapshots: dict[str, Snapshot], step: Step, at: str) -> None:
        before = copy.copy(snapshots.get(step.card))
        _advance(snapshots, step, at)
        issue = self._issue(step.card, snapshots[step.card])
        match step.action:
            case "opened":
                await self._send("issues", "opened", step.who, issue=issue)
                for label in issue["labels"]:
                    await self._send("issues", "labeled", step.who, issue=issue, label=label)
            case "estimated":
                await self._estimated(step, before, issue)
            case "joined" | "left":
                action = "milestoned" if step.action == "joined" else "demilestoned"
                await self._send("issues", action, step.who, issue=issue, milestone=self._milestone(at))
            case "closed" | "dropped":
                await self._send("issues", "closed", step.who, issue=issue)
            case "reopened":
                await self._send("issues", "reopened", step.who, issue=issue)
            case "commented":
                comment = next(self._comments)
                await self._send("issue_comment", "created", step.who, issue=issue, comment=comment)

    async def _estimated(self, step: Step, before: Snapshot | None, issue: Json) -> None:
        if before is not None and before.points is not None:
            old = self._created.labels[f"points: {before.points}"]
            await self._send("issues", "unlabeled", step.who, issue=issue, label=old)
        new = self._created.labels[f"points: {step.value}"]
        await self._send("issues", "labeled", step.who, issue=issue, label=new)

    def _issue(self, card: str, snapshot: Snapshot) -> Json:
        closed_by = self._created.users[snapshot.closed_by] if snapshot.closed_by else None
        return {
            **self._created.issues[card],
            "labels": [self._created.labels[name] for name in _label_names(card, snapshot)],
            "milestone": self._milestone(snapshot.updated_at) if snapshot.in_sprint else None,
            "state": snapshot.state,
            "state_reason": snapshot.reason,
            "comments": snapshot.comments,
            "created_at": snapshot.created_at,
            "updated_at": snapshot.updated_at,
            "closed_at": snapshot.closed_at,
            "closed_by": closed_by,
        }

    def _milestone(self, at: str) -> Json:
        return {**self._created.milestone, "created_at": self._sprint_made, "updated_at": at}

    async def _send(self, event: str, action: str, who: str, **more: Json) -> None:
        self._count += 1
        payload = {
            "action": action,
            **more,
            "repository": self._created.repo,
            "organization": self._created.repo["owner"],
            "sender": self._created.users[who],
            "installation": {"id": seed.INSTALLATION_ID},
        }
        subject = more.get("comment") or more.get("issue") or more["milestone"]
        name = f"{self._count} {event}.{action} {subject['node_id']} {subject['updated_at']}"
        await self._deliver(event, str(uuid.uuid5(DELIVERIES, name)), payload)
