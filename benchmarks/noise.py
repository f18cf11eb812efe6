"""How much we say unasked: many repositories through a whole sprint, every write counted.

Run `python -m benchmarks.noise [events] [repositories]`. Made-up webhooks go through recording; the jobs that
they put into the queue are run when their time has come by a made-up clock, and what comes of them is sent to
the stand-in for GitHub without pauses, but counted. Two repositories of three have a calm sprint, the third
a wild one. All but one are private, because pictures are slow. Exit status 1 if more was written in an hour
than the pace allows, if anything was said twice, or if a living comment differs from the facts at the end.
"""

import asyncio
import itertools
import json
import random
import re
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import make_url

from benchmarks import common
from bot.github.client import GitHubUnavailableError
from bot.jobs.event_processor import EventProcessor
from bot.jobs.sprint_reports import SprintReports
from bot.publishing.item_titles import ItemTitles
from bot.publishing.pictures import ChartRenderer, Pictures
from bot.publishing.posts import PostPublisher
from bot.services import Services, open_github, open_services
from bot.settings import GitHubSettings, Secret, load
from bot.sync.installation_check import InstallationCheck
from bot.webhooks.delivery_writer import DeliveryWriter
from charts.reading import number, quantity
from github_standin.github import StandInGitHub
from marketplace.entitlements import allow_everywhere
from sprints.burndown import measure_amount
from storage.deliveries import ReceivedDelivery
from storage.embedded import running_server
from storage.jobs import Jobs
from storage.lookups import all_tenants
from storage.projects import Project, Projects
from storage.sprints import Sprints

Json = dict[str, Any]
_TICK = timedelta(minutes=5)
_MOST_AN_HOUR = 400
_GOAL = 4
_ITEMS, _DAYS = 12, 12
_MARKER = re.compile(r"agile-github-suite:post:(\d+)")
_NUMBERS = itertools.count(1)


@dataclass
class Box:
    """A repository with its sprint. `thread` is where it is followed."""

    repository: Json
    thread: int
    milestone: Json
    is_calm: bool
    told: list[tuple[datetime, str, Json]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.repository["full_name"])


class Clock:
    """The time as the benchmark says it is."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def main() -> int:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    repositories = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    with common.scratch() as folder, running_server(folder):
        figures, failures = asyncio.run(_soak(folder, events, repositories))
    common.report(
        {"benchmark": "noise", "repositories": repositories, **figures},
        f"{figures['events']} events of {repositories} repositories made {figures['writes']} writes, at most "
        f"{figures['most_an_hour']} in an hour ({_MOST_AN_HOUR} are allowed). A calm sprint notified people "
        f"{figures['calm_median']} times, at most {figures['calm_most']} (goal: {_GOAL}), a wild one at most "
        f"{figures['wild_most']}. Said twice: {figures['twice']}; living comments that differ from the "
        f"facts: {figures['differ']}.",
    )
    for failure in failures[:20]:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


# What happens


def _boxes(made: list[tuple[Json, int]], events: int, monday: datetime) -> list[Box]:
    boxes = []
    for n, (repository, thread) in enumerate(made):
        due = monday + timedelta(days=_DAYS - 1, hours=8)
        milestone = {
            "id": 50_000 + n,
            "number": 1,
            "title": f"Sprint {n}",
            "description": f"Start: {monday:%Y-%m-%d}",
            "created_at": _stamp(monday - timedelta(days=4)),
            "updated_at": _stamp(monday - timedelta(days=4)),
            "due_on": _stamp(due),
            "closed_at": None,
        }
        box = Box(repository, thread, milestone, is_calm=n % 3 != 2)
        _live(box, monday, events // len(made), random.Random(n))
        boxes.append(box)
    return boxes


def _live(box: Box, monday: datetime, events: int, luck: random.Random) -> None:
    """A repository's two weeks: most items are done by and by; of a wild sprint half, and more comes in."""
    items = {n: _item(n, 1 + n % 5, monday - timedelta(days=3)) for n in range(100, 100 + _ITEMS)}
    box.told.append((monday - timedelta(days=4), "milestone", {"action": "created"}))
    for item in items.values():
        _join(box, item, monday - timedelta(days=2))
    hours = [
        monday + timedelta(days=day, hours=9 + hour / 4)
        for day in range(_DAYS)
        if day % 7 < 5
        for hour in range(36)
    ]
    done = list(items)[: -1 if box.is_calm else -_ITEMS // 2]
    for place, n in enumerate(done):
        _close(box, items[n], hours[(place + 1) * (len(hours) - 8) // (len(done) + 1)])
    if not box.is_calm:
        for n in range(200, 208):
            late = _item(n, 3, monday + timedelta(days=1))
            items[n] = late
            _join(box, late, luck.choice(hours))
    while len(box.told) < events:
        item = luck.choice(list(items.values()))
        _note(box, item, luck.choice(hours) + timedelta(seconds=luck.randrange(900)), next(_NUMBERS))
    box.told.sort(key=lambda entry: entry[0])


def _item(n: int, points: int, created: datetime) -> Json:
    times = {"created_at": _stamp(created), "updated_at": _stamp(created), "closed_at": None}
    labels = [{"name": f"points: {points}"}]
    return {"number": n, "title": f"Item {n}", "state": "open", "labels": labels, "milestone": None} | times


def _join(box: Box, item: Json, at: datetime) -> None:
    told = dict(item)
    box.told.append((at, "issues", {"action": "opened", "issue": told}))
    item["milestone"] = box.milestone
    box.told.append((at, "issues", {"action": "milestoned", "issue": dict(item), "milestone": box.milestone}))


def _close(box: Box, item: Json, at: datetime) -> None:
    closed = item | {"state": "closed", "state_reason": "completed", "closed_at": _stamp(at)}
    box.told.append((at, "issues", {"action": "closed", "issue": closed}))


def _note(box: Box, item: Json, at: datetime, n: int) -> None:
    """Something that changes no number: much of what happens."""
    label = {"id": n, "node_id": f"L{n}", "name": f"area-{n}"}
    box.told.append((at, "issues", {"action": "labeled", "issue": dict(item), "label": label}))


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


# The bot


@dataclass
class Machine:
    """The pieces of the bot that matter here, by the benchmark's clock."""

    base: Services
    clock: Clock
    inbox: DeliveryWriter
    recording: EventProcessor
    reports: SprintReports
    posting: PostPublisher
    github: StandInGitHub
    installations: InstallationCheck
    wait_until: datetime

    async def deliver(self, box: Box, event: str, told: Json, at: datetime) -> None:
        repository = box.repository
        payload = told | {"repository": repository, "installation": {"id": self.github.installation_id}}
        payload |= {"sender": {"id": 7, "login": "alice", "type": "User"}}
        if event == "milestone":
            payload["milestone"] = box.milestone
        if "issue" in told:
            n = told["issue"]["number"]
            ids = {"id": repository["id"] * 1000 + n, "node_id": f"I{repository['id']}_{n}"}
            payload["issue"] = told["issue"] | ids | {"updated_at": _stamp(at)}
        owner = repository["owner"]
        body = json.dumps(payload).encode()
        guid = f"noise-{next(_NUMBERS)}"
        await self.inbox.store(
            ReceivedDelivery(
                guid,
                event,
                told["action"],
                self.github.installation_id,
                owner["id"],
                owner["login"],
                owner["type"],
                repository["id"],
                body,
            )
        )

    async def run_jobs(self, tenant: int) -> None:
        """The redraws whose time has come."""
        # As the administrator: the application's role does not see what jobs are about.
        address = make_url(self.base.database_url).set(username="postgres").render_as_string()
        with psycopg.connect(address, autocommit=True) as connection:
            due = connection.execute(
                "delete from procrastinate_jobs where task_name = 'run_later'"
                " and args ->> 'task' = 'redraw' and status = 'todo' and scheduled_at <= %s"
                " returning (args -> 'arguments' ->> 'project_id')::bigint",
                (self.clock.now,),
            ).fetchall()
        for (project_id,) in due:
            await self.reports.redraw(tenant, project_id)

    async def send(self, tenant: int) -> None:
        if self.clock.now < self.wait_until:
            return
        try:
            await self.posting.send(tenant)
        except GitHubUnavailableError as problem:
            self.wait_until = problem.retry_at


async def _soak(folder: Path, events: int, repositories: int) -> tuple[Json, list[str]]:
    settings = load(common.bot_environment(folder, common.free_port()), needs_github=True)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    # What is delivered now must be due by the clock of the benchmark, which begins four days before.
    monday = today + timedelta(days=14 - today.weekday())
    clock = Clock(monday - timedelta(days=4))
    renderer = ChartRenderer()
    async with StandInGitHub() as github, open_services(settings) as base:
        app = GitHubSettings(str(github.app_id), Secret(github.private_key))
        # GitHub lives in real time.
        real = replace(base, settings=replace(settings, github=app, github_api_url=github.url))
        async with open_github(real) as client:
            jobs = Jobs()
            pictures = Pictures(base.database, renderer, "http://localhost")
            reports = SprintReports(
                base.database, pictures, ItemTitles("https://github.com"), jobs, clock, allow_everywhere
            )
            machine = Machine(
                base,
                clock,
                DeliveryWriter(base.database, base.cipher),
                EventProcessor(base.database, base.cipher, jobs, clock),
                reports,
                PostPublisher(
                    base.database,
                    client,
                    clock,
                    reports.as_of_now,
                    pause_seconds=0,
                    most_an_hour=_MOST_AN_HOUR,
                ),
                github,
                InstallationCheck(base.database, client, clock),
                clock.now,
            )
            boxes = _boxes([await _repository(github, n) for n in range(repositories)], events, monday)
            try:
                return await _through(machine, boxes, monday)
            finally:
                renderer.close()


async def _repository(github: StandInGitHub, n: int) -> tuple[Json, int]:
    repository = await github.create_repository(name=f"noise-{n}", private=n > 0)
    issue = await github.create_issue(repository["full_name"], "Sprints")
    return repository, int(issue["number"])


async def _through(machine: Machine, boxes: list[Box], monday: datetime) -> tuple[Json, list[str]]:
    told = [(at, n, event, body) for n, box in enumerate(boxes) for at, event, body in box.told]
    waiting = sorted(told, key=lambda entry: entry[:2], reverse=True)
    writes, tenant = Counter[datetime](), 0
    end = monday + timedelta(days=_DAYS + 6)
    while machine.clock.now < end:
        before, is_told = _written(machine), bool(waiting and waiting[-1][0] <= machine.clock.now)
        while waiting and waiting[-1][0] <= machine.clock.now:
            at, n, event, body = waiting.pop()
            await machine.deliver(boxes[n], event, body, at)
        if not tenant and waiting and len(waiting) < len(told):
            tenant = await _settled(machine, boxes)
        if tenant:
            if is_told:
                await machine.recording.process_pending(tenant)
            await _by_the_clock(machine, tenant)
            await machine.run_jobs(tenant)
            await machine.send(tenant)
        writes[machine.clock.now.replace(minute=0)] += _written(machine) - before
        machine.clock.now += _TICK
    return await _judge(machine, boxes, tenant, writes, len(told))


async def _settled(machine: Machine, boxes: list[Box]) -> int:
    """Every repository says where its sprint is followed."""
    async with machine.base.database.unscoped() as connection:
        (tenant,) = await all_tenants(connection)
    await machine.installations.run(tenant)
    await machine.recording.process_pending(tenant)
    async with machine.base.database.tenant(tenant) as scoped:
        for box in boxes:
            project = await Projects(scoped).by_name(box.name)
            assert project is not None, box.name
            await Projects(scoped).set_command_setting(project.id, "tracking", box.thread)
    return int(tenant)


async def _by_the_clock(machine: Machine, tenant: int) -> None:
    if (machine.clock.now.hour, machine.clock.now.minute) not in {(1, 0), (8, 0)}:
        return
    async with machine.base.database.tenant(tenant) as scoped:
        projects = await Projects(scoped).active()
    for project in projects:
        await machine.reports.redraw(tenant, project.id)


def _written(machine: Machine) -> int:
    return sum(
        request[0] in {"POST", "PATCH"} and "/repos/" in request[1] for request in machine.github.requests
    )


# What came of it


async def _judge(
    machine: Machine, boxes: list[Box], tenant: int, writes: Counter[datetime], events: int
) -> tuple[Json, list[str]]:
    failures, notified = list[str](), dict[bool, list[int]]({True: [], False: []})
    twice = differ = 0
    for box in boxes:
        comments = await machine.github.comments(box.name, box.thread)
        bodies = [comment["body"] for comment in comments if comment["user"]["type"] == "Bot"]
        markers = Counter(mark for body in bodies for mark in _MARKER.findall(body))
        twice += sum(count - 1 for count in markers.values())
        notified[box.is_calm].append(len(bodies))
        wrong = await _difference(machine, tenant, box, bodies)
        differ += bool(wrong)
        failures += [f"{box.name}: {wrong}"] if wrong else []
    most = max(writes.values())
    failures += [f"{most} writes in an hour"] if most > _MOST_AN_HOUR else []
    failures += [f"{twice} posts were said twice"] if twice else []
    failures += [f"a calm sprint notified {max(notified[True])} times"] if max(notified[True]) > _GOAL else []
    figures = {
        "events": events,
        "writes": sum(writes.values()),
        "most_an_hour": most,
        "calm_median": median(notified[True]),
        "calm_most": max(notified[True]),
        "wild_most": max(notified[False], default=0),
        "twice": twice,
        "differ": differ,
    }
    return figures, failures


async def _difference(machine: Machine, tenant: int, box: Box, bodies: list[str]) -> str:
    """What the living comment says otherwise than the facts."""
    living = [body for body in bodies if body.startswith(f"### {box.milestone['title']} · ended\n")]
    if len(living) != 1:
        return f"{len(living)} living comments"
    async with machine.base.database.tenant(tenant) as scoped:
        project: Project | None = await Projects(scoped).by_name(box.name)
        assert project is not None
        facts = await Sprints(scoped, project).facts(box.milestone["id"], machine.clock.now)
    assert facts is not None
    done, scope = measure_amount(facts.done, facts.unit), measure_amount(facts.scope, facts.unit)
    expected = f"**{number(done)} of {quantity(scope, facts.unit)} done**"
    return "" if expected in living[0] else f"the facts are {expected}"


if __name__ == "__main__":
    sys.exit(main())
