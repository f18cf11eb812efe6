"""The lock for changes of a repository: not while another change is in progress, or is not recorded yet."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from bot.github.repositories import GitHubRepository
from bot.publishing.change_applier import ChangeTask
from bot.publishing.repository_locks import RepositoryBusyError, RepositoryLocks
from bot.services import open_github
from commands.framework.request import Request
from storage.lookups import all_tenants
from storage.projects import Projects
from tests.support.clock import Clock
from tests.support.running import Bot, query_as_administrator
from tests.support.sprints import make_sprint

_REQUEST = Request("guid", 1, 77, "alice", None, ())
_AS_IF_UNRECORDED = """
update changes set steps = '[{"type": "Relabel", "number": 1, "removed": [], "added": ["points: 21"]}]'
"""


async def lock_and_release(
    bot: Bot, clock: Clock, *, event_id: int = -1, attempts: int = 0, needs_history: bool = True
) -> None:
    """Lock the repository for an event, and release it. Raises RepositoryBusyError."""
    async with AsyncExitStack() as stack:
        await lock(stack, bot, clock, event_id=event_id, attempts=attempts, needs_history=needs_history)


async def lock(
    stack: AsyncExitStack,
    bot: Bot,
    clock: Clock,
    *,
    event_id: int,
    attempts: int = 0,
    needs_history: bool = True,
) -> None:
    """Lock the repository for an event until the stack is closed. Raises RepositoryBusyError."""
    base = bot.base
    async with base.database.unscoped() as connection:
        (organization_id,) = await all_tenants(connection)
    async with base.database.tenant(organization_id) as tenant:
        project = await Projects(tenant).by_name(bot.repo)
    assert project is not None
    github = await stack.enter_async_context(open_github(base))
    repository = GitHubRepository(github.installation(project.installation or 0), bot.repo)
    task = ChangeTask(organization_id, event_id, project, _REQUEST, repository, attempts=attempts)
    locks = RepositoryLocks(base.database, clock)
    opened = await stack.enter_async_context(locks.acquire(task, needs_history=needs_history))
    assert opened.project == project


@pytest.mark.parametrize(
    "step",
    [
        '{"type": "Relabel", "number": 1, "removed": [], "added": ["points: 21"]}',
        '{"type": "Relabel", "number": 2, "removed": ["points: 3"], "added": []}',
        '{"type": "MoveItem", "number": 1, "before": 1, "after": null}',
        '{"type": "MoveItem", "number": 1, "before": 1, "after": 2}',
        '{"type": "Block", "number": 1, "by": 3}',
        '{"type": "EditMilestone", "number": 1, "before": {"state": "open"}, "after": {"state": "closed"}}',
        '{"type": "CreateMilestone", "title": "Sprint 13", "milestone": 13}',
        '{"type": "OpenIssue", "title": "Write it down", "number": 99}',
    ],
)
async def test_a_change_waits_for_the_webhooks_of_the_last_one(bot: Bot, clock: Clock, step: str) -> None:
    number = await make_sprint(bot)
    clock.now = clock()
    await bot.say(number, "/estimate 8\n/estimate 5")
    await lock_and_release(bot, clock)

    query_as_administrator(
        bot.base,
        "update changes set steps = cast(:steps as jsonb) where id = (select max(id) from changes)",
        steps=f"[{step}]",
    )
    with pytest.raises(RepositoryBusyError, match="webhooks"):
        await lock_and_release(bot, clock)
    await lock_and_release(bot, clock, attempts=30)  # They may be lost.
    clock.now += timedelta(seconds=21)
    await lock_and_release(bot, clock)


async def test_a_change_waits_for_one_in_progress_but_not_for_hours(bot: Bot, clock: Clock) -> None:
    number = await make_sprint(bot)
    clock.now = clock()
    await bot.say(number, "/estimate 8")
    ((event_id,),) = query_as_administrator(
        bot.base, "update changes set state = 'begun' where command = '/estimate 8' returning event_id"
    )

    with pytest.raises(RepositoryBusyError, match="in progress"):
        await lock_and_release(bot, clock, attempts=30)
    await lock_and_release(bot, clock, event_id=event_id)  # Its own event resumes it.
    clock.now += timedelta(minutes=11)
    await lock_and_release(bot, clock)


async def test_what_does_not_need_the_history_does_not_wait_for_webhooks(bot: Bot, clock: Clock) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate 8")
    query_as_administrator(bot.base, _AS_IF_UNRECORDED)

    with pytest.raises(RepositoryBusyError, match="webhooks"):
        await lock_and_release(bot, clock)
    await lock_and_release(bot, clock, needs_history=False)


async def test_what_somebody_else_has_changed_since_is_not_waited_for(bot: Bot, clock: Clock) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate 8")
    await asyncio.sleep(1.1)  # GitHub's times are whole seconds.
    await bot.github.update_issue(bot.repo, number, labels=["points: 2"])
    await bot.rest()

    await lock_and_release(bot, clock)


async def test_only_one_event_has_the_lock(bot: Bot, clock: Clock) -> None:
    await make_sprint(bot)
    async with AsyncExitStack() as stack:
        await lock(stack, bot, clock, event_id=1)
        with pytest.raises(RepositoryBusyError, match="being computed"):
            await lock_and_release(bot, clock)
    await lock_and_release(bot, clock)
