"""Command lines in the card of a sprint are about that sprint, wherever they are copied to."""

import re

import pytest

import commands
from commands.framework.arguments import ArgumentKind
from commands.framework.registry import load_commands
from tests.support.conversations import ask_bot
from tests.support.running import Bot
from tests.support.sprints import day_from_today, make_next_sprint, make_sprint

# Commands whose sprint is another one than that of the card, by their purpose.
_OTHERS = {"sprint start", "sprint plan"}
_ABOUT_THE_TEAM = {"forecast when:30"}
_BY_SPRINT = {
    command.name
    for command in load_commands(commands)
    if any(
        argument.kind is ArgumentKind.SPRINT and argument.name == "sprint" for argument in command.arguments
    )
} - _OTHERS


def list_lines(answer: str) -> list[str]:
    """The command lines in an answer that could name a sprint."""
    lines = re.findall(r"`/([^`]+)`", answer)
    return [
        line
        for line in lines
        if any(f"{line} ".startswith(f"{name} ") for name in _BY_SPRINT) and line not in _ABOUT_THE_TEAM
    ]


@pytest.mark.parametrize(
    ("asked", "title", "count"),
    [
        ("/sprint plan", "Sprint 13", 2),
        (f'/sprint start "Sprint 14" due:{day_from_today(37)} confirm:yes', "Sprint 14", 2),
        ('/sprint status "Sprint 13"', "Sprint 13", 1),
        ('/forecast "Sprint 13"', "Sprint 13", 1),
        ('/explain scope for:"Sprint 13"', "Sprint 13", 1),
        ('/sprint report "Sprint 11"', "Sprint 11", 2),
        ('/forecast "Sprint 11"', "Sprint 11", 1),
        ('/risk "Sprint 11"', "Sprint 11", 1),
    ],
)
async def test_lines_of_another_sprint_s_card_name_it(bot: Bot, asked: str, title: str, count: int) -> None:
    await make_sprint(bot, "Sprint 11", start=-20, due=-6)
    number = await make_sprint(bot)
    await make_next_sprint(bot)
    lines = list_lines(await ask_bot(bot, number, asked))
    assert len(lines) >= count, lines
    assert [line for line in lines if f'for:"{title}"' not in line] == []


async def test_the_line_for_a_goal_leaves_the_running_sprint_alone(bot: Bot) -> None:
    number = await make_sprint(bot)
    await make_next_sprint(bot)
    (line,) = [line for line in list_lines(await ask_bot(bot, number, "/sprint plan")) if "goal" in line]
    answer = await ask_bot(bot, number, f"/{line.replace('…', 'Pay by phone')}")
    assert "**Goal of Sprint 13:** Pay by phone" in answer
