"""Reconciliation finds missed events and corrects them once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from bot.github.client import GitHub
from bot.settings import GitHubSettings, Secret
from bot.sync import reconciliation_queries
from bot.sync.reconciliation import Reconciliation
from sprints.facts import Facts
from sprints.numbering import local_number
from storage.projects import Projects
from storage.sprints import Sprints
from tests.support.running import Bot, rows


class Sprint:
    """A running sprint that bot and GitHub agree on, and reconciliations half an hour later."""

    def __init__(self, bot: Bot, reconciliation: Reconciliation) -> None:
        self.bot = bot
        self.reconciliation = reconciliation
        self.organization = 0

    async def run(self) -> int:
        return await self.reconciliation.run(self.organization)

    async def facts(self) -> Facts:
        async with self.bot.base.database.tenant(self.organization) as tenant:
            project = await Projects(tenant).by_name(self.bot.repo)
            assert project is not None
            sprints = Sprints(tenant, project)
            milestone = await sprints.milestone_id(1)
            assert milestone is not None
            facts = await sprints.facts(milestone, later())
            assert facts is not None
            return facts

    async def items(self) -> list[tuple[int, str, int | None]]:
        """Number, state and points of each member."""
        return [
            (local_number(item.number), item.state, None if item.points is None else int(item.points))
            for item in (await self.facts()).items
        ]

    async def corrections(self) -> list[Any]:
        query = "select * from timeline where source = 'correction' order by id"
        return await rows(self.bot.base, query, self.organization)


def later() -> datetime:
    """When all webhooks of now have had their time."""
    return datetime.now(UTC) + timedelta(minutes=30)


def in_days(days: int) -> str:
    """A day to come, as a milestone states it."""
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


@pytest.fixture
async def sprint(bot: Bot) -> AsyncIterator[Sprint]:
    """Three issues, one of them in no milestone."""
    github, repo = bot.github, bot.repo
    await github.create_milestone(repo, "Sprint 1", due_on=f"{in_days(100)}T07:00:00Z")
    await github.create_milestone(repo, "Sprint 2")
    await github.create_issue(repo, "Pay", labels=["points: 3"], milestone=1)
    await github.create_issue(repo, "Ship", labels=["points: 5"], milestone=1)
    await github.create_issue(repo, "Wish", labels=["points: 2"])
    await bot.rest()
    settings = GitHubSettings(str(github.app_id), Secret(github.private_key))
    async with aiohttp.ClientSession() as session:
        client = GitHub(session, settings, github.url, bot.base.clock)
        result = Sprint(bot, Reconciliation(bot.base.database, client, later))
        result.organization = int((await rows(bot.base, "select * from all_tenants()"))[0][0])
        yield result


async def test_where_all_agrees_nothing_is_written(sprint: Sprint) -> None:
    assert await sprint.items() == [(1, "open", 3), (2, "open", 5)]
    assert await sprint.run() == 0
    assert await sprint.corrections() == []


@pytest.mark.parametrize(
    ("number", "fields", "expected"),
    [
        (1, {"state": "closed"}, [(1, "done", 3), (2, "open", 5)]),
        (
            1,
            {"state": "closed", "state_reason": "not_planned"},
            [(1, "dropped", 3), (2, "open", 5)],
        ),
        (1, {"state": "closed", "state_reason": "duplicate"}, [(1, "dropped", 3), (2, "open", 5)]),
        (1, {"labels": ["points: 5"]}, [(1, "open", 5), (2, "open", 5)]),
        (1, {"labels": []}, [(1, "open", None), (2, "open", 5)]),
        (1, {"milestone": 2}, [(2, "open", 5)]),
        (1, {"milestone": None}, [(2, "open", 5)]),
        (3, {"milestone": 1}, [(1, "open", 3), (2, "open", 5), (3, "open", 2)]),
        (3, {"milestone": 1, "state": "closed"}, [(1, "open", 3), (2, "open", 5), (3, "done", 2)]),
    ],
)
async def test_an_item_becomes_as_github_shows_it(
    sprint: Sprint, number: int, fields: dict[str, Any], expected: list[Any]
) -> None:
    await sprint.bot.github.change_without_webhook(sprint.bot.repo, number, **fields)
    assert await sprint.items() != expected
    assert await sprint.run() == 1
    assert await sprint.items() == expected
    assert await sprint.run() == 0
    (correction,) = await sprint.corrections()
    assert (correction.event, correction.delivery[:10]) == ("corrected", "reconcile:")


async def test_what_was_done_without_a_webhook_was_done_when_github_says(sprint: Sprint) -> None:
    at = (datetime.now(UTC) + timedelta(minutes=2)).replace(microsecond=0)
    data = at.isoformat().replace("+00:00", "Z")
    await sprint.bot.github.change_without_webhook(sprint.bot.repo, 1, at=data, state="closed")
    assert await sprint.run() == 1
    (done,) = (await sprint.facts()).done_items
    assert done.done_at == at


async def test_an_issue_that_we_never_heard_of(sprint: Sprint) -> None:
    async with sprint.bot.github.muted():
        await sprint.bot.github.create_issue(sprint.bot.repo, "New", labels=["points: 8"], milestone=1)
        await sprint.bot.github.close_issue(sprint.bot.repo, 4)
    assert await sprint.run() > 0
    assert await sprint.items() == [(1, "open", 3), (2, "open", 5), (4, "done", 8)]
    assert await sprint.run() == 0


async def test_the_milestone_becomes_as_github_shows_it(sprint: Sprint) -> None:
    async with sprint.bot.github.muted():
        await sprint.bot.github.update_milestone(
            sprint.bot.repo, 1, title="Sprint One", due_on=f"{in_days(107)}T07:00:00Z"
        )
    assert await sprint.run() == 1
    result = (await sprint.facts()).sprint
    assert (result.title, str(result.due)) == ("Sprint One", in_days(107))
    assert await sprint.run() == 0
    assert [row.event for row in await sprint.corrections()] == ["edited"]


async def test_a_milestone_that_was_closed_unheard_is_closed(sprint: Sprint) -> None:
    async with sprint.bot.github.muted():
        await sprint.bot.github.update_milestone(sprint.bot.repo, 1, state="closed")
    assert await sprint.run() == 1
    assert (await sprint.facts()).sprint.closed_at is not None
    assert await sprint.run() == 0
    assert [row.event for row in await sprint.corrections()] == ["closed"]


async def test_what_has_just_changed_is_left_to_its_webhook(sprint: Sprint) -> None:
    soon = (later() - timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
    await sprint.bot.github.change_without_webhook(sprint.bot.repo, 1, at=soon, state="closed")
    assert await sprint.run() == 0


async def test_a_tenant_with_waiting_deliveries_is_left_for_later(sprint: Sprint) -> None:
    await sprint.bot.github.change_without_webhook(sprint.bot.repo, 1, state="closed")
    back = "update github_events set processed_at = null, due_at = now() + interval '1 hour' returning 1"
    await rows(sprint.bot.base, back, sprint.organization)
    assert await sprint.run() == 0


async def test_what_github_no_longer_has_is_gone(sprint: Sprint) -> None:
    repository = sprint.bot.github.history.repository(sprint.bot.repo)
    assert repository is not None
    del repository.items[1]
    assert await sprint.run() == 1
    assert await sprint.items() == [(1, "dropped", 3), (2, "open", 5)]
    assert (await sprint.facts()).scope.count == 1
    assert await sprint.run() == 0
    assert [row.event for row in await sprint.corrections()] == ["deleted"]


async def test_all_pages_are_read(sprint: Sprint, monkeypatch: pytest.MonkeyPatch) -> None:
    one_by_one = reconciliation_queries.MILESTONE_QUERY.replace("(first: 100, after", "(first: 1, after")
    assert one_by_one != reconciliation_queries.MILESTONE_QUERY
    monkeypatch.setattr(reconciliation_queries, "MILESTONE_QUERY", one_by_one)
    assert await sprint.run() == 0
    await sprint.bot.github.change_without_webhook(sprint.bot.repo, 2, state="closed")
    await sprint.bot.github.change_without_webhook(sprint.bot.repo, 3, milestone=1)
    assert await sprint.run() == 2
    assert await sprint.items() == [(1, "open", 3), (2, "done", 5), (3, "open", 2)]


async def test_two_at_once_correct_the_same_once(sprint: Sprint) -> None:
    await sprint.bot.github.change_without_webhook(sprint.bot.repo, 1, state="closed")
    await asyncio.gather(sprint.run(), sprint.run())
    assert len(await sprint.corrections()) == 1


async def test_a_milestone_that_github_no_longer_has_is_deleted(sprint: Sprint) -> None:
    for number in (1, 2):
        await sprint.bot.github.change_without_webhook(sprint.bot.repo, number, milestone=None)
    repository = sprint.bot.github.history.repository(sprint.bot.repo)
    assert repository is not None
    del repository.milestones[1]
    assert await sprint.run() == 3
    assert (await sprint.facts()).sprint.is_deleted
    assert await sprint.items() == []
    assert await sprint.run() == 0


async def test_a_merged_pull_request_is_done(sprint: Sprint) -> None:
    call, repo = sprint.bot.github.call, sprint.bot.repo
    await call("PUT", f"/repos/{repo}/contents/a.txt", {"message": "a", "content": "YQ=="})
    (main,) = await call("GET", f"/repos/{repo}/branches")
    branch = {"ref": "refs/heads/pay", "sha": main["commit"]["sha"]}
    await call("POST", f"/repos/{repo}/git/refs", branch)
    change = {"message": "b", "content": "Yg==", "branch": "pay"}
    await call("PUT", f"/repos/{repo}/contents/b.txt", change)
    sent = {"title": "Pay", "head": "pay", "base": main["name"]}
    number = (await call("POST", f"/repos/{repo}/pulls", sent))["number"]
    await sprint.bot.rest()
    await sprint.bot.github.change_without_webhook(repo, number, milestone=1, state="closed", merged=True)
    assert await sprint.run() == 1
    assert (number, "done", None) in await sprint.items()
    assert await sprint.run() == 0


async def test_links_that_no_webhook_told_of_are_known_since_they_were_asked_for(sprint: Sprint) -> None:
    """Of a pull request that says one thing, and is linked with another issue in its sidebar."""
    bot = sprint.bot
    pull = await bot.github.open_pull_request(bot.repo, "Pay", head="pay")
    number = pull["number"]
    await bot.github.update_issue(bot.repo, number, milestone=1)
    await bot.rest()
    repository = bot.github.history.repository(bot.repo)
    assert repository
    assert [item.number for item in (await sprint.facts()).items if item.is_covered] == []

    repository.items[number].linked = {2}
    await sprint.run()
    (result,) = [correction for correction in await sprint.corrections() if correction.kind == "pull_request"]
    assert (result.event, result.after["item"]["closes"]) == ("linked", [2])
    assert await covered(sprint) == [number]
    await sprint.run()
    assert len(await sprint.corrections()) == 1

    repository.items[number].linked = set()
    await sprint.run()
    assert await covered(sprint) == []


async def covered(sprint: Sprint) -> list[int]:
    """The items that others tell, once all that was asked for has happened."""
    async with sprint.bot.base.database.tenant(sprint.organization) as tenant:
        project = await Projects(tenant).by_name(sprint.bot.repo)
        assert project is not None
        facts = await Sprints(tenant, project).facts(
            await Sprints(tenant, project).milestone_id(1) or 0, later() + timedelta(minutes=5)
        )
        assert facts is not None
        return [local_number(item.number) for item in facts.items if item.is_covered]
