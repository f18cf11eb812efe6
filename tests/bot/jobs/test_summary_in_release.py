"""`summaries: release`: the summary is put into the release that has the milestone's title."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.jobs.sprint_reports import SprintReports
from bot.publishing.pictures import Drawing, Pictures
from bot.publishing.posts import PostPublisher
from bot.services import github_of
from bot.settings import Settings
from github_standin.github import StandInGitHub
from storage.jobs import Jobs
from tests.support.clock import Clock
from tests.support.github_openapi import load_checker
from tests.support.reporting import ReportingHarness
from tests.support.running import running_bot
from tests.support.sprints import make_sprint, use_private_repository

PEOPLES = "## What's new\r\n\r\n- Pay by card (#1)"


@pytest.fixture
async def room(settings: Settings, clock: Clock, drawing: Drawing) -> AsyncIterator[ReportingHarness]:
    """The bot where it may write contents, as `app.yml` asks for."""
    async with (
        StandInGitHub(check_request=load_checker()) as github,
        running_bot(github, settings, clock, drawing) as bot,
        github_of(bot.base) as installed,
    ):
        base = bot.base
        pictures = Pictures(base.database, drawing, base.settings.public_url)
        reports = SprintReports(base.database, pictures, Jobs(base.queue), clock)
        yield ReportingHarness(
            bot,
            clock,
            reports,
            PostPublisher(base.database, installed, clock, reports.as_of_now, pause_seconds=0),
        )
        assert not github.violations, github.violations


async def followed(room: ReportingHarness) -> datetime:
    """A sprint that is followed in a thread, whose milestone was closed just now."""
    await make_sprint(room.bot)
    issue = await room.bot.github.create_issue(room.bot.repo, "Sprints")
    room.thread = issue["number"]
    await room.set_settings(tracking=room.thread, summaries="release", alerts="off")
    now = datetime.now(UTC)
    await room.advance(now)
    await room.bot.github.update_milestone(room.bot.repo, 1, state="closed")
    await room.bot.rest()
    return now + timedelta(minutes=3)


async def publish(room: ReportingHarness, **changes: Any) -> dict[str, Any]:
    fields = {"tag_name": "2026-12", "name": "Sprint 12", "body": PEOPLES} | changes
    release: dict[str, Any] = await room.bot.github.call(
        "POST", f"/repos/{room.bot.repo}/releases", fields, as_user="alice"
    )
    await room.bot.rest()
    return release


async def body_of(room: ReportingHarness, release: dict[str, Any]) -> str:
    path = f"/repos/{room.bot.repo}/releases/{release['id']}"
    return str((await room.bot.github.call("GET", path))["body"])


async def test_a_release_that_is_there_is_written_into_and_nothing_is_stated_elsewhere(
    room: ReportingHarness,
) -> None:
    release = await publish(room)
    messages = await room.advance(await followed(room))
    body = await body_of(room, release)

    assert len(messages) == 1  # The living comment.
    assert body.startswith(f"{PEOPLES}\n\n<!-- agile-github-suite:post:")
    assert "### Sprint 12 · summary" in body
    assert "![Burndown: " in body
    assert "**Goal:** Pay by card\n" in body  # Nobody is asked anything where no command can be said.
    assert await room.issues("Summary: Sprint 12") == []


async def test_without_a_release_it_is_stated_once_and_posted_when_there_is_one(
    room: ReportingHarness,
) -> None:
    closed = await followed(room)
    for hours in (0, 1, 2):
        messages = await room.advance(closed + timedelta(hours=hours))
    assert len(messages) == 2
    assert messages[1].startswith("**Sprint 12 is over.** Its summary comes into the release of that name")

    release = await publish(room)
    messages = await room.advance(closed + timedelta(hours=3))
    assert messages[1] == "**Sprint 12 is over.** Its summary stands in the release 2026-12."
    assert len(messages) == 2
    assert "### Sprint 12 · summary" in await body_of(room, release)


async def test_once_the_snapshot_is_taken_only_our_part_is_edited(room: ReportingHarness) -> None:
    closed = await followed(room)
    release = await publish(room)
    await room.advance(closed)
    before = await body_of(room, release)
    path = f"/repos/{room.bot.repo}/releases/{release['id']}"
    await room.bot.github.call("PATCH", path, {"body": f"Thanks to all!\n\n{before}\n\nP.S."})
    await room.advance(closed + timedelta(days=3))
    body = await body_of(room, release)

    assert "provisional" in before
    assert body.startswith(f"Thanks to all!\n\n{PEOPLES}\n\n<!--")
    assert body.endswith("-->\n\nP.S.")
    assert body.count("### Sprint 12 · summary") == 1
    assert "Frozen on" in body
    assert "provisional" not in body
    writes = room.writes
    await room.advance(closed + timedelta(days=4))
    assert room.writes == writes


async def test_what_a_person_took_out_of_the_release_stays_out(room: ReportingHarness) -> None:
    closed = await followed(room)
    release = await publish(room)
    await room.advance(closed)
    path = f"/repos/{room.bot.repo}/releases/{release['id']}"
    await room.bot.github.call("PATCH", path, {"body": PEOPLES})
    await room.advance(closed + timedelta(days=3))
    assert await body_of(room, release) == PEOPLES


async def test_of_a_private_repository_the_release_has_words_for_the_picture(room: ReportingHarness) -> None:
    await use_private_repository(room.bot)
    closed = await followed(room)
    release = await publish(room, body="")
    await room.advance(closed)
    body = await body_of(room, release)

    assert "\n\nBurndown: " in body
    assert "mermaid" not in body
    assert "http" not in body


async def test_a_release_of_another_name_is_left_alone(room: ReportingHarness) -> None:
    release = await publish(room, name="Sprint 13")
    await room.advance(await followed(room))
    assert await body_of(room, release) == PEOPLES
