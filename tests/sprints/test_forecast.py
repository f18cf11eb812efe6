"""The forecast of a sprint."""

import math
import subprocess
import sys
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprints.calendar import Calendar, latest_due, working_days
from sprints.forecast import (
    BASE_RATE,
    Band,
    Basis,
    Change,
    Forecast,
    Refusal,
    fan,
    forecast,
    seed_of,
)
from sprints.forecast_draws import History, Moment, Now, PastSprint

EVERY = settings(max_examples=80, deadline=None)
HALFWAY = Now(elapsed=0.5, done=10, scope=20, days_left=5)

AMOUNTS = st.integers(0, 400).map(lambda tenths: tenths / 10)


@st.composite
def past_sprints(draw: st.DrawFn) -> PastSprint:
    """A sprint known at some moments, also odd ones: work reopened, scope that shrank."""
    shares = sorted(draw(st.sets(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8, 1.0]), min_size=1)))
    moments = tuple(Moment(share, draw(AMOUNTS), draw(AMOUNTS)) for share in shares)
    return PastSprint(moments, draw(AMOUNTS), draw(st.none() | AMOUNTS))


HISTORIES = st.builds(
    History,
    finished_items=st.integers(10, 500),
    own=st.lists(past_sprints(), max_size=6),
    others=st.lists(past_sprints(), max_size=6),
    days=st.lists(st.integers(0, 5).map(float), min_size=1, max_size=70),
)
NOWS = st.builds(
    Now,
    elapsed=st.integers(0, 100).map(lambda percent: percent / 100),
    done=AMOUNTS,
    scope=AMOUNTS,
    days_left=st.integers(0, 20),
)


def told(now: Now, history: History, change: Change | None = None, seed: int = 1) -> Forecast:
    found = forecast(now, history, seed, change)
    assert isinstance(found, Forecast)
    return found


def steady(delivered: float, n: int = 8, scope: float | None = None) -> History:
    """Sprints of `delivered`, done evenly, of which `scope` (or as much) was committed."""
    sprint = PastSprint(
        (Moment(0, 0, scope or delivered), Moment(0.5, delivered / 2, scope or delivered)),
        delivered,
        scope or delivered,
    )
    return History(100, own=[sprint] * n)


def test_a_team_that_always_delivers_what_is_open_is_expected_to() -> None:
    found = told(HALFWAY, steady(20))

    assert found.delivered == Band(20, 20, 20, 20, 20)
    assert found.chance == pytest.approx((8 + BASE_RATE) / 9, abs=0.01)
    assert found.basis is Basis.OWN
    assert found.basis_sentence == "From 8 finished sprints of the team."


def test_a_team_that_never_delivers_what_is_open_is_not_expected_to() -> None:
    found = told(Now(0.5, 10, 30, 5), steady(20, scope=30))

    assert found.chance < 0.1
    assert found.delivered.p50 == 20


def test_half_the_futures_go_by_points_and_half_by_the_open_share() -> None:
    """Ten of twenty open points were done then: that is all of the ten now, or half of them."""
    found = told(HALFWAY, steady(20, scope=30))

    assert 0.4 < found.chance < 0.5
    assert (found.delivered.p10, found.delivered.p90) == (15, 20)


def test_what_grew_in_past_sprints_grows_again() -> None:
    """Half of 20 was done at half time, the rest until the end, and 5 that came on top were not."""
    sprint = PastSprint((Moment(0.5, 10, 20),), 20, 25)

    found = told(HALFWAY, History(100, own=[sprint] * 8))

    assert found.chance > 0.9
    assert found.chance_with_growth is not None
    assert found.chance_with_growth < 0.1


def test_growth_that_is_unknown_is_not_guessed() -> None:
    sprint = PastSprint((Moment(0.5, 10, 20),), 20)

    assert told(HALFWAY, History(100, own=[sprint] * 8)).chance_with_growth is None


def test_moments_between_those_known_lie_on_a_line() -> None:
    sprint = PastSprint((Moment(0, 0, 20), Moment(0.5, 4, 20)), 20)

    found = told(Now(0.25, 2, 20, 6), History(100, own=[sprint] * 5))

    assert found.delivered.p50 == 20


def test_similar_sprints_count_more() -> None:
    """Of two small ones and six large ones the small ones tell what becomes of a small one."""
    small, large = steady(6, n=2).own, steady(80, n=6).own

    found = told(Now(0.5, 3, 6, 5), History(100, own=[*large, *small]))

    assert found.delivered.p50 == 6


def test_under_ten_finished_items_it_refuses() -> None:
    found = forecast(HALFWAY, History(9, own=steady(20).own), 1)

    assert found == Refusal("There is no forecast yet: it needs 10 finished items, and there are 9.")
    assert fan(HALFWAY, History(9, own=steady(20).own), 1, [date(2026, 1, 1)] * 5) == found


def test_without_any_history_it_refuses() -> None:
    assert forecast(HALFWAY, History(10), 1) == Refusal(
        "There is no forecast yet: no sprint is finished and no working day is recorded."
    )


@pytest.mark.parametrize(
    ("history", "basis", "sentence"),
    [
        (History(10, days=[2.0] * 30), Basis.DAYS, "From what the team did on 30 working days."),
        (
            History(10, others=steady(20).own),
            Basis.OTHERS,
            "From finished sprints of other teams of the project (8).",
        ),
        (
            History(10, own=steady(20, n=1).own, others=steady(20).own, days=[1.0]),
            Basis.OWN_AND_OTHERS,
            "From 1 finished sprint of the team and 8 of other teams of the project.",
        ),
        (
            History(10, own=steady(20, n=2).own, days=[2.0] * 30),
            Basis.OWN_AND_DAYS,
            "From 2 finished sprints of the team and what the team did on 30 working days.",
        ),
    ],
)
def test_a_cold_start_says_so(history: History, basis: Basis, sentence: str) -> None:
    found = told(HALFWAY, history)

    assert found.is_cold
    assert found.basis is basis
    assert found.basis_sentence == f"{sentence} The team has few finished sprints, so this is rough."
    assert found.delivered.p50 == 20


def test_the_teams_own_sprints_outweigh_others() -> None:
    """The more of its own, the nearer the chance is to theirs."""
    now, others = Now(0.5, 10, 20, 5), steady(14, n=100, scope=20).own
    chances = [told(now, History(99, steady(20, n=n).own, others)).chance for n in (1, 5, 30)]

    assert chances[0] < 0.5 < chances[1] < 0.85 < chances[2]


def test_the_chance_is_certain_only_without_open_work() -> None:
    assert told(Now(0.5, 20, 20, 5), steady(20)).chance == 1
    assert told(Now(1, 20, 20, 0), steady(20)).chance == 1
    assert told(Now(1, 19, 20, 0), steady(20)).chance == 0
    assert told(Now(0.9, 19, 20, 0), steady(20)).chance == 0, "only days off are left"
    assert told(HALFWAY, steady(20), Change(drop=10)).chance == 1
    assert told(HALFWAY, steady(20), Change(more_days=-5)).chance == 0


def test_tenths_do_not_lose_a_sprint() -> None:
    """0.1 + 0.2 is more than 0.3 in binary fractions."""
    sprint = PastSprint((Moment(0.5, 0.1, 0.3),), 0.3, 0.3)

    assert told(Now(0.5, 0.1, 0.1 + 0.2, 5), History(99, own=[sprint] * 8)).chance > 0.9


@EVERY
@given(NOWS, HISTORIES, st.integers(0, 2**64 - 1))
def test_it_is_possible_ordered_and_the_same_again(now: Now, history: History, seed: int) -> None:
    found = told(now, history, seed=seed)

    assert found == told(now, history, seed=seed)
    assert 0 <= found.chance <= 1
    assert found.chance_with_growth is None or 0 <= found.chance_with_growth <= 1
    band = found.delivered
    assert 0 <= band.p10 <= band.p25 <= band.p50 <= band.p75 <= band.p90
    assert math.isfinite(band.p90)


@EVERY
@given(NOWS, HISTORIES, AMOUNTS, AMOUNTS)
def test_less_to_do_never_lowers_the_chance(now: Now, history: History, one: float, other: float) -> None:
    less, more = sorted((one, other))
    dropped = [told(now, history, Change(drop=drop)) for drop in (0, less, more)]
    added = [told(now, history, Change(add=add)) for add in (more, less, 0)]

    for found in (dropped, added):
        assert [one.chance for one in found] == sorted(one.chance for one in found)
        growing = [one.chance_with_growth or 0 for one in found]
        assert growing == sorted(growing)


@EVERY
@given(NOWS.filter(lambda now: now.days_left > 0), HISTORIES)
def test_more_time_never_lowers_the_chance(now: Now, history: History) -> None:
    chances = [told(now, history, Change(more_days=days)).chance for days in (-99, -1, 0, 1, 5)]

    assert chances == sorted(chances)


@EVERY
@given(NOWS, HISTORIES)
def test_a_fan_ends_in_the_forecast(now: Now, history: History) -> None:
    first = date(2026, 4, 2)
    coming = working_days(Calendar(holidays={date(2026, 4, 3)}), first, latest_due(first))
    days = coming[: now.days_left]

    found = fan(now, history, 1, days)

    assert not isinstance(found, Refusal)
    assert [day.date for day in found] == days
    assert all(0 <= day.done.p10 <= day.done.p50 <= day.done.p90 for day in found)
    if found:
        assert found[-1].done == told(now, history).delivered


def test_a_fan_goes_through_what_past_sprints_did() -> None:
    days = [date(2026, 4, 1) + timedelta(days=i) for i in range(5)]

    found = fan(HALFWAY, steady(20), 1, days)

    assert not isinstance(found, Refusal)
    assert [day.done.p50 for day in found] == pytest.approx([12, 14, 16, 18, 20])


@pytest.mark.parametrize(
    ("now", "change"),
    [
        (Now(1.5, 0, 1, 1), Change()),
        (Now(0.5, -1, 1, 1), Change()),
        (Now(0.5, 0, 1, -1), Change()),
        (HALFWAY, Change(drop=-1)),
        (Now(1, 0, 1, 0), Change(more_days=1)),
    ],
)
def test_what_cannot_be_is_an_error(now: Now, change: Change) -> None:
    with pytest.raises(ValueError, match=r"lies between|not negative|no pace"):
        forecast(now, steady(20), 1, change)


def test_a_fan_needs_a_date_for_each_day() -> None:
    with pytest.raises(ValueError, match="5 working days are left, but 1 dates"):
        fan(HALFWAY, steady(20), 1, [date(2026, 4, 1)])


def test_a_seed_is_the_same_in_every_process() -> None:
    code = "from sprints.forecast import seed_of; print(seed_of('acme', 7, '2026-04-01'))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert int(other.stdout) == seed_of("acme", 7, "2026-04-01")
    assert (
        len({seed_of("ab", "c"), seed_of("a", "bc"), seed_of("a", "b", "c"), seed_of(1), seed_of("1")}) == 5
    )
