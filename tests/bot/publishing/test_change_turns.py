"""The turn to change a repository: not while another change is in progress, or is not recorded yet."""

from datetime import timedelta

import pytest

from bot.publishing.change_turns import ChangeTurns, RepositoryBusyError
from storage.lookups import all_tenants
from storage.projects import Project, Projects
from tests.support.clock import Clock
from tests.support.running import Bot, query_as_administrator
from tests.support.sprints import make_sprint


async def find_project(bot: Bot) -> tuple[int, Project]:
    """Return the only tenant, and the repository of the test."""
    async with bot.base.database.unscoped() as connection:
        (organization_id,) = await all_tenants(connection)
    async with bot.base.database.tenant(organization_id) as tenant:
        project = await Projects(tenant).by_name(bot.repo)
    assert project is not None
    return organization_id, project


async def take_turn(bot: Bot, clock: Clock, *, event_id: int = -1, tries: int = 0) -> None:
    """Take the turn of an event and give it back. Raises RepositoryBusyError."""
    organization_id, project = await find_project(bot)
    turns = ChangeTurns(bot.base.database, clock)
    async with turns.take(organization_id, project, event_id, tries=tries) as turn:
        assert turn.project == project


@pytest.mark.parametrize(
    "step",
    [
        '{"type": "Relabel", "number": 1, "removed": [], "added": ["points: 21"]}',
        '{"type": "Relabel", "number": 1, "removed": ["points: 5"], "added": []}',
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
    await take_turn(bot, clock)

    query_as_administrator(
        bot.base,
        "update changes set steps = cast(:steps as jsonb) where id = (select max(id) from changes)",
        steps=f"[{step}]",
    )
    with pytest.raises(RepositoryBusyError, match="webhooks"):
        await take_turn(bot, clock)
    await take_turn(bot, clock, tries=4)  # They may be lost.
    clock.now += timedelta(seconds=21)
    await take_turn(bot, clock)


async def test_a_change_waits_for_one_in_progress_but_not_for_hours(bot: Bot, clock: Clock) -> None:
    number = await make_sprint(bot)
    clock.now = clock()
    await bot.say(number, "/estimate 8")
    ((event_id,),) = query_as_administrator(
        bot.base, "update changes set state = 'begun' where command = '/estimate 8' returning event_id"
    )

    with pytest.raises(RepositoryBusyError, match="in progress"):
        await take_turn(bot, clock, tries=9)
    await take_turn(bot, clock, event_id=event_id)  # Its own event resumes it.
    clock.now += timedelta(minutes=11)
    await take_turn(bot, clock)


async def test_only_one_event_has_the_turn(bot: Bot, clock: Clock) -> None:
    await make_sprint(bot)
    organization_id, project = await find_project(bot)
    async with ChangeTurns(bot.base.database, clock).take(organization_id, project, 1):
        with pytest.raises(RepositoryBusyError, match="being computed"):
            await take_turn(bot, clock)
    await take_turn(bot, clock)
