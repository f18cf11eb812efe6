"""`summaries: release`: the summary is put into the release that has the milestone's title."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.jobs.sprint_reports import SprintReports
from bot.publishing.item_titles import ItemTitles
from bot.publishing.pictures import ChartRenderer
from bot.publishing.posts import PostPublisher
from bot.services import open_github
from bot.settings import Settings
from github_standin.github import StandInGitHub
from marketplace.entitlements import allow_everywhere
from storage.jobs import Jobs
from tests.support.chart_links import DrawnPictures
from tests.support.clock import Clock
from tests.support.github_openapi import load_checker
from tests.support.reporting import ReportingHarness
from tests.support.running import running_bot
from tests.support.sprints import make_sprint, use_private_repository

PEOPLES = "## What's new\r\n\r\n- Pay by card (#1)"


@pytest.fixture
async def reporting(
    settings: Settings, clock: Clock, drawing: ChartRenderer
) -> AsyncIterator[ReportingHarness]:
    """The bot where it may write contents, as `app.yml` asks for."""
    async with (
        StandInGitHub(check_request=load_checker()) as github,
        running_bot(github, settings, clock, drawing) as bot,
        open_github(bot.base) as installed,
    ):
        base = bot.base
        pictures = DrawnPictures(base.database, drawing, base.settings.public_url)
        reports = SprintReports(
            base.database, pictures, ItemTitles("https://github.com"), Jobs(), clock, allow_everywhere
        )
        yield ReportingHarness(
            bot,
            clock,
            reports,
            PostPublisher(base.database, installed, clock, reports.as_of_now, pause_seconds=0),
        )
        assert not github.violations, github.violations


async def followed(reporting: ReportingHarness) -> datetime:
    """A sprint that is followed in a thread, whose milestone was closed just now."""
    await make_sprint(reporting.bot)
    issue = await reporting.bot.github.create_issue(reporting.bot.repo, "Sprints")
    reporting.thread = issue["number"]
    await reporting.set_settings(tracking=reporting.thread, summaries="release", alerts="off")
    now = datetime.now(UTC)
    await reporting.advance(now)
    await reporting.bot.github.update_milestone(reporting.bot.repo, 1, state="closed")
    await reporting.bot.rest()
    return now + timedelta(minutes=3)


async def publish(reporting: ReportingHarness, **changes: Any) -> dict[str, Any]:
    fields = {"tag_name": "2026-12", "name": "Sprint 12", "body": PEOPLES} | changes
    release: dict[str, Any] = await reporting.bot.github.call(
        "POST", f"/repos/{reporting.bot.repo}/releases", fields, as_user="alice"
    )
    await reporting.bot.rest()
    return release


async def body_of(reporting: ReportingHarness, release: dict[str, Any]) -> str:
    path = f"/repos/{reporting.bot.repo}/releases/{release['id']}"
    return str((await reporting.bot.github.call("GET", path))["body"])


async def test_a_release_that_is_there_is_written_into_and_nothing_is_stated_elsewhere(
    reporting: ReportingHarness,
) -> None:
    release = await publish(reporting)
    messages = await reporting.advance(await followed(reporting))
    body = await body_of(reporting, release)

    assert len(messages) == 1  # The living comment.
    assert body.startswith(f"{PEOPLES}\n\n<!-- agile-github-suite:post:")
    assert "### Sprint 12 · summary" in body
    assert "![Burndown: " in body  # Light only: a release is mailed.
    assert "<picture>" not in body
    assert "**Goal:** Pay by card\n" in body  # Nobody is asked anything where no command can be said.
    assert await reporting.issues("Summary: Sprint 12") == []


async def test_without_a_release_it_is_stated_once_and_posted_when_there_is_one(
    reporting: ReportingHarness,
) -> None:
    closed = await followed(reporting)
    for hours in (0, 1, 2):
        messages = await reporting.advance(closed + timedelta(hours=hours))
    assert len(messages) == 2
    assert messages[1].startswith(
        "**Sprint 12 is over.** I will add its summary to the GitHub release whose tag"
    )

    release = await publish(reporting)
    messages = await reporting.advance(closed + timedelta(hours=3))
    assert messages[1] == "**Sprint 12 is over.** Its summary is in the release 2026-12."
    assert len(messages) == 2
    assert "### Sprint 12 · summary" in await body_of(reporting, release)


async def test_once_the_snapshot_is_taken_only_our_part_is_edited(reporting: ReportingHarness) -> None:
    closed = await followed(reporting)
    release = await publish(reporting)
    await reporting.advance(closed)
    before = await body_of(reporting, release)
    path = f"/repos/{reporting.bot.repo}/releases/{release['id']}"
    await reporting.bot.github.call("PATCH", path, {"body": f"Thanks to all!\n\n{before}\n\nP.S."})
    await reporting.advance(closed + timedelta(days=3))
    body = await body_of(reporting, release)

    assert "provisional" in before
    assert body.startswith(f"Thanks to all!\n\n{PEOPLES}\n\n<!--")
    assert body.endswith("-->\n\nP.S.")
    assert body.count("### Sprint 12 · summary") == 1
    assert "Frozen on" in body
    assert "provisional" not in body
    writes = reporting.writes
    await reporting.advance(closed + timedelta(days=4))
    assert reporting.writes == writes


async def test_what_a_person_took_out_of_the_release_stays_out(reporting: ReportingHarness) -> None:
    closed = await followed(reporting)
    release = await publish(reporting)
    await reporting.advance(closed)
    path = f"/repos/{reporting.bot.repo}/releases/{release['id']}"
    await reporting.bot.github.call("PATCH", path, {"body": PEOPLES})
    await reporting.advance(closed + timedelta(days=3))
    assert await body_of(reporting, release) == PEOPLES


async def test_of_a_private_repository_the_release_has_words_for_the_picture(
    reporting: ReportingHarness,
) -> None:
    await use_private_repository(reporting.bot)
    closed = await followed(reporting)
    release = await publish(reporting, body="")
    await reporting.advance(closed)
    body = await body_of(reporting, release)

    assert "\n\nBurndown: " in body
    assert "mermaid" not in body
    # The only links are those of its items, on GitHub.
    assert body.count("http") == body.count("/issues/") > 0


async def test_a_release_of_another_name_is_left_alone(reporting: ReportingHarness) -> None:
    release = await publish(reporting, name="Sprint 13")
    await reporting.advance(await followed(reporting))
    assert await body_of(reporting, release) == PEOPLES
