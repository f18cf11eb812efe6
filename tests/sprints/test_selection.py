"""Which sprint is meant when nobody says."""

from sprints.selection import choose_sprint
from tests.support.builders import Box, at

NOW = at("11-20 12:00")
OVER = Box("10-01", milestone=1, number=1, start="10-26", due="2026-11-06")
RUNNING = Box("10-01", milestone=2, number=2, start="11-16", due="2026-11-27")
LONGER = Box("10-01", milestone=3, number=3, start="11-02", due="2026-12-31")
NO_END = Box("10-01", milestone=4, number=4, start="11-01")
NEXT = Box("10-01", milestone=5, number=5, start="11-30", due="2026-12-11")
LATER = Box("10-01", milestone=6, number=6, start="12-14", due="2026-12-24")
CLOSED = Box("10-01", milestone=7, number=7, start="11-09", due="2026-11-20").closed("11-19")
DELETED = Box("10-01", milestone=8, number=8, start="11-16", due="2026-11-25").deleted("11-18")
LONG_OVER = Box("09-01", milestone=9, number=9, start="09-07", due="2026-10-30")


def chosen(*boxes: Box, asked_in: int | None = None) -> int | None:
    item = choose_sprint([box.sprint(NOW) for box in boxes], NOW, asked_in)
    return item.number if item else None


def test_the_sprint_of_the_issue_where_it_was_asked() -> None:
    assert chosen(OVER, RUNNING, LATER, asked_in=6) == 6
    assert chosen(OVER, RUNNING, LATER, asked_in=1) == 1


def test_else_the_running_one_that_ends_first() -> None:
    assert chosen(NO_END, LONGER, RUNNING, NEXT, OVER) == 2


def test_one_without_an_end_comes_last_among_the_running() -> None:
    assert chosen(NO_END, LONGER) == 3
    assert chosen(NO_END, OVER, NEXT) == 4


def test_else_the_one_that_ended_last_within_14_days() -> None:
    assert chosen(OVER, CLOSED, NEXT, LONG_OVER) == 7
    assert chosen(OVER, NEXT) == 1


def test_else_the_next_planned_one() -> None:
    assert chosen(LATER, NEXT, LONG_OVER) == 5


def test_a_deleted_one_is_never_meant() -> None:
    assert chosen(DELETED) is None
    assert chosen(DELETED, NEXT) == 5


def test_none_at_all() -> None:
    assert chosen() is None
    assert chosen(LONG_OVER) is None


def test_the_first_days_of_the_calendar_can_be_asked_about() -> None:
    assert choose_sprint([RUNNING.sprint()], at("0001-01-02T00:00Z"), None) is not None
