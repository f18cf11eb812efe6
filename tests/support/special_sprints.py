"""Pasts whose running sprint is overloaded or has items without an estimate."""

import re
from datetime import timedelta

from tests.support.builders import Box, Card, at
from tests.support.past import make_sprint_box

DELIVERED = (24, 27, 31, 20, 30)

DONE_POINTS, BLANK = 10, 2


def make_overload_past(
    committed: int, done: tuple[int, ...] = (2,), unestimated: int = 0
) -> tuple[list[Box], list[Card]]:
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


def make_unestimated_past(*, blank: int = BLANK, open_points: int = 0) -> tuple[list[Box], list[Card]]:
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


def find_done_claims(text: str) -> list[str]:
    """The phrases of a card that call a sprint done."""
    phrases = r"\(100 %\)|all that is in the sprint is done|everything in scope (?:is|was) done"
    return re.findall(phrases, text, re.IGNORECASE)
