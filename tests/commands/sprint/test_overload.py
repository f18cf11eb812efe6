"""A sprint that holds more than the last ones delivered, by every command that says where it stands."""

import re
from datetime import datetime

import pytest

from sprints.facts import Facts
from sprints.milestone import Sprint
from storage.sprints import Sprints
from tests.support.builders import Card
from tests.support.clock import Clock
from tests.support.past import ask_command, record_past
from tests.support.running import Bot
from tests.support.special_sprints import make_overload_past

SENTENCE = "Committed to 40 points; the last 5 sprints delivered 27 (median) and at most 31."


@pytest.mark.parametrize("command", ["/sprint status", "/risk", "/forecast"])
async def test_overload_is_reported_with_both_numbers(bot: Bot, clock: Clock, command: str) -> None:
    number = await record_past(bot, clock, *make_overload_past(40))
    text = await ask_command(bot, number, command)

    assert text.count("the last 5 sprints delivered") == 1
    assert SENTENCE.replace("points;", "points, 36 left;") in text


async def test_the_plan_says_the_same(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock, *make_overload_past(40))
    text = await ask_command(bot, number, '/sprint plan "Sprint 25"')

    assert (
        "**Overloaded:** 40 points planned, 13 points more than the median of the last 5 sprints, 27" in text
    )


@pytest.mark.parametrize("command", ["/sprint status", "/risk", "/forecast"])
async def test_a_usual_sprint_is_not_told_of_it(bot: Bot, clock: Clock, command: str) -> None:
    number = await record_past(bot, clock, *make_overload_past(27))

    assert "sprints delivered" not in await ask_command(bot, number, command)


async def test_a_past_day_is_compared_with_what_had_ended_by_then(bot: Bot, clock: Clock) -> None:
    boxes, cards = make_overload_past(40)
    large = Card(3000).opened("2026-11-07", "points: 30").joined("2026-11-08", 7024)
    number = await record_past(bot, clock, boxes, [*cards, large])
    text = await ask_command(bot, number, '/sprint status "Sprint 24" as-of:2026-11-09')

    assert "Committed to 60 points; the last 4 sprints delivered 25.5 (median) and at most 31." in text


@pytest.mark.parametrize("command", ["/sprint status", "/risk", "/forecast"])
async def test_who_is_likely_to_finish_is_not_told_of_it(bot: Bot, clock: Clock, command: str) -> None:
    """It said "9 in 10 … Committed to 28 points; the last 5 sprints delivered 27 (median)"."""
    number = await record_past(bot, clock, *make_overload_past(28, done=(0, 2)))
    text = await ask_command(bot, number, command)

    assert re.search(r"\*\*(More than 9|[5-9]) in 10\*\* chance that", text), text
    assert "sprints delivered" not in text


@pytest.mark.parametrize("command", ["/sprint status", "/risk", "/forecast"])
async def test_where_items_count_the_load_is_in_items(bot: Bot, clock: Clock, command: str) -> None:
    number = await record_past(bot, clock, *make_overload_past(34, done=(0, 2), unestimated=4))
    text = await ask_command(bot, number, command)

    assert "4 open items have no estimate, so this forecast counts items." in text
    assert "Committed to 7 items, 5 left; the last 5 sprints delivered 3 (median) and at most 3." in text


async def test_a_running_sprint_is_not_folded_to_tell_what_others_delivered(
    bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folding one of 1,200 items held the event loop for 200 ms, and its numbers were thrown away."""
    folded, fold = list[int](), Sprints._fold_alone

    async def noted(self: Sprints, sprint: Sprint, as_of: datetime) -> Facts | None:
        folded.append(sprint.milestone)
        return await fold(self, sprint, as_of)

    monkeypatch.setattr(Sprints, "_fold_alone", noted)
    number = await record_past(bot, clock, *make_overload_past(40))
    await ask_command(bot, number, "/forecast")

    assert folded
    assert 7025 not in folded
