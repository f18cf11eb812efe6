"""A check that GitHub refused says how things are when it is sent, or is dropped if nobody needs it."""

from datetime import UTC, datetime, timedelta

from storage.jobs import Jobs
from storage.lookups import all_tenants
from tests.bot.test_checks import check, open_pull, tell, writes
from tests.commands.test_changing import in_database
from tests.commands.test_sprint_status import make_sprint
from tests.conftest import Clock
from tests.running import Bot


async def refused_check(bot: Bot, clock: Clock, due: int) -> dict[str, object]:
    """A pull request of a sprint, whose check GitHub refused."""
    clock.now = datetime.now(UTC)
    await make_sprint(bot, due=due)
    bot.github.fail_next("POST", "/check-runs$", 403, body={"message": "no"}, times=2)
    pull: dict[str, object] = await open_pull(bot, body="Closes #1")
    (row,) = await in_database(bot, "select refused from posts where kind = 'check'")
    assert "403" in row.refused
    bot.github.clear_faults()
    return pull


async def a_day_later(bot: Bot, clock: Clock) -> None:
    """What waits is sent, and nothing else has happened."""
    clock.now = datetime.now(UTC) + timedelta(days=1, hours=1)
    async with bot.base.database.nobody() as connection:
        (tenant,) = await all_tenants(connection)
        await Jobs(bot.base.queue).send_posts(connection, organization_id=tenant)
    await bot.rest()


async def test_it_is_worked_out_anew(bot: Bot, clock: Clock) -> None:
    """The sprint ends on the day on which it was refused."""
    pull = await refused_check(bot, clock, due=0)
    head = str(pull["head"]["sha"])  # type: ignore[index]
    (row,) = await in_database(bot, "select data from posts where kind = 'check'")
    before = row.data["output"]["title"]
    await a_day_later(bot, clock)

    assert (await check(bot, head))["output"]["title"] != before


async def test_of_a_pull_request_that_was_closed_meanwhile_it_is_dropped(bot: Bot, clock: Clock) -> None:
    pull = await refused_check(bot, clock, due=9)
    await tell(bot, "closed", pull, state="closed", merged=True)
    before = len(writes(bot))
    await a_day_later(bot, clock)

    assert len(writes(bot)) == before
