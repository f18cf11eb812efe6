"""Pages of a backfill: interruptions and resumption."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.github.client import GitHubRefusedError, GitHubUnavailableError
from bot.services import Services
from bot.sync.backfill.past_reader import BackfillError
from github_standin.github import StandInGitHub
from tests.support.backfill import BackfillHarness, start_backfill
from tests.support.running import wait_until

ROOT = Path(__file__).parents[4]
GAVE_UP = {"message": "Something went wrong while executing your query. This may be the result of a timeout."}


@pytest.fixture
async def backfill(github: StandInGitHub, base: Services) -> AsyncIterator[BackfillHarness]:
    async with start_backfill(github, base) as result:
        yield result


@pytest.fixture
async def large(backfill: BackfillHarness) -> BackfillHarness:
    """120 issues: two full pages and a rest."""
    backfill.past.many(120)
    await backfill.introduce()
    return backfill


async def test_many_items_come_page_by_page_and_once(large: BackfillHarness) -> None:
    seen: list[tuple[int, int]] = []
    assert await large.run(lambda done, total: seen.append((done, total))) == 120
    assert seen == [(50, 120), (100, 120), (120, 120), (120, 120)]
    assert large.calls == 4
    assert [size for _, size in large.pages()] == [50, 50, 50]
    assert len({after for after, _ in large.pages()}) == 3
    first = await large.timeline()
    assert len([row for row in first if row.event == "opened"]) == 120

    large.github.history.queries.clear()
    assert await large.run() == 120
    assert len(large.pages()) == 3
    assert await large.timeline() == first
    assert (await large.sync()).sync == {}
    assert large.pauses == []


async def test_an_outage_on_the_second_page_loses_nothing_of_the_first(large: BackfillHarness) -> None:
    def break_after_the_first(done: int, _total: int) -> None:
        if done == 50:
            large.github.fail_next("POST", "/graphql", 502, times=20)

    before = datetime.now(UTC)
    with pytest.raises(GitHubUnavailableError) as outage:
        await large.run(break_after_the_first)
    assert outage.value.retry_at >= before + timedelta(seconds=60)
    assert large.pauses == [1, 2, 4, 8]
    assert large.calls == 1 + 5
    kept = await large.sync()
    assert (kept.sync["phase"], kept.sync["done"], kept.synced_at) == ("issues", 50, None)
    assert len([row for row in await large.timeline() if row.event == "opened"]) == 50

    large.github.clear_faults()
    assert await large.run() == 120
    (first, _), *rest = large.pages()
    assert first is None
    assert rest[0][0] == kept.sync["after"]
    assert len(rest) == 2
    assert len([row for row in await large.timeline() if row.event == "opened"]) == 120


@pytest.mark.parametrize("trouble", [502, 0, 200])
async def test_in_trouble_half_is_asked_for_after_a_pause_and_then_a_little_more(
    large: BackfillHarness, trouble: int
) -> None:
    body = {"data": None, "errors": [GAVE_UP]} if trouble == 200 else None
    large.github.fail_next("POST", "/graphql", trouble, body=body)
    assert await large.run() == 120
    assert large.pauses == [1]
    assert [size for _, size in large.pages()] == [25, 30, 35, 40]


async def test_a_limit_is_waited_out_and_asks_for_no_less(large: BackfillHarness) -> None:
    large.github.fail_next("POST", "/graphql", 403, headers={"Retry-After": "30"})
    before = datetime.now(UTC)
    with pytest.raises(GitHubUnavailableError) as limit:
        await large.run()
    assert limit.value.retry_at >= before + timedelta(seconds=30)
    assert (large.calls, large.pauses) == (1, [])


async def test_a_refusal_is_not_repeated(large: BackfillHarness) -> None:
    large.github.fail_next("POST", "/graphql", 403)
    with pytest.raises(GitHubRefusedError):
        await large.run()
    assert (large.calls, large.pauses) == (1, [])


async def test_with_few_points_left_the_page_at_hand_is_kept_first(large: BackfillHarness) -> None:
    large.github.graphql_remaining = 501
    with pytest.raises(GitHubUnavailableError, match="nearly used up") as pause:
        await large.run()
    assert pause.value.retry_at > datetime.now(UTC) + timedelta(minutes=50)
    assert (await large.sync()).sync["done"] == 50
    assert len([row for row in await large.timeline() if row.event == "opened"]) == 50

    large.github.clear_faults()
    assert await large.run() == 120
    assert [after is None for after, _ in large.pages()] == [True, False, False]


async def test_few_points_left_at_the_end_stop_nothing(backfill: BackfillHarness) -> None:
    backfill.past.many(1)
    await backfill.introduce()
    backfill.github.graphql_remaining = 502
    assert await backfill.run() == 1
    assert (await backfill.sync()).synced_at is not None


async def test_a_process_that_is_killed_goes_on_where_it_was(large: BackfillHarness) -> None:
    settings = large.base.settings
    assert settings.database_url is not None
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database_url.reveal(),
        "GITHUB_API_URL": large.github.url,
        "GITHUB_APP_ID": str(large.github.app_id),
        "GITHUB_APP_PRIVATE_KEY": large.github.private_key,
        "GITHUB_WEBHOOK_SECRET": "stand-in-secret",
    }
    large.github.delay = 1.0  # The second page is on its way when the first is seen to be kept.
    command = [sys.executable, "-m", "bot", "backfill", large.past.repo]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment)

    async def has_kept_a_page() -> bool:
        return bool((await large.sync()).sync)

    try:
        await wait_until(has_kept_a_page)
    finally:
        process.kill()
        await process.wait()
    assert (await large.sync()).sync["done"] == 50
    large.github.delay = 0.0

    large.github.history.queries.clear()
    again = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=PIPE)
    answer, _ = await again.communicate()
    assert (again.returncode, answer.decode()) == (0, "120 issues and pull requests imported\n")
    assert [after is None for after, _ in large.pages()] == [False, False]
    assert len([row for row in await large.timeline() if row.event == "opened"]) == 120


async def test_what_takes_too_long_is_trouble_as_well(
    large: BackfillHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow_down(done: int, _total: int) -> None:
        if done == 50:
            large.github.delay = 0.6
            monkeypatch.setattr(large.client._session, "_timeout", aiohttp.ClientTimeout(total=0.2))

    with pytest.raises(GitHubUnavailableError):
        await large.run(slow_down)
    assert large.pauses == [1, 2, 4, 8]
    assert (await large.sync()).sync["done"] == 50


async def test_a_cursor_that_github_takes_no_more_is_given_up(large: BackfillHarness) -> None:
    place = 'update projects set sync = \'{"phase": "issues", "after": "gone", "done": 50}\''
    async with large.base.database.tenant(large.organization) as tenant:
        await tenant.connection.exec_driver_sql(place)
    await large.run()
    assert len([row for row in await large.timeline() if row.event == "opened"]) == 120
    (refused,) = large.github.violations
    assert "valid cursor" in str(refused)
    large.github.violations.clear()


async def test_long_timelines_are_read_to_their_end(backfill: BackfillHarness) -> None:
    backfill.past.many(2)
    for minute in range(130):
        when = f"01-03 {10 + minute // 60}:{minute % 60:02}"
        backfill.past.item(2, "labeled" if minute % 2 == 0 else "unlabeled", when, label="bug")
    backfill.past.item(2, "labeled", "01-04", label="points: 5")
    await backfill.introduce()
    assert await backfill.run() == 2
    assert backfill.calls == 3  # the issues, the rest of one's timeline, the pull requests
    events = [row.event for row in await backfill.of_item(2)]
    assert events == ["opened", *["labeled", "unlabeled"] * 65, "labeled"]


async def test_another_repository_that_took_the_name_is_not_read(large: BackfillHarness) -> None:
    query = "update projects set repository_node_id = 'R_that_was_before'"
    async with large.base.database.tenant(large.organization) as tenant:
        await tenant.connection.exec_driver_sql(query)
    with pytest.raises(BackfillError, match="another repository"):
        await large.run()
    assert "opened" not in [row.event for row in await large.timeline()]


async def test_what_is_left_out_is_logged_with_its_count_also_after_a_pause(
    backfill: BackfillHarness,
) -> None:
    backfill.past.box(1, "01-01")
    backfill.past.many(60)
    backfill.past.item(1, "milestoned", "01-03", box=1)
    backfill.past.item(1, "demilestoned", "01-04", box=1)
    backfill.past.box(1, "01-05", "deleted")
    backfill.past.item(60, "closed", "01-06")
    await backfill.introduce()
    backfill.github.graphql_remaining = 400
    with capture_logs() as logs:
        with pytest.raises(GitHubUnavailableError):
            await backfill.run()
        backfill.github.clear_faults()
        assert await backfill.run() == 60
    (warning,) = [line for line in logs if line["log_level"] == "warning"]
    assert (warning["project"], warning["events"]) == (backfill.project, 2)
