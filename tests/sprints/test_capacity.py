"""A sprint's capacity in person-days."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sprints.capacity import compute_capacity, list_shares
from sprints.rules import DaysOff
from sprints.wip import Team

FIRST = date(2026, 11, 16)
DAYS = [FIRST + timedelta(days=n) for n in range(20)]
LOGINS = st.sampled_from(["alice", "bob", "carol"])
SHARES = st.dictionaries(LOGINS, st.integers(1, 100).map(lambda n: Decimal(n) / 100), min_size=1)
ABSENCES = st.lists(
    st.builds(
        lambda start, length, login: DaysOff(DAYS[start], DAYS[start] + timedelta(days=length), "", login),
        st.integers(0, 19),
        st.integers(0, 30),
        LOGINS,
    ),
    max_size=6,
)


@given(SHARES, ABSENCES)
def test_absences_only_lower_the_capacity_and_never_below_zero(
    shares: dict[str, Decimal], absences: list[DaysOff]
) -> None:
    whole, left = compute_capacity(shares, [], DAYS), compute_capacity(shares, absences, DAYS)

    assert whole.person_days == sum(shares.values()) * len(DAYS)
    assert 0 <= left.person_days <= whole.person_days
    assert all(0 <= person.days_away <= person.working_days for person in left.people)


@given(SHARES, ABSENCES, st.decimals(0, 100, places=1))
def test_a_sprint_like_the_earlier_ones_has_the_usual_velocity(
    shares: dict[str, Decimal], absences: list[DaysOff], velocity: Decimal
) -> None:
    capacity = compute_capacity(shares, absences, DAYS, [DAYS, DAYS, DAYS])

    if capacity.person_days:
        assert capacity.percent == 100
        assert capacity.scale(velocity) == velocity
    else:
        assert capacity.percent is None


def test_overlapping_absences_count_once() -> None:
    absences = [DaysOff(DAYS[0], DAYS[3], "", "bob"), DaysOff(DAYS[2], DAYS[5], "", "bob")]
    capacity = compute_capacity({"bob": Decimal(1)}, absences, DAYS)

    assert [person.days_away for person in capacity.people] == [6]


def test_nobody_without_a_share_counts() -> None:
    teams = [Team("checkout", frozenset(), frozenset({"alice", "bob", "renovate[bot]"}))]
    assert list_shares({"bob": Decimal(0), "carol": Decimal("0.5")}, teams) == {
        "alice": Decimal(1),
        "carol": Decimal("0.5"),
    }
