"""Open items without an estimate, asked for by every command that says how much of a sprint is done."""

from decimal import Decimal

import pytest

from sprints.facts import Amount
from tests.support.builders import Box
from tests.support.clock import Clock
from tests.support.past import NOW, ask_command, record_past
from tests.support.running import Bot
from tests.support.special_sprints import find_done_claims, make_unestimated_past


async def answer(bot: Bot, clock: Clock, command: str, **more: int) -> str:
    number = await record_past(bot, clock, *make_unestimated_past(**more))
    return await ask_command(bot, number, command)


def test_the_past_is_as_it_is_stated_to_be() -> None:
    boxes, cards = make_unestimated_past()
    facts = Box.facts(boxes[-1], *cards, as_of=NOW)

    assert (facts.done, facts.scope) == (Amount(Decimal(30), 10), Amount(Decimal(30), 12))
    assert facts.unit == "points"
    assert [item.number for item in facts.open_items] == [2000, 2001]


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (
            "/sprint status",
            "**30 of 30 points done, 2 items without an estimate are open** (10 of 12 items, 83 %)",
        ),
        ("/sprint status", "2 items without an estimate remain, with 3 working days to go, today included."),
        ("/burndown", "with 2 items without an estimate to do."),
        ("/burndown", "to go, today included, for 2 items without an estimate;"),
        ("/burndown as:table", "to go, today included, for 2 items without an estimate;"),
        ("/burnup", "30 of 30 points done, 2 items without an estimate are open"),
        ("/sprint report", "**30 of 30 points and 10 of 12 items committed are done (83 %)**."),
        ("/sprint retro", "**30 of 30 points and 10 of 12 items committed are done (83 %)**."),
        ("/explain say-do", "In items: 10 of 12 kept; the rest has no points"),
        ("/risk", "**Not estimated:** #2000, #2001, 100 % of the open items."),
        ("/risk", "2 open items have no estimate, so this forecast counts items."),
        (
            "/forecast",
            "the remaining 2 items are done by Fri 20 Nov. 2 open items have no estimate, so this forecast counts items.",
        ),
        ("/forecast", "and the lower chance counts: that of the items."),
    ],
)
async def test_all_points_are_done_and_items_are_open(
    bot: Bot, clock: Clock, command: str, sentence: str
) -> None:
    text = await answer(bot, clock, command)

    assert sentence in text
    assert find_done_claims(text) == []


async def test_without_the_last_points_an_open_item_still_counts(bot: Bot, clock: Clock) -> None:
    text = await answer(bot, clock, "/whatif drop:#2100", open_points=1)

    assert find_done_claims(text) == []


async def test_the_picture_and_its_words_name_the_open_items(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock, *make_unestimated_past())
    text, burnup = await ask_command(bot, number, "/sprint status"), await ask_command(bot, number, "/burnup")

    assert "0 of 30 points and 2 items worth no points remain on" in text
    assert (
        "30 of 30 points are done on 18 November, day 3 of 5, and 2 items worth no points are open;" in burnup
    )


async def test_all_is_done_when_all_items_are(bot: Bot, clock: Clock) -> None:
    text = await answer(bot, clock, "/sprint status", blank=0)

    assert "**30 of 30 points done** (100 %)" in text
    assert "Everything in the sprint is done." in text
