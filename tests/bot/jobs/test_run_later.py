"""Jobs that wait for their time: without a lock, and also those that an older version queued."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from bot.jobs.run_later import FORMER_TASKS
from bot.jobs.worker import blueprints
from bot.services import Services
from bot.settings.billing import BillingSettings
from storage.billing_jobs import FollowPurchaseJob
from storage.job_types import (
    TENANT_JOBS,
    AnswerJob,
    BackfillJob,
    CheckJob,
    PressJob,
    ReadSettingsJob,
    RedrawJob,
    ReportMergeGroupJob,
    SendPostsJob,
    TellOwnerJob,
    build_job,
)
from storage.jobs import OTHERS, JobMessage, Jobs
from tests.support.running import Bot, query_as_administrator, rows, wait_until
from tests.support.started_jobs import started_jobs

_UNFINISHED = "select from procrastinate_jobs where status in ('todo', 'doing')"
_AT = datetime(2030, 1, 1, tzinfo=UTC)
_RESCHEDULED = [
    AnswerJob(organization_id=1, event_id=2, thread="thread:3:4", tries=1),
    SendPostsJob(organization_id=1),
    RedrawJob(organization_id=1, project_id=3, turn="morning"),
    CheckJob(organization_id=1, project_id=3),
    PressJob(organization_id=1, event_id=2, project_id=3),
    TellOwnerJob(organization_id=1),
]
_WAITING_AS_THEMSELVES = [
    BackfillJob(organization_id=1, project_id=3, is_wanted=True),
    ReadSettingsJob(organization_id=1),
    ReportMergeGroupJob(organization_id=1, project_id=3, head="a" * 40),
    FollowPurchaseJob(account=5, action="purchased", effective_at=_AT, delivery="d"),
]


def _queued(base: Services) -> list[Any]:
    return query_as_administrator(
        base,
        "select task_name, priority, lock, queueing_lock, scheduled_at, args, queue_name "
        "from procrastinate_jobs where status = 'todo' order by id",
    )


async def _defer(base: Services, job: JobMessage, at: datetime | None = None) -> Any:
    query_as_administrator(base, "delete from procrastinate_jobs")
    async with base.database.unscoped() as connection:
        await Jobs().defer(connection, job, at)
    (row,) = _queued(base)
    return row


@pytest.mark.parametrize("job", [*_RESCHEDULED, *_WAITING_AS_THEMSELVES], ids=lambda job: job.name)
async def test_a_job_for_now_has_its_lock_and_a_job_for_later_has_none(
    base: Services, job: JobMessage
) -> None:
    now, later = await _defer(base, job), await _defer(base, job, _AT)
    assert (now.task_name, now.priority, now.lock) == (job.name, job.priority, job.lock)
    assert now.lock is not None
    assert (now.queueing_lock, now.scheduled_at) == (job.queueing_lock, None)
    assert (later.priority, later.lock, later.scheduled_at) == (job.priority, None, _AT)
    assert later.queueing_lock == job.queueing_lock_until(_AT)


@pytest.mark.parametrize("job", _RESCHEDULED, ids=lambda job: job.name)
async def test_what_runs_later_is_the_same_job(base: Services, job: JobMessage) -> None:
    later = await _defer(base, job, _AT)
    assert later.task_name == "run_later"
    # By it, places are shared between tenants, and an account's jobs are deleted with it.
    assert later.args["organization_id"] == 1
    assert build_job(later.args["task"], later.args["arguments"]) == job


@pytest.mark.parametrize("job", _WAITING_AS_THEMSELVES, ids=lambda job: job.name)
async def test_what_waits_as_itself_keeps_its_name_and_priority(base: Services, job: JobMessage) -> None:
    later = await _defer(base, job, _AT)
    assert (later.task_name, later.priority) == (job.name, job.priority)
    assert msgspec.convert(later.args, type(job)) == job


async def test_turns_wait_beside_each_other_and_the_jobs_of_one_turn_are_one(base: Services) -> None:
    query_as_administrator(base, "delete from procrastinate_jobs")
    for turn in ("soon", "morning", "soon", "morning"):
        async with base.database.unscoped() as connection:
            job = RedrawJob(organization_id=1, project_id=3, turn=turn)
            await Jobs().defer(connection, job, _AT)
    assert [row.queueing_lock for row in _queued(base)] == ["redraw:soon:3", "redraw:morning:3"]


def test_every_job_of_a_tenant_is_declared() -> None:
    declared = {name for blueprint in blueprints(BillingSettings(), talks=True) for name in blueprint.tasks}
    assert {kind.name for kind in TENANT_JOBS} | FORMER_TASKS.keys() <= declared


async def test_jobs_that_an_older_version_scheduled_still_run(bot: Bot) -> None:
    """An event and a repository that do not exist, so that nothing is left to do."""
    arguments: dict[str, dict[str, Any]] = {
        "answer_later": {"event_id": 999, "thread": "thread:999:1", "tries": 1},
        "send_posts_later": {},
        "redraw_later": {"project_id": 999},
        "check_later": {"project_id": 999},
        "press_later": {"event_id": 999, "project_id": 999},
    }
    assert arguments.keys() == FORMER_TASKS.keys()
    query_as_administrator(bot.base, "delete from procrastinate_jobs")
    expected = FORMER_TASKS.keys() | {kind.name for kind in FORMER_TASKS.values()}
    with started_jobs(bot.base) as started:
        for task, values in arguments.items():
            query_as_administrator(
                bot.base,
                "insert into procrastinate_jobs (queue_name, task_name, args, scheduled_at) "
                "values (:queue, :task, cast(:args as jsonb), '2020-01-01')",
                queue=OTHERS,
                task=task,
                args=msgspec.json.encode(values | {"organization_id": 1}).decode(),
            )

        async def have_ended() -> bool:
            names = {job.task for job in started()}
            return names >= expected and not await rows(bot.base, _UNFINISHED)

        await wait_until(have_ended)
    assert not query_as_administrator(bot.base, "select from procrastinate_jobs where status = 'failed'")
