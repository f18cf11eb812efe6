"""Recorded histories three ways: live through the door, backfilled through the API, and counted by hand.

Run `python -m benchmarks.histories FILE …`. Every milestone of a file is asked for at thirty moments of its
life and at its end; the three must agree on each number and on each list. Live and backfilled must also agree
on each day and on each line of the ledger. Exit status 1 if they do not.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import common
from benchmarks.count_by_hand import boxes, count, end_of, read
from bot.cli import replay
from bot.cli.backfill import _find
from bot.services import Services, open_github, open_services
from bot.settings import GitHubSettings, Secret, Settings, load
from bot.sync.backfill.backfill import Backfill
from github_standin.github import StandInGitHub
from sprints.plain import convert_facts
from storage.embedded import running_server
from storage.lookups import tenants_of_repository
from storage.projects import Projects
from storage.sprints import Sprints

Json = dict[str, Any]
_MOMENTS = 30
_NUMBERS = ("committed", "scope", "done", "remaining")
_OF_BOTH = (
    "start",
    "end",
    "points",
    "count",
    "days",
    "committed_items",
    "done_items",
    "kept",
    "carried",
    "late",
)


def main() -> int:
    failures = list[str]()
    for path in map(Path, sys.argv[1:]):
        with common.scratch() as folder, running_server(folder):
            compared, wrong, calls = asyncio.run(_compare(folder, path))
        failures += wrong
        common.report(
            {"benchmark": "histories", "file": path.name, "compared": compared, "wrong": len(wrong)},
            f"{compared} answers, each three ways: {len(wrong)} differ. The past was told in {calls} calls.",
        )
    for failure in failures[:20]:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


async def _compare(folder: Path, path: Path) -> tuple[int, list[str], int]:
    deliveries, compared, wrong = read(path), 0, list[str]()
    settings = load(common.bot_environment(folder, common.free_port()), needs_github=True)
    tally = await replay.replay(settings, replay.read(path), None)
    assert not tally.failures, tally.failures
    repository: str = deliveries[0]["payload"]["repository"]["full_name"]
    past = replace(settings, data_dir=folder / "past")
    async with open_services(settings) as live, StandInGitHub() as github:
        with running_server(past.data_dir):
            async with open_services(past) as backfilled:
                calls = await _backfill(backfilled, github, path, repository)
                for number, moment in _moments(deliveries):
                    by_hand = count(deliveries, number, moment)
                    told = [await _facts(base, repository, number, moment) for base in (live, backfilled)]
                    compared += 1
                    where = f"{path.name}, milestone {number} at {moment:%Y-%m-%d %H:%M}"
                    wrong += [f"{where}: {what}" for what in _differences(by_hand, *told)]
    return compared, wrong, calls


def _moments(deliveries: list[Json]) -> Iterator[tuple[int, datetime]]:
    last = max(datetime.fromisoformat(box["updated_at"]) for box in boxes(deliveries).values())
    for number, box in boxes(deliveries).items():
        start = datetime.fromisoformat(box["created_at"])
        end = max(end_of(box) or last, start + timedelta(days=40)) + timedelta(days=2)
        for n in range(1, _MOMENTS + 1):
            yield number, start + (end - start) / _MOMENTS * n


async def _backfill(base: Services, github: StandInGitHub, path: Path, repository: str) -> int:
    """Loads the file into the stand-in, asks it for all of that, and tells in how many calls."""
    told = [
        {"event": one.event, "delivery": one.delivery, "payload": json.loads(bytes(one.payload))}
        for one in replay.read(path)
    ]
    for one in told:
        one["payload"]["installation"] = {"id": github.installation_id}
    github.load_history(told)
    app = GitHubSettings(str(github.app_id), Secret(github.private_key))
    settings: Settings = replace(base.settings, github=app, github_api_url=github.url)
    base = replace(base, settings=settings)
    async with open_github(base) as client:
        organization_id, project_id = await _find(base, client, repository)
        before = len(github.requests)
        await Backfill(base.database, client, base.clock).run(organization_id, project_id)
    return len(github.requests) - before


async def _facts(base: Services, repository: str, number: int, moment: datetime) -> Json:
    async with base.database.unscoped() as connection:
        (organization_id,) = await tenants_of_repository(connection, repository)
    async with base.database.tenant(organization_id) as tenant:
        project = await Projects(tenant).by_name(repository)
        assert project
        sprints = Sprints(tenant, project)
        milestone = await sprints.milestone_id(number)
        assert milestone, number
        facts = await sprints.facts(milestone, moment)
        assert facts, number
        return dict(convert_facts(facts))


def _differences(by_hand: Json, live: Json, backfilled: Json) -> Iterator[str]:
    for name in _NUMBERS:
        found = by_hand[name], live["count"][name], backfilled["count"][name]
        if len(set(found)) > 1:
            yield f"{name} is {found[0]} by hand, {found[1]} live, {found[2]} backfilled"
    finished = sorted(item["number"] for item in live["done_items"])
    if finished != by_hand["finished"]:
        yield f"done by hand {by_hand['finished']}, live {finished}"
    still_open = live["carried"]["items"] if live["end"] and live["as_of"] >= live["end"] else _open(live)
    if still_open != by_hand["open"]:
        yield f"open by hand {by_hand['open']}, live {still_open}"
    for name in _OF_BOTH:
        if live[name] != backfilled[name]:
            yield f"{name} is {live[name]} live, {backfilled[name]} backfilled"
    lines = [
        [(line["at"], line["number"], line["cause"]) for line in one["changes"]] for one in (live, backfilled)
    ]
    if lines[0] != lines[1]:
        yield f"the ledger differs: {set(lines[0]) ^ set(lines[1])}"


def _open(told: Json) -> list[int]:
    return sorted(item["number"] for item in told["items"] if item["state"] == "open")


if __name__ == "__main__":
    sys.exit(main())
