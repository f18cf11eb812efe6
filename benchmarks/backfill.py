"""The first synchronization of a repository: what it asks GitHub for, and how long it takes.

Run `python -m benchmarks.backfill [items]`. Loads a made-up repository into the stand-in GitHub, on loopback,
and asks for its past as the product does. What REST would need is computed from the same data: `rest_calls`
lists the items by 100 and then each timeline; `rest_event_calls` reads the repository's list of all events
instead, which tells neither parents nor which issues a pull request closes.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import common
from bot.cli.backfill import _find
from bot.services import open_github, open_services
from bot.settings import load
from bot.sync.backfill.backfill import Backfill
from github_standin.github import StandInGitHub
from github_standin.history.objects import StandInRepository
from storage.embedded import EmbeddedServer, running_server

Json = dict[str, Any]
_REPO, _START = "acme/past", datetime(2024, 1, 1, 9, tzinfo=UTC)
_SPRINTS, _A_PAGE = 30, 100
_PULLS_SHARE, _CLOSED_SHARE, _BUSY_SHARE = 0.35, 0.8, 0.003
_POINTS = (1, 2, 3, 5, 8)
_OTHERS = ("bug", "docs", "urgent", "in progress", "needs review", "help wanted")


def main() -> None:
    items = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with common.scratch() as folder, running_server(folder) as server:
        figures = asyncio.run(_measure(folder, server, items))
    common.report(
        {"benchmark": "backfill", **figures},
        f"{items} items are known after {figures['calls']} calls, {figures['points']} of 5,000 points and "
        f"{figures['seconds']} s; item by item REST needs {figures['rest_ratio']} × as many calls.",
    )


async def _measure(folder: Path, server: EmbeddedServer, items: int) -> Json:
    async with StandInGitHub() as github:
        github.load_history(_Story(items, github.installation_id).told())
        environment = common.bot_environment(folder, common.free_port()) | {
            "GITHUB_API_URL": github.url,
            "GITHUB_APP_ID": str(github.app_id),
            "GITHUB_APP_PRIVATE_KEY": github.private_key,
        }
        async with open_services(load(environment, needs_github=True)) as base, open_github(base) as client:
            organization_id, project_id = await _find(base, client, _REPO)
            github.requests.clear()
            points = github.graphql_remaining
            started = time.perf_counter()
            told = await Backfill(base.database, client, base.clock).run(organization_id, project_id)
            seconds = time.perf_counter() - started
            recorded = common.rows(server, "timeline where source = 'backfill'")
        repository = github.history.repository(_REPO)
        if told != items or github.violations or repository is None:
            raise RuntimeError(f"{told} of {items} were told; {github.violations}")
        calls = len(github.requests)
        by_item, by_events = _by_rest(repository)
        return {
            "items": items,
            "timeline_entries": sum(len(item.timeline) for item in repository.items.values()),
            "calls": calls,
            "points": points - github.graphql_remaining,
            "seconds": round(seconds, 2),
            "events_recorded": recorded,
            "rest_calls": by_item,
            "rest_ratio": round(by_item / calls, 1),
            "rest_event_calls": by_events,
            "rest_event_ratio": round(by_events / calls, 1),
        }


def _by_rest(repository: StandInRepository) -> tuple[int, int]:
    """Calls for the same history: list pages and each item's timeline, or the list of all events."""
    entries = [len(item.timeline) for item in repository.items.values()]
    lists = ceil(len(repository.milestones) / _A_PAGE) + ceil(len(entries) / _A_PAGE)
    timelines = sum(max(1, ceil(number / _A_PAGE)) for number in entries)
    return lists + timelines, lists + ceil(sum(entries) / _A_PAGE)


class _Story:
    """Years of a team's work, always the same for a number of items."""

    def __init__(self, items: int, installation: int) -> None:
        self._random = Random(items)
        self._items = items
        self._installation = installation
        self._at = _START
        self._deliveries = 0
        self._boxes = [self._box(number) for number in range(1, _SPRINTS + 1)]

    def told(self) -> Iterator[Json]:
        """Recorded webhooks, as the stand-in loads them."""
        for box in self._boxes:
            yield self._delivery("milestone", "created", milestone=box)
        for number in range(1, self._items + 1):
            yield from self._life(number)

    def _life(self, number: int) -> Iterator[Json]:
        """About eight entries: labels, a sprint or two, somebody who does it, mostly the end."""
        is_pull = self._random.random() < _PULLS_SHARE
        kind, event = ("pull_request", "pull_request") if is_pull else ("issue", "issues")
        self._at = _START + timedelta(hours=number)
        shown = self._opened(number, is_pull=is_pull)
        yield self._delivery(event, "opened", **{kind: shown})
        for action, about, change in self._steps(number, is_pull=is_pull):
            self._at += timedelta(minutes=self._random.randint(1, 3000))
            shown = shown | change | {"updated_at": self._stamp()}
            if action == "closed":
                shown["closed_at"] = shown["updated_at"]
                shown["merged_at"] = shown["closed_at"] if is_pull else None
            yield self._delivery(event, action, **{kind: dict(shown)}, **about)

    def _steps(self, number: int, *, is_pull: bool) -> Iterator[tuple[str, Json, Json]]:
        """Action, what it names, and what it changes."""
        chosen = self._random
        names: list[str] = []
        wanted = [f"points: {chosen.choice(_POINTS)}", *chosen.sample(_OTHERS, chosen.randint(1, 4))]
        for name in wanted:
            names.append(name)
            yield "labeled", {"label": {"name": name}}, {"labels": [{"name": one} for one in names]}
        if chosen.random() < _BUSY_SHARE:
            for _ in range(80):
                yield "labeled", {"label": {"name": "ping"}}, {}
                yield "unlabeled", {"label": {"name": "ping"}}, {}
        person = {"login": f"dev{chosen.randint(1, 12)}", "type": "User"}
        yield "assigned", {"assignee": person}, {"assignees": [person]}
        first = min(number * _SPRINTS // (self._items + 1), _SPRINTS - 2)
        boxes = self._boxes[first : first + chosen.choice((1, 1, 2))]
        for place, box in enumerate(boxes):
            yield "milestoned", {"milestone": box}, {"milestone": box}
            if place < len(boxes) - 1:
                yield "demilestoned", {"milestone": box}, {"milestone": None}
        if chosen.random() < 0.3:
            yield "edited", {"changes": {"title": {"from": f"Item {number}"}}}, {"title": f"Work {number}"}
        yield from self._end(is_pull=is_pull)

    def _end(self, *, is_pull: bool) -> Iterator[tuple[str, Json, Json]]:
        closed: Json = {"state": "closed", "state_reason": None if is_pull else "completed"}
        if is_pull:
            closed["merged"] = True
        if self._random.random() < _CLOSED_SHARE:
            yield "closed", {}, closed
            if not is_pull and self._random.random() < 0.1:
                yield "reopened", {}, {"state": "open", "closed_at": None}
                yield "closed", {}, closed

    def _opened(self, number: int, *, is_pull: bool) -> Json:
        author = {"login": f"dev{self._random.randint(1, 12)}", "type": "User"}
        shown: Json = {"id": 10_000 + number, "node_id": f"I_{number}", "number": number, "user": author}
        shown |= {"title": f"Item {number}", "state": "open", "closed_at": None, "milestone": None}
        shown |= {"created_at": self._stamp(), "updated_at": self._stamp(), "labels": [], "assignees": []}
        body = f"Closes #{self._random.randint(1, number)}" if is_pull else "As a user I want it."
        shown["body"] = body
        return shown | ({"merged": False, "merged_at": None, "base": {"ref": "main"}} if is_pull else {})

    def _box(self, number: int) -> Json:
        box: Json = {"id": 500 + number, "node_id": f"M_{number}", "number": number, "state": "open"}
        box |= {"title": f"Sprint {number}", "description": None, "due_on": None, "closed_at": None}
        return box | {"created_at": self._stamp(), "updated_at": self._stamp()}

    def _delivery(self, event: str, action: str, **parts: Any) -> Json:
        self._deliveries += 1
        owner = {"id": 11, "login": "acme", "type": "Organization"}
        repository: Json = {"id": 7001, "node_id": "R_7001", "name": "past", "full_name": _REPO}
        repository |= {"private": False, "owner": owner}
        payload = {"action": action, "repository": repository, "sender": {"login": "dev1", "type": "User"}}
        payload |= {"installation": {"id": self._installation}, **parts}
        return {"event": event, "delivery": f"{self._deliveries}", "payload": payload}

    def _stamp(self) -> str:
        return self._at.strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    main()
