"""The past of a repository on the stand-in GitHub, and what the database makes of it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import aiohttp
import pytest

from bot.cli.backfill import _find
from bot.cli.serve import door
from bot.github.client import GitHub, GitHubUnavailableError
from bot.jobs.event_processor import until_processed
from bot.jobs.worker import worker
from bot.services import Services, github_of
from bot.settings import GitHubSettings, Secret
from bot.sync.backfill.backfill import Backfill, Progress
from github_standin.github import StandInGitHub
from github_standin.seed import INSTALLATION_ID
from tests.support.builders import REPOSITORY, Json, at, item_json, milestone_json, stamp, webhook
from tests.support.running import Door, rows

_KEYS = count(7300)


class Past:
    """Writes down what happened, as the webhooks that nobody heard."""

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
            others = [one for one in shown["labels"] if one["name"] != label]
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

    def many(self, how_many: int, when: str = "01-02", first: int = 1) -> "Past":
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


class Asked:
    """A past on the stand-in, and a bot that asks for it. `pauses` are those that it made."""

    def __init__(self, base: Services, client: GitHub, github: StandInGitHub, past: Past) -> None:
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
            (one["variables"]["after"], one["variables"]["first"])
            for one in self.github.history.queries
            if f"items:{field}(" in one["query"]
        ]

    @property
    def calls(self) -> int:
        """How often GraphQL was called, answered or not."""
        return sum(one.path == "/graphql" for one in self.github.requests)

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
        (found,) = await rows(self.base, query, self.organization, project=self.project)
        return found


@asynccontextmanager
async def asking(github: StandInGitHub, base: Services) -> AsyncIterator[Asked]:
    """A bot on the stand-in; the past is written by the test, and forgotten behind it."""
    github.clear_faults()
    github.requests.clear()
    github.violations.clear()
    app = GitHubSettings(str(github.app_id), Secret(github.private_key))
    base = replace(base, settings=replace(base.settings, github=app, github_api_url=github.url))
    past = Past()
    try:
        async with github_of(base) as client:
            yield Asked(base, client, github, past)
    finally:
        github.history.forget(past.repo)
        github.clear_faults()
    assert not github.violations, github.violations


@asynccontextmanager
async def hearing(base: Services) -> AsyncIterator[Callable[[Iterable[Json]], Awaitable[None]]]:
    """A door and a worker; what is given to the function comes in as webhooks and is worked off."""
    async with (
        worker(base, talks=False),
        door(base, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
    ):
        entrance = Door(session, f"http://127.0.0.1:{port}")

        async def hear(deliveries: Iterable[Json]) -> None:
            for one in deliveries:
                assert (await entrance.deliver(one["event"], one["payload"], one["delivery"]))[0] == 202
            await until_processed(base)

        yield hear


@pytest.fixture
async def asked(github: StandInGitHub, base: Services) -> AsyncIterator[Asked]:
    async with asking(github, base) as found:
        yield found


async def test_a_merged_pull_request_with_what_it_closes(asked: Asked) -> None:
    past = asked.past
    past.many(2)
    pull: Json = {"of": "pull_request", "merged": False, "merged_at": None, "base": {"ref": "main"}}
    pull |= {"body": "Closes #1, fixes #2 and elsewhere/shop#2"}
    past.item(3, "opened", "01-03", **pull)
    past.item(3, "labeled", "01-04", label="ready", **pull)
    past.item(3, "closed", "01-05", **pull | {"merged": True, "merged_at": stamp("01-05")})
    past.item(4, "opened", "01-03", **pull | {"body": None})
    past.item(4, "closed", "01-05", **pull | {"body": None})
    await asked.introduce()
    assert await asked.run() == 4
    merged, given_up = await asked.of_item(3), await asked.of_item(4)
    assert [row.event for row in merged] == ["opened", "labeled", "closed"]
    assert merged[-1].after["item"]["closes"] == [1, 2]
    assert merged[-1].after["item"]["is_pull_request"]
    assert merged[-1].after["item"]["state"] == "done"
    assert (given_up[-1].after["item"]["state"], given_up[-1].after["item"]["closes"]) == ("dropped", [])


async def test_what_it_closes_where_the_repository_was_renamed_unheard(asked: Asked) -> None:
    past = asked.past
    past.many(1)
    pull: Json = {"of": "pull_request", "merged": False, "merged_at": None, "base": {"ref": "main"}}
    past.item(2, "opened", "01-03", **pull | {"body": "Closes #1"})
    await asked.introduce()
    repository = asked.github.history.repository(past.repo)
    assert repository
    repository.body = {**repository.body, "full_name": "acme/renamed", "name": "renamed"}
    await asked.run()

    (opened,) = await asked.of_item(2)
    assert (opened.event, opened.source, opened.after["item"]["closes"]) == ("opened", "backfill", [1])


async def test_parents_that_come_and_go(asked: Asked) -> None:
    past = asked.past
    past.many(3)
    for action, when, parent in (("added", "01-03", 1), ("removed", "01-04", 1), ("added", "01-05", 2)):
        child, over = past.shown(3, when), past.shown(parent, when)
        past.tell("sub_issues", f"parent_issue_{action}", sub_issue=child, parent_issue=over)
    await asked.introduce()
    assert await asked.run() == 3
    assert [(row.event, row.subject) for row in await asked.of_item(3)] == [
        ("opened", ""),
        ("parent_added", past.node_of(1)),
        ("parent_removed", past.node_of(1)),
        ("parent_added", past.node_of(2)),
    ]


async def test_what_was_made_a_discussion_is_gone(asked: Asked) -> None:
    asked.past.many(1)
    asked.past.item(1, "labeled", "01-03", label="points: 3")
    await asked.introduce()
    asked.github.history.add_timeline_event(asked.past.repo, 1, "ConvertedToDiscussionEvent", stamp("01-04"))
    await asked.run()
    assert [row.event for row in await asked.of_item(1)] == ["opened", "labeled", "converted_to_discussion"]


async def test_a_closed_issue_whose_timeline_tells_no_closing_is_closed(asked: Asked) -> None:
    asked.past.many(1)
    asked.past.item(1, "edited", "01-04", state="closed", state_reason="completed", closed_at=stamp("01-03"))
    await asked.introduce()
    await asked.run()
    assert [(row.event, row.at) for row in await asked.of_item(1)] == [
        ("opened", at("01-02")),
        ("closed", at("01-03")),
    ]


async def test_what_came_by_a_transfer_is_here_since_then(asked: Asked) -> None:
    """What it joined elsewhere is none of this repository's, though it has the same title."""
    past = asked.past
    past.box(1, "01-01")
    past.many(1)
    past.item(1, "milestoned", "01-03", box=1)
    past.item(1, "demilestoned", "01-04", box=1)
    past.item(1, "labeled", "01-06", label="points: 3")
    await asked.introduce()
    asked.github.history.add_timeline_event(past.repo, 1, "TransferredEvent", stamp("01-05"))
    await asked.run()
    opened, labeled = await asked.of_item(1)
    assert (opened.event, opened.at) == ("opened", at("01-05"))
    assert opened.after["item"]["created_at"].startswith("2026-01-02")
    assert "milestone" not in opened.after["item"]
    assert labeled.event == "labeled"


async def test_bots_have_the_logins_that_webhooks_tell(asked: Asked) -> None:
    past = asked.past
    renovate: Json = {"id": 9, "login": "renovate[bot]", "type": "Bot"}
    past.item(1, "opened", "01-02", user=renovate)
    past.item(1, "assigned", "01-03", parts={"assignee": renovate, "sender": renovate})
    past.item(1, "labeled", "01-04", label="bug", parts={"sender": renovate})
    past.item(1, "closed", "01-05")
    await asked.introduce()
    await asked.run()
    found = await asked.of_item(1)
    assert [(row.event, row.actor) for row in found] == [
        ("opened", "renovate[bot]"),
        ("assigned", "renovate[bot]"),
        ("labeled", "renovate[bot]"),
        ("closed", "alice"),
    ]
    assert found[1].subject == "renovate[bot]"
    assert found[0].after["item"]["author"] == "renovate[bot]"


async def test_webhooks_that_arrive_meanwhile_and_the_past_tell_one_story(asked: Asked) -> None:
    """Half of it is heard before the first page, or between pages, and some of it again afterwards."""
    past = asked.past
    past.box(1, "01-01")
    past.many(60)
    for number in range(1, 61):
        past.item(number, "milestoned", "01-03", box=1)
        past.item(number, "labeled", "01-04", label=f"points: {number % 5}")
    for number in range(1, 61, 2):
        past.item(number, "closed", "01-05", state_reason="completed")
    past.item(3, "reopened", "01-06")
    past.item(5, "demilestoned", "01-06", box=1)
    await asked.introduce()
    asked.github.graphql_remaining = 400  # It stops after each page.
    async with hearing(asked.base) as hear:
        await hear(past.deliveries[::3])
        with pytest.raises(GitHubUnavailableError):
            await asked.run()
        await hear(past.deliveries[1::3])
        with pytest.raises(GitHubUnavailableError):
            await asked.run()
        await asked.run()
        both = await asked.story()
        assert len({(row.item, row.event, row.subject) for row in both}) == len(both)
        assert len(both) == 60 * 3 + 30 + 2
        await hear(past.deliveries)
    assert await asked.story() == both
    asked.github.clear_faults()
    await asked.run()
    assert await asked.story() == both
    assert {row.source for row in both} == {"webhook", "backfill"}


async def test_a_second_between_the_two_makes_no_second_fact(asked: Asked) -> None:
    """A webhook carries its issue's last change, which may lie a second behind the event."""
    past = asked.past
    past.many(1)
    past.item(1, "labeled", "01-03 10:00:00", label="bug")
    await asked.introduce()
    late = json.loads(json.dumps(past.deliveries[-1]))
    late["payload"]["issue"]["updated_at"] = stamp("01-03 10:00:01")
    async with hearing(asked.base) as hear:
        await hear([late])
    await asked.run()
    assert [(row.event, row.source) for row in await asked.of_item(1)] == [
        ("opened", "backfill"),
        ("labeled", "webhook"),
    ]


async def test_of_a_deleted_issue_no_text_comes_back(asked: Asked) -> None:
    """Its page was on its way when the webhook told that it was deleted."""
    past = asked.past
    past.many(2)
    await asked.introduce()
    past.item(1, "deleted", "01-04")
    async with hearing(asked.base) as hear:
        await hear([past.deliveries[-1]])
    await asked.run()
    (deleted,) = await asked.of_item(1)
    assert deleted.event == "deleted"
    assert "Card 1" not in str(deleted.after)
    assert len(await asked.of_item(2)) == 1


async def test_a_label_that_is_renamed_later_makes_no_new_past(asked: Asked) -> None:
    past = asked.past
    past.many(1)
    past.item(1, "labeled", "01-03", label="five")
    await asked.introduce()
    await asked.run()
    first = await asked.story()
    past.tell("label", "edited", label={"id": 1, "name": "points: 5"}, changes={"name": {"from": "five"}})
    asked.github.load_history(past.deliveries[-1:])
    async with hearing(asked.base) as hear:
        await hear(past.deliveries[-1:])
    await asked.run()
    assert await asked.story() == first
