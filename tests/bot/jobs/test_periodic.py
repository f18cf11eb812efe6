"""Periodic tasks."""

from storage.job_types import MeasureJob, ReconcileJob
from storage.jobs import Jobs
from tests.support.running import Bot, rows


async def test_a_repository_s_past_is_asked_for_when_it_is_added(bot: Bot) -> None:
    async with bot.github.muted():
        milestone = await bot.github.create_milestone(bot.repo, "Sprint 1")
        await bot.github.create_issue(bot.repo, "From before", milestone=milestone["number"])
    await bot.github.trigger("installation_repositories", "added", bot.repo)
    await bot.rest()

    (organization,) = await rows(bot.base, "select * from all_tenants()")
    (project,) = await rows(bot.base, "select sync, synced_at, is_active from projects", organization[0])
    assert project.sync == {}
    assert project.synced_at is not None
    assert project.is_active
    data = await rows(
        bot.base, "select event, source from timeline where kind in ('issue', 'milestone')", organization[0]
    )
    assert {("opened", "backfill"), ("observed", "backfill")} <= {tuple(row) for row in data}


async def test_a_removed_repository_keeps_its_history_and_gets_no_more_work(bot: Bot) -> None:
    await bot.github.create_issue(bot.repo, "Seen")
    await bot.github.trigger("installation_repositories", "removed", bot.repo)
    await bot.rest()

    (organization,) = await rows(bot.base, "select * from all_tenants()")
    (project,) = await rows(bot.base, "select is_active from projects", organization[0])
    assert not project.is_active
    assert await rows(bot.base, "select 1 from timeline where event = 'opened'", organization[0])
    await bot.github.trigger("installation_repositories", "added", bot.repo)


async def test_measuring_and_reconciling_run_as_jobs_and_settle_their_next_turn(bot: Bot) -> None:
    await bot.github.create_issue(bot.repo, "Seen")
    await bot.rest()
    (organization,) = await rows(bot.base, "select * from all_tenants()")
    jobs = Jobs()
    async with bot.base.database.unscoped() as connection:
        for _ in range(2):  # The second finds the first waiting, and is none.
            await jobs.defer(connection, MeasureJob(organization_id=organization[0]))
            await jobs.defer(connection, ReconcileJob(organization_id=organization[0]))
    await bot.rest()

    (turns,) = await rows(
        bot.base,
        "select next_measure_at > now(), next_reconcile_at > now() from organizations",
        organization[0],
    )
    assert tuple(turns) == (True, True)
    assert not await rows(bot.base, "select 1 from procrastinate_jobs where status = 'failed'")
