"""Teams with a cadence, and the nights in which it makes the next sprint."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.job_types import PlanSprintJob
from storage.jobs import Jobs
from tests.support.builders import Box, Card
from tests.support.changes import query_database
from tests.support.clock import Clock
from tests.support.past import record_events, record_past
from tests.support.repository_settings import replace_settings
from tests.support.running import Bot, query_as_administrator


async def milestones(bot: Bot) -> list[dict[str, Any]]:
    return list(await bot.github.call("GET", f"/repos/{bot.repo}/milestones?state=all"))


async def begin_night(bot: Bot, times: int = 1) -> None:
    """Run the job that the night queues."""
    ((organization_id, project_id),) = await query_database(bot, "select organization_id, id from projects")
    for _ in range(times):
        async with bot.base.database.tenant(organization_id) as tenant:
            job = PlanSprintJob(organization_id=organization_id, project_id=project_id)
            await Jobs().defer(tenant.connection, job)
        await bot.rest()


async def set_cadence(bot: Bot, clock: Clock, **settings: object) -> None:
    """Sprint 24 runs from Monday 16 to Friday 27 November 2026, and holds work."""
    box = Box("11-10", milestone=7024, number=24, title="Sprint 24", start="11-16", due="2026-11-27")
    card = Card(1).opened("11-11", "points: 3").joined("11-12", 7024)
    await record_past(bot, clock, [box], [card])
    await replace_settings(bot, json.dumps({"cadence": "2 weeks", **settings}))


async def set_present_cadence(bot: Bot, clock: Clock) -> None:
    """Sprint 24 runs now, when GitHub's stand-in lives, so that a deletion is a thing of the past."""
    await set_cadence(bot, clock)
    today = datetime.now(UTC)
    first, due = (f"{today + timedelta(days=days):%Y-%m-%d}" for days in (-3, 9))
    moment = today - timedelta(hours=1)
    await record_events(
        bot, Box(moment, milestone=7024, number=24, title="Sprint 24", start=first, due=due).events[0]
    )
    clock.now = None


def drop_retry(bot: Bot) -> None:
    """The worker dies before it tries again."""
    query_as_administrator(
        bot.base, "delete from procrastinate_jobs where task_name = 'plan_sprint' and status = 'todo'"
    )
