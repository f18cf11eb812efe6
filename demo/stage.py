"""The demo's sprint day by day, with a clock that stands still until it is moved.

The bot's unprompted posts are updated only by `update_posts`, so that nothing depends on the machine's speed.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.cli.serve import web_server
from bot.jobs.daily_figures import DailyFigures
from bot.jobs.event_processor import wait_until_processed
from bot.jobs.worker import worker
from bot.services import Services, open_services
from bot.settings import Settings
from demo.run import demo_settings
from demo.scenario import DemoThread, event_time, play
from github_standin.emulate import HOST
from github_standin.github import StandInGitHub
from storage.installations import Installations
from storage.job_types import CheckJob, RedrawJob
from storage.jobs import Jobs, is_busy
from storage.lookups import all_tenants
from storage.measures import schedule_measurement
from storage.posts import Posts
from storage.projects import Projects

Json = dict[str, Any]
_PATIENCE_SECONDS = 60.0
_NEVER = timedelta(days=3650)
_FIRST = 201
_SIZES = (18, 64, 130, 41, 220, 77, 12, 96, 310, 54, 150, 33, 88, 120)
_WAITS_HOURS = (1, 2, 2, 3, 4, 4, 5, 6, 7, 9, 20, 24, 27, 48)


class Clock:
    """A clock that shows the time to which it was set last."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Stage:
    """A running bot, and the webhooks of the sprint's history that it has not received yet (`waiting`)."""

    base: Services
    github: StandInGitHub
    clock: Clock
    thread: DemoThread
    checks: dict[str, Json]
    waiting: list[tuple[str, str, Json]] = field(default_factory=list)
    tenant: int = 0
    project: int = 0
    tracking_issue: int = 0
    pulls: list[Json] = field(default_factory=list)

    async def until(self, day: int, time: str) -> None:
        """Let the sprint go on until a time, such as 09:00, of a day of its month."""
        hour, minute = map(int, time.split(":"))
        await self.move(self.clock.now.replace(day=day, hour=hour, minute=minute, second=0))

    async def move(self, to: datetime) -> None:
        """Let the sprint go on until a moment; waits for the real clock's next second (see `Backdating`)."""
        await asyncio.sleep(1.05)
        self.clock.now = to
        stamp = to.strftime("%Y-%m-%dT%H:%M:%SZ")
        due = [webhook for webhook in self.waiting if event_time(webhook[2]) <= stamp]
        self.waiting = self.waiting[len(due) :]
        if due:  # No posts about states in between.
            await self.configure(paused=True)
        for event, delivery, payload in due:
            await self.github.send_webhook(event, payload, delivery)
        await self.wait_until_idle()

    async def configure(self, **settings: Any) -> None:
        """Change settings of the team."""
        async with self.base.database.tenant(self.tenant) as tenant:
            for key, value in settings.items():
                await Projects(tenant).set_command_setting(self.project, key, value)

    async def create_tracking_issue(self, title: str) -> None:
        """Create an issue for the tracking comment, with this title."""
        self.tracking_issue = (await self.github.create_issue(self.thread.repo, title))["number"]
        await self.wait_until_idle()
        await self.configure(tracking=self.tracking_issue)

    async def update_posts(self) -> None:
        """Update the tracking comment, alerts, standup and checks."""
        await self.configure(paused=False)
        async with self.base.database.tenant(self.tenant) as tenant:
            jobs, at = Jobs(), tenant.connection
            await jobs.defer(at, RedrawJob(organization_id=self.tenant, project_id=self.project))
            await jobs.defer(at, CheckJob(organization_id=self.tenant, project_id=self.project))
        await self.wait_until_idle()

    async def measure(self) -> None:
        """Compute the figures that are computed every night."""
        await DailyFigures(self.base.database, self.clock).run(self.tenant)
        await self._postpone_tasks()

    async def comment(self, number: int, text: str, who: str = "alice", repo: str = "") -> list[Json]:
        """Comment as a person; returns the bot's comments that are new or have changed afterwards."""
        repo = repo or self.thread.repo
        await self.configure(paused=False)
        comments = await self.github.comments(repo, number)
        before = {comment["id"]: comment["body"] for comment in comments}
        await self.github.comment(repo, number, text, as_user=who)
        await self.wait_until_idle()
        return [
            comment
            for comment in await self.github.comments(repo, number)
            if comment["user"]["type"] == "Bot" and before.get(comment["id"]) != comment["body"]
        ]

    async def latest_post(self, prefix: str) -> Json:
        """Read the comment that was posted last under a key with this prefix. Raises LookupError."""
        async with self.base.database.tenant(self.tenant) as tenant:
            wanted = await Posts(tenant).desired_since(self.project, prefix)
            fate = await Posts(tenant).status(self.project, max(wanted, key=lambda key: wanted[key]))
        if fate is None or fate.external_id is None:
            raise LookupError(f"{prefix} was not posted")
        path = f"/repos/{self.thread.repo}/issues/comments/{fate.external_id}"
        comment: Json = await self.github.call("GET", path)
        return comment

    async def wait_until_idle(self) -> None:
        """Wait until all webhooks are delivered and all jobs are done."""
        await self.github.wait_for_webhooks()
        await wait_until_processed(self.base)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while await self._is_busy():  # noqa: ASYNC110 - the condition lies in the database
                await asyncio.sleep(0.05)
        await self.github.wait_for_webhooks()

    async def begin(self) -> None:
        """Deliver the first webhook, which registers the repository, and postpone all periodic tasks."""
        event, delivery, payload = self.waiting.pop(0)
        await self.github.send_webhook(event, payload, delivery)
        await wait_until_processed(self.base)
        async with self.base.database.unscoped() as connection:
            (self.tenant,) = await all_tenants(connection)
        async with self.base.database.tenant(self.tenant) as tenant:
            project = await Projects(tenant).by_name(self.thread.repo)
        if project is None:
            raise LookupError(f"{self.thread.repo} was not registered")
        self.project = project.id
        await self._postpone_tasks()
        await self.configure(paused=True)

    async def _postpone_tasks(self) -> None:
        async with self.base.database.tenant(self.tenant) as tenant:
            await schedule_measurement(tenant, self.clock.now + _NEVER)
            await Installations(tenant).schedule_reconciliation(self.clock.now + _NEVER)

    async def _is_busy(self) -> bool:
        async with self.base.database.unscoped() as connection:
            return await is_busy(connection)


@asynccontextmanager
async def open_stage(settings: Settings, now: datetime) -> AsyncIterator[Stage]:
    """Start a bot with the demo's sprint as it is at `now`, before any of its webhooks is delivered."""
    # A second earlier, so that creating the objects does not count as an event at `now`.
    clock, checks = Clock(now - timedelta(seconds=1)), dict[str, Json]()

    def record_check(method: str, path: str, _: Mapping[str, str], sent: Any) -> None:
        if "/check-runs" in path and method in {"POST", "PATCH"}:
            key = sent.get("external_id") or sent["head_sha"]
            checks[key] = checks.get(key, {}) | sent

    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(StandInGitHub(check_request=record_check, clock=clock))
        settings = replace(demo_settings(settings, github), billing=settings.billing)
        base = await stack.enter_async_context(open_services(settings, clock))
        await stack.enter_async_context(worker(base))
        port = await stack.enter_async_context(web_server(base, HOST, base.settings.port))
        waiting = list[tuple[str, str, Json]]()

        async def collect(event: str, delivery: str, payload: Json) -> None:
            waiting.append((event, delivery, payload))

        thread = await play(github, now, collect)
        waiting += await _pull_requests(github, waiting)
        github.target = f"http://{HOST}:{port}/webhooks/github"
        waiting.sort(key=lambda webhook: event_time(webhook[2]))
        running = Stage(base, github, clock, thread, checks, waiting)
        await running.begin()
        yield running


async def _pull_requests(
    github: StandInGitHub, webhooks: Sequence[tuple[str, str, Json]]
) -> list[tuple[str, str, Json]]:
    """Build reviewed and merged pull requests of earlier sprints, from which usual sizes are known."""
    closed = [
        payload for event, _, payload in webhooks if event == "issues" and payload["action"] == "closed"
    ]
    frame = {key: closed[0][key] for key in ("repository", "organization", "installation")}
    people = {login: await github.call("GET", f"/users/{login}") for login in ("bob", "carol")}
    pull_webhooks = list[tuple[str, str, Json]]()
    for n, (size, hours) in enumerate(zip(_SIZES, _WAITS_HOURS, strict=True)):
        issue = closed[-len(_SIZES) - 12 + n]["issue"]
        merged_at = datetime.fromisoformat(issue["closed_at"])
        ready_at = merged_at - timedelta(hours=hours + 2)
        pull = _pull(_FIRST + n, issue, frame["repository"], size, ready_at)
        reviewed_at = _stamp(ready_at + timedelta(hours=hours))
        reviewer = people["bob" if issue["user"]["login"] == "carol" else "carol"]
        review = {"id": _FIRST + n, "state": "approved", "user": reviewer, "submitted_at": reviewed_at}
        merged = {"state": "closed", "merged": True} | dict.fromkeys(
            ("merged_at", "closed_at"), issue["closed_at"]
        )
        reviewed = {"pull_request": pull | {"updated_at": reviewed_at}, "review": review}
        done = {"pull_request": pull | merged | {"updated_at": issue["closed_at"]}}
        steps: list[tuple[str, str, Json]] = [
            ("pull_request", "opened", {"pull_request": pull}),
            ("pull_request_review", "submitted", reviewed),
            ("pull_request", "closed", done),
        ]
        for event, action, parts in steps:
            payload = {"action": action, "number": pull["number"], "sender": people["bob"]} | frame | parts
            pull_webhooks.append((event, f"{pull['node_id']}-{action}", payload))
    return pull_webhooks


def _pull(number: int, issue: Json, repo: Json, size: int, at: datetime) -> Json:
    side = {"repo": repo, "sha": hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()}
    return {
        "id": number,
        "node_id": f"PR_stage_{number}",
        "number": number,
        "title": issue["title"],
        "body": f"Closes #{issue['number']}",
        "state": "open",
        "draft": False,
        "created_at": _stamp(at),
        "updated_at": _stamp(at),
        "user": issue["user"],
        "labels": [],
        "assignees": [],
        "milestone": None,
        "head": side | {"ref": f"{issue['number']}-work"},
        "base": {"repo": repo, "ref": repo.get("default_branch") or "main"},
        "additions": size - size // 4,
        "deletions": size // 4,
        "changed_files": 1 + size // 40,
    }


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
