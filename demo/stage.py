"""The demo's sprint day by day, by a clock that stands until somebody moves it.

What the bot says unasked is said when `speak` asks for it, so that nothing depends on how fast the machine
is.
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
from bot.jobs.event_processor import until_processed
from bot.jobs.worker import worker
from bot.services import Services, services
from bot.settings import Settings
from demo.run import demo_settings
from demo.scenario import DemoThread, play
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
    """The time as it was said last."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Stage:
    """The whole bot at work, and what of the sprint's history it has not been told yet."""

    base: Services
    github: StandInGitHub
    clock: Clock
    thread: DemoThread
    checks: dict[str, Json]
    waiting: list[tuple[str, str, Json]] = field(default_factory=list)
    tenant: int = 0
    project: int = 0
    followed: int = 0
    pulls: list[Json] = field(default_factory=list)

    async def until(self, day: int, time: str) -> None:
        """Lets the sprint go on until a time of a day in its month."""
        hour, minute = map(int, time.split(":"))
        await self.move(self.clock.now.replace(day=day, hour=hour, minute=minute, second=0))

    async def move(self, to: datetime) -> None:
        """The same, to a moment. The real clock has to reach its next second before anything happens then."""
        await asyncio.sleep(1.05)
        self.clock.now = to
        stamp = to.strftime("%Y-%m-%dT%H:%M:%SZ")
        due = [one for one in self.waiting if _happened(one[2]) <= stamp]
        self.waiting = self.waiting[len(due) :]
        if due:  # What happens in between is not told of.
            await self.settle(paused=True)
        for event, delivery, payload in due:
            await self.github.send_hook(event, payload, delivery)
        await self.rest()

    async def settle(self, **settings: Any) -> None:
        """The team settles something."""
        async with self.base.database.tenant(self.tenant) as tenant:
            for key, value in settings.items():
                await Projects(tenant).set_command_setting(self.project, key, value)

    async def follow(self, title: str) -> None:
        """The sprint is followed in an issue of this title from now on."""
        self.followed = (await self.github.create_issue(self.thread.repo, title))["number"]
        await self.rest()
        await self.settle(tracking=self.followed)

    async def speak(self) -> None:
        """Everything that is said unasked is brought up to date."""
        await self.settle(paused=False)
        async with self.base.database.tenant(self.tenant) as tenant:
            jobs, at = Jobs(self.base.queue), tenant.connection
            await jobs.defer(at, RedrawJob(organization_id=self.tenant, project_id=self.project))
            await jobs.defer(at, CheckJob(organization_id=self.tenant, project_id=self.project))
        await self.rest()

    async def measure(self) -> None:
        """What is done at night."""
        await DailyFigures(self.base.database, self.clock).run(self.tenant)
        await self._hold()

    async def say(self, number: int, text: str, who: str = "alice", repo: str = "") -> list[Json]:
        """Somebody comments; the bot's comments that are new or say something else afterwards."""
        repo = repo or self.thread.repo
        await self.settle(paused=False)
        before = {one["id"]: one["body"] for one in await self.github.comments(repo, number)}
        await self.github.comment(repo, number, text, as_user=who)
        await self.rest()
        return [
            one
            for one in await self.github.comments(repo, number)
            if one["user"]["type"] == "Bot" and before.get(one["id"]) != one["body"]
        ]

    async def said(self, prefix: str) -> Json:
        """What we said last unasked under a key that begins so."""
        async with self.base.database.tenant(self.tenant) as tenant:
            wanted = await Posts(tenant).desired_since(self.project, prefix)
            fate = await Posts(tenant).status(self.project, max(wanted, key=lambda key: wanted[key]))
        if fate is None or fate.external_id is None:
            raise LookupError(f"{prefix} was not said")
        path = f"/repos/{self.thread.repo}/issues/comments/{fate.external_id}"
        comment: Json = await self.github.call("GET", path)
        return comment

    async def rest(self) -> None:
        """Until all that was caused is done."""
        await self.github.settle()
        await until_processed(self.base)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while await self._is_busy():  # noqa: ASYNC110 - the condition lies in the database
                await asyncio.sleep(0.05)
        await self.github.settle()

    async def begin(self) -> None:
        """The first of the history makes us known; from then on nothing is done by the clock."""
        event, delivery, payload = self.waiting.pop(0)
        await self.github.send_hook(event, payload, delivery)
        await until_processed(self.base)
        async with self.base.database.unscoped() as connection:
            (self.tenant,) = await all_tenants(connection)
        async with self.base.database.tenant(self.tenant) as tenant:
            project = await Projects(tenant).by_name(self.thread.repo)
        if project is None:
            raise LookupError(f"{self.thread.repo} is not known")
        self.project = project.id
        await self._hold()
        await self.settle(paused=True)

    async def _hold(self) -> None:
        async with self.base.database.tenant(self.tenant) as tenant:
            await schedule_measurement(tenant, self.clock.now + _NEVER)
            await Installations(tenant).schedule_reconciliation(self.clock.now + _NEVER)

    async def _is_busy(self) -> bool:
        async with self.base.database.unscoped() as connection:
            return await is_busy(connection)


@asynccontextmanager
async def stage(settings: Settings, now: datetime) -> AsyncIterator[Stage]:
    """The demo's sprint as it is at `now`, before any of it was told."""
    # A second earlier, lest what is made for the story be taken for what happens in it.
    clock, checks = Clock(now - timedelta(seconds=1)), dict[str, Json]()

    def note(method: str, path: str, _: Mapping[str, str], sent: Any) -> None:
        if "/check-runs" in path and method in {"POST", "PATCH"}:
            key = sent.get("external_id") or sent["head_sha"]
            checks[key] = checks.get(key, {}) | sent

    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(StandInGitHub(check_request=note, clock=clock))
        settings = replace(demo_settings(settings, github), billing=settings.billing)
        base = await stack.enter_async_context(services(settings, clock))
        await stack.enter_async_context(worker(base))
        port = await stack.enter_async_context(web_server(base, HOST, base.settings.port))
        waiting = list[tuple[str, str, Json]]()

        async def keep(event: str, delivery: str, payload: Json) -> None:
            waiting.append((event, delivery, payload))

        thread = await play(github, now, keep)
        waiting += await _pull_requests(github, waiting)
        github.target = f"http://{HOST}:{port}/webhooks/github"
        found = Stage(base, github, clock, thread, checks, sorted(waiting, key=lambda one: _happened(one[2])))
        await found.begin()
        yield found


def _happened(payload: Json) -> str:
    told = payload.get("comment") or payload.get("issue") or payload.get("pull_request")
    return str((told or payload["milestone"])["updated_at"])


async def _pull_requests(
    github: StandInGitHub, told: Sequence[tuple[str, str, Json]]
) -> list[tuple[str, str, Json]]:
    """Pull requests of the sprints before, so that there is something usual: reviewed and merged."""
    closed = [one for event, _, one in told if event == "issues" and one["action"] == "closed"]
    frame = {key: closed[0][key] for key in ("repository", "organization", "installation")}
    people = {login: await github.call("GET", f"/users/{login}") for login in ("bob", "carol")}
    found = list[tuple[str, str, Json]]()
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
        seen = {"pull_request": pull | {"updated_at": reviewed_at}, "review": review}
        done = {"pull_request": pull | merged | {"updated_at": issue["closed_at"]}}
        steps: list[tuple[str, str, Json]] = [
            ("pull_request", "opened", {"pull_request": pull}),
            ("pull_request_review", "submitted", seen),
            ("pull_request", "closed", done),
        ]
        for event, action, parts in steps:
            payload = {"action": action, "number": pull["number"], "sender": people["bob"]} | frame | parts
            found.append((event, f"{pull['node_id']}-{action}", payload))
    return found


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
