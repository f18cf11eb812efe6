"""Threads in which answers scroll away: talk between them, and what is hidden on GitHub."""

from datetime import UTC, datetime, timedelta

from tests.support.clock import Clock
from tests.support.running import Bot


async def chat(bot: Bot, number: int, count: int) -> None:
    """Write comments that ask nothing of the bot."""
    for place in range(count):
        await bot.github.comment(bot.repo, number, f"I think so, too ({place}).", as_user="bob")
    await bot.rest()


async def list_minimized(bot: Bot, number: int) -> list[str | None]:
    """For each of the bot's comments in a thread, oldest first, the reason why it is hidden, if it is."""
    comments = await bot.github.comments(bot.repo, number)
    return [
        bot.github.minimized(bot.repo, comment["id"])
        for comment in comments
        if comment["user"]["type"] == "Bot"
    ]


def advance(clock: Clock, **by: float) -> None:
    """Set the clock on."""
    clock.now = (clock.now or datetime.now(UTC)) + timedelta(**by)
