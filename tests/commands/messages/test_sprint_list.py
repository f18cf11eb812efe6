"""Texts for the list of sprints."""

from decimal import Decimal

from commands.messages.sprint_list import SprintRow, list_text, newest_first
from sprints.facts import Amount
from sprints.velocity import compute_velocity
from tests.support.builders import Box, at
from tests.support.report_sheets import EARLIER_OUTCOMES, make_box, make_points_outcome

NOW = at("11-20 12:00")
FIVE = Amount(Decimal(5), 2)


def text(*rows: SprintRow, total: int | None = None) -> str:
    return list_text(rows, total or len(rows), compute_velocity(EARLIER_OUTCOMES), NOW)


def test_a_running_one() -> None:
    assert "| Sprint 12 | 16 Nov 2026 – 27 Nov 2026 | running | 5 / 2 | 0 / 0 | – |" in text(
        SprintRow(make_box().sprint(NOW), FIVE, Amount())
    )


def test_a_planned_one_has_committed_nothing_yet() -> None:
    frame = Box("11-10", title="Sprint 13", start="11-30", due="2026-12-11")

    assert "| Sprint 13 | 30 Nov 2026 – 11 Dec 2026 | planned | not yet | – | – |" in text(
        SprintRow(frame.sprint(NOW), Amount(), Amount())
    )


def test_finished_ones() -> None:
    over = Box("11-01", start="11-02", due="2026-11-13")
    open_still, closed = over.sprint(NOW), over.closed("11-14").sprint(NOW)
    row = SprintRow(closed, FIVE, FIVE, make_points_outcome(1, 5), is_frozen=True)

    assert "| closed | 5 / 2 | 5 / 2 | 100 % / 100 % |" in text(row)
    assert "| closed, provisional |" in text(SprintRow(closed, FIVE, FIVE, make_points_outcome(1, 5)))
    assert "| ended, not closed |" in text(SprintRow(open_still, FIVE, FIVE, make_points_outcome(1, 5)))


def test_a_deleted_one() -> None:
    assert "| deleted |" in text(SprintRow(make_box().deleted("11-18").sprint(NOW), FIVE, Amount()))


def test_how_many_there_are() -> None:
    row = SprintRow(make_box().sprint(NOW), FIVE, Amount())

    assert text(row).startswith(
        "### 1 sprint\n\n**Velocity:** median 20.5 points over the last 4 that ended, from 18 to 24."
    )
    assert text(row, total=12).startswith("### The last 1 of 12 sprints")
    assert text(row).endswith("<sub>Points / items · As of 20 Nov 2026, 12:00 UTC</sub>")


def test_too_few_for_a_velocity() -> None:
    row = SprintRow(make_box().sprint(NOW), FIVE, Amount())

    assert "Done so far: 18 and 24 points in 2 sprints; a velocity needs three." in list_text(
        [row], 1, compute_velocity(EARLIER_OUTCOMES[:2]), NOW
    )
    assert "Done so far" not in list_text([row], 1, compute_velocity([]), NOW)


def test_what_begins_last_stands_first() -> None:
    first = SprintRow(Box("11-01", start="11-02", due="2026-11-13").sprint(NOW), FIVE, FIVE)
    second = SprintRow(make_box().sprint(NOW), FIVE, FIVE)

    assert newest_first([first.sprint, second.sprint]) == [second.sprint, first.sprint]


def test_titles_format_nothing() -> None:
    assert "@all" not in text(SprintRow(make_box(title="@all | **x**").sprint(NOW), FIVE, FIVE))
