"""The forecast of a sprint."""

import math
import subprocess
import sys
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sprints.calendar import Calendar, days_between
from sprints.forecast import Basis, FanDay, Forecast, Refusal, derive_seed, forecast_days, forecast_sprint
from sprints.forecast_amounts import LEVELS, Band
from sprints.forecast_inputs import ForecastHistory, Moment, PastSprint, RunningSprint

EVERY = settings(max_examples=80, deadline=None)
HALFWAY = RunningSprint(elapsed=0.5, done=10, scope=20, days_left=5)

AMOUNTS = st.integers(0, 400).map(lambda tenths: tenths / 10)


@st.composite
def past_sprints(draw: st.DrawFn) -> PastSprint:
    """A sprint known at some moments, also odd ones: work reopened, scope that shrank."""
    shares = sorted(draw(st.sets(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8, 1.0]), min_size=1)))
    moments = tuple(Moment(share, draw(AMOUNTS), draw(AMOUNTS)) for share in shares)
    length = draw(st.none() | st.integers(1, 30))
    return PastSprint(moments, draw(AMOUNTS), draw(st.none() | AMOUNTS), length)


HISTORIES = st.builds(
    ForecastHistory,
    finished_items=st.integers(1, 500),
    own=st.lists(past_sprints(), max_size=6),
    others=st.lists(past_sprints(), max_size=6),
    days=st.lists(st.integers(0, 5).map(float), min_size=1, max_size=70),
)
SHARES = st.integers(0, 100).map(lambda percent: percent / 100)
NOWS = st.builds(
    RunningSprint,
    elapsed=SHARES,
    done=AMOUNTS,
    scope=AMOUNTS,
    days_left=st.integers(0, 20),
    working_days=st.none() | st.integers(1, 40),
)
OPEN = NOWS.filter(lambda now: now.remaining > 0 and now.share < 1)


def forecast_of(now: RunningSprint, history: ForecastHistory, seed: int = 1) -> Forecast:
    expected = forecast_sprint(now, history, seed)
    assert isinstance(expected, Forecast)
    return expected


def chance_of(now: RunningSprint, history: ForecastHistory) -> float:
    return forecast_of(now, history).chance


def steady(delivered: float, n: int = 8, scope: float | None = None) -> ForecastHistory:
    """Sprints of `delivered`, done evenly, of which `scope` (or as much) was committed."""
    scope = delivered if scope is None else scope
    moments = (Moment(0, 0, scope), Moment(0.5, delivered / 2, scope))
    return ForecastHistory(100, own=[PastSprint(moments, delivered, scope)] * n)


# Eight sprints of 26 to 30 points that were always committed to a little more: the history of issue 15.
STRETCHED = ForecastHistory(
    200,
    own=[
        PastSprint((Moment(0, 0, 31), Moment(0.7, delivered * 0.7, 31)), delivered, 31)
        for delivered in (26.0, 27.0, 28.0, 29.0, 30.0, 26.0, 28.0, 30.0)
    ],
)


# What is sure, and what is not


def test_a_team_that_always_finishes_is_expected_to() -> None:
    expected = forecast_of(HALFWAY, steady(20))

    assert expected.chance > 0.8
    assert expected.delivered == Band(20, 20, 20, 20, 20)
    assert expected.basis is Basis.OWN
    assert expected.basis_sentence == "From 8 finished sprints of the team."


def test_a_team_that_never_does_so_much_is_not_expected_to() -> None:
    expected = forecast_of(RunningSprint(0.5, 10, 30, 5), steady(20, scope=30))

    assert expected.chance < 0.1
    assert expected.delivered.p50 <= 20


@pytest.mark.parametrize("sprints", [5, 8, 30])
def test_one_small_item_at_half_time_is_as_good_as_done(sprints: int) -> None:
    assert chance_of(RunningSprint(0.5, 19, 20, 5), steady(20, n=sprints)) > 0.9


@pytest.mark.parametrize("elapsed", [0.5, 0.6, 0.75, 0.9])
def test_who_always_finishes_early_is_not_told_to_have_no_time(elapsed: float) -> None:
    """That nothing was done after half time, because nothing was left, is no record of the second half."""
    early = PastSprint((Moment(0, 0, 20), Moment(0.5, 20, 20), Moment(1, 20, 20)), 20, 20)

    expected = forecast_of(RunningSprint(elapsed, 19, 20, 2), ForecastHistory(99, own=[early] * 8))

    assert expected.chance > 0.8
    assert expected.delivered.p50 == pytest.approx(20)


def test_one_small_sprint_is_no_record_where_others_tell_more() -> None:
    small = PastSprint((Moment(0, 0, 2),), 2, 2)
    others = [PastSprint((Moment(0, 0, size),), size, size) for size in (30.0, 36.0, 42.0, 49.0)]

    chances = [
        chance_of(RunningSprint(0, 0, size, 10), ForecastHistory(9, [small], others))
        for size in (2, 3, 4, 20)
    ]

    assert chances[1] > chances[0] - 0.2
    assert chances[3] > 0.3


def test_the_chance_is_certain_only_without_open_work() -> None:
    assert chance_of(RunningSprint(0.5, 20, 20, 5), steady(20)) == 1
    assert chance_of(RunningSprint(1, 20, 20, 0), steady(20)) == 1
    assert chance_of(RunningSprint(1, 19, 20, 0), steady(20)) == 0
    assert chance_of(RunningSprint(0.9, 19, 20, 0), steady(20)) == 0, "only days off are left"


@EVERY
@given(OPEN, HISTORIES)
def test_with_work_and_time_left_nothing_is_certain_or_impossible(
    now: RunningSprint, history: ForecastHistory
) -> None:
    assert 0 < chance_of(now, history) < 1


def test_tenths_do_not_lose_a_sprint() -> None:
    """0.1 + 0.2 is more than 0.3 in binary fractions."""
    assert chance_of(RunningSprint(0.5, 0.3, 0.1 + 0.2, 5), steady(20)) == 1


# Order


@EVERY
@given(NOWS, HISTORIES, AMOUNTS)
def test_more_open_work_never_raises_the_chance(
    now: RunningSprint, history: ForecastHistory, more: float
) -> None:
    expected, fuller = (forecast_of(entry, history) for entry in (now, replace(now, scope=now.scope + more)))

    assert fuller.chance <= expected.chance
    assert (fuller.chance_with_growth or 0) <= (expected.chance_with_growth or 0)


@EVERY
@given(NOWS, HISTORIES, AMOUNTS)
@example(RunningSprint(0.8, 0, 20, 2), steady(20), 0.1)
def test_more_done_never_lowers_the_chance(now: RunningSprint, history: ForecastHistory, more: float) -> None:
    assert chance_of(replace(now, done=now.done + more), history) >= chance_of(now, history)


# Sprints of unknown length beside one of a known length.
MIXED_LENGTHS = ForecastHistory(
    1,
    [],
    [
        PastSprint((Moment(0.0, 0.0, 0.0),), delivered, None, length)
        for delivered, length in ((0.0, None), (0.0, None), (0.2, None), (0.0, 1))
    ],
    [0.0],
)


@EVERY
@given(NOWS, HISTORIES, SHARES, st.integers(0, 5), st.integers(0, 20))
@example(RunningSprint(0.0, 0.0, 0.4, 1, 1), MIXED_LENGTHS, 0.0, 0, 1)
def test_more_time_never_lowers_the_chance(
    now: RunningSprint, history: ForecastHistory, elapsed: float, days: int, length: int
) -> None:
    longer = replace(
        now,
        elapsed=min(elapsed, now.elapsed),
        days_left=now.days_left + days,
        working_days=now.working_days and now.working_days + length,
    )

    assert chance_of(longer, history) >= chance_of(now, history) - 1e-12


@EVERY
@given(OPEN, HISTORIES, st.integers(150, 10_000))
def test_far_beyond_the_record_is_less_than_one_in_ten(
    now: RunningSprint, history: ForecastHistory, percent: int
) -> None:
    """Half as much again as the team ever did, by its own sprints."""
    history, now = replace(history, others=(), days=()), replace(now, working_days=None)
    most = max((sprint.delivered for sprint in history.own), default=0.0)
    if most:
        assert chance_of(replace(now, scope=now.done + most * percent / 100), history) < 0.1


@pytest.mark.parametrize("scope", [36, 40, 60, 100, 536])
def test_the_impossible_is_close_to_nothing(scope: float) -> None:
    """The more was open, the higher the chance that was told: 4 in 10 with 516 points."""
    expected = forecast_of(RunningSprint(0.7, 20, scope, 3), STRETCHED)

    assert expected.chance < 0.1
    assert expected.delivered.p90 <= 20 + 9 * (1 + 1 / 8)


# Amounts


@EVERY
@given(OPEN, HISTORIES)
def test_amounts_agree_with_the_chance(now: RunningSprint, history: ForecastHistory) -> None:
    expected = forecast_of(now, history)
    band = expected.delivered

    amounts = zip(LEVELS, (band.p10, band.p25, band.p50, band.p75, band.p90), strict=True)
    for level, amount in amounts:
        if level > 1 - expected.chance:
            assert amount >= now.scope - 1e-6
        else:
            assert amount < now.scope


@EVERY
@given(NOWS, HISTORIES, st.integers(0, 2**64 - 1))
def test_it_is_possible_ordered_and_the_same_again(
    now: RunningSprint, history: ForecastHistory, seed: int
) -> None:
    expected = forecast_of(now, history, seed=seed)

    assert expected == forecast_of(now, history, seed=seed)
    assert 0 <= expected.chance <= 1
    assert expected.chance_with_growth is None or 0 <= expected.chance_with_growth <= 1
    band = expected.delivered
    assert now.done <= band.p10 <= band.p25 <= band.p50 <= band.p75 <= band.p90
    assert math.isfinite(band.p90)


@EVERY
@given(OPEN, HISTORIES, st.integers(2, 50))
def test_amounts_stay_within_the_record_whatever_the_scope(
    now: RunningSprint, history: ForecastHistory, times: int
) -> None:
    """A scope far beyond all that was done changes nothing of what is expected."""
    history = replace(history, others=(), days=())
    if not any(sprint.delivered for sprint in history.own):
        return
    now = replace(now, working_days=None)
    most = max(sprint.delivered for sprint in history.own) * (1 + 1 / len(history.own))
    expected, beyond = (
        forecast_of(replace(now, scope=now.done + most * factor), history) for factor in (2, 2 * times)
    )
    assert expected.delivered == beyond.delivered
    assert beyond.delivered.p90 <= now.done + most + 1e-6


def test_where_nothing_is_open_only_what_is_added_is_expected() -> None:
    """It once expected 43 points where all 31 were done."""
    assert forecast_of(RunningSprint(0.7, 31, 31, 3), steady(30)).delivered == Band(31, 31, 31, 31, 31)


def test_half_the_futures_go_by_amounts_and_half_by_the_open_share() -> None:
    """Ten of twenty open points were done then: that is all of the ten now, or half of them."""
    band = forecast_of(HALFWAY, steady(20, scope=30)).delivered

    assert (band.p10, band.p90) == (15, 20)


def test_similar_sprints_count_more() -> None:
    """Of two small ones and six large ones the small ones tell what becomes of a small one."""
    small, large = steady(6, n=2).own, steady(80, n=6).own

    assert (
        forecast_of(RunningSprint(0.5, 3, 6, 5), ForecastHistory(100, own=[*large, *small])).delivered.p50
        == 6
    )


def test_moments_between_those_known_lie_on_a_line() -> None:
    sprint = PastSprint((Moment(0, 0, 20), Moment(0.5, 4, 20)), 20)

    assert (
        forecast_of(RunningSprint(0.25, 2, 20, 6), ForecastHistory(100, own=[sprint] * 5)).delivered.p50 == 20
    )


# Growth


def test_what_grew_in_past_sprints_grows_again() -> None:
    """Half of 20 was done at half time, the rest until the end, and 5 that came on top were not."""
    sprint = PastSprint((Moment(0.5, 10, 20),), 20, 25)

    expected = forecast_of(HALFWAY, ForecastHistory(100, own=[sprint] * 8))

    assert expected.chance_with_growth is not None
    assert expected.chance_with_growth < 0.2
    assert expected.chance > 0.5


def test_growth_that_is_unknown_is_not_guessed() -> None:
    sprint = PastSprint((Moment(0.5, 10, 20),), 20)

    assert forecast_of(HALFWAY, ForecastHistory(100, own=[sprint] * 8)).chance_with_growth is None


# Little history


def test_without_any_history_it_refuses() -> None:
    refusal = Refusal("There is no forecast yet: nothing has been finished yet that it could be based on.")

    assert forecast_sprint(HALFWAY, ForecastHistory(10), 1) == refusal
    assert forecast_sprint(HALFWAY, ForecastHistory(0, own=steady(20).own), 1) == refusal
    assert forecast_days(HALFWAY, ForecastHistory(10), 1, [date(2026, 1, 1)] * 5) == refusal


@pytest.mark.parametrize(
    ("history", "basis", "sentence"),
    [
        (ForecastHistory(10, days=[2.0] * 30), Basis.DAYS, "From what the team did on 30 working days."),
        (
            ForecastHistory(10, others=steady(20).own),
            Basis.OTHERS,
            "From finished sprints of other teams of the project (8).",
        ),
        (
            ForecastHistory(10, own=steady(20, n=1).own, others=steady(20).own, days=[1.0]),
            Basis.OWN_AND_OTHERS,
            "From 1 finished sprint of the team and 8 of other teams of the project.",
        ),
        (
            ForecastHistory(10, own=steady(20, n=2).own, days=[2.0] * 30),
            Basis.OWN_AND_DAYS,
            "From 2 finished sprints of the team and what the team did on 30 working days.",
        ),
    ],
)
def test_a_cold_start_says_so(history: ForecastHistory, basis: Basis, sentence: str) -> None:
    expected = forecast_of(HALFWAY, history)

    assert expected.is_cold
    assert expected.basis is basis
    assert expected.basis_sentence == f"{sentence} The team has few finished sprints, so this is rough."
    assert expected.delivered.p50 == pytest.approx(20)


def test_the_teams_own_sprints_outweigh_others() -> None:
    """The more of its own, the nearer the chance is to theirs."""
    now, others = RunningSprint(0.5, 10, 20, 5), steady(14, n=100, scope=20).own
    chances = [chance_of(now, ForecastHistory(99, steady(20, n=n).own, others)) for n in (1, 5, 30)]

    assert chances[0] < 0.5 < chances[1] < 0.8 < chances[2]


def test_a_longer_sprint_delivers_more() -> None:
    past = [replace(sprint, working_days=10) for sprint in steady(20, scope=25).own]
    now = RunningSprint(0.0, 0, 30, 20, working_days=20)

    assert forecast_of(now, ForecastHistory(99, past)).delivered.p50 > 25
    assert (
        forecast_of(replace(now, working_days=10, days_left=10), ForecastHistory(99, past)).delivered.p50
        <= 20
    )


@pytest.mark.parametrize(
    ("days", "done", "scope"), [(11, 0.0, 20.0), (20, 0.0, 20.0), (20, 10.0, 10.0), (10, 20.0, 20.0)]
)
def test_a_longer_sprint_invents_no_work(days: int, done: float, scope: float) -> None:
    """Of sprints that never grew nothing is learned of work that would be added."""
    past = [replace(sprint, working_days=9) for sprint in steady(20).own]

    band = forecast_of(
        RunningSprint(0.5 if done else 0.0, done, scope, days // 2 or 1, days), ForecastHistory(99, past)
    ).delivered

    assert band.p90 <= scope


def test_half_as_much_again_is_out_of_reach_at_any_moment() -> None:
    """Also between tenths: 18 of 22 points by day 11 of 20, and 2 more afterwards."""
    moments = (Moment(0, 0, 22), Moment(0.55, 18, 22))
    past = [PastSprint(moments, 20, 22)] * 8

    chances = [
        chance_of(RunningSprint(0.55, 0, scope, 9), ForecastHistory(99, past)) for scope in (3.1, 10, 19)
    ]

    assert max(chances) < 0.1


def test_over_many_sprints_luck_evens_out() -> None:
    past = [replace(sprint, working_days=10) for size in (6, 7, 8) * 3 for sprint in steady(size, n=1).own]

    def chance(open_work: float) -> float:
        return chance_of(RunningSprint(0, 0, open_work, 520, 520), ForecastHistory(99, past))

    assert chance(52 * 5) > 0.95
    assert chance(52 * 9) < 0.2


# The fan


def days_of(now: RunningSprint) -> list[date]:
    calendar, first = Calendar(holidays={date(2026, 4, 3)}), date(2026, 4, 2)
    days = [day for day in days_between(first, date(2026, 6, 30)) if calendar.is_working_day(day)]
    return days[: now.days_left]


def fan_of(now: RunningSprint, history: ForecastHistory) -> tuple[FanDay, ...]:
    days = forecast_days(now, history, 1, days_of(now))
    assert not isinstance(days, Refusal)
    return days


@EVERY
@given(NOWS, HISTORIES)
def test_a_fan_never_falls_and_ends_in_the_forecast(now: RunningSprint, history: ForecastHistory) -> None:
    days = fan_of(now, history)

    assert [day.date for day in days] == days_of(now)
    before = Band(*[now.done] * 5)
    for day in days:
        assert 0 <= day.done.p10 <= day.done.p25 <= day.done.p50 <= day.done.p75 <= day.done.p90
        assert day.done.p10 >= before.p10 - 1e-9
        assert day.done.p90 >= before.p90 - 1e-9
        before = day.done
    if days:
        assert days[-1].done == forecast_of(now, history).delivered


def test_a_fan_goes_through_what_past_sprints_did() -> None:
    assert [day.done.p50 for day in fan_of(HALFWAY, steady(20))] == pytest.approx([12, 14, 16, 18, 20])


@pytest.mark.parametrize(
    "now", [RunningSprint(1.5, 0, 1, 1), RunningSprint(0.5, -1, 1, 1), RunningSprint(0.5, 0, 1, -1)]
)
def test_what_cannot_be_is_an_error(now: RunningSprint) -> None:
    with pytest.raises(ValueError, match=r"lies between|not negative"):
        forecast_sprint(now, steady(20), 1)


def test_a_fan_needs_a_date_for_each_day() -> None:
    with pytest.raises(ValueError, match="5 working days are left, but 1 dates"):
        forecast_days(HALFWAY, steady(20), 1, [date(2026, 4, 1)])


def test_a_seed_is_the_same_in_every_process() -> None:
    code = "from sprints.forecast import derive_seed; print(derive_seed('acme', 7, '2026-04-01'))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert int(other.stdout) == derive_seed("acme", 7, "2026-04-01")
    assert (
        len(
            {
                derive_seed("ab", "c"),
                derive_seed("a", "bc"),
                derive_seed("a", "b", "c"),
                derive_seed(1),
                derive_seed("1"),
            }
        )
        == 5
    )
