"""A team with done labels: from the setting to answers and the check."""

from storage.lookups import all_tenants
from storage.projects import Projects
from tests.support.checks import find_check, open_pull_request
from tests.support.running import Bot
from tests.support.sprints import make_sprint


async def settle(bot: Bot) -> None:
    async with bot.base.database.unscoped() as connection:
        (tenant,) = await all_tenants(connection)
    async with bot.base.database.tenant(tenant) as tenant_scope:
        project = await Projects(tenant_scope).by_name(bot.repo)
        assert project
        await Projects(tenant_scope).set_command_setting(project.id, "done_labels", ["verified"])


async def test_what_is_closed_remains_until_it_is_verified(bot: Bot) -> None:
    number = await make_sprint(bot)
    await settle(bot)
    await bot.say(number, "/sprint status by:points")
    assert "**0 of 8 points done**" in (await bot.answers(number))[-1]

    await bot.github.update_issue(bot.repo, number + 1, labels=["points: 3", "verified"])
    await bot.rest()
    await bot.say(number, "/sprint status by:points new:yes")
    assert "**3 of 8 points done**" in (await bot.answers(number))[-1]


async def test_a_pull_request_finishes_nothing_by_itself(bot: Bot) -> None:
    number = await make_sprint(bot)
    await settle(bot)
    pull = await open_pull_request(bot, body=f"Closes #{number}")
    run = await find_check(bot, pull["head"]["sha"])

    assert run["output"]["title"] == f"Works on #{number} of Sprint 12, done once labeled"
    assert "Here, work is done when it has the label `verified`" in run["output"]["summary"]
    assert "| Sprint 12 | Now | Once done |" in run["output"]["summary"]
