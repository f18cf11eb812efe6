"""One fact has one number in one thread: all read commands about the same past, compared with each other."""

import re

from tests.support.clock import Clock
from tests.support.past import ask_command, record_past
from tests.support.running import Bot

ABOUT_THE_SPRINT = (
    "/sprint status by:points",
    "/burnup by:points as:table",
    "/sprint report",
    "/explain",
)
ABOUT_CYCLE_TIMES = ("/cycletime as:table", "/explain cycle time", "/aging as:table")


async def test_the_same_share_is_rounded_the_same_way_in_all_answers(bot: Bot, clock: Clock) -> None:
    """Sprint 22 did 18 of 12 committed points and said/did 100 %; Sprint 21 did 3 of 12, 25 %."""
    number = await record_past(bot, clock)
    velocity = await ask_command(bot, number, "/velocity as:table")
    listed = await ask_command(bot, number, "/sprint list")
    report = await ask_command(bot, number, '/sprint report "Sprint 21"')
    explained = await ask_command(bot, number, '/explain say/do for:"Sprint 21"')
    burndown = await ask_command(bot, number, '/burndown for:"Sprint 21" as:table')

    (in_velocity,) = re.findall(r"^\| Sprint 21 \|.*\| (\d+ %) \|", velocity, re.MULTILINE)
    (in_list,) = re.findall(r"^\| Sprint 21 \|.*\| (\d+ %) / \d+ % \|", listed, re.MULTILINE)
    (in_table,) = re.findall(r"^\| Say/do.*?\| (\d+ %) \|", report, re.MULTILINE)
    (in_sentence,) = re.findall(r"committed were done \((\d+ %)\)", report)
    (in_heading,) = re.findall(r"^### Say/do · Sprint 21: (\d+ %)", explained)
    (in_chart,) = re.findall(r"of what was committed, .*?\((\d+ %)\)", burndown)
    assert {in_velocity, in_list, in_table, in_sentence, in_heading, in_chart} == {"25 %"}


async def test_what_is_done_and_left_is_the_same_in_all_answers(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    status, burnup, report, overview = [
        await ask_command(bot, number, command) for command in ABOUT_THE_SPRINT
    ]

    assert "**6 of 12 points done** (50 %)" in status
    assert "6 points remain" in status
    assert "- 6 of 12 points done" in burnup
    assert "**6 of 12 points committed are done (50 %)**. 6 points in 2 items still to do." in report
    assert "**6 points in 2 items done, 6 points in 2 items remaining.**" in overview


async def test_the_usual_cycle_time_is_the_same_in_all_answers(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    cycletime, explained, aging = [await ask_command(bot, number, text) for text in ABOUT_CYCLE_TIMES]
    window = await ask_command(bot, number, '/cycletime for:"Sprint 20" as:table')

    (expected,) = re.findall(r"Expect \*\*85 % of items within (\d+) days\*\*", cycletime)
    (in_heading,) = re.findall(r"^### Cycle time .*: 85 % within (\d+) days", explained)
    (beside_ages,) = re.findall(r"85 % of finished items took at most (\d+)", aging)
    (beside_window,) = re.findall(r"Expectation from .*?: 85 % within (\d+) days", window)
    assert expected == in_heading == beside_ages == beside_window
    assert re.search(r"^- \*\*85 % within 4 days\*\*", window, re.MULTILINE), "of that sprint alone"


async def test_the_age_of_an_item_is_the_same_in_all_answers(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    aging = await ask_command(bot, number, "/aging as:table")
    own = await ask_command(bot, number, "/my confirm:yes", as_user="bob")
    wip = await ask_command(bot, number, "/explain wip")

    (in_table,) = re.findall(r"^\| #1042 \|.*?\| (\d+) days? \|", aging, re.MULTILINE)
    (in_list,) = re.findall(r"^- #1042 – (\d+) days?", own, re.MULTILINE)
    (in_explanation,) = re.findall(r"^\| #1042 \| (\d+) \|", wip, re.MULTILINE)
    assert in_table == in_list == in_explanation == "3"
