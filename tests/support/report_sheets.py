"""Report sheets of one usual sprint with many kinds of items."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from commands.messages.report import (
    ReportData,
)
from sprints.facts import Amount
from sprints.plain import convert_facts
from sprints.report import build_report
from sprints.velocity import SprintOutcome, compute_outcome
from tests.support.builders import Box, Card, at


def make_planned_card(number: int, points: int | None = 5) -> Card:
    """Make an item that was in the sprint from its start."""
    labels = [] if points is None else [f"points: {points}"]
    return Card(number).opened("11-10", *labels).joined("11-12")


def make_box(**fields: Any) -> Box:
    """Make a sprint of two weeks with a goal."""
    frame = {"due": "2026-11-27", "description": "Goal: Pay by card\nStart: 2026-11-16"}
    return Box("11-10", **(frame | fields))


MIXED_CARDS = (
    make_planned_card(1).closed("11-18"),
    make_planned_card(2, 8).closed("11-19"),
    make_planned_card(3, 3),
    make_planned_card(4, 2).left("11-20"),
    Card(5).opened("11-10", "points: 5").joined("11-20").closed("11-24"),
    make_planned_card(6, 1).dropped("11-20"),
    make_planned_card(7, None),
    make_planned_card(8, 2).estimated("11-18", 3).closed("11-25"),
    make_planned_card(9, 2).closed("11-28 10:00"),
)


def make_sheet(*cards: Card, frame: Box | None = None, as_of: str = "11-29 12:00", **more: Any) -> ReportData:
    """Make the sheet of a report on the given items."""
    made = frame or make_box()
    now = made.facts(*cards, as_of=as_of)
    sprint, is_over = now.sprint, now.sprint.has_ended(now.as_of)
    values = (
        convert_facts(made.facts(*cards, as_of=sprint.end)) if sprint.end and is_over else convert_facts(now)
    )
    report = build_report(values | {"late": convert_facts(now)["late"]}, is_over=is_over)
    own = [compute_outcome(made.facts(*cards, as_of="12-31"))] if is_over else []
    outcomes = [*more.pop("before", ()), *own]
    return ReportData(sprint=sprint, report=report, as_of=now.as_of, outcomes=outcomes, **more)


def make_points_outcome(number: int, points: int, unit: str = "points") -> SprintOutcome:
    """Make an outcome in which everything was done."""
    done = Amount(Decimal(points), 3)
    end = at("10-01") + timedelta(days=14 * number)
    return SprintOutcome(number, number, f"Sprint {number}", end, done, done, done, unit=unit)


EARLIER_OUTCOMES = [
    make_points_outcome(number, points) for number, points in enumerate([18, 24, 21, 20], start=1)
]
