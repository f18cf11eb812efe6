"""Threads in which people ask and the bot answers."""

from tests.support.running import Bot, until


async def comment_in_sprint(bot: Bot, body: str = "/sprint status") -> tuple[int, dict[str, object]]:
    """A thread in a running sprint, and a comment in it that is still to be answered."""
    milestone = await bot.github.create_milestone(bot.repo, "Sprint 1")
    issue = await bot.github.create_issue(bot.repo, "Pay by card", milestone=milestone["number"])
    await bot.rest()
    return issue["number"], await bot.github.comment(bot.repo, issue["number"], body)


async def wait_for_answer(
    bot: Bot, number: int, comment: dict[str, object], reaction: str = "+1"
) -> list[str]:
    """What the bot said once it has reacted for good."""

    async def is_over() -> bool:
        return reaction in bot.reactions(comment)

    await until(is_over)
    await bot.rest()
    return await bot.answers(number)


async def create_thread(bot: Bot) -> int:
    return int((await bot.github.create_issue(bot.repo, "Pay by card"))["number"])


async def ask_bot(bot: Bot, number: int, body: str, as_user: str = "alice") -> str:
    """What the bot says last."""
    await bot.say(number, body, as_user=as_user)
    return (await bot.answers(number))[-1]
