"""A text that shows nothing counts as empty, wherever it would become a title, goal, reason or name."""

import pytest

from tests.support.conversations import ask_bot
from tests.support.running import Bot
from tests.support.sprints import make_sprint

_INVISIBLE = ["\u200d\ufe0f", "\u115f", "\u2800 \u3164"]


async def list_texts(bot: Bot) -> list[tuple[str, str]]:
    """The titles of issues and milestones, with the milestones' descriptions."""
    issues = await bot.github.call("GET", f"/repos/{bot.repo}/issues?state=all")
    milestones = await bot.github.call("GET", f"/repos/{bot.repo}/milestones?state=all")
    described = [(entry["title"], entry["description"]) for entry in milestones]
    return [*((entry["title"], "") for entry in issues), *described]


@pytest.mark.parametrize("text", _INVISIBLE)
async def test_an_invisible_text_changes_nothing(bot: Bot, text: str) -> None:
    number = await make_sprint(bot)
    before = await list_texts(bot)
    for command, named in (
        (f'/sprint retro action:"{text}" confirm:yes', "`action` is empty"),
        (f"/sprint retro action:{text}", "`action` is empty"),
        (f'/split into:"Card form","{text}" confirm:yes', "A part has no title"),
        (f'/sprint start "{text}" due:2099-12-30 confirm:yes', "`name` is empty"),
        (f'/sprint goal "{text}"', "`goal` is empty"),
        (f"/sprint goal {text}", "`goal` is empty"),
        (f'/sprint remove #{number} reason:"{text}"', "`reason` is empty"),
        (f'/blocked "{text}"', "`reason` is empty"),
        (f'/pause reason:"{text}"', "`reason` is empty"),
    ):
        assert named in await ask_bot(bot, number, command), command
    assert await list_texts(bot) == before


async def test_an_emoji_is_no_empty_title(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/sprint retro action:"👩\u200d🚀" confirm:yes')
    titles = [issue["title"] for issue in await bot.github.call("GET", f"/repos/{bot.repo}/issues")]
    assert "👩\u200d🚀" in titles
