"""A sprint that holds more than the last ones delivered, by every command that says where it stands."""

from datetime import timedelta

import pytest

from tests.builders import Box, Card, at
from tests.commands.past import ask, sprint_box, tell_past
from tests.conftest import Clock
from tests.running import Bot

DELIVERED = (24, 27, 31, 20, 30)
SENTENCE = "Committed to 40 points; the last 5 sprints delivered 27 (median) and at most 31."


def past(committed: int) -> tuple[list[Box], list[Card]]:
    """Five sprints of a week, and one that runs with a card of 4 points done and the rest open."""
    boxes, cards = list[Box](), list[Card]()
    for n, points in enumerate([*DELIVERED, committed]):
        monday = at("2026-10-12") + timedelta(weeks=n)
        boxes.append(sprint_box(monday, 20 + n))
        sizes = [points - 8, 4, 4]
        for k, size in enumerate(sizes):
            card = Card(1000 + 10 * n + k, actor="alice").opened(
                monday - timedelta(days=2), f"points: {size}"
            )
            card.joined(monday - timedelta(days=1), 7020 + n)
            if n < len(DELIVERED) or k == 2:
                card.closed(monday + timedelta(days=1, hours=k))
            cards.append(card)
    return boxes, cards


@pytest.mark.parametrize("command", ["/sprint status", "/risk", "/forecast"])
async def test_overload_is_told_with_both_numbers(bot: Bot, clock: Clock, command: str) -> None:
    number = await tell_past(bot, clock, *past(40))
    text = await ask(bot, number, command)

    assert text.count("the last 5 sprints delivered") == 1
    assert SENTENCE.replace("points;", "points, 36 left;") in text


async def test_the_plan_says_the_same(bot: Bot, clock: Clock) -> None:
    number = await tell_past(bot, clock, *past(40))
    text = await ask(bot, number, '/sprint plan "Sprint 25"')

    assert (
        "**Overloaded:** 40 points planned, 13 points more than the median of the last 5 sprints, 27" in text
    )


@pytest.mark.parametrize("command", ["/sprint status", "/risk", "/forecast"])
async def test_a_usual_sprint_is_not_told_of_it(bot: Bot, clock: Clock, command: str) -> None:
    number = await tell_past(bot, clock, *past(27))

    assert "sprints delivered" not in await ask(bot, number, command)


async def test_a_past_day_is_compared_with_what_had_ended_by_then(bot: Bot, clock: Clock) -> None:
    number = await tell_past(bot, clock, *past(40))
    text = await ask(bot, number, '/sprint status "Sprint 24" as-of:2026-11-09')

    assert "Committed to 30 points; the last 4 sprints delivered 25.5 (median) and at most 31." in text
