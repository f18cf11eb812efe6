"""Checks that GitHub refused are sent with current values later, or dropped if nobody needs them."""

from datetime import UTC, datetime, timedelta

from storage.job_types import SendPostsJob
from storage.jobs import Jobs
from storage.lookups import all_tenants
from tests.support.changes import query_database
from tests.support.checks import (
    deliver_pull_request_event,
    find_check,
    list_check_writes,
    open_pull_request,
)
from tests.support.clock import Clock
from tests.support.repository_settings import set_setting
from tests.support.running import Bot
from tests.support.sprints import make_sprint


async def refused_check(bot: Bot, clock: Clock, due: int) -> dict[str, object]:
    """A pull request of a sprint, whose check GitHub refused."""
    clock.now = datetime.now(UTC)
    await make_sprint(bot, due=due)
    return await refused_pull(bot)


async def refused_pull(bot: Bot, head: str = "work") -> dict[str, object]:
    """A pull request whose check GitHub refuses."""
    bot.github.fail_next("POST", "/check-runs$", 403, body={"message": "no"}, times=50)
    pull: dict[str, object] = await open_pull_request(bot, body="Closes #1", head=head)
    (row,) = await query_database(bot, f"select refused from posts where key = '{key_of(pull)}'")
    assert "403" in row.refused
    bot.github.clear_faults()
    return pull


def key_of(pull: dict[str, object]) -> str:
    return f"check:{head_of(pull)}"


def head_of(pull: dict[str, object]) -> str:
    return str(pull["head"]["sha"])  # type: ignore[index]


async def a_day_later(bot: Bot, clock: Clock) -> None:
    """What waits is sent, and nothing else has happened."""
    clock.now = datetime.now(UTC) + timedelta(days=1, hours=1)
    async with bot.base.database.unscoped() as connection:
        (tenant,) = await all_tenants(connection)
        await Jobs().defer(connection, SendPostsJob(organization_id=tenant))
    await bot.rest()


async def test_it_is_computed_again(bot: Bot, clock: Clock) -> None:
    """The sprint ends on the day on which it was refused."""
    pull = await refused_check(bot, clock, due=0)
    head = head_of(pull)
    (row,) = await query_database(bot, "select data from posts where kind = 'check'")
    before = row.data["output"]["title"]
    await a_day_later(bot, clock)

    assert (await find_check(bot, head))["output"]["title"] != before


async def test_of_a_pull_request_that_was_closed_meanwhile_it_is_dropped(bot: Bot, clock: Clock) -> None:
    """That of another one, which is still open, is sent."""
    closed_one = await refused_check(bot, clock, due=9)
    await bot.github.put_file(bot.repo, "README.md", "The second commit.\n")
    open_one = await refused_pull(bot, "more-work")
    assert head_of(open_one) != head_of(closed_one)
    await deliver_pull_request_event(bot, "closed", closed_one, state="closed", merged=True)
    before = len(list_check_writes(bot))
    await a_day_later(bot, clock)

    assert len(list_check_writes(bot)) == before + 1
    assert (await find_check(bot, head_of(open_one)))["status"] == "completed"
    (row,) = await query_database(bot, f"select * from posts where key = '{key_of(closed_one)}'")
    assert (row.external_id, row.is_withdrawn) == (None, True)


async def test_where_checks_are_off_meanwhile_it_is_dropped(bot: Bot, clock: Clock) -> None:
    pull = await refused_check(bot, clock, due=9)
    await set_setting(bot, "checks", "off")
    before = len(list_check_writes(bot))
    await a_day_later(bot, clock)

    assert len(list_check_writes(bot)) == before
    (row,) = await query_database(bot, f"select * from posts where key = '{key_of(pull)}'")
    assert (row.external_id, row.is_withdrawn) == (None, True)
