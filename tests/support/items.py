"""What commands record about items, and the relations of items on GitHub."""

from typing import Any

from tests.support.changes import query_database
from tests.support.running import Bot


async def list_item_commands(bot: Bot) -> list[Any]:
    """List the events that commands recorded, oldest first."""
    events = "('started', 'paused', 'blocked', 'unblocked', 'unstarted')"
    query = f"select event, actor, after from timeline where event in {events} order by at, event"
    return await query_database(bot, query)


async def list_blocking_issues(bot: Bot, number: int) -> list[int]:
    """List the numbers of the issues that block an issue on GitHub."""
    path = f"/repos/{bot.repo}/issues/{number}/dependencies/blocked_by"
    result: list[dict[str, Any]] = await bot.github.call("GET", path)
    return [item["number"] for item in result]


async def list_sub_issues(bot: Bot, number: int) -> list[dict[str, Any]]:
    """List the sub-issues of an issue on GitHub."""
    sub_issues: list[dict[str, Any]] = await bot.github.call(
        "GET", f"/repos/{bot.repo}/issues/{number}/sub_issues"
    )
    return sub_issues
