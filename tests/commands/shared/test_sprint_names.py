"""The sprint that a name means, in all spellings."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.shared.sprint_names import find_sprints
from sprints.calendar import Calendar
from sprints.milestone import Sprint

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def build_sprint(number: int, title: str, *, weeks_ago: int = 0, is_deleted: bool = False) -> Sprint:
    """A sprint of one week that began some weeks ago; a negative number lies ahead."""
    start = datetime(2026, 11, 23, tzinfo=UTC) - timedelta(weeks=weeks_ago)
    end = start + timedelta(weeks=1)
    due = (end - timedelta(days=1)).date()
    return Sprint(number, number, title, None, start, start, end, due, None, is_deleted, Calendar())


SPRINTS = [
    build_sprint(1, "Sprint 22", weeks_ago=2),
    build_sprint(2, "Sprint 23", weeks_ago=1),
    build_sprint(3, "Sprint 24 – Checkout"),
    build_sprint(4, "Sprint 2", weeks_ago=-1),
    build_sprint(5, "Checkout 23", weeks_ago=-2),
    build_sprint(6, "Sprint 99", weeks_ago=-3, is_deleted=True),
]


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("Sprint 23", ["Sprint 23"]),
        ("sprint 23.", ["Sprint 23"]),
        ("Sprint-23", ["Sprint 23"]),
        ("sprint23", ["Sprint 23"]),
        ("22", ["Sprint 22"]),
        ("sprint #22", ["Sprint 22"]),
        ("24", ["Sprint 24 – Checkout"]),
        ("Sprint 24", ["Sprint 24 – Checkout"]),
        ("sprint 24 - checkout", ["Sprint 24 – Checkout"]),
        ("2", ["Sprint 2"]),
        ("Sprint 2", ["Sprint 2"]),
        ("23", ["Sprint 23", "Checkout 23"]),
        ("checkout", ["Sprint 24 – Checkout", "Checkout 23"]),
        ("current", ["Sprint 24 – Checkout"]),
        ("the current sprint", ["Sprint 24 – Checkout"]),
        ("last", ["Sprint 23"]),
        ("previous sprint", ["Sprint 23"]),
        ("next", ["Sprint 2"]),
        ("Sprint 99", ["Sprint 99"]),
        ("99", []),
        ("Sprint", ["Sprint 22", "Sprint 23", "Sprint 24 – Checkout", "Sprint 2"]),
        ("nothing", []),
        ("…", []),
    ],
)
def test_a_name_means_the_sprints_that_it_fits(name: str, titles: list[str]) -> None:
    assert [sprint.title for sprint in find_sprints(name, SPRINTS, NOW)] == titles


def test_a_title_comes_before_a_word_and_the_newest_of_two_before_the_older() -> None:
    sprints = [*SPRINTS, build_sprint(7, "next"), build_sprint(8, "Next", weeks_ago=9)]

    assert [sprint.number for sprint in find_sprints("next", sprints, NOW)] == [8]


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=6, unique_by=str.casefold), st.data())
def test_every_title_finds_its_own_sprint(titles: list[str], data: st.DataObject) -> None:
    sprints = [build_sprint(number, title) for number, title in enumerate(titles, 1)]
    title = data.draw(st.sampled_from(titles))

    assert [sprint.title for sprint in find_sprints(title, sprints, NOW)] == [title]
