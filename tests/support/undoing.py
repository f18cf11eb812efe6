"""Sprints in which changes are undone, and the comparison of projections with their events afterwards."""

from storage.item_projections import Difference, ItemProjections
from storage.lookups import all_tenants
from storage.projects import Projects
from storage.timeline import Timeline
from tests.support.changes import query_database
from tests.support.running import Bot
from tests.support.sprints import create_item, make_running_sprint


async def find_differences(bot: Bot) -> list[Difference]:
    """The items whose stored projection is not what a fold of their events gives."""
    async with bot.base.database.unscoped() as connection:
        (tenant_id,) = await all_tenants(connection)
    async with bot.base.database.tenant(tenant_id) as tenant:
        project = await Projects(tenant).get((await query_database(bot, "select id from projects"))[0].id)
        assert project is not None
        return await ItemProjections(tenant, Timeline(tenant)).find_differences(project.id, project.rules, 10)


async def make_two_sprints(bot: Bot) -> int:
    """Two running sprints; the first has two open items. Returns the first item's number."""
    first = await make_running_sprint(bot)
    await make_running_sprint(bot, "Sprint 13")
    number = await create_item(bot, 5, first)
    await create_item(bot, 2, first)
    return number
