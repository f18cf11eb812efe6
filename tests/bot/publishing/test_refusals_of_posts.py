"""Refused posts are retried after a day, or as soon as the reason is gone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.cli.doctor import examine
from tests.support.clock import Clock
from tests.support.publishing import PublishingHarness
from tests.support.running import rows

REFUSED = {"message": "Resource not accessible by integration"}


async def refused_edit(publishing: PublishingHarness) -> None:
    """A comment that stands, and an edit of it that GitHub refused."""
    await publishing.set_desired(publishing.comment("Day 1"))
    await publishing.send()
    publishing.bot.github.fail_next("PATCH", "/issues/comments/", 403, body=REFUSED)
    await publishing.set_desired(publishing.comment("Day 2"))
    await publishing.send()
    assert await publishing.read_thread() == ["Day 1"]


async def test_in_a_lively_sprint_one_refusal_is_over_after_a_day(
    publishing: PublishingHarness, clock: Clock
) -> None:
    """Something new is wanted every hour, so no wish is ever a day old."""
    clock.now = begun = datetime.now(UTC)
    await refused_edit(publishing)
    answer = list[str]()
    for hour in range(1, 27):
        clock.now = begun + timedelta(hours=hour)
        await publishing.set_desired(publishing.comment(f"Hour {hour}"))
        await publishing.send()
        answer += await publishing.read_thread()

    assert answer[:24] == ["Day 1"] * 24
    assert answer[24:] == ["Hour 25", "Hour 26"]
    assert not any("living:1" in finding for finding in await examine(publishing.bot.base))


async def test_it_is_tried_again_a_day_later_also_if_there_is_nothing_new(
    publishing: PublishingHarness, clock: Clock
) -> None:
    clock.now = begun = datetime.now(UTC)
    await refused_edit(publishing)
    assert any("living:1: GitHub answered 403" in finding for finding in await examine(publishing.bot.base))
    clock.now = begun + timedelta(days=1, minutes=1)
    await publishing.send()

    assert await publishing.read_thread() == ["Day 2"]


async def test_each_refusal_counts_from_its_own_time(publishing: PublishingHarness, clock: Clock) -> None:
    clock.now = begun = datetime.now(UTC)
    await refused_edit(publishing)
    publishing.bot.github.fail_next("PATCH", "/issues/comments/", 403, body=REFUSED)
    for hours, answer in ((25, "Day 1"), (48, "Day 1"), (50, "Day 2")):
        clock.now = begun + timedelta(hours=hours)
        await publishing.send()
        assert await publishing.read_thread() == [answer]


@pytest.mark.parametrize("action", ["new_permissions_accepted", "unsuspend"])
async def test_when_an_owner_has_acted_it_is_tried_at_once(
    publishing: PublishingHarness, action: str
) -> None:
    await refused_edit(publishing)
    await publishing.bot.github.trigger("installation", action)
    await publishing.bot.rest()

    assert await publishing.read_thread() == ["Day 2"]


@pytest.mark.parametrize(("thread", "expected"), [(1, "Day 2"), (2, "Day 1")])
async def test_when_the_thread_is_unlocked_it_is_tried_at_once(
    publishing: PublishingHarness,
    thread: int,
    expected: str,
) -> None:
    await refused_edit(publishing)
    await deliver_unlocked(publishing, thread)

    assert await publishing.read_thread() == [expected]


async def test_an_answer_that_was_refused_is_given_when_the_thread_is_unlocked(
    publishing: PublishingHarness,
) -> None:
    publishing.bot.github.fail_next("POST", "/issues/1/comments", 403, body={"message": "issue is locked"})
    await publishing.bot.say(publishing.issue, "/agile help")
    assert await publishing.read_thread() == []
    await deliver_unlocked(publishing, publishing.issue)

    (answer,) = await publishing.read_thread()
    assert "/agile" in answer
    assert not await rows(
        publishing.bot.base, "select 1 from outbox where refused is not null", publishing.tenant
    )


async def deliver_unlocked(publishing: PublishingHarness, number: int) -> None:
    """Somebody unlocks the conversation of an issue."""
    issue = {
        **await publishing.bot.github.issue(publishing.bot.repo, publishing.issue),
        "number": number,
        "locked": False,
    }
    sent = next(
        delivery for delivery in reversed(publishing.bot.github.deliveries) if delivery.event == "issues"
    )
    payload: dict[str, Any] = {**sent.payload, "action": "unlocked", "issue": issue}
    status, _ = await publishing.bot.deliver("issues", payload)
    assert status == 202
    await publishing.bot.rest()
