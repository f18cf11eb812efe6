"""`/sprint status`, from a person's comment to the bot's answer on GitHub."""

from datetime import UTC, datetime, timedelta

from tests.running import Bot


async def make_sprint(bot: Bot, title: str = "Sprint 12") -> int:
    """A running sprint with three items; returns the number of the first."""
    today = datetime.now(UTC).date()
    milestone = await bot.github.create_milestone(
        bot.repo,
        title,
        due_on=f"{today + timedelta(days=9)}T07:00:00Z",
        description=f"Goal: Pay by card\nStart: {today - timedelta(days=4)}",
    )
    number = milestone["number"]
    first = await bot.github.create_issue(bot.repo, "Card form", labels=["points: 5"], milestone=number)
    done = await bot.github.create_issue(bot.repo, "Receipts", labels=["points: 3"], milestone=number)
    await bot.github.create_issue(bot.repo, "Refunds", milestone=number)
    await bot.github.close_issue(bot.repo, done["number"])
    await bot.rest()
    return int(first["number"])


async def test_answers_with_a_card_and_a_picture(bot: Bot) -> None:
    number = await make_sprint(bot)

    comment = await bot.say(number, "/sprint status by:points")

    (answer,) = await bot.answers(number)
    assert "### Sprint 12 · day 5 of 14" in answer
    assert "**Goal:** Pay by card" in answer
    assert "**3 of 8 points done** (37 %)" in answer
    assert bot.reactions(comment) == ["eyes", "+1"]
