"""A repository's history on the stand-in GitHub, and the timeline that a backfill makes of it."""

import json
from collections.abc import AsyncIterator

import pytest

from bot.github.client import GitHubUnavailableError
from bot.services import Services
from github_standin.github import StandInGitHub
from tests.support.backfill import BackfillHarness, start_backfill, start_receiver
from tests.support.builders import Json, at, stamp


@pytest.fixture
async def backfill(github: StandInGitHub, base: Services) -> AsyncIterator[BackfillHarness]:
    async with start_backfill(github, base) as result:
        yield result


async def test_a_merged_pull_request_with_what_it_closes(backfill: BackfillHarness) -> None:
    past = backfill.past
    past.many(2)
    pull: Json = {"of": "pull_request", "merged": False, "merged_at": None, "base": {"ref": "main"}}
    pull |= {"body": "Closes #1, fixes #2 and elsewhere/shop#2"}
    past.item(3, "opened", "01-03", **pull)
    past.item(3, "labeled", "01-04", label="ready", **pull)
    past.item(3, "closed", "01-05", **pull | {"merged": True, "merged_at": stamp("01-05")})
    past.item(4, "opened", "01-03", **pull | {"body": None})
    past.item(4, "closed", "01-05", **pull | {"body": None})
    await backfill.introduce()
    assert await backfill.run() == 4
    merged, given_up = await backfill.of_item(3), await backfill.of_item(4)
    assert [row.event for row in merged] == ["opened", "labeled", "closed"]
    assert merged[-1].after["item"]["closes"] == [1, 2]
    assert merged[-1].after["item"]["is_pull_request"]
    assert merged[-1].after["item"]["state"] == "done"
    assert (given_up[-1].after["item"]["state"], given_up[-1].after["item"]["closes"]) == ("dropped", [])


async def test_what_it_closes_where_the_repository_was_renamed_without_a_webhook(
    backfill: BackfillHarness,
) -> None:
    past = backfill.past
    past.many(1)
    pull: Json = {"of": "pull_request", "merged": False, "merged_at": None, "base": {"ref": "main"}}
    past.item(2, "opened", "01-03", **pull | {"body": "Closes #1"})
    await backfill.introduce()
    repository = backfill.github.history.repository(past.repo)
    assert repository
    repository.body = {**repository.body, "full_name": "acme/renamed", "name": "renamed"}
    await backfill.run()

    (opened,) = await backfill.of_item(2)
    assert (opened.event, opened.source, opened.after["item"]["closes"]) == ("opened", "backfill", [1])


async def test_parents_that_come_and_go(backfill: BackfillHarness) -> None:
    past = backfill.past
    past.many(3)
    for action, when, parent in (("added", "01-03", 1), ("removed", "01-04", 1), ("added", "01-05", 2)):
        child, over = past.shown(3, when), past.shown(parent, when)
        past.tell("sub_issues", f"parent_issue_{action}", sub_issue=child, parent_issue=over)
    await backfill.introduce()
    assert await backfill.run() == 3
    assert [(row.event, row.subject) for row in await backfill.of_item(3)] == [
        ("opened", ""),
        ("parent_added", past.node_of(1)),
        ("parent_removed", past.node_of(1)),
        ("parent_added", past.node_of(2)),
    ]


async def test_what_was_made_a_discussion_is_gone(backfill: BackfillHarness) -> None:
    backfill.past.many(1)
    backfill.past.item(1, "labeled", "01-03", label="points: 3")
    await backfill.introduce()
    backfill.github.history.add_timeline_event(
        backfill.past.repo, 1, "ConvertedToDiscussionEvent", stamp("01-04")
    )
    await backfill.run()
    assert [row.event for row in await backfill.of_item(1)] == [
        "opened",
        "labeled",
        "converted_to_discussion",
    ]


async def test_a_closed_issue_whose_timeline_tells_no_closing_is_closed(backfill: BackfillHarness) -> None:
    backfill.past.many(1)
    backfill.past.item(
        1, "edited", "01-04", state="closed", state_reason="completed", closed_at=stamp("01-03")
    )
    await backfill.introduce()
    await backfill.run()
    assert [(row.event, row.at) for row in await backfill.of_item(1)] == [
        ("opened", at("01-02")),
        ("closed", at("01-03")),
    ]


async def test_what_came_by_a_transfer_is_here_since_then(backfill: BackfillHarness) -> None:
    """What it joined elsewhere is none of this repository's, though it has the same title."""
    past = backfill.past
    past.box(1, "01-01")
    past.many(1)
    past.item(1, "milestoned", "01-03", box=1)
    past.item(1, "demilestoned", "01-04", box=1)
    past.item(1, "labeled", "01-06", label="points: 3")
    await backfill.introduce()
    backfill.github.history.add_timeline_event(past.repo, 1, "TransferredEvent", stamp("01-05"))
    await backfill.run()
    opened, labeled = await backfill.of_item(1)
    assert (opened.event, opened.at) == ("opened", at("01-05"))
    assert opened.after["item"]["created_at"].startswith("2026-01-02")
    assert "milestone" not in opened.after["item"]
    assert labeled.event == "labeled"


async def test_bots_have_the_logins_that_webhooks_tell(backfill: BackfillHarness) -> None:
    past = backfill.past
    renovate: Json = {"id": 9, "login": "renovate[bot]", "type": "Bot"}
    past.item(1, "opened", "01-02", user=renovate)
    past.item(1, "assigned", "01-03", parts={"assignee": renovate, "sender": renovate})
    past.item(1, "labeled", "01-04", label="bug", parts={"sender": renovate})
    past.item(1, "closed", "01-05")
    await backfill.introduce()
    await backfill.run()
    result = await backfill.of_item(1)
    assert [(row.event, row.actor) for row in result] == [
        ("opened", "renovate[bot]"),
        ("assigned", "renovate[bot]"),
        ("labeled", "renovate[bot]"),
        ("closed", "alice"),
    ]
    assert result[1].subject == "renovate[bot]"
    assert result[0].after["item"]["author"] == "renovate[bot]"


async def test_webhooks_that_arrive_meanwhile_and_the_past_tell_one_story(backfill: BackfillHarness) -> None:
    """Half of it is heard before the first page, or between pages, and some of it again afterwards."""
    past = backfill.past
    past.box(1, "01-01")
    past.many(60)
    for number in range(1, 61):
        past.item(number, "milestoned", "01-03", box=1)
        past.item(number, "labeled", "01-04", label=f"points: {number % 5}")
    for number in range(1, 61, 2):
        past.item(number, "closed", "01-05", state_reason="completed")
    past.item(3, "reopened", "01-06")
    past.item(5, "demilestoned", "01-06", box=1)
    await backfill.introduce()
    backfill.github.graphql_remaining = 400  # It stops after each page.
    async with start_receiver(backfill.base) as hear:
        await hear(past.deliveries[::3])
        with pytest.raises(GitHubUnavailableError):
            await backfill.run()
        await hear(past.deliveries[1::3])
        with pytest.raises(GitHubUnavailableError):
            await backfill.run()
        await backfill.run()
        both = await backfill.story()
        assert len({(row.item, row.event, row.subject) for row in both}) == len(both)
        assert len(both) == 60 * 3 + 30 + 2
        await hear(past.deliveries)
    assert await backfill.story() == both
    backfill.github.clear_faults()
    await backfill.run()
    assert await backfill.story() == both
    assert {row.source for row in both} == {"webhook", "backfill"}


async def test_a_second_between_the_two_makes_no_second_fact(backfill: BackfillHarness) -> None:
    """A webhook carries its issue's last change, which may lie a second behind the event."""
    past = backfill.past
    past.many(1)
    past.item(1, "labeled", "01-03 10:00:00", label="bug")
    await backfill.introduce()
    late = json.loads(json.dumps(past.deliveries[-1]))
    late["payload"]["issue"]["updated_at"] = stamp("01-03 10:00:01")
    async with start_receiver(backfill.base) as hear:
        await hear([late])
    await backfill.run()
    assert [(row.event, row.source) for row in await backfill.of_item(1)] == [
        ("opened", "backfill"),
        ("labeled", "webhook"),
    ]


async def test_of_a_deleted_issue_no_text_comes_back(backfill: BackfillHarness) -> None:
    """Its page was on its way when the webhook told that it was deleted."""
    past = backfill.past
    past.many(2)
    await backfill.introduce()
    past.item(1, "deleted", "01-04")
    async with start_receiver(backfill.base) as hear:
        await hear([past.deliveries[-1]])
    await backfill.run()
    (deleted,) = await backfill.of_item(1)
    assert deleted.event == "deleted"
    assert "Card 1" not in str(deleted.after)
    assert len(await backfill.of_item(2)) == 1


async def test_a_label_that_is_renamed_later_makes_no_new_past(backfill: BackfillHarness) -> None:
    past = backfill.past
    past.many(1)
    past.item(1, "labeled", "01-03", label="five")
    await backfill.introduce()
    await backfill.run()
    first = await backfill.story()
    past.tell("label", "edited", label={"id": 1, "name": "points: 5"}, changes={"name": {"from": "five"}})
    backfill.github.load_history(past.deliveries[-1:])
    async with start_receiver(backfill.base) as hear:
        await hear(past.deliveries[-1:])
    await backfill.run()
    assert await backfill.story() == first
