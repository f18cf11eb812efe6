"""Threads in which people ask and the bot answers."""

from tests.support.running import Bot, wait_until


async def comment_in_sprint(bot: Bot, body: str = "/sprint status") -> tuple[int, dict[str, object]]:
    """Comment in a running sprint. Returns the number of the thread and the unanswered comment."""
    milestone = await bot.github.create_milestone(bot.repo, "Sprint 1")
    issue = await bot.github.create_issue(bot.repo, "Pay by card", milestone=milestone["number"])
    await bot.rest()
    return issue["number"], await bot.github.comment(bot.repo, issue["number"], body)


async def wait_for_answer(
    bot: Bot, number: int, comment: dict[str, object], reaction: str = "+1"
) -> list[str]:
    """Wait for the bot's final reaction to a comment. Returns its answers."""

    async def is_over() -> bool:
        return reaction in bot.reactions(comment)

    await wait_until(is_over)
    await bot.rest()
    return await bot.answers(number)


async def create_thread(bot: Bot) -> int:
    """Create an issue. Returns its number."""
    return int((await bot.github.create_issue(bot.repo, "Pay by card"))["number"])


async def ask_bot(bot: Bot, number: int, body: str, as_user: str = "alice") -> str:
    """Write a comment and return the bot's last answer."""
    await bot.say(number, body, as_user=as_user)
    return (await bot.answers(number))[-1]
