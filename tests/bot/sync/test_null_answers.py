"""Backfill and reconciliation tolerate every null that GitHub's schema allows."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import cast
from unittest.mock import AsyncMock

import pytest
from structlog.testing import capture_logs

from bot.checks.sprint_impact import Checks
from bot.github import linked_issues
from bot.github.client import GitHub
from bot.services import Services
from bot.sync import reconciliation_queries
from bot.sync.backfill.backfill import Backfill
from bot.sync.backfill.queries import PAGES
from bot.sync.reconciliation import Reconciliation
from marketplace.entitlements import allow_everywhere
from storage.pull_requests import PullRequests
from tests.support.builders import at
from tests.support.graphql_answers import Json, answers
from tests.support.running import WebhookClient, rows
from tests.support.webhooks import INSTALLATION_CREATED, ISSUE_OPENED, only_tenant_id, record_deliveries

MILESTONE = {"id": 70, "number": 1, "title": "Sprint 1", "created_at": "2026-11-01T08:00:00Z"}
MILESTONE |= {"due_on": "2026-12-01T08:00:00Z", "updated_at": "2026-11-01T08:00:00Z"}
ITEMS = {
    "Repository.id": "R_5",
    "Issue.id": "I_7",
    "Issue.number": 7,
    "PullRequest.id": "PR_8",
    "PullRequest.number": 8,
    "Milestone.number": 1,
    "PageInfo.hasNextPage": False,
    "RateLimit.remaining": 5000,
    "Milestone.dueOn": "2026-12-01T08:00:00Z",
    "Milestone.title": "Sprint 1",
}
EVENTS = ["LabeledEvent", "UnlabeledEvent", "MilestonedEvent", "DemilestonedEvent", "ReopenedEvent"]
EVENTS += ["RenamedTitleEvent", "AssignedEvent", "UnassignedEvent", "ClosedEvent"]
OF_ISSUES = ["ParentIssueAddedEvent", "ParentIssueRemovedEvent", "ConvertedToDiscussionEvent"]
LISTS = {"IssueTimelineItems": [*EVENTS, *OF_ISSUES], "PullRequestTimelineItems": EVENTS}
# Without these there is nothing to read: the repository or its list is not shown.
NOTHING = {("repository",), ("repository", "items", "nodes"), ("repository", "items", "nodes", 0)}


class OddGitHub:
    """Answers each query with what the test says; its milestones are one."""

    def __init__(self) -> None:
        self.answers: dict[str, Json] = {}
        self.milestones: list[Json] = [MILESTONE]

    def installation(self, _: int) -> "OddGitHub":
        return self

    async def graphql(self, query: str, ids: Sequence[str] = (), **_: object) -> Json:
        answer = self.answers[query]
        return answer | {"nodes": answer["nodes"] * len(ids)} if ids else answer

    async def pages(self, _: str) -> AsyncIterator[Json]:
        for milestone in self.milestones:
            yield milestone


def now() -> datetime:
    return at("11-20")


async def prepared(base: Services, webhook_client: WebhookClient) -> tuple[int, int]:
    """The account and its repository with a running sprint, in which issue 7 is."""
    inside = ISSUE_OPENED | {"action": "milestoned", "milestone": MILESTONE}
    created = ISSUE_OPENED | {"action": "created", "milestone": MILESTONE}
    await record_deliveries(
        base,
        webhook_client,
        [("installation", INSTALLATION_CREATED), ("milestone", created), ("issues", inside)],
    )
    entry = await only_tenant_id(base)
    return entry, (await rows(base, "select id from projects", entry))[0].id


@pytest.mark.parametrize("phase", ["issues", "pull_requests"])
async def test_backfill_tolerates_any_null(base: Services, webhook_client: WebhookClient, phase: str) -> None:
    entry, project = await prepared(base, webhook_client)
    github = OddGitHub()
    backfill = Backfill(base.database, cast(GitHub, github), now)
    full = {name: next(answers(query, ITEMS, LISTS))[1] for name, query in PAGES.items()}
    tried = 0
    for place, answer in answers(PAGES[phase], ITEMS, LISTS):
        if place in NOTHING:
            continue
        github.answers = {PAGES[name]: data for name, data in full.items()} | {PAGES[phase]: answer}
        with capture_logs() as log:
            await backfill.run(entry, project)
        assert not [line for line in log if line["log_level"] == "error"], place
        tried += 1
    assert tried > 20
    known_items = await rows(base, "select distinct item from timeline where source = 'backfill'", entry)
    assert {"I_7", "PR_8"} <= {row.item for row in known_items}


async def test_an_item_that_cannot_be_read_stops_no_other(
    base: Services, webhook_client: WebhookClient
) -> None:
    entry, project = await prepared(base, webhook_client)
    github = OddGitHub()
    github.milestones = [MILESTONE, MILESTONE | {"id": 71, "number": 2, "created_at": None}]
    github.answers = {query: next(answers(query, ITEMS, LISTS))[1] for query in PAGES.values()}
    page = github.answers[PAGES["issues"]]["repository"]["items"]
    page["nodes"] = [page["nodes"][0] | {"id": "I_9", "createdAt": "yesterday"}, page["nodes"][0]]
    with capture_logs() as log:
        await Backfill(base.database, cast(GitHub, github), now).run(entry, project)
    assert [line["event"] for line in log if line["log_level"] == "error"] == [
        "a milestone's past cannot be read",
        "an item's past cannot be read",
    ]
    known_items = await rows(base, "select distinct item from timeline where source = 'backfill'", entry)
    assert {row.item for row in known_items} == {"I_7", "PR_8"}


async def test_reconciliation_tolerates_any_null(base: Services, webhook_client: WebhookClient) -> None:
    entry, _ = await prepared(base, webhook_client)
    github = OddGitHub()
    reconciliation = Reconciliation(base.database, cast(GitHub, github), now)
    items = next(answers(reconciliation_queries.ITEMS_QUERY, ITEMS, {"Node": ["Issue"]}))[1]
    links = next(answers(linked_issues._LINKS_OF_OPEN, ITEMS, {}))[1]
    tried = 0
    for place, answer in answers(reconciliation_queries.MILESTONE_QUERY, ITEMS, {}):
        github.answers = {
            reconciliation_queries.MILESTONE_QUERY: answer,
            reconciliation_queries.ITEMS_QUERY: items,
            linked_issues._LINKS_OF_OPEN: links,
        }
        with capture_logs() as log:
            await reconciliation.run(entry)
        assert not [line for line in log if line["log_level"] == "error"], place
        tried += 1
    assert tried > 20


async def test_linked_issues_tolerate_any_null(base: Services, webhook_client: WebhookClient) -> None:
    """Null stands for an issue that we may not see."""
    entry, project = await prepared(base, webhook_client)
    side = {"ref": "main", "sha": "a1", "repo": ISSUE_OPENED["repository"]}
    pull = ISSUE_OPENED["issue"] | {"id": 8, "node_id": "PR_8", "number": 8, "head": side, "base": side}
    await record_deliveries(base, webhook_client, [("pull_request", ISSUE_OPENED | {"pull_request": pull})])
    github = OddGitHub()
    pictures, jobs = AsyncMock(), AsyncMock()
    pictures.link.return_value = "https://agile.example/charts/x.png"
    work = Checks(base.database, base.cipher, cast(GitHub, github), pictures, jobs, now, allow_everywhere)
    named = ITEMS | {"Repository.nameWithOwner": "acme/shop"}
    for place, answer in answers(linked_issues._LINKS_OF_ONE, named, {}):
        github.answers = {linked_issues._LINKS_OF_ONE: answer}
        await work.update(entry, project, number=8)
        if not place:
            async with base.database.tenant(entry) as within:
                pulls = await PullRequests(within, project).get(8)
            assert pulls
            assert pulls.linked == (7,)
