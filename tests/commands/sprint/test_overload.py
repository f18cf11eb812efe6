"""A sprint that holds more than the last ones delivered, by every command that says where it stands."""

import re
from datetime import datetime, timedelta

import pytest

from sprints.facts import Facts
from sprints.milestone import Sprint
from storage.sprints import Sprints
from tests.support.builders import Box, Card, at
from tests.support.clock import Clock
from tests.support.past import ask_command, make_sprint_box, record_past
from tests.support.running import Bot

DELIVERED = (24, 27, 31, 20, 30)
SENTENCE = "Committed to 40 points; the last 5 sprints delivered 27 (median) and at most 31."


def past(committed: int, done: tuple[int, ...] = (2,), unestimated: int = 0) -> tuple[list[Box], list[Card]]:
    """Five sprints of a week, and one that runs with a card of 4 points done and the rest open.

    `done` says which of its three cards are done, `unestimated` how many more are open without an estimate.
    """
    boxes, cards = list[Box](), list[Card]()
    for n, points in enumerate([*DELIVERED, committed]):
        monday = at("2026-10-12") + timedelta(weeks=n)
        boxes.append(make_sprint_box(monday, 20 + n))
        sizes = [points - 8, 4, 4]
        for k, size in enumerate(sizes):
            card = Card(1000 + 10 * n + k, actor="alice").opened(
                monday - timedelta(days=2), f"points: {size}"
            )
            card.joined(monday - timedelta(days=1), 7020 + n)
            if n < len(DELIVERED) or k in done:
                card.closed(monday + timedelta(days=1, hours=k))
            cards.append(card)
    blank = (Card(2000 + k).opened("2026-11-14").joined("2026-11-15", 7025) for k in range(unestimated))
    return boxes, [*cards, *blank]


@pytest.mark.parametrize("command", ["/sprint status", "/risk", "/forecast"])
async def test_overload_is_reported_with_both_numbers(bot: Bot, clock: Clock, command: str) -> None:
    number = await record_past(bot, clock, *past(40))
    text = await ask_command(bot, number, command)

    assert text.count("the last 5 sprints delivered") == 1
    assert SENTENCE.replace("points;", "points, 36 left;") in text


async def test_the_plan_says_the_same(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock, *past(40))
    text = await ask_command(bot, number, '/sprint plan "Sprint 25"')

    assert (
        "**Overloaded:** 40 points planned, 13 points more than the median of the last 5 sprints, 27" in text
    )


@pytest.mark.parametrize("command", ["/sprint status", "/risk", "/forecast"])
async def test_a_usual_sprint_is_not_told_of_it(bot: Bot, clock: Clock, command: str) -> None:
    number = await record_past(bot, clock, *past(27))

    assert "sprints delivered" not in await ask_command(bot, number, command)


async def test_a_past_day_is_compared_with_what_had_ended_by_then(bot: Bot, clock: Clock) -> None:
    boxes, cards = past(40)
    large = Card(3000).opened("2026-11-07", "points: 30").joined("2026-11-08", 7024)
    number = await record_past(bot, clock, boxes, [*cards, large])
    text = await ask_command(bot, number, '/sprint status "Sprint 24" as-of:2026-11-09')

    assert "Committed to 60 points; the last 4 sprints delivered 25.5 (median) and at most 31." in text


@pytest.mark.parametrize("command", ["/sprint status", "/risk", "/forecast"])
async def test_who_is_likely_to_finish_is_not_told_of_it(bot: Bot, clock: Clock, command: str) -> None:
    """It said "9 in 10 … Committed to 28 points; the last 5 sprints delivered 27 (median)"."""
    number = await record_past(bot, clock, *past(28, done=(0, 2)))
    text = await ask_command(bot, number, command)

    assert re.search(r"\*\*(More than 9|[5-9]) in 10\*\* that", text), text
    assert "sprints delivered" not in text


@pytest.mark.parametrize("command", ["/sprint status", "/risk", "/forecast"])
async def test_where_items_count_the_load_is_in_items(bot: Bot, clock: Clock, command: str) -> None:
    number = await record_past(bot, clock, *past(34, done=(0, 2), unestimated=4))
    text = await ask_command(bot, number, command)

    assert "4 open items have no estimate, so items count." in text
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
    number = await record_past(bot, clock, *past(40))
    await ask_command(bot, number, "/forecast")

    assert folded
    assert 7025 not in folded
