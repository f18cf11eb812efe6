"""A sprint's numbers and a team's records, as the forecast takes them."""

from datetime import datetime

import pytest
from hypothesis import given, settings

from sprints.facts import Facts
from sprints.forecast import Refusal
from sprints.outlook import Outlook, TrackRecord, build_outlook
from sprints.time_left import list_working_days_left
from sprints.what_if import with_done, without_items
from tests.support.builders import Box
from tests.support.flow_cards import FlowCard
from tests.support.forecasts import PAST_RECORDS, chance_of, make_flows, make_outlook, make_record, make_week
from tests.support.sprints_strategies import NOWS, History, histories

EVERY = settings(max_examples=60, deadline=None)


def test_past_sprints_are_reported_by_the_ends_of_their_working_days() -> None:
    outlook = make_outlook(make_week("11-09", 3, as_of="11-12 00:00"), *PAST_RECORDS)

    assert (outlook.unit, outlook.now.done, outlook.now.scope, outlook.now.days_left) == ("points", 6, 10, 2)
    assert outlook.now.elapsed == pytest.approx(0.6)
    past = outlook.history.own[0]
    assert [(round(m.elapsed, 1), m.done, m.scope) for m in past.moments] == [
        (0.0, 0, 10), (0.2, 2, 10), (0.4, 4, 10), (0.6, 6, 10), (0.8, 8, 10), (1.0, 8, 10),
    ]  # fmt: skip
    assert (past.delivered, past.scope_at_end) == (8, 10)


def test_a_team_that_always_leaves_one_undone_will_not_finish() -> None:
    outlook = make_outlook(make_week("11-09", 3, as_of="11-12 00:00"), *PAST_RECORDS)

    assert chance_of(outlook) < 0.1
    assert chance_of(outlook.with_facts(without_items(outlook.facts, [5]))) > chance_of(outlook)


def test_part_of_a_day_counts() -> None:
    noon = make_outlook(make_week("11-09", 3, as_of="11-11 12:00"), *PAST_RECORDS)

    assert noon.now.elapsed == pytest.approx(0.5)
    assert noon.now.days_left == 3, "today included"


def test_where_estimates_are_missing_items_are_counted() -> None:
    outlook = make_outlook(make_week("11-09", 3, points=None, as_of="11-12 00:00"), *PAST_RECORDS)

    assert (outlook.unit, outlook.now.done, outlook.now.scope) == ("count", 3, 5)
    assert outlook.history.own[0].delivered == 4
    unestimated = [make_record(make_week("10-05", 4, points=None)) for _ in range(6)]
    assert make_outlook(make_week("11-09", 3, as_of="11-12 00:00"), *unestimated).unit == "count"


def test_what_has_not_ended_yet_teaches_nothing() -> None:
    facts = make_week("09-14", 3, as_of="09-17 00:00")
    outlook = build_outlook(facts, TrackRecord(tuple(PAST_RECORDS), (), 1))

    assert isinstance(outlook, Outlook)
    assert len(outlook.history.own) == 1


def test_what_a_team_did_day_by_day_helps_out_where_it_has_few_sprints() -> None:
    facts = make_week("11-09", 3, as_of="11-12 00:00")
    cards = [FlowCard(n).opened("10-01").closed(f"11-0{1 + n % 8} 10:00") for n in range(12)]
    flows = [flow for card in cards for flow in make_flows(card)]
    outlook = build_outlook(facts, TrackRecord(tuple(PAST_RECORDS[:1]), tuple(flows), 1))

    assert isinstance(outlook, Outlook)
    assert sum(outlook.history.days) == 0, "points are asked for, and none is estimated"
    counted = build_outlook(
        make_week("11-09", 3, points=None, as_of="11-12 00:00"),
        TrackRecord(tuple(PAST_RECORDS[:1]), tuple(flows), 1),
    )
    assert isinstance(counted, Outlook)
    assert sum(counted.history.days) == 12


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (Box(start="11-09").facts(as_of="11-12"), "Without a due date"),
        (make_week("11-09", 3), "The sprint has ended"),
    ],
)
def test_there_is_no_outlook_without_an_end_to_come(facts: Facts, why: str) -> None:
    outlook = build_outlook(facts, TrackRecord(tuple(PAST_RECORDS), (), 1))

    assert isinstance(outlook, Refusal)
    assert why in outlook.sentence


@given(histories(), NOWS)
@EVERY
def test_any_sprint_has_an_outlook_or_a_reason(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    outlook = build_outlook(facts, TrackRecord(tuple(PAST_RECORDS), (), 1))
    if isinstance(outlook, Refusal):
        assert outlook.sentence
        return
    assert 0 <= outlook.now.elapsed <= 1
    assert len(outlook.days) == outlook.now.days_left == len(list_working_days_left(facts.sprint, as_of))
    assert build_outlook(facts, TrackRecord(tuple(PAST_RECORDS), (), 1)) == outlook
    still_open = [item.number for item in facts.open_items]
    assert (chance_of(outlook) == 1) == (not still_open)
    assert chance_of(outlook) <= chance_of(outlook.with_facts(with_done(facts, still_open[:1])))
    assert chance_of(outlook.with_facts(with_done(facts, still_open))) == 1
