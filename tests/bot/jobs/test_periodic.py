"""Periodic tasks."""

from datetime import UTC, datetime
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest
from procrastinate.periodic import PeriodicTask

from bot.jobs import periodic, sweep
from storage.job_types import SWEEP, TICK, MeasureJob, ReconcileJob
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


@pytest.mark.parametrize(("blueprint", "task", "seconds"), [(periodic, TICK, 20), (sweep, SWEEP, 15)])
def test_tasks_of_each_minute_run_evenly(blueprint: ModuleType, task: str, seconds: int) -> None:
    """In croniter's form, seconds are the sixth field: as the first one they would be minutes."""
    registered = blueprint.tasks.periodic_registry.periodic_tasks.values()
    (entry,) = [entry for entry in registered if entry.task.name == task]
    times: Any = PeriodicTask(entry.task, entry.cron, "", {}).croniter
    times.set_current(datetime(2026, 11, 30, 20, 36, 2, tzinfo=UTC))
    runs = [times.get_next(float) for _ in range(300)]
    assert {after - before for before, after in pairwise(runs)} == {seconds}
