"""Sprints that span several repositories."""

import json

from storage.lookups import all_tenants
from tests.support.running import Bot, rows
from tests.support.sprints import day_from_today


async def share_sprints(bot: Bot, *names: str) -> None:
    """List repositories in the organization's stored settings file."""
    data = {"sprints": {"repositories": [name.partition("/")[2] for name in names]}}
    for tenant in await list_tenants(bot):
        query = "update organizations set file = cast(:told as jsonb) where id = :tenant returning id"
        assert await rows(bot.base, query, tenant, told=json.dumps(data), tenant=tenant)


async def plan_sprint(bot: Bot, repo: str, title: str, *items: tuple[str, str]) -> list[int]:
    """Create a milestone with items, each a title and a label. Returns the numbers of the items."""
    milestone = await bot.github.create_milestone(
        repo, title, due_on=f"{day_from_today(9)}T07:00:00Z", description=f"Start: {day_from_today(-4)}"
    )
    made = [
        await bot.github.create_issue(repo, name, labels=[label], milestone=milestone["number"])
        for name, label in items
    ]
    await bot.rest()
    return [int(item["number"]) for item in made]


async def list_tenants(bot: Bot) -> list[int]:
    """List the ids of all tenants."""
    async with bot.base.database.unscoped() as connection:
        return list(await all_tenants(connection))
