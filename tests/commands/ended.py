"""A sprint that has ended, with the bot's clock set to a day after it."""

from datetime import UTC, datetime, timedelta

from tests.commands.test_sprint_status import make_sprint
from tests.conftest import Clock
from tests.running import Bot


async def make_ended_sprint(bot: Bot, clock: Clock, *, days_ago: int = 5) -> int:
    """Three items: 5 points open, 3 points done, and one that is not estimated; the number of the first."""
    number = await make_sprint(bot, start=-3, due=2)
    clock.now = datetime.now(UTC) + timedelta(days=2 + days_ago)
    return number
