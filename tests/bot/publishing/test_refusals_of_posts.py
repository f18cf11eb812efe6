"""What GitHub refuses is tried again: a day after the refusal, or as soon as the reason is gone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.cli.doctor import examine
from tests.bot.publishing.test_posts import Desk, desk  # noqa: F401 - a fixture
from tests.conftest import Clock
from tests.support.running import rows

REFUSED = {"message": "Resource not accessible by integration"}


async def refused_edit(desk: Desk) -> None:  # noqa: F811
    """A comment that stands, and an edit of it that GitHub refused."""
    await desk.set_desired(desk.comment("Day 1"))
    await desk.send()
    desk.bot.github.fail_next("PATCH", "/issues/comments/", 403, body=REFUSED)
    await desk.set_desired(desk.comment("Day 2"))
    await desk.send()
    assert await desk.said() == ["Day 1"]


async def test_in_a_lively_sprint_one_refusal_is_over_after_a_day(desk: Desk, clock: Clock) -> None:  # noqa: F811
    """Something new is wanted every hour, so no wish is ever a day old."""
    clock.now = begun = datetime.now(UTC)
    await refused_edit(desk)
    said = list[str]()
    for hour in range(1, 27):
        clock.now = begun + timedelta(hours=hour)
        await desk.set_desired(desk.comment(f"Hour {hour}"))
        await desk.send()
        said += await desk.said()

    assert said[:24] == ["Day 1"] * 24
    assert said[24:] == ["Hour 25", "Hour 26"]
    assert not any("living:1" in finding for finding in await examine(desk.bot.base))


async def test_it_is_tried_again_a_day_later_also_if_there_is_nothing_new(desk: Desk, clock: Clock) -> None:  # noqa: F811
    clock.now = begun = datetime.now(UTC)
    await refused_edit(desk)
    assert any("living:1: GitHub answered 403" in finding for finding in await examine(desk.bot.base))
    clock.now = begun + timedelta(days=1, minutes=1)
    await desk.send()

    assert await desk.said() == ["Day 2"]


async def test_each_refusal_counts_from_its_own_time(desk: Desk, clock: Clock) -> None:  # noqa: F811
    clock.now = begun = datetime.now(UTC)
    await refused_edit(desk)
    desk.bot.github.fail_next("PATCH", "/issues/comments/", 403, body=REFUSED)
    for hours, said in ((25, "Day 1"), (48, "Day 1"), (50, "Day 2")):
        clock.now = begun + timedelta(hours=hours)
        await desk.send()
        assert await desk.said() == [said]


@pytest.mark.parametrize("action", ["new_permissions_accepted", "unsuspend"])
async def test_when_an_owner_has_acted_it_is_tried_at_once(desk: Desk, action: str) -> None:  # noqa: F811
    await refused_edit(desk)
    await desk.bot.github.trigger("installation", action)
    await desk.bot.rest()

    assert await desk.said() == ["Day 2"]


@pytest.mark.parametrize(("thread", "said"), [(1, "Day 2"), (2, "Day 1")])
async def test_when_the_thread_is_unlocked_it_is_tried_at_once(
    desk: Desk,  # noqa: F811
    thread: int,
    said: str,
) -> None:
    await refused_edit(desk)
    await deliver_unlocked(desk, thread)

    assert await desk.said() == [said]


async def test_an_answer_that_was_refused_is_given_when_the_thread_is_unlocked(desk: Desk) -> None:  # noqa: F811
    desk.bot.github.fail_next("POST", "/issues/1/comments", 403, body={"message": "issue is locked"})
    await desk.bot.say(desk.issue, "/agile help")
    assert await desk.said() == []
    await deliver_unlocked(desk, desk.issue)

    (answer,) = await desk.said()
    assert "/agile" in answer
    assert not await rows(desk.bot.base, "select 1 from outbox where refused is not null", desk.tenant)


async def deliver_unlocked(desk: Desk, number: int) -> None:  # noqa: F811
    """Somebody unlocks the conversation of an issue."""
    issue = {**await desk.bot.github.issue(desk.bot.repo, desk.issue), "number": number, "locked": False}
    sent = next(one for one in reversed(desk.bot.github.deliveries) if one.event == "issues")
    payload: dict[str, Any] = {**sent.payload, "action": "unlocked", "issue": issue}
    status, _ = await desk.bot.deliver("issues", payload)
    assert status == 202
    await desk.bot.rest()
