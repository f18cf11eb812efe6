"""A harness for backfills: a webhook history on the stand-in GitHub and a bot that fetches it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import aiohttp

from bot.cli.backfill import _find
from bot.cli.serve import web_server
from bot.github.client import GitHub
from bot.jobs.event_processor import wait_until_processed
from bot.jobs.worker import worker
from bot.services import Services, open_github
from bot.settings import GitHubSettings, Secret
from bot.sync.backfill.backfill import Backfill, Progress
from github_standin.github import StandInGitHub
from github_standin.seed import INSTALLATION_ID
from tests.support.builders import REPOSITORY, Json, item_json, milestone_json, stamp, webhook
from tests.support.running import WebhookClient, rows

_KEYS = count(7300)


class WebhookHistory:
    """Webhooks of a repository that nobody received."""

    def __init__(self) -> None:
        self.key = next(_KEYS)
        self.repo = f"acme/past-{self.key}"
        name = self.repo.partition("/")[2]
        self.repository = REPOSITORY | {
            "id": self.key,
            "node_id": f"R_{self.key}",
            "full_name": self.repo,
            "name": name,
        }
        self.deliveries: list[Json] = []
        self._boxes: dict[int, Json] = {}
        self._items: dict[int, Json] = {}

    def id_of(self, number: int) -> int:
        """A milestone's id."""
        return self.key * 1000 + number

    def node_of(self, number: int) -> str:
        """An item's node id."""
        return f"I_{self.key}_{number}"

    def box(self, number: int, when: str, action: str = "created", **fields: Any) -> Json:
        """Something happens to a milestone; a new title is told with the old one."""
        ids = {"id": self.id_of(number), "node_id": f"M_{self.key}_{number}", "number": number}
        fresh = milestone_json(when, title=f"Sprint {number}", created_at=stamp(when), state="open", **ids)
        before = self._boxes.get(number, fresh)
        self._boxes[number] = before | fields | {"updated_at": stamp(when)}
        parts: Json = {"milestone": self._boxes[number]}
        if "title" in fields and action == "edited":
            parts["changes"] = {"title": {"from": before["title"]}}
        self.tell("milestone", action, **parts)
        return self._boxes[number]

    def item(self, number: int, action: str, when: str, *, of: str = "issue", **fields: Any) -> Json:
        """Something happens to an issue; `of="pull_request"` for the others.

        `label` and `box` are what an event names: their place on the item follows from the action.
        """
        ids = {
            "id": self.key * 1000 + number,
            "node_id": self.node_of(number),
            "user": fields.pop("user", None),
        }
        ids["user"] = ids["user"] or {"id": 1, "login": "alice", "type": "User"}
        fresh = item_json(when, number, created_at=stamp(when), assignees=[], body=None, **ids)
        shown = self._items.get(number, fresh) | {"updated_at": stamp(when)}
        parts: Json = {}
        if label := fields.pop("label", None):
            parts["label"] = {"name": label}
            others = [entry for entry in shown["labels"] if entry["name"] != label]
            shown["labels"] = others + [parts["label"]] * (action == "labeled")
        if box := fields.pop("box", None):
            parts["milestone"] = self._boxes[box]
            shown["milestone"] = parts["milestone"] if action != "demilestoned" else None
        parts |= fields.pop("parts", {})
        if action == "closed":
            shown |= {"state": "closed", "closed_at": stamp(when)}
        if action == "reopened":
            shown |= {"state": "open", "closed_at": None}
        self._items[number] = shown | fields
        self.tell(
            "pull_request" if of == "pull_request" else "issues", action, **{of: shown | fields}, **parts
        )
        return self._items[number]

    def shown(self, number: int, when: str) -> Json:
        """An item as it is, changed at a moment."""
        return self._items[number] | {"updated_at": stamp(when)}

    def many(self, how_many: int, when: str = "01-02", first: int = 1) -> "WebhookHistory":
        """Issues of which nothing more is to be told."""
        for number in range(first, first + how_many):
            self.item(number, "opened", when)
        return self

    def tell(self, event: str, action: str, sender: Json | None = None, **parts: Any) -> None:
        payload = webhook(action, **parts) | {"repository": self.repository}
        payload["installation"] = {"id": INSTALLATION_ID}
        payload |= {"sender": sender} if sender else {}
        guid = f"{self.repo}-{len(self.deliveries):05}"
        self.deliveries.append({"event": event, "delivery": guid, "payload": payload})


class BackfillHarness:
    """A history on the stand-in GitHub, and a bot that fetches it. `pauses` are those that it made."""

    def __init__(self, base: Services, client: GitHub, github: StandInGitHub, past: WebhookHistory) -> None:
        self.base = base
        self.client = client
        self.github = github
        self.past = past
        self.pauses: list[float] = []
        self.organization = 0
        self.project = 0

    async def introduce(self) -> None:
        """GitHub knows what happened so far, and the bot knows the repository."""
        self.github.load_history(self.past.deliveries)
        self.organization, self.project = await _find(self.base, self.client, self.past.repo)
        self.github.history.queries.clear()

    async def run(self, progress: Progress = lambda _done, _total: None) -> int:
        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        backfill = Backfill(self.base.database, self.client, self.base.clock, sleep)
        return await backfill.run(self.organization, self.project, progress)

    def pages(self, field: str = "issues") -> list[tuple[str | None, int]]:
        """Cursor and size of each page that the stand-in was asked for and answered."""
        return [
            (entry["variables"]["after"], entry["variables"]["first"])
            for entry in self.github.history.queries
            if f"items:{field}(" in entry["query"]
        ]

    @property
    def calls(self) -> int:
        """How often GraphQL was called, answered or not."""
        return sum(request.path == "/graphql" for request in self.github.requests)

    async def timeline(self) -> list[Any]:
        return await rows(self.base, "select * from timeline order by id", self.organization)

    async def of_item(self, number: int) -> list[Any]:
        """What is known of an item, in order."""
        return await rows(
            self.base,
            "select event, at, subject, actor, source, after from timeline where item = :item "
            "order by at, delivery",
            self.organization,
            item=self.past.node_of(number),
        )

    async def story(self) -> list[Any]:
        """All that is known of all items."""
        query = "select * from timeline where kind in ('issue', 'pull_request') order by id"
        return await rows(self.base, query, self.organization)

    async def sync(self) -> Any:
        query = "select sync, synced_at from projects where id = :project"
        (row,) = await rows(self.base, query, self.organization, project=self.project)
        return row


@asynccontextmanager
async def start_backfill(github: StandInGitHub, base: Services) -> AsyncIterator[BackfillHarness]:
    """Start a bot on the stand-in GitHub. The test writes the history, which is removed afterwards."""
    github.clear_faults()
    github.requests.clear()
    github.violations.clear()
    app = GitHubSettings(str(github.app_id), Secret(github.private_key))
    base = replace(base, settings=replace(base.settings, github=app, github_api_url=github.url))
    past = WebhookHistory()
    try:
        async with open_github(base) as client:
            yield BackfillHarness(base, client, github, past)
    finally:
        github.history.forget(past.repo)
        github.clear_faults()
    assert not github.violations, github.violations


@asynccontextmanager
async def start_receiver(base: Services) -> AsyncIterator[Callable[[Iterable[Json]], Awaitable[None]]]:
    """Start an endpoint and a worker. Yields a function that delivers webhooks and has them processed."""
    async with (
        worker(base, talks=False),
        web_server(base, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
    ):
        entrance = WebhookClient(session, f"http://127.0.0.1:{port}")

        async def hear(deliveries: Iterable[Json]) -> None:
            for delivery in deliveries:
                assert (await entrance.deliver(delivery["event"], delivery["payload"], delivery["delivery"]))[
                    0
                ] == 202
            await wait_until_processed(base)

        yield hear
