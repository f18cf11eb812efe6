"""Overload and items without an estimate in what is said unasked."""

from collections.abc import Sequence

from tests.bot.jobs.test_sprint_reports import Room, room
from tests.commands.sprint import test_overload, test_unestimated
from tests.support.builders import Box, Card
from tests.support.past import tell_past

__all__ = ["room"]


async def follow(room: Room, boxes: Sequence[Box], cards: Sequence[Card]) -> None:
    room.thread = await tell_past(room.bot, room.clock, boxes, cards)
    await room.settle(tracking=room.thread, summaries="off")


async def test_the_tracking_comment_tells_overload_and_is_not_edited_for_it(room: Room) -> None:
    await follow(room, *test_overload.past(40))
    await room.settle(alerts="off")
    (text,) = await room.go()

    assert text.count("the last 5 sprints delivered 27 (median) and at most 31.") == 1
    writes = room.writes
    await room.settle(late={"7024": {"points": 30, "count": 3, "items": []}})
    assert await room.go("2026-11-18 13:00") == [text]
    assert room.writes == writes


async def test_an_alert_says_what_the_points_do_not_tell(room: Room) -> None:
    await follow(room, *test_unestimated.past())
    await room.go()
    text, alert = await room.go("2026-11-19 09:30")

    assert "**30 of 30 points done, 2 items without an estimate are open** (10 of 12 items, 83 %)" in text
    assert "**30 of 30 points done, 2 items without an estimate are open** (10 of 12 items, 83 %)." in alert
    assert test_unestimated.says_done(text + alert) == []
