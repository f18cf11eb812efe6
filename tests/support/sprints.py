"""Sprints on the stand-in GitHub: current, next, ended, and their items."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.clock import Clock
from tests.support.running import Bot


def day_from_today(offset: int) -> str:
    """Return the ISO date that is `offset` days from today."""
    return f"{datetime.now(UTC).date() + timedelta(days=offset)}"


async def make_sprint(
    bot: Bot, title: str = "Sprint 12", *, start: int | None = -4, due: int | None = 9
) -> int:
    """Create a sprint with three items, running by default. Returns the number of the first."""
    milestone = await bot.github.create_milestone(
        bot.repo,
        title,
        due_on=None if due is None else f"{day_from_today(due)}T07:00:00Z",
        description="Goal: Pay by card" + ("" if start is None else f"\nStart: {day_from_today(start)}"),
    )
    number = milestone["number"]
    first = await bot.github.create_issue(bot.repo, "Card form", labels=["points: 5"], milestone=number)
    done = await bot.github.create_issue(bot.repo, "Receipts", labels=["points: 3"], milestone=number)
    await bot.github.create_issue(bot.repo, "Refunds", milestone=number)
    await bot.github.close_issue(bot.repo, done["number"])
    await bot.rest()
    return int(first["number"])


async def use_private_repository(bot: Bot) -> None:
    """Continue in a new private repository."""
    bot.repository = await bot.github.create_repository(
        name=f"{bot.repository['name']}-private", private=True
    )


async def make_next_sprint(bot: Bot, title: str = "Sprint 13", due: int = 23) -> int:
    """Create the sprint that starts in ten days. Returns the milestone's number."""
    milestone = await bot.github.create_milestone(
        bot.repo, title, due_on=f"{day_from_today(due)}T07:00:00Z", description=f"Start: {day_from_today(10)}"
    )
    await bot.rest()
    return int(milestone["number"])


async def get_milestone_title(bot: Bot, number: int) -> Any:
    """Return the title of an item's milestone, or None."""
    milestone = (await bot.github.issue(bot.repo, number))["milestone"]
    return milestone["title"] if milestone else None


async def create_item(bot: Bot, points: int | None = 3, milestone: int | None = None) -> int:
    """Create an issue with an estimate. Returns its number."""
    labels = [] if points is None else [f"points: {points}"]
    issue = await bot.github.create_issue(bot.repo, "More", labels=labels, milestone=milestone)
    await bot.rest()
    return int(issue["number"])


async def make_ended_sprint(bot: Bot, clock: Clock, *, days_ago: int = 5) -> int:
    """Create an ended sprint: 5 points open, 3 done, one item unestimated. Returns the first number."""
    number = await make_sprint(bot, start=-3, due=2)
    clock.now = datetime.now(UTC) + timedelta(days=2 + days_ago)
    return number


async def make_running_sprint(bot: Bot, title: str = "Sprint 12") -> int:
    """Create an empty sprint whose commitment was taken last midnight. Returns its number."""
    milestone = await bot.github.create_milestone(
        bot.repo, title, due_on=f"{day_from_today(9)}T07:00:00Z", description=f"Start: {day_from_today(0)}"
    )
    long_ago = f"{day_from_today(-3)}T08:00:00Z"
    bot.github.backdate(milestone, created_at=long_ago, updated_at=long_ago)
    await bot.rest()
    return int(milestone["number"])
