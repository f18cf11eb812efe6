"""Settings of repositories: files that people push, commands, and raw rows."""

from typing import Any

from commands.settings.file import (
    PATH,
)
from storage.lookups import all_tenants
from storage.projects import Projects
from tests.support.changes import query_database
from tests.support.running import Bot, rows


async def replace_setting(bot: Bot, key: str, value: str) -> None:
    """Replace all settings of the repository by a single one."""
    async with bot.base.database.unscoped() as connection:
        tenants = await all_tenants(connection)
    changed = [
        row
        for tenant in tenants
        for row in await rows(
            bot.base,
            "update projects set settings = jsonb_build_object(cast(:key as text), cast(:value as text)) "
            "where github_repo = :repo returning id",
            tenant,
            key=key,
            value=value,
            repo=bot.repo,
        )
    ]
    assert len(changed) == 1


async def load_settings(bot: Bot) -> dict[str, Any]:
    """Load the effective settings of the bot's repository."""
    (organization,) = await rows(bot.base, "select * from all_tenants()")
    async with bot.base.database.tenant(organization[0]) as tenant:
        project = await Projects(tenant).by_name(bot.repo)
    assert project is not None
    return project.stored_settings


async def push_settings_file(bot: Bot, text: str, path: str = PATH, repo: str = "") -> str:
    """Push a settings file. Returns the SHA of the commit."""
    made = await bot.github.put_file(repo or bot.repo, path, text)
    await bot.rest()
    return str(made["commit"]["sha"])


async def replace_settings(bot: Bot, settings: str) -> None:
    """Replace the settings of the repository, given as JSON."""
    async with bot.base.database.unscoped() as connection:
        (tenant,) = await all_tenants(connection)
    query = "update projects set settings = cast(:told as jsonb) where github_repo = :repo returning id"
    assert await rows(bot.base, query, tenant, told=settings, repo=bot.repo)


async def read_command_settings(bot: Bot) -> object:
    """Read the settings that commands stored for the only project that has some."""
    ((answer,),) = await query_database(bot, "select said from projects where said <> '{}'")
    return answer


async def set_setting(bot: Bot, key: str, value: object) -> None:
    """Store one setting of the repository, as a command does."""
    async with bot.base.database.unscoped() as connection:
        (tenant,) = await all_tenants(connection)
    async with bot.base.database.tenant(tenant) as opened:
        project = await Projects(opened).by_name(bot.repo)
        assert project
        await Projects(opened).set_command_setting(project.id, key, value)
