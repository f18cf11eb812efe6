"""What is taken back by `/agile undo` leaves every number as it was before."""

import re

import pytest

from tests.support.conversations import ask_bot
from tests.support.running import Bot
from tests.support.undoing import find_differences, make_two_sprints

_PAST = re.compile(r"<!--.*?-->|As of [^<·]*", re.DOTALL)
QUESTIONS = (
    '/explain scope for:"Sprint 12"',
    '/explain scope for:"Sprint 13"',
    "/sprint report",
    "/explain wip",
    "/risk",
)


async def read_numbers(bot: Bot, number: int) -> list[str]:
    """The answers to all questions, without the moment at which they were asked."""
    answers = [await ask_bot(bot, number, f"{question} new:yes") for question in QUESTIONS]
    notes = re.compile(r"\n*^\*\*Undone:.*", re.MULTILINE)
    return [notes.sub("", _PAST.sub("", answer)).strip() for answer in answers]


@pytest.mark.parametrize(
    "command", ['/sprint close to:"Sprint 13" confirm:yes', "/sprint close to:backlog confirm:yes", "/sprint remove", "/estimate 8", "/estimate none", '/sprint add milestone:"Sprint 13"', "/start", "/blocked by:#2", '/blocked reason:"no account"', '/sprint goal "Ship it"']
)  # fmt: skip
async def test_what_was_taken_back_leaves_all_numbers_as_they_were(bot: Bot, command: str) -> None:
    number = await make_two_sprints(bot)
    before = await read_numbers(bot, number)

    await bot.say(number, command)
    assert await read_numbers(bot, number) != before
    await bot.say(number, "/agile undo confirm:yes")

    assert await read_numbers(bot, number) == before
    assert await find_differences(bot) == []
