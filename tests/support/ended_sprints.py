"""Sprints at other moments than that of their making: begun before today, and ended."""

from datetime import UTC, datetime, timedelta

from tests.commands.sprint.test_status import day, make_sprint
from tests.conftest import Clock
from tests.support.running import Bot


async def make_ended_sprint(bot: Bot, clock: Clock, *, days_ago: int = 5) -> int:
    """Three items: 5 points open, 3 points done, and one that is not estimated; the number of the first."""
    number = await make_sprint(bot, start=-3, due=2)
    clock.now = datetime.now(UTC) + timedelta(days=2 + days_ago)
    return number


async def make_begun_sprint(bot: Bot, title: str = "Sprint 12") -> int:
    """An empty sprint whose commitment was taken last midnight, so that what comes now is added; its number."""
    milestone = await bot.github.create_milestone(
        bot.repo, title, due_on=f"{day(9)}T07:00:00Z", description=f"Start: {day(0)}"
    )
    long_ago = f"{day(-3)}T08:00:00Z"
    bot.github.backdate(milestone, created_at=long_ago, updated_at=long_ago)
    await bot.rest()
    return int(milestone["number"])
