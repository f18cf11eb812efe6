"""Sums of a team that are nobody's own."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprints.team import LEAST_PEOPLE, PersonDay, TeamDay, WorkCounts, list_people, sum_team

DAY = date(2026, 11, 16)
LOGINS = ["ann", "bob", "Cy", "dora", "eve", "fay", "renovate[bot]", ""]


def days(**commits: int) -> list[TeamDay]:
    """A day on which people, by login, pushed so many commits."""
    return [TeamDay(DAY, tuple(PersonDay(DAY, who, WorkCounts(commits=n)) for who, n in commits.items()))]


def test_three_people_have_a_sum_and_two_have_none() -> None:
    assert sum_team(days(ann=1, bob=2)) is None
    result = sum_team(days(ann=1, bob=2, cy=4))
    assert result is not None
    assert (result.people, result.work.commits) == (3, 7)


def test_bots_and_nobody_are_no_people_but_their_work_is_in_the_sum_of_everybody() -> None:
    assert sum_team(days(**{"ann": 1, "bob": 2, "renovate[bot]": 4, "": 8})) is None
    result = sum_team(days(**{"ann": 1, "bob": 2, "cy": 3, "renovate[bot]": 4, "": 8}))
    assert result is not None
    assert (result.people, result.work.commits) == (3, 18)


def test_inactive_people_are_not_counted() -> None:
    assert sum_team(days(ann=1, bob=2, cy=0)) is None


@pytest.mark.parametrize(
    ("members", "commits"),
    [
        ({"ann", "bob", "cy"}, 7),  # Three others are left.
        ({"ann", "bob", "cy", "dora"}, None),  # What is left is that of two.
        ({"ann", "bob", "cy", "dora", "eve"}, None),  # Of one.
        ({"ann", "bob", "cy", "dora", "eve", "fay"}, 63),
        ({"ann", "bob"}, None),
        (set(), None),
    ],
)
def test_a_team_is_shown_unless_it_or_the_others_are_too_few(members: set[str], commits: int | None) -> None:
    result = sum_team(days(ann=1, bob=2, Cy=4, dora=8, eve=16, fay=32), members)
    assert (result.work.commits if result else None) == commits


@given(st.dictionaries(st.sampled_from(LOGINS), st.integers(0, 9)), st.sets(st.sampled_from(LOGINS)))
def test_no_sum_and_no_difference_of_sums_is_that_of_fewer_than_three(
    commits: dict[str, int], chosen: set[str]
) -> None:
    members = {login.lower() for login in chosen}
    data, everybody = days(**commits), list_people(days(**commits))
    result, in_all = sum_team(data, members), sum_team(data)

    if result:
        assert len(everybody & members) >= LEAST_PEOPLE
        assert in_all is not None
        assert not 0 < len(everybody - members) < LEAST_PEOPLE
    assert (in_all is None) == (len(everybody) < LEAST_PEOPLE)
