"""Open items without an estimate, asked for by every command that says how much of a sprint is done."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from sprints.facts import Amount
from tests.support.builders import Box, Card, at
from tests.support.clock import Clock
from tests.support.past import NOW, ask_command, make_sprint_box, record_past
from tests.support.running import Bot

DONE_POINTS, BLANK = 10, 2


def past(*, blank: int = BLANK, open_points: int = 0) -> tuple[list[Box], list[Card]]:
    """Six sprints of a week in which five of six items of 3 points were done, and one that runs.

    It holds ten items of which all points are done; `blank` items without an estimate are open, and
    `open_points` items of 3 points.
    """
    boxes, cards = list[Box](), list[Card]()
    first = at("2026-10-05")
    for n in range(7):
        monday = first + timedelta(weeks=n)
        boxes.append(make_sprint_box(monday, 20 + n))
        is_running = n == 6
        for k in range(DONE_POINTS if is_running else 6):
            card = Card(1000 + 20 * n + k, actor="alice").opened(monday - timedelta(days=2), "points: 3")
            card = card.joined(monday - timedelta(days=1), 7020 + n)
            if is_running or k < 5:
                card = card.closed(monday + timedelta(days=0 if is_running else k, hours=8))
            cards.append(card)
    monday = first + timedelta(weeks=6)
    for k in range(blank):
        cards.append(Card(2000 + k, actor="alice").opened(monday - timedelta(days=2)))
    for k in range(open_points):
        cards.append(Card(2100 + k, actor="alice").opened(monday - timedelta(days=2), "points: 3"))
    for card in cards[-(blank + open_points) :] if blank + open_points else []:
        card.joined(monday - timedelta(days=1), 7026)
    return boxes, cards


async def answer(bot: Bot, clock: Clock, command: str, **more: int) -> str:
    number = await record_past(bot, clock, *past(**more))
    return await ask_command(bot, number, command)


def says_done(text: str) -> list[str]:
    """The phrases of a card that call a sprint done."""
    phrases = r"\(100 %\)|all that is in the sprint is done|everything in scope (?:is|was) done|\*\*certain\*\* that"
    return re.findall(phrases, text, re.IGNORECASE)


def test_the_past_is_as_it_is_stated_to_be() -> None:
    boxes, cards = past()
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
        ("/sprint status", "2 items without an estimate remain, with 3 working days to go (today included)."),
        ("/burndown", "with 2 items without an estimate to do."),
        ("/burndown", "to go, today included, for 2 items without an estimate;"),
        ("/burndown as:table", "to go, today included, for 2 items without an estimate;"),
        ("/burnup", "30 of 30 points done, 2 items without an estimate are open"),
        ("/sprint report", "**30 of 30 points and 10 of 12 items committed are done (83 %)**."),
        ("/sprint retro", "**30 of 30 points and 10 of 12 items committed are done (83 %)**."),
        ("/explain say-do", "In items: 10 of 12 kept; the rest is worth no points"),
        ("/risk", "**Not estimated:** #2000, #2001, 100 % of the open items."),
        ("/risk", "2 open items have no estimate, so items count."),
        (
            "/forecast",
            "the remaining 2 items are done by Fri 20 Nov. 2 open items have no estimate, so items count.",
        ),
        ("/forecast", "and the lower chance counts: that of the items."),
    ],
)
async def test_all_points_are_done_and_items_are_open(
    bot: Bot, clock: Clock, command: str, sentence: str
) -> None:
    text = await answer(bot, clock, command)

    assert sentence in text
    assert says_done(text) == []


async def test_without_the_last_points_an_open_item_still_counts(bot: Bot, clock: Clock) -> None:
    text = await answer(bot, clock, "/whatif drop:#2100", open_points=1)

    assert says_done(text) == []


async def test_the_picture_and_its_words_name_the_open_items(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock, *past())
    text, burnup = await ask_command(bot, number, "/sprint status"), await ask_command(bot, number, "/burnup")

    assert "0 of 30 points and 2 items worth no points remain on" in text
    assert (
        "30 of 30 points are done on 18 November, day 3 of 5, and 2 items worth no points are open;" in burnup
    )


async def test_all_is_done_when_all_items_are(bot: Bot, clock: Clock) -> None:
    text = await answer(bot, clock, "/sprint status", blank=0)

    assert "**30 of 30 points done** (100 %)" in text
    assert "All that is in the sprint is done." in text
