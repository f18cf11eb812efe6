"""The unit in which a sprint is forecast: the harder one where open items are not estimated."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from sprints.facts import Facts
from sprints.forecast import Forecast
from sprints.outlook import Outlook, TrackRecord, build_outlook, choose_units
from sprints.what_if import with_done, with_items, without_items
from tests.support.forecasts import make_record
from tests.support.unit_weeks import (
    ITEM_KINDS,
    MOMENTS,
    MONDAYS,
    UNIT_RECORDS,
    make_mixed_week,
    make_running_mixed_week,
)

EVERY = settings(max_examples=80, deadline=None)
SIZES = st.lists(st.sampled_from([None, Decimal(0), Decimal(1), Decimal(8)]), min_size=1, max_size=3)


PASTS = st.lists(st.sampled_from(UNIT_RECORDS), max_size=6, unique_by=id).map(
    lambda some: TrackRecord(tuple(some), (), 1)
)


@EVERY
@given(ITEM_KINDS, SIZES, PASTS, MOMENTS)
def test_more_open_work_is_never_told_in_fewer_units(
    kinds: list[tuple[int | None, bool]], sizes: list[Decimal | None], past: TrackRecord, as_of: str
) -> None:
    """So the lowest chance of the units cannot rise where none of them does."""
    facts = make_running_mixed_week(kinds, as_of)
    if facts.sprint.has_ended(facts.as_of) or not facts.open_items:
        return

    assert set(choose_units(facts, past)) <= set(choose_units(with_items(facts, sizes), past))


@EVERY
@given(ITEM_KINDS, st.data(), PASTS, MOMENTS)
def test_less_open_work_is_never_told_in_more_units(
    kinds: list[tuple[int | None, bool]], data: st.DataObject, past: TrackRecord, as_of: str
) -> None:
    facts = make_running_mixed_week(kinds, as_of)
    if facts.sprint.has_ended(facts.as_of) or not facts.open_items:
        return
    numbers = data.draw(st.sets(st.sampled_from([item.number for item in facts.open_items])))

    for less in (without_items(facts, numbers), with_done(facts, numbers)):
        if less.open_items:
            assert set(choose_units(less, past)) <= set(choose_units(facts, past))


def chance(facts: Facts, past: TrackRecord) -> float | None:
    outlook = build_outlook(facts, past)
    forecast = outlook.forecast() if isinstance(outlook, Outlook) else None
    return forecast.chance if isinstance(forecast, Forecast) else None


@EVERY
@given(ITEM_KINDS, SIZES, st.data(), PASTS, MOMENTS)
def test_more_open_work_never_raises_the_chance_and_less_never_lowers_it(
    kinds: list[tuple[int | None, bool]],
    sizes: list[Decimal | None],
    data: st.DataObject,
    past: TrackRecord,
    as_of: str,
) -> None:
    facts = make_running_mixed_week(kinds, as_of)
    before = chance(facts, past)
    numbers = data.draw(st.sets(st.sampled_from([item.number for item in facts.items])))
    more, less, done = with_items(facts, sizes), without_items(facts, numbers), with_done(facts, numbers)
    if before is None:
        return

    assert (chance(more, past) or 0.0) <= before + 1e-9
    assert (chance(less, past) or 0.0) >= before - 1e-9
    assert (chance(done, past) or 0.0) >= before - 1e-9


@EVERY
@given(ITEM_KINDS, MOMENTS)
def test_the_lowest_chance_counts_and_only_a_sprint_without_open_items_is_certain(
    kinds: list[tuple[int | None, bool]], as_of: str
) -> None:
    facts = make_running_mixed_week(kinds, as_of)
    outlook = build_outlook(facts, TrackRecord(UNIT_RECORDS, (), 1))
    if not isinstance(outlook, Outlook):
        return
    forecast = outlook.forecast()

    assert isinstance(forecast, Forecast)
    assert (forecast.chance == 1) == (not facts.open_items)
    if facts.open_items:
        assert outlook.now.remaining > 0
        assert (
            len(choose_units(facts, outlook.past)) == 2
            or outlook.unit == choose_units(facts, outlook.past)[0]
        )


def test_an_empty_sprint_counts_as_past_ones_do() -> None:
    """`/whatif add:5` meant 5 items in a planned sprint of a team that estimates in points."""
    empty = make_running_mixed_week([], "11-09 12:00")
    outlook = build_outlook(empty, TrackRecord(UNIT_RECORDS, (), 1))
    counted = tuple(make_record(make_mixed_week(monday, [(None, True), (None, False)])) for monday in MONDAYS)
    other = build_outlook(empty, TrackRecord(counted, (), 1))

    assert isinstance(outlook, Outlook)
    assert isinstance(other, Outlook)
    assert (outlook.unit, outlook.takes_points) == ("points", True)
    assert (other.unit, other.takes_points) == ("count", False)
    assert choose_units(
        make_running_mixed_week([(None, False)], "11-09 12:00"), TrackRecord(UNIT_RECORDS, (), 1)
    ) == ["count"]


def test_without_a_forecast_the_sprint_counts_as_its_own_numbers_do() -> None:
    """A check said “5 points left, as now” of a pull request that was to finish an item without an estimate."""
    facts = make_running_mixed_week([(5, False), (None, False), (None, False)], "11-11 12:00")
    outlook = build_outlook(facts, TrackRecord((), (), 1))

    assert isinstance(outlook, Outlook)
    assert (outlook.chance(), facts.unit, outlook.unit) == (None, "count", "count")
