"""A cadence makes up what GitHub refused, and what it did without answering."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from storage.job_types import PlanSprintJob
from storage.jobs import Jobs
from tests.support.cadences import begin_night, drop_retry, milestones, set_present_cadence
from tests.support.changes import query_database
from tests.support.clock import Clock
from tests.support.running import Bot, rows
from tests.support.shared_sprints import list_tenants


async def share_cadence(bot: Bot, clock: Clock) -> str:
    """A second repository shares the sprints. Returns its name."""
    await set_present_cadence(bot, clock)
    other = str((await bot.github.create_repository(name=f"{bot.repository['name']}-pay"))["full_name"])
    await bot.github.create_issue(other, "A card")
    await bot.rest()
    names = [name.partition("/")[2] for name in (bot.repo, other)]
    data = {"cadence": "2 weeks", "sprints": {"repositories": names}}
    query = "update organizations set file = cast(:data as jsonb) where id = :tenant returning id"
    for tenant in await list_tenants(bot):
        await rows(bot.base, query, tenant, data=json.dumps(data), tenant=tenant)
    return other


async def begin_night_everywhere(bot: Bot) -> None:
    for organization_id, project_id in await query_database(
        bot, "select organization_id, id from projects order by id"
    ):
        async with bot.base.database.tenant(organization_id) as tenant:
            job = PlanSprintJob(organization_id=organization_id, project_id=project_id)
            await Jobs().defer(tenant.connection, job)
        await bot.rest()


async def list_audited(bot: Bot) -> list[str]:
    return [str(row.target) for row in await query_database(bot, "select target from audit_log order by id")]


async def list_titles(bot: Bot, repo: str) -> list[str]:
    entries = await bot.github.call("GET", f"/repos/{repo}/milestones?state=all")
    return [str(entry["title"]) for entry in entries]


@pytest.mark.parametrize(("status", "times"), [(403, 1), (502, 4)])
async def test_what_the_second_repository_refused_is_made_up_for(
    bot: Bot, clock: Clock, status: int, times: int
) -> None:
    other = await share_cadence(bot, clock)
    bot.github.fail_next("POST", rf"/repos/{other}/milestones$", status, times=times, body={"message": "No"})
    await begin_night_everywhere(bot)
    assert (await list_titles(bot, bot.repo), await list_titles(bot, other)) == (["Sprint 25"], [])
    assert await list_audited(bot) == ["milestone “Sprint 25”"]

    drop_retry(bot)
    bot.github.clear_faults()
    for _ in range(2):
        clock.now = (clock.now or datetime.now(UTC)) + timedelta(days=1)
        await begin_night_everywhere(bot)
    assert (await list_titles(bot, bot.repo), await list_titles(bot, other)) == (["Sprint 25"], ["Sprint 25"])
    assert await list_audited(bot) == ["milestone “Sprint 25”", f"{other} milestone “Sprint 25”"]


async def test_one_deleted_in_the_second_repository_is_not_made_again(bot: Bot, clock: Clock) -> None:
    other = await share_cadence(bot, clock)
    await begin_night_everywhere(bot)
    (made,) = await bot.github.call("GET", f"/repos/{other}/milestones")
    await bot.github.call("DELETE", f"/repos/{other}/milestones/{made['number']}")
    await bot.rest()
    await begin_night_everywhere(bot)
    assert await list_titles(bot, other) == []


async def test_what_was_made_without_an_answer_counts_as_made(bot: Bot, clock: Clock) -> None:
    await set_present_cadence(bot, clock)
    bot.github.fail_next("POST", r"/milestones$", 502, after_effect=True)
    await begin_night(bot)
    drop_retry(bot)
    assert await list_audited(bot) == []
    (made,) = await milestones(bot)

    await bot.github.call("DELETE", f"/repos/{bot.repo}/milestones/{made['number']}")
    await bot.rest()
    for day in range(2):
        clock.now = datetime.now(UTC) + timedelta(days=day)
        await begin_night(bot)
    assert await milestones(bot) == []
    assert await list_audited(bot) == ["milestone “Sprint 25”"]
