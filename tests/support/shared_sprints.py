"""Sprints that span several repositories."""

import json

from storage.lookups import all_tenants
from tests.support.running import Bot, rows
from tests.support.sprints import day_from_today


async def share_sprints(bot: Bot, *names: str) -> None:
    """The organization's file lists some repositories; how it is read is told in test_settings_file.py."""
    told = {"sprints": {"repositories": [name.partition("/")[2] for name in names]}}
    for tenant in await list_tenants(bot):
        query = "update organizations set file = cast(:told as jsonb) where id = :tenant returning id"
        assert await rows(bot.base, query, tenant, told=json.dumps(told), tenant=tenant)


async def plan_sprint(bot: Bot, repo: str, title: str, *items: tuple[str, str]) -> list[int]:
    milestone = await bot.github.create_milestone(
        repo, title, due_on=f"{day_from_today(9)}T07:00:00Z", description=f"Start: {day_from_today(-4)}"
    )
    made = [
        await bot.github.create_issue(repo, name, labels=[label], milestone=milestone["number"])
        for name, label in items
    ]
    await bot.rest()
    return [int(one["number"]) for one in made]


async def list_tenants(bot: Bot) -> list[int]:
    async with bot.base.database.unscoped() as connection:
        return list(await all_tenants(connection))
