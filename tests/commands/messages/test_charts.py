"""Display of charts: preferences, permissions of the repository, and fallbacks."""

import re

import pytest

from tests.support.chart_links import find_chart_paths
from tests.support.clock import Clock
from tests.support.past import ask_command, record_past
from tests.support.repository_settings import replace_setting
from tests.support.running import Bot
from tests.support.sprints import use_private_repository

EVERY = ["/burndown", "/burnup", "/cfd", "/velocity", "/throughput", "/cycletime", "/aging"]
WITHOUT_MERMAID = ["/cycletime", "/aging"]
WITH_MERMAID = [chart for chart in EVERY if chart not in WITHOUT_MERMAID]


async def test_a_public_repository_gets_pictures_that_can_be_fetched(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    for chart in EVERY:
        answer = await ask_command(bot, number, chart)

        for path in find_chart_paths(answer):
            async with bot.session.get(f"{bot.url}{path}") as response:
                assert (response.status, response.content_type) == (200, "image/png")
        assert answer.startswith("### ")
        assert answer.count("<details>") == 1
        assert "<sub>As of 18 Nov 2026, 12:00 UTC" in answer


async def test_a_table_is_asked_for(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    for chart in EVERY:
        answer = await ask_command(bot, number, f"{chart} as:table")

        assert "](" not in answer
        assert "mermaid" not in answer
        assert "<details>" not in answer
        assert re.search(r"^\| :-- \|", answer, re.MULTILINE)


async def test_mermaid_is_asked_for(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    for chart in EVERY:
        answer = await ask_command(bot, number, f"{chart} as:mermaid")

        assert "/charts/" not in answer
        assert ("```mermaid" in answer) is (chart in WITH_MERMAID)
        assert ("Mermaid has no chart of this kind" in answer) is (chart in WITHOUT_MERMAID)


async def test_nothing_of_a_private_repository_leaves_github(bot: Bot, clock: Clock) -> None:
    await use_private_repository(bot)
    number = await record_past(bot, clock)
    for chart in EVERY:
        answer = await ask_command(bot, number, chart)
        wanted = await ask_command(bot, number, f"{chart} as:image")

        assert "http" not in answer + wanted
        assert ("```mermaid" in answer) is (chart in WITH_MERMAID)
        assert "This repository is private" not in answer
        assert wanted.count("`/agile config set charts image`") == 1


async def test_a_private_repository_may_allow_pictures(bot: Bot, clock: Clock) -> None:
    await use_private_repository(bot)
    number = await record_past(bot, clock)
    await replace_setting(bot, "charts", "image")

    assert "/charts/" in await ask_command(bot, number, "/burnup")
    assert "/charts/" not in await ask_command(bot, number, "/burnup as:mermaid")


@pytest.mark.parametrize("chart", EVERY)
async def test_what_is_no_way_to_show_it_is_refused(bot: Bot, chart: str) -> None:
    issue = await bot.github.create_issue(bot.repo, "A lonely card")
    comment = await bot.say(issue["number"], f"{chart} as:gif")

    (answer,) = await bot.answers(issue["number"])
    assert "`as` must be `image` or `mermaid` or `table`" in answer
    assert bot.reactions(comment) == ["eyes", "confused"]


async def test_nothing_to_draw_is_stated_in_words(bot: Bot) -> None:
    issue = await bot.github.create_issue(bot.repo, "A lonely card")
    number = issue["number"]
    for chart, words in [
        ("/velocity", "**No sprint has finished yet.**"),
        ("/throughput", "**Nothing was done in this period.**"),
        ("/cycletime", "**No item with a known start was done in this period.**"),
        ("/aging", "**Nothing is in progress.**"),
    ]:
        answer = await ask_command(bot, number, chart)

        assert words in answer
        assert "](" not in answer
    assert "There is no sprint yet" in await ask_command(bot, number, "/burndown")
    assert "There is no sprint yet" in await ask_command(bot, number, "/burnup")


async def test_a_stranger_is_refused_and_a_reader_is_not(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)

    assert "is for collaborators of this repository" in await ask_command(bot, number, "/velocity", "mallory")
    assert "### Velocity" in await ask_command(bot, number, "/velocity", "dave")
