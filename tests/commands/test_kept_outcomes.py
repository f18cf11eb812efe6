"""The outcome of a change is kept when the same command changes something else in the thread."""

import pytest

from tests.support.conversations import ask_bot
from tests.support.running import Bot
from tests.support.sprints import day_from_today, make_next_sprint, make_sprint


@pytest.mark.parametrize(
    ("commands", "outcomes"),
    [
        (
            ["/agile config set timezone Europe/Berlin", "/agile config set people.bob 50%"],
            ["| `timezone` |", "| `people` |"],
        ),
        (
            ["/agile config set sizes.M 3", "/agile config set sizes.L 8"],
            ["`{M: 3}`", "L: 8"],
        ),
        (
            [
                '/calendar add 2027-05-14 "Winter break"',
                '/calendar add 2027-05-14 @bob "vacation"',
                "/calendar add 2027-05-17 @bob",
            ],
            ["Winter break: 1 working day", "`bob`, vacation", "17 May 2027"],
        ),
        (
            [
                "/calendar add 2027-05-14..2027-05-18",
                "/calendar remove 2027-05-14",
                "/calendar remove 2027-05-17",
            ],
            ["off removed** (14 May 2027)", "off removed** (17 May 2027)"],
        ),
        (
            [
                '/sprint retro action:"Fix the tests"',
                '/sprint retro action:"Smaller stories"',
            ],
            ["Fix the tests", "Smaller stories"],
        ),
        (
            ['/split into:"Card form" confirm:yes', '/split into:"Refunds of cards" confirm:yes'],
            ["is split:** Card form", "is split:** Refunds of cards"],
        ),
        (
            ["/agile roles grant @carol maintain", "/agile roles grant @dave maintain", "/agile roles"],
            ["`carol`", "`dave`"],
        ),
        (
            ["/wip limit 5", "/wip limit 3"],
            ["5 → **3**"],
        ),
        (
            ['/sprint goal "Ship it"', '/sprint goal "Next things" for:"Sprint 13"'],
            ["**Goal of Sprint 12:** Ship it", "**Goal of Sprint 13:** Next things"],
        ),
        (
            ["/estimate 8", "/sprint goal met", "/agile undo confirm:yes", "/agile undo confirm:yes"],
            ["Undone: `/sprint goal met`", "Undone: `/estimate 8`"],
        ),
        (
            [
                f'/sprint start "Sprint 20" due:{day_from_today(40)} confirm:yes',
                f'/sprint start "Sprint 21" due:{day_from_today(60)} confirm:yes',
            ],
            ["Sprint 20", "Sprint 21"],
        ),
    ],
)
async def test_outcomes_about_different_things_are_kept(
    bot: Bot, commands: list[str], outcomes: list[str]
) -> None:
    number = await make_sprint(bot)
    await make_next_sprint(bot)
    for command in commands:
        await ask_bot(bot, number, command)
    answers = await bot.answers(number)
    for outcome in outcomes:
        assert [answer for answer in answers if outcome in answer], (outcome, answers)


async def test_the_outcome_about_the_same_thing_takes_the_place_of_the_earlier(bot: Bot) -> None:
    number = await make_sprint(bot)
    for command in ("/agile config set timezone Europe/Berlin", "/agile config set timezone Asia/Tokyo"):
        await bot.say(number, command)
    (answer,) = await bot.answers(number)
    assert "| `Asia/Tokyo` |" in answer
