"""Dates for items and items by a date, from the forecast of a sprint."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprints import forecast as forecast_module
from sprints import forecast_dates as dates_module
from sprints import outlook as outlook_module
from sprints.calendar import Calendar, latest_due, working_days
from sprints.facts import Facts, sum_items
from sprints.forecast import Forecast, Refusal
from sprints.forecast_amounts import forecast_amount
from sprints.forecast_dates import (
    MOST_ITEMS,
    DateForecast,
    ItemForecast,
    create_empty_sprint,
    find_first_true,
    forecast_dates,
    forecast_items,
    restart_today,
    with_end_on,
    with_open,
)
from sprints.forecast_inputs import ForecastHistory, RunningSprint
from sprints.outlook import Outlook, TrackRecord, build_histories, build_outlook, build_outlook_in_items
from sprints.what_if import without_items
from tests.support.builders import at
from tests.support.flow_cards import FlowCard
from tests.support.forecasts import PAST_RECORDS, make_flows, make_week

EVERY = settings(max_examples=40, deadline=None)
# Each of these asks the model itself some fifty times.
FEW = settings(max_examples=10, deadline=None)
SIX_SPRINTS = TrackRecord(tuple(PAST_RECORDS), (), 1)
EASTER = Calendar(holidays={date(2027, 3, 29)})
THURSDAY = date(2026, 11, 12)
TWO_A_DAY = 2


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of which each answer is plain: two a day are done, and twice as much time makes it surer."""
    use_steady_model(monkeypatch)


def use_steady_model(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(forecast_module, "compute_chance", two_a_day)
    patch.setattr(outlook_module, "compute_chance", two_a_day)
    patch.setattr(dates_module, "forecast_amount", at_two_a_day)


def two_a_day(now: RunningSprint, history: ForecastHistory, seed: int, *, with_growth: bool = False) -> float:
    """1 in 2 for what two a day amounts to, 17 in 20 for 3 in 17 of it."""
    length = now.working_days or 0
    capacity = TWO_A_DAY * length * (1 - now.elapsed) if now.days_left else 0.0
    return 1.0 if now.remaining <= 0 else capacity / (capacity + now.remaining)


def running(done: int = 3, items: int = 5, *, as_of: str = "11-12 00:00", points: int | None = 2) -> Facts:
    """A sprint from Monday, 9 November to Friday; on Thursday morning three of five items are done."""
    return make_week("11-09", done, items, points=points, as_of=as_of)


def fresh(as_of: str = "2027-03-29", calendar: Calendar | None = None) -> Facts:
    return create_empty_sprint(calendar or Calendar(), at(as_of))


def dates(facts: Facts, past: TrackRecord = SIX_SPRINTS, items: int | None = None) -> DateForecast:
    expected = forecast_dates(facts, past, items)
    assert isinstance(expected, DateForecast)
    return expected


def amounts(facts: Facts, by: date, past: TrackRecord = SIX_SPRINTS) -> ItemForecast:
    expected = forecast_items(facts, past, by)
    assert isinstance(expected, ItemForecast)
    return expected


def most_items(facts: Facts, by: date, level: float, past: TrackRecord) -> int:
    by_day = amounts(facts, by, past)
    return {0.5: by_day.p50, 0.85: by_day.p85, 0.95: by_day.p95}[level]


def chance(facts: Facts, due: date, past: TrackRecord) -> float:
    expected = build_outlook(with_end_on(facts, due), past)
    assert isinstance(expected, Outlook)
    forecast = expected.forecast()
    assert isinstance(forecast, Forecast)
    assert forecast.chance == expected.chance()
    return forecast.chance


def at_two_a_day(
    now: RunningSprint, history: ForecastHistory, seed: int, chance: float, level: float
) -> float:
    """What is done, and of what is open as much as is done so often: in keeping with the chance."""
    length = now.working_days or 0
    capacity = TWO_A_DAY * length * (1 - now.elapsed) if now.days_left else 0.0
    return now.done + min(now.remaining, capacity * level / (1 - level))


@given(st.integers(0, 30), st.integers(0, 600), st.integers(0, 700))
def test_the_first_true_number_is_found_with_few_questions(first: int, span: int, threshold: int) -> None:
    last, asked = first + span, list[int]()

    def is_true(number: int) -> bool:
        asked.append(number)
        return number >= threshold

    assert find_first_true(is_true, first, last) == min(max(first, threshold), last)
    assert all(first <= number < last for number in asked)
    assert len(asked) <= 20


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize(
    ("items", "on"),
    [(1, "2027-03-30"), (2, "2027-03-30"), (3, "2027-03-31"), (8, "2027-04-02"), (9, "2027-04-05")],
)
def test_a_steady_team_has_an_exact_date(items: int, on: str) -> None:
    """Two a day from Tuesday on, as Easter Monday is off, and none at the weekend."""
    assert dates(with_open(fresh(calendar=EASTER), items)).p50 == date.fromisoformat(on)


@pytest.mark.usefixtures("steady")
def test_a_steady_team_has_an_exact_amount() -> None:
    expected = amounts(fresh(calendar=EASTER), date(2027, 4, 4))

    assert (expected.p50, expected.p85, expected.p95) == (8, 1, 0), "Easter Monday and the weekend are off"
    assert expected.days == 4


@pytest.mark.usefixtures("steady")
def test_on_a_day_off_nothing_is_done() -> None:
    expected = amounts(fresh(calendar=EASTER), date(2027, 3, 29))

    assert (expected.p50, expected.chance_of_first, expected.days) == (0, 0.0, 0)


@pytest.mark.usefixtures("steady")
def test_of_today_only_the_rest_counts() -> None:
    monday = date(2027, 3, 29)

    assert amounts(fresh("2027-03-29"), monday).p50 == 2
    assert amounts(fresh("2027-03-29 13:00"), monday).p50 == 0
    assert dates(with_open(fresh("2027-03-29 13:00"), 2)).p50 == date(2027, 3, 30)


@pytest.mark.usefixtures("steady")
def test_what_takes_more_than_two_years_has_no_date() -> None:
    expected = dates(with_open(fresh(), 10_000))

    assert (expected.p50, expected.p85, expected.p95) == (None, None, None)
    assert 0 < expected.chance < 0.2
    partly = dates(with_open(fresh(), 500))
    assert partly.p50 is not None
    assert partly.p85 is None


@pytest.mark.usefixtures("steady")
def test_amounts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.sprints.test_forecast_dates.TWO_A_DAY", 1e6)

    assert amounts(fresh(), date(2029, 3, 1)).p50 == MOST_ITEMS


def test_a_team_that_never_works_has_no_date() -> None:
    refusal = forecast_dates(with_open(fresh(calendar=Calendar(weekdays=())), 5), SIX_SPRINTS)

    assert refusal == Refusal("There is no forecast: the calendar has no working day within two years.")


def test_without_any_history_it_refuses() -> None:
    assert isinstance(forecast_dates(with_open(fresh(), 5), TrackRecord((), (), 1)), Refusal)
    assert isinstance(forecast_items(fresh(), TrackRecord((), (), 1), date(2027, 4, 2)), Refusal)


def test_no_items_have_no_date() -> None:
    with pytest.raises(ValueError, match="at least one open item"):
        forecast_dates(fresh(), SIX_SPRINTS)


def test_so_many_items_open_are_the_smallest_and_then_others() -> None:
    facts = running(done=2)
    sizes = [item for item in facts.items if item.state == "open"]
    odd = replace(
        facts,
        items=tuple(replace(i, points=Decimal(8)) if i == sizes[0] else i for i in facts.items),
    )

    fewer, more = with_open(odd, 2), with_open(odd, 10_000)
    assert {item.number for item in fewer.items} == {item.number for item in odd.items} - {sizes[0].number}
    assert fewer.remaining.count == 2
    assert (more.remaining.count, more.remaining.points) == (10_000, Decimal(8 + 2 + 2))
    assert len(more.items) == len(odd.items) + 1, "one stands for all that come"
    assert with_open(odd, 3) == odd


def test_a_parent_stays_told_by_its_sub_issues_whatever_is_asked() -> None:
    facts = running(done=0)
    parent, *others = facts.items
    covered = replace(parent, is_covered=True, covered_by=(others[0].item,))
    family = replace(facts, items=(covered, *others), scope=facts.scope - sum_items([parent]))

    assert [with_open(family, items).remaining.count for items in (0, 1, 4, 9)] == [0, 1, 4, 9]
    assert covered in with_open(family, 0).items


def test_a_sprint_without_a_due_date_begins_again() -> None:
    facts = restart_today(running())

    assert facts.sprint.first_day == THURSDAY
    assert facts.sprint.due is None
    assert (facts.scope, facts.done.count, len(facts.items)) == (running().remaining, 0, 2)


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("as_of", ["11-09 00:00", "11-11 15:00", "11-12 00:00", "11-13 23:00"])
@pytest.mark.parametrize("points", [None, 2])
def test_a_date_is_no_later_than_the_due_date_if_the_chance_says_so(as_of: str, points: int | None) -> None:
    for items in range(4, 16):
        facts = running(3, items, as_of=as_of, points=points)
        assert facts.sprint.due
        expected, headline = dates(facts), chance(facts, facts.sprint.due, SIX_SPRINTS)
        for level, day in ((0.5, expected.p50), (0.85, expected.p85), (0.95, expected.p95)):
            assert (headline >= level) == ((day or date.max) <= facts.sprint.due)


@given(st.integers(1, 40), st.integers(0, 30), st.booleans(), st.sampled_from(["11-12 00:00", "11-12 17:00"]))
@EVERY
def test_the_two_questions_agree(items: int, more: int, is_running: bool, as_of: str) -> None:
    """Who has a date for so many items does as many by it, and fewer by the working day before."""
    facts = running(as_of=as_of) if is_running else fresh(as_of)
    with pytest.MonkeyPatch.context() as patch:
        use_steady_model(patch)
        early, late = dates(facts, items=items), dates(facts, items=items + more)
        for day, later in ((early.p50, late.p50), (early.p85, late.p85), (early.p95, late.p95)):
            assert (day or date.max) <= (later or date.max)
        assert early.p85 is not None
        assert amounts(facts, early.p85).p85 >= items
        assert amounts(facts, early.p85 - timedelta(days=1)).p85 < items
        by = THURSDAY + timedelta(days=more)
        fewer, as_many = amounts(facts, by), amounts(facts, by + timedelta(days=items))
        assert fewer.p95 <= fewer.p85 <= fewer.p50 <= as_many.p50


TWELVE_DAYS = tuple(
    flow
    for n in range(12)
    for flow in make_flows(FlowCard(n).opened("10-01").closed(f"11-0{1 + n % 8} 10:00"))
)
PASTS = {
    "six sprints": SIX_SPRINTS,
    "one sprint": TrackRecord(tuple(PAST_RECORDS[:1]), (), 1),
    "days": TrackRecord((), TWELVE_DAYS, 1),
    "one sprint and days": TrackRecord(tuple(PAST_RECORDS[:1]), TWELVE_DAYS, 1),
}
HISTORIES = st.sampled_from(sorted(PASTS))


@given(HISTORIES, st.integers(1, 12), st.booleans())
@settings(max_examples=4, deadline=None)
def test_the_two_questions_agree_whatever_the_history(history: str, items: int, is_running: bool) -> None:
    past = PASTS[history]
    facts = running() if is_running else fresh("11-12 00:00")
    expected = dates(facts, past, items)
    days = working_days(Calendar(), THURSDAY, latest_due(THURSDAY))
    for level, day in zip((0.5, 0.85, 0.95), (expected.p50, expected.p85, expected.p95), strict=True):
        if day is None:
            assert most_items(facts, days[-1], level, past) < items
            continue
        assert most_items(facts, day, level, past) >= items
        if day > days[0]:
            assert most_items(facts, days[days.index(day) - 1], level, past) < items
        if items >= facts.remaining.count:
            assert chance(with_open(facts, items), day, past) >= level - 1e-9


def test_one_small_item_has_a_sure_date_also_with_few_sprints() -> None:
    for past in PASTS.values():
        expected = dates(with_open(fresh("11-12 00:00"), 1), past)
        assert expected.p95 is not None
        assert expected.p95 < THURSDAY + timedelta(days=120)


@given(HISTORIES, st.integers(0, 5), st.integers(0, 25))
@FEW
def test_items_by_a_day_are_never_less_likely_than_the_same_items_of_the_sprint(
    history: str, dropped: int, later: int
) -> None:
    """Two items are done at least as likely as these two of the sprint: no what-if contradicts `by:`."""
    past = PASTS[history]
    facts, by = running(0), THURSDAY + timedelta(days=later)
    remaining = without_items(facts, {item.number for item in facts.items[:dropped]})
    expected = amounts(facts, by, past)
    for level, most in ((0.5, expected.p50), (0.85, expected.p85), (0.95, expected.p95)):
        if chance(remaining, by, past) >= level:
            assert most >= 5 - dropped
        elif not dropped:
            assert most < 5, "all that is open"


@given(HISTORIES, st.integers(2, 40), st.integers(0, 25), st.sampled_from([None, 2]))
@settings(max_examples=5, deadline=None)
def test_items_by_a_day_agree_with_the_amounts_of_the_sprint(
    history: str, left: int, later: int, points: int | None
) -> None:
    """`by:` said 2 or more at 50 % where the fan said 9 in 10 for at least 3 more."""
    past, facts, by = PASTS[history], running(3, 3 + left, points=points), THURSDAY + timedelta(days=later)
    dated = with_end_on(facts, by)
    outlook = build_outlook_in_items(dated, past, build_histories(dated, past))
    headline = chance(facts, by, past)
    expected = amounts(facts, by, past)
    for level, most in ((0.5, expected.p50), (0.85, expected.p85), (0.95, expected.p95)):
        end = forecast_amount(outlook.now, outlook.history, outlook.seed, headline, 1 - level)
        assert most >= min(left, int(end - outlook.now.done + 1e-9)), "more are added later"


def test_a_part_of_the_open_items_is_likelier_than_as_few_alone() -> None:
    facts = running(0, 20, as_of="11-09 00:00")
    assert facts.sprint.due
    alone = max(
        items for items in range(21) if chance(with_open(facts, items), facts.sprint.due, SIX_SPRINTS) >= 0.5
    )

    assert amounts(facts, facts.sprint.due).p50 > alone
    assert (dates(facts, items=alone + 1).p50 or date.max) <= facts.sprint.due
