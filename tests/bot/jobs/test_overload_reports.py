"""Overload and missing estimates in reports."""

from collections.abc import Sequence

from tests.support.builders import Box, Card
from tests.support.past import record_past
from tests.support.reporting import ReportingHarness
from tests.support.special_sprints import find_done_claims, make_overload_past, make_unestimated_past


async def follow(reporting: ReportingHarness, boxes: Sequence[Box], cards: Sequence[Card]) -> None:
    reporting.thread = await record_past(reporting.bot, reporting.clock, boxes, cards)
    await reporting.set_settings(tracking=reporting.thread, summaries="off")


async def test_the_tracking_comment_tells_overload_and_is_not_edited_for_it(
    reporting: ReportingHarness,
) -> None:
    await follow(reporting, *make_overload_past(40))
    await reporting.set_settings(alerts="off")
    (text,) = await reporting.advance()

    assert text.count("the last 5 sprints delivered 27 (median) and at most 31.") == 1
    writes = reporting.writes
    await reporting.set_settings(late={"7024": {"points": 30, "count": 3, "items": []}})
    assert await reporting.advance("2026-11-18 13:00") == [text]
    assert reporting.writes == writes


async def test_an_alert_says_what_the_points_do_not_tell(reporting: ReportingHarness) -> None:
    await follow(reporting, *make_unestimated_past())
    await reporting.advance()
    text, alert = await reporting.advance("2026-11-19 09:30")

    assert "**30 of 30 points done, 2 items without an estimate are open** (10 of 12 items, 83 %)" in text
    assert "**30 of 30 points done, 2 items without an estimate are open** (10 of 12 items, 83 %)." in alert
    assert find_done_claims(text + alert) == []
