"""A sprint's numbers and a team's records, as the forecast takes them."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings

from sprints.facts import Facts
from sprints.flow import Flow, build_flows
from sprints.forecast import Forecast, Refusal
from sprints.milestone import GRACE_AFTER_END
from sprints.outlook import Outlook, SprintRecord, TrackRecord, build_outlook, list_working_days_left
from sprints.rules import Rules
from sprints.velocity import compute_outcome
from sprints.what_if import with_done, without_items
from tests.support.builders import Box, Card, at
from tests.support.flow_cards import FlowCard
from tests.support.sprints_strategies import NOWS, History, histories

EVERY = settings(max_examples=60, deadline=None)


def week(
    monday: str, done: int, items: int = 5, *, points: int | None = 2, as_of: str | None = None
) -> Facts:
    """A sprint from Monday to Friday; each day one item is done, until `done` are."""
    start = at(f"2026-{monday}")
    labels = [] if points is None else [f"points: {points}"]
    cards = []
    for n in range(items):
        card = Card(n + 1).opened(start - timedelta(days=2), *labels).joined(start - timedelta(days=1))
        cards.append(card.closed(start + timedelta(days=n, hours=10)) if n < done else card)
    friday = (start + timedelta(days=4)).date().isoformat()
    box = Box(start - timedelta(days=3), start=f"{start:%m-%d}", due=friday)
    return box.facts(*cards, as_of=as_of or "12-31")


def record(facts: Facts) -> SprintRecord:
    assert facts.sprint.end
    at_end = replace(facts, as_of=facts.sprint.end + GRACE_AFTER_END)
    return SprintRecord(facts.sprint, facts.days, compute_outcome(at_end))


def outlook(facts: Facts, *records: SprintRecord) -> Outlook:
    found = build_outlook(facts, TrackRecord(tuple(records), (), 1))
    assert isinstance(found, Outlook)
    return found


def chance(told: Outlook | Refusal) -> float:
    assert isinstance(told, Outlook)
    found = told.forecast()
    assert isinstance(found, Forecast)
    return found.chance


PAST = [record(week(monday, 4)) for monday in ("09-07", "09-14", "09-21", "09-28", "10-05", "10-12")]


def test_past_sprints_are_told_by_the_ends_of_their_working_days() -> None:
    told = outlook(week("11-09", 3, as_of="11-12 00:00"), *PAST)

    assert (told.unit, told.now.done, told.now.scope, told.now.days_left) == ("points", 6, 10, 2)
    assert told.now.elapsed == pytest.approx(0.6)
    past = told.history.own[0]
    assert [(round(m.elapsed, 1), m.done, m.scope) for m in past.moments] == [
        (0.0, 0, 10), (0.2, 2, 10), (0.4, 4, 10), (0.6, 6, 10), (0.8, 8, 10), (1.0, 8, 10),
    ]  # fmt: skip
    assert (past.delivered, past.scope_at_end) == (8, 10)


def test_a_team_that_always_leaves_one_undone_will_not_finish() -> None:
    told = outlook(week("11-09", 3, as_of="11-12 00:00"), *PAST)

    assert chance(told) < 0.1
    assert chance(told.with_facts(without_items(told.facts, [5]))) > chance(told)


def test_part_of_a_day_counts() -> None:
    noon = outlook(week("11-09", 3, as_of="11-11 12:00"), *PAST)

    assert noon.now.elapsed == pytest.approx(0.5)
    assert noon.now.days_left == 3, "today included"


def test_where_estimates_are_missing_items_are_counted() -> None:
    told = outlook(week("11-09", 3, points=None, as_of="11-12 00:00"), *PAST)

    assert (told.unit, told.now.done, told.now.scope) == ("count", 3, 5)
    assert told.history.own[0].delivered == 4
    unestimated = [record(week("10-05", 4, points=None)) for _ in range(6)]
    assert outlook(week("11-09", 3, as_of="11-12 00:00"), *unestimated).unit == "count"


def test_what_has_not_ended_yet_teaches_nothing() -> None:
    facts = week("09-14", 3, as_of="09-17 00:00")
    told = build_outlook(facts, TrackRecord(tuple(PAST), (), 1))

    assert isinstance(told, Outlook)
    assert len(told.history.own) == 1


def test_what_a_team_did_day_by_day_helps_out_where_it_has_few_sprints() -> None:
    facts = week("11-09", 3, as_of="11-12 00:00")
    cards = [FlowCard(n).opened("10-01").closed(f"11-0{1 + n % 8} 10:00") for n in range(12)]
    flows = [flow for card in cards for flow in _flows(card)]
    told = build_outlook(facts, TrackRecord(tuple(PAST[:1]), tuple(flows), 1))

    assert isinstance(told, Outlook)
    assert sum(told.history.days) == 0, "points are asked for, and none is estimated"
    counted = build_outlook(
        week("11-09", 3, points=None, as_of="11-12 00:00"), TrackRecord(tuple(PAST[:1]), tuple(flows), 1)
    )
    assert isinstance(counted, Outlook)
    assert sum(counted.history.days) == 12


def _flows(card: FlowCard) -> tuple[Flow, ...]:
    return build_flows({card.id: card.events}, at("11-12 00:00"), Rules())


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (Box(start="11-09").facts(as_of="11-12"), "Without a due date"),
        (week("11-09", 3), "The sprint has ended"),
    ],
)
def test_there_is_no_outlook_without_an_end_to_come(facts: Facts, why: str) -> None:
    found = build_outlook(facts, TrackRecord(tuple(PAST), (), 1))

    assert isinstance(found, Refusal)
    assert why in found.sentence


@given(histories(), NOWS)
@EVERY
def test_any_sprint_has_an_outlook_or_a_reason(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    found = build_outlook(facts, TrackRecord(tuple(PAST), (), 1))
    if isinstance(found, Refusal):
        assert found.sentence
        return
    assert 0 <= found.now.elapsed <= 1
    assert len(found.days) == found.now.days_left == len(list_working_days_left(facts.sprint, as_of))
    assert build_outlook(facts, TrackRecord(tuple(PAST), (), 1)) == found
    still_open = [item.number for item in facts.open_items]
    assert (chance(found) == 1) == (not still_open)
    assert chance(found) <= chance(found.with_facts(with_done(facts, still_open[:1])))
    assert chance(found.with_facts(with_done(facts, still_open))) == 1
