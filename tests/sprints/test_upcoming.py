"""Which sprint comes next."""

from sprints.milestone import Sprint
from sprints.upcoming import choose_sprint_to_plan, find_next_sprint, list_open_sprints
from tests.support.builders import Box, at

NOW = at("11-20 12:00")


def sprint(number: int, start: str = "11-16", due: str | None = "11-27") -> Sprint:
    due = f"2026-{due}" if due else None
    return Box(
        "11-10", milestone=number, number=number, start=start, due=due, title=f"Sprint {number}"
    ).sprint(NOW)


OVER = sprint(11, "11-02", "11-13")
RUNNING = sprint(12)
SECOND = sprint(13, "11-30", "12-11")
THIRD = sprint(14, "12-14", "12-24")
SHELF = sprint(2, "11-10", None)
CLOSED = Box("11-10", milestone=15, number=15, start="11-28", due="2026-12-05").closed("11-19").sprint(NOW)
DELETED = Box("11-10", milestone=16, number=16, start="11-28", due="2026-12-06").deleted("11-19").sprint(NOW)
ALL = [THIRD, SHELF, DELETED, CLOSED, SECOND, RUNNING, OVER]


def test_work_can_be_planned_in_what_is_neither_closed_nor_deleted_nor_over() -> None:
    assert list_open_sprints(ALL, NOW) == [RUNNING, SECOND, THIRD, SHELF]


def test_the_next_one_is_due_next() -> None:
    assert find_next_sprint(ALL, RUNNING, NOW) == SECOND
    assert find_next_sprint(ALL, OVER, NOW) == RUNNING
    assert find_next_sprint(ALL, SECOND, NOW) == THIRD


def test_after_the_last_there_is_none_and_a_shelf_is_no_sprint() -> None:
    assert find_next_sprint(ALL, THIRD, NOW) is None
    assert find_next_sprint([RUNNING, SHELF], RUNNING, NOW) is None


def test_after_one_without_due_date_comes_what_has_one() -> None:
    assert find_next_sprint(ALL, SHELF, NOW) == RUNNING


def test_what_is_planned_is_the_one_after_the_running_one() -> None:
    assert choose_sprint_to_plan(ALL, NOW, None) == SECOND
    assert choose_sprint_to_plan(ALL, NOW, asked_in=12) == SECOND


def test_asked_in_a_planned_one_that_is_meant() -> None:
    assert choose_sprint_to_plan(ALL, NOW, asked_in=14) == THIRD


def test_where_nothing_comes_next_the_running_one_is_planned() -> None:
    assert choose_sprint_to_plan([RUNNING, SHELF], NOW, None) == RUNNING


def test_where_nothing_runs_the_first_planned_one() -> None:
    assert choose_sprint_to_plan([THIRD, SECOND], NOW, None) == SECOND
    assert choose_sprint_to_plan([], NOW, None) is None
