"""The numbers of a decision are those that the sprint has once the decision has been carried out."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sprints.estimates import Estimates
from sprints.fact_folding import compute_facts
from sprints.facts import Amount, Facts
from sprints.milestone import Sprint, derive_sprint
from sprints.model import ItemEvent, ItemSnapshot, State, sort_events
from sprints.numbering import Number
from sprints.outlook import Outlook, TrackRecord, build_outlook
from sprints.what_if import (
    with_days_off,
    with_done,
    with_items,
    with_milestone_due,
    without_changes,
    without_items,
)
from tests.support.builders import SPRINT, Box, Card, at
from tests.support.forecasts import PAST_RECORDS
from tests.support.sprints_strategies import FIRST_DAY, MOMENTS, History, histories

# Few histories have an open item at a random moment, so many examples are left out.
EVERY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
JUST_BEFORE = timedelta(microseconds=1)
Events = Mapping[str, Sequence[ItemEvent]]


def same_forecast(what_if: Facts, real: Facts) -> None:
    """All that the forecast is made of is equal, and so is the forecast."""
    assert (what_if.scope, what_if.done) == (real.scope, real.done)
    assumed, data = (
        build_outlook(facts, TrackRecord(tuple(PAST_RECORDS), (), 1)) for facts in (what_if, real)
    )
    if not isinstance(data, Outlook) or not isinstance(assumed, Outlook):
        assert assumed == data
        return
    assert (assumed.unit, assumed.now, assumed.seed, assumed.history) == (
        data.unit,
        data.now,
        data.seed,
        data.history,
    )
    assert assumed.forecast() == data.forecast()


def running(history: History, as_of: datetime) -> Facts:
    facts = history.facts(as_of)
    assume(facts.sprint.start < as_of and not facts.sprint.has_ended(as_of))
    return facts


def happened(history: History, as_of: datetime, item: str, event: str, **shown: object) -> Events:
    """The items' events, and one more just before the moment."""
    known_items = {
        name: [entry for entry in data if entry.at < as_of] for name, data in history.items.items()
    }
    latest = sort_events(known_items[item])[-1]
    snapshot = replace(latest.snapshot, **shown)  # type: ignore[arg-type]
    more = ItemEvent(item, event, as_of - JUST_BEFORE, "~", snapshot, milestone=SPRINT)
    return {**known_items, item: [*known_items[item], more]}


def folded(history: History, sprint: Sprint, events: Events, as_of: datetime) -> Facts:
    return compute_facts(sprint, events, as_of, Estimates(history.sizes or {}), history.labels)


@given(histories(6), MOMENTS, st.randoms(use_true_random=False))
@EVERY
def test_what_is_taken_out_is_what_has_left(history: History, as_of: datetime, chance: random.Random) -> None:
    facts = running(history, as_of)
    still_open = [item for item in facts.items if item.state == "open"]
    assume(still_open)
    item = chance.choice(still_open)
    events = happened(history, as_of, item.item, "demilestoned", milestone=None)

    changed, real = without_items(facts, [item.number]), folded(history, facts.sprint, events, as_of)

    same_forecast(changed, real)
    assert changed.items == real.items


@given(histories(6), MOMENTS, st.randoms(use_true_random=False))
@EVERY
def test_what_is_done_is_what_was_closed(history: History, as_of: datetime, chance: random.Random) -> None:
    facts = history.facts(as_of)
    still_open = facts.open_items
    assume(still_open and facts.sprint.start != as_of and not facts.sprint.has_ended(as_of))
    item = chance.choice(still_open)
    events = happened(history, as_of, item.item, "closed", state=State.DONE)

    same_forecast(with_done(facts, [item.number]), folded(history, facts.sprint, events, as_of))


@given(histories(4), MOMENTS, st.lists(st.sampled_from([None, 1, 3, 8]), min_size=1, max_size=3))
@EVERY
def test_incoming_items_are_those_that_joined(
    history: History, as_of: datetime, sizes: list[int | None]
) -> None:
    facts = running(history, as_of)
    events = dict(history.items)
    for n, size in enumerate(sizes):
        labels = () if size is None else (f"points: {size}",)
        shown = ItemSnapshot(900 + n, "New", as_of - JUST_BEFORE, labels=labels, milestone=SPRINT)
        events[f"new-{n}"] = (ItemEvent(f"new-{n}", "opened", as_of - JUST_BEFORE, "~", shown),)
    # Labels that were renamed or deleted since are those of others.
    changed = with_items(facts, [None if size is None else Decimal(size) for size in sizes])

    same_forecast(changed, folded(history, facts.sprint, events, as_of))


@given(histories(3), MOMENTS, st.integers(0, 40))
@EVERY
def test_another_due_date_is_the_milestone_edited(history: History, as_of: datetime, offset: int) -> None:
    facts = history.facts(as_of)
    known_items = [entry for entry in history.milestone if entry.at < as_of - JUST_BEFORE]
    assume(known_items and not facts.sprint.has_ended(as_of))
    due = FIRST_DAY + timedelta(days=offset)
    assume(due >= facts.sprint.calendar.day_of(as_of))
    midnight = datetime(due.year, due.month, due.day, 7, tzinfo=UTC)
    latest = sort_events(known_items)[-1]
    before = {"due_on": latest.due_on and latest.due_on.isoformat()}
    edit = replace(
        latest, event="edited", at=as_of - JUST_BEFORE, delivery="~", due_on=midnight, before=before
    )
    sprint = derive_sprint([*known_items, edit], as_of, history.calendar)
    estimates = Estimates(history.sizes or {})

    changed = with_milestone_due(facts, due, history.milestone, history.items, estimates, history.labels)

    real = folded(history, sprint, history.items, as_of)
    assert (changed.sprint.start, changed.sprint.due) == (real.sprint.start, real.sprint.due)
    same_forecast(changed, real)


@given(histories(3), MOMENTS, st.integers(1, 30))
@EVERY
def test_days_off_are_those_of_the_calendar(history: History, as_of: datetime, days: int) -> None:
    facts = running(history, as_of)
    assume(facts.sprint.due)
    changed = with_days_off(facts, days)
    calendar = replace(
        history.calendar, holidays=frozenset({*history.calendar.holidays, *changed.sprint.calendar.holidays})
    )
    same_forecast(changed, replace(history, calendar=calendar).facts(as_of))
    lost = [day for day in changed.sprint.calendar.holidays if history.calendar.is_working_day(day)]
    assert len(lost) <= days


# Parents and pull requests


def parent_with_children(*children: int, points: int = 8) -> tuple[Facts, tuple[Card, ...]]:
    parent = Card(1).opened("11-02", f"points: {points}").joined("11-03")
    cards = [
        Card(n).opened("11-02", "points: 2").joined("11-03").put_under("11-04", parent) for n in children
    ]
    box = Box("11-02", start="11-09", due="2026-11-13")
    return box.facts(parent, *cards, as_of="11-11 12:00"), (parent, *cards)


def test_a_parent_counts_again_when_its_last_sub_issue_is_taken_out() -> None:
    facts, _ = parent_with_children(2, 3)
    assert facts.scope.points == 4

    assert without_items(facts, [2]).scope.points == 2
    both = without_items(facts, [2, 3])
    assert both.scope.points == 8
    assert [item.number for item in both.open_items] == [1]


def test_taking_out_a_parent_that_its_sub_issues_tell_changes_nothing() -> None:
    facts, _ = parent_with_children(2)

    assert without_items(facts, [1]).scope == facts.scope
    assert without_items(facts, [1, 2]).scope.count == 0


def test_a_pull_request_counts_when_the_issue_that_it_closes_is_taken_out() -> None:
    issue = Card(1).opened("11-02", "points: 5").joined("11-03")
    pull = Card(2, closes=[1]).opened("11-02", "points: 1").joined("11-03")
    facts = Box("11-02", start="11-09", due="2026-11-13").facts(issue, pull, as_of="11-11 12:00")
    assert facts.scope.points == 5

    assert without_items(facts, [1]).scope.points == 1


def test_a_due_date_behind_an_ignored_start_line_makes_it_count() -> None:
    box = Box("11-02", start="11-20", due="2026-11-13")
    facts = box.facts(as_of="11-11 12:00")
    assert facts.sprint.first_day == date(2026, 11, 2)

    changed = with_milestone_due(facts, date(2026, 11, 27), box.events, {}, Estimates({}))

    assert (changed.sprint.first_day, changed.sprint.due) == (date(2026, 11, 20), date(2026, 11, 27))


# A line of the ledger taken back


@given(histories(6), MOMENTS)
@EVERY
def test_without_all_lines_the_scope_is_the_commitment(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    if facts.sprint.committed_at < as_of and not facts.sprint.has_ended(as_of):
        assert without_changes(facts, facts.ledger).scope == facts.committed


def list_done(facts: Facts) -> set[Number]:
    """The numbers of the items that are done."""
    return {item.number for item in facts.items if item.state == "done"}


@given(histories(4, is_distinct=True), MOMENTS)
@EVERY
def test_without_a_line_the_numbers_are_those_of_the_moment_before(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    moved = {event.at for event in history.milestone}
    for moment in {line.at for line in facts.ledger} - moved:
        after, before = history.facts(moment + JUST_BEFORE), history.facts(moment)
        lines = [line for line in after.ledger if line.at == moment]
        undone = without_changes(after, lines)
        # A correction may show a new estimate and that the item is done; the latter is no line of the ledger.
        is_only_scope = list_done(after) == list_done(before)
        if lines and is_only_scope and not any(line.was_done for line in lines):
            assert undone.remaining == before.remaining
            assert {item.number for item in undone.open_items} == {item.number for item in before.open_items}


@pytest.mark.parametrize(
    ("card", "points", "count"),
    [
        (Card(2).opened("11-02", "points: 3").joined("11-10"), 2, 1),
        (Card(2).opened("11-02").joined("11-10"), 2, 1),
        (Card(2).opened("11-02", "points: 5").joined("11-03").left("11-10"), 7, 2),
        (Card(2).opened("11-02", "points: 5").joined("11-03").dropped("11-10"), 7, 2),
        (Card(2).opened("11-02", "points: 5").joined("11-03").estimated("11-10", 1), 7, 2),
    ],
)
def test_without_a_change_the_sprint_is_what_it_was(card: Card, points: int, count: int) -> None:
    first = Card(1).opened("11-02", "points: 2").joined("11-03")
    facts = Box("11-02", start="11-09", due="2026-11-13").facts(first, card, as_of="11-11 12:00")

    before = without_changes(facts, facts.ledger)

    assert before.scope == Amount(Decimal(points), count)
    assert before.remaining == before.scope
    assert all(item.state == "open" for item in before.items)
    assert at("11-10") < facts.as_of


def test_with_the_last_sub_issue_back_its_parent_is_reported_again() -> None:
    _, (parent, child) = parent_with_children(2)
    child.left("11-10 10:00")
    facts = Box("11-02", start="11-09", due="2026-11-13").facts(parent, child, as_of="11-11 12:00")
    left = [line for line in facts.ledger if line.number == 2]
    assert facts.scope.points == 8

    before = without_changes(facts, left)

    assert before.scope.points == 2
