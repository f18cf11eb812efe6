"""What commands record about items, and the relations of items on GitHub."""

from typing import Any

from tests.support.changes import query_database
from tests.support.running import Bot


async def list_item_commands(bot: Bot) -> list[Any]:
    """What commands told the timeline, oldest first."""
    events = "('started', 'paused', 'blocked', 'unblocked', 'unstarted')"
    query = f"select event, actor, after from timeline where event in {events} order by at, event"
    return await query_database(bot, query)


async def list_blocking_issues(bot: Bot, number: int) -> list[int]:
    """What GitHub says an issue is blocked by."""
    path = f"/repos/{bot.repo}/issues/{number}/dependencies/blocked_by"
    found: list[dict[str, Any]] = await bot.github.call("GET", path)
    return [one["number"] for one in found]


async def list_sub_issues(bot: Bot, number: int) -> list[dict[str, Any]]:
    """The sub-issues that GitHub has of an issue."""
    found: list[dict[str, Any]] = await bot.github.call(
        "GET", f"/repos/{bot.repo}/issues/{number}/sub_issues"
    )
    return found
