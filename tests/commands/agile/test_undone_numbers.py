"""What is taken back by `/agile undo` leaves every number as it was before."""

import re

import pytest

from storage.item_projections import Difference, ItemProjections
from storage.lookups import all_tenants
from storage.projects import Projects
from storage.timeline import Timeline
from tests.support.changes import query_database
from tests.support.conversations import ask_bot
from tests.support.running import Bot
from tests.support.sprints import create_item, make_running_sprint

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


async def find_differences(bot: Bot) -> list[Difference]:
    """The items whose stored projection is not what a fold of their events gives."""
    async with bot.base.database.unscoped() as connection:
        (tenant_id,) = await all_tenants(connection)
    async with bot.base.database.tenant(tenant_id) as tenant:
        project = await Projects(tenant).get((await query_database(bot, "select id from projects"))[0].id)
        assert project is not None
        return await ItemProjections(tenant, Timeline(tenant)).find_differences(project.id, project.rules, 10)


async def make_two_sprints(bot: Bot) -> int:
    """Two running sprints; the first has two open items. Returns the first item's number."""
    first = await make_running_sprint(bot)
    await make_running_sprint(bot, "Sprint 13")
    number = await create_item(bot, 5, first)
    await create_item(bot, 2, first)
    return number


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
