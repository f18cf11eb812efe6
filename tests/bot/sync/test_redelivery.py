"""Failed deliveries are found in GitHub's list, requested again, and counted once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bot.github.client import GitHub, GitHubUnavailableError
from bot.settings import GitHubSettings, Secret
from bot.sync import redelivery
from bot.sync.redelivery import Redelivery
from storage.missed_deliveries import get_checkpoint
from tests.support.clock import Clock
from tests.support.running import Bot, rows

CLOSED_PORT = "http://127.0.0.1:9/webhooks/github"


@pytest.fixture
async def missing(bot: Bot) -> AsyncIterator[Redelivery]:
    """Redelivery beside the bot, and a list of deliveries without those of other tests."""
    await bot.rest()
    bot.github.deliveries.clear()
    settings = GitHubSettings(str(bot.github.app_id), Secret(bot.github.private_key))
    async with aiohttp.ClientSession() as session:
        client = GitHub(session, settings, bot.github.url, bot.base.clock)
        yield Redelivery(bot.base.database, client, bot.base.clock)


async def tenant_id(bot: Bot) -> int:
    return int((await rows(bot.base, "select * from all_tenants()"))[0][0])


async def still_missed(bot: Bot) -> list[tuple[str, int]]:
    query = "select event_type, asked_again from missed_deliveries where recovered_at is null"
    return [(row.event_type, row.asked_again) for row in await rows(bot.base, query, await tenant_id(bot))]


async def happen_unheard(bot: Bot) -> None:
    """A closed issue in a milestone, while nobody is at the door."""
    open_door, bot.github.target = bot.github.target, CLOSED_PORT
    milestone = await bot.github.create_milestone(bot.repo, "Sprint 1")
    issue = await bot.github.create_issue(bot.repo, "Pay", milestone=milestone["number"])
    await bot.github.close_issue(bot.repo, issue["number"])
    await bot.github.wait_for_webhooks()
    bot.github.target = open_door


async def begin(bot: Bot) -> None:
    """The tenant is known from an event that arrived."""
    await bot.github.create_issue(bot.repo, "Known")
    await bot.rest()


async def test_what_was_missed_comes_again_once(bot: Bot, missing: Redelivery) -> None:
    await begin(bot)
    await happen_unheard(bot)
    missed = {delivery.id for delivery in bot.github.deliveries if delivery.status is None}
    assert len(missed) >= 3
    assert await missing.run() == len(missed)
    assert len(await still_missed(bot)) == len(missed)
    await bot.rest()
    assert await missing.run() == 0
    assert await still_missed(bot) == []
    entry = await tenant_id(bot)
    stored = await rows(
        bot.base, "select delivery_id from github_events where processed_at is not null", entry
    )
    assert missed <= {row[0] for row in stored}
    data = await rows(bot.base, "select event from timeline where item <> '' order by at, id", entry)
    events = [row[0] for row in data]
    assert (events.count("closed"), events.count("created"), events.count("milestoned")) == (1, 1, 1)


async def test_two_runs_at_once_do_no_harm(bot: Bot, missing: Redelivery) -> None:
    await begin(bot)
    await happen_unheard(bot)
    await asyncio.gather(missing.run(), missing.run())
    await bot.rest()
    result = await rows(bot.base, "select event, item from timeline", await tenant_id(bot))
    assert [row.event for row in result].count("closed") == 1
    assert await missing.run() == 0


async def test_it_is_asked_for_five_times_with_growing_pauses(
    bot: Bot, missing: Redelivery, clock: Clock
) -> None:
    await begin(bot)
    await happen_unheard(bot)
    bot.github.target, open_door = CLOSED_PORT, bot.github.target
    count = await missing.run()
    await bot.github.wait_for_webhooks()
    assert await missing.run() == 0
    for pause in redelivery.RETRY_PAUSES[1:]:
        clock.now = datetime.now(UTC) + pause
        assert await missing.run() == count
        await bot.github.wait_for_webhooks()
    clock.now = datetime.now(UTC) + timedelta(hours=10)
    assert await missing.run() == 0
    assert {asked for _, asked in await still_missed(bot)} == {5}
    bot.github.target = open_door


async def test_what_is_too_much_for_one_run_is_left_for_the_next(
    bot: Bot, missing: Redelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begin(bot)
    await happen_unheard(bot)
    monkeypatch.setattr(redelivery, "MAX_REQUESTS_PER_RUN", 2)
    assert await missing.run() == 2
    assert len(await still_missed(bot)) >= 3
    await bot.rest()
    while await missing.run():
        await bot.rest()
    assert await still_missed(bot) == []


async def test_the_next_run_goes_on_where_this_one_ended(bot: Bot, missing: Redelivery) -> None:
    await begin(bot)
    before = bot.base.clock()
    assert await missing.run() == 0
    async with bot.base.database.unscoped() as connection:
        until = await get_checkpoint(connection, redelivery.CHECKPOINT)
    assert until is not None
    assert before <= until <= bot.base.clock()


async def test_while_github_is_away_nothing_is_forgotten(bot: Bot, missing: Redelivery) -> None:
    await begin(bot)
    await happen_unheard(bot)
    bot.github.fail_next("POST", "/app/hook/deliveries/.*", 502)
    with pytest.raises(GitHubUnavailableError):
        await missing.run()
    assert await missing.run() >= 3
    await bot.rest()
    await missing.run()
    assert await still_missed(bot) == []
