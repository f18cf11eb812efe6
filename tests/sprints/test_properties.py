"""What holds for every history, whatever happened in it."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from hypothesis import assume, given
from hypothesis import strategies as st

from sprints.burndown import build_burndown, measure_amount
from sprints.facts import Amount, Facts, ScopeCause, sum_items
from sprints.model import ItemEvent
from tests.support.builders import at
from tests.support.sprints_strategies import MOMENTS, NOWS, PROPERTY_SETTINGS, History, histories

E = TypeVar("E")
SEEDS = st.integers(0, 2**32)


@given(histories(), NOWS, SEEDS)
@PROPERTY_SETTINGS
def test_order_of_arrival_and_duplicates_change_nothing(history: History, as_of: datetime, seed: int) -> None:
    shuffle = random.Random(seed)

    def as_it_came(events: Sequence[E]) -> tuple[E, ...]:
        arrived = [*events, *(shuffle.choices(events, k=2) if events else ())]
        shuffle.shuffle(arrived)
        return tuple(arrived)

    items = list(history.items.items())
    shuffle.shuffle(items)
    arrived = replace(
        history,
        milestone=as_it_came(history.milestone),
        items={item: as_it_came(events) for item, events in items},
        labels=as_it_came(history.labels),
    )

    assert arrived.facts(as_of) == history.facts(as_of)


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_scope_is_commitment_and_its_changes(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    changed = (
        facts.total(ScopeCause.ADDED) - facts.total(ScopeCause.REMOVED) - facts.total(ScopeCause.DROPPED)
    )

    assert facts.scope == facts.committed + changed + facts.total(ScopeCause.REESTIMATED)
    assert facts.total(ScopeCause.REESTIMATED).count == 0
    assert facts.remaining == facts.scope - facts.done


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_each_total_is_the_sum_of_its_lines(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)

    for cause in ScopeCause:
        lines = [line for line in facts.ledger if line.cause is cause]
        assert facts.total(cause).points == sum((line.amount.points for line in lines), Decimal(0))
        assert facts.total(cause).count == sum(line.amount.count for line in lines)
    assert [line.at for line in facts.ledger] == sorted(line.at for line in facts.ledger)


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_nothing_is_negative_but_a_fallen_estimate(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    changes = [line.amount for line in facts.ledger if line.cause is not ScopeCause.REESTIMATED]
    rows = [amount for day in facts.days for amount in (day.scope, day.done, day.remaining)]

    totals = [facts.committed, facts.scope, facts.done, facts.remaining, facts.kept]
    for amount in [*totals, *changes, *rows]:
        assert amount.points >= 0
        assert amount.count >= 0


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_the_last_day_is_where_the_sprint_stands(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    assume(facts.days)

    assert (facts.days[-1].scope, facts.days[-1].done) == (facts.scope, facts.done)


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_days_follow_each_other_from_the_start_and_never_into_the_future(
    history: History, as_of: datetime
) -> None:
    facts = history.facts(as_of)
    sprint, dates = facts.sprint, [day.date for day in facts.days]
    until = min(as_of, sprint.end) if sprint.end else as_of

    assert dates == [sprint.first_day + timedelta(days=n) for n in range(len(dates))]
    assert bool(dates) == (until > sprint.start)
    assert all(before.at < after.at for before, after in pairwise(facts.days))
    assert not dates or facts.days[-1].at == until


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_before_the_start_all_scope_is_the_commitment(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    assume(as_of <= facts.sprint.start)

    assert facts.committed == facts.scope
    assert facts.done == Amount()
    assert not facts.ledger
    assert not facts.days


def _numbers(facts: Facts) -> tuple[object, ...]:
    lists = facts.committed_items, facts.done_items, facts.carried
    numbers = [[(item.number, item.points, item.is_covered) for item in entry] for entry in lists]
    # Of what is deleted later no text is kept, but all else of its lines stays.
    ledger = [(line.at, line.number, line.cause, line.amount, line.was_done) for line in facts.ledger]
    return facts.committed, facts.scope, facts.done, facts.kept, ledger, facts.days, numbers


@given(histories())
@PROPERTY_SETTINGS
def test_what_happens_after_the_end_changes_no_number(history: History) -> None:
    end = history.facts(at("12-30")).sprint.end
    assume(end is not None)
    assert end is not None
    kept = {item: tuple(e for e in events if e.at < end) for item, events in history.items.items()}
    labels = tuple(label for label in history.labels if label.at < end)
    only_until_then = replace(history, items=kept, labels=labels)

    assert _numbers(history.facts(at("12-30"))) == _numbers(only_until_then.facts(at("12-30")))


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_each_item_of_the_milestone_is_listed_once(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    numbers = [item.number for item in facts.items]

    assert numbers == sorted(set(numbers))
    assert {item.state for item in facts.items} <= {"open", "done", "dropped", "done_before_start"}


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_while_it_runs_the_list_adds_up_to_the_scope(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    assume(not facts.sprint.has_ended(as_of))
    in_scope = [item for item in facts.items if item.state in {"open", "done"} and not item.is_covered]
    done = [item for item in in_scope if item.state == "done"]

    assert facts.scope == Amount(sum((i.points or Decimal(0) for i in in_scope), Decimal(0)), len(in_scope))
    assert facts.done == Amount(sum((i.points or Decimal(0) for i in done), Decimal(0)), len(done))


@given(histories(most_items=3, is_distinct=True), MOMENTS, st.integers(1, 5))
@PROPERTY_SETTINGS
def test_what_was_missed_before_the_start_is_reported_by_the_first_picture(
    history: History, as_of: datetime, missed: int
) -> None:
    """The App was installed later than the first things happened, but before the sprint began."""
    facts = history.facts(as_of)
    # One that is due before it starts ends there.
    start = min(facts.sprint.start, facts.sprint.committed_at, facts.sprint.end or at("12-31"))
    kept = dict(history.items)
    for item, events in history.items.items():
        moments = sorted({event.at for event in events})
        first = moments[min(missed, len(moments) - 1)]
        is_told = first < min(start, as_of)
        lost = [event for event in events if event.at < first]
        # No picture shows a parent, and of what was closed only when.
        is_told = is_told and not any(event.event.startswith("parent") for event in lost)
        # A correction keeps the known order of labels, of which a late installation knows less.
        is_told = is_told and not any(event.event == "corrected" for event in events)
        seen = [event for event in events if event.at >= first]
        if is_told and seen[0].snapshot.closed_at is None:
            kept[item] = tuple(seen)
    late = replace(history, items=kept).facts(as_of)

    assert _numbers(late) == _numbers(facts)
    assert late.items == facts.items


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_the_lists_add_up(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)

    assert sum_items(facts.committed_items) == facts.committed
    assert sum_items(facts.done_items) == facts.done
    assert facts.kept.points <= facts.committed.points
    assert facts.kept.count <= facts.committed.count
    kept = {item.item for item in facts.committed_items} & {item.item for item in facts.done_items}
    assert sum_items(item for item in facts.committed_items if item.item in kept) == facts.kept
    left = facts.remaining if facts.sprint.has_ended(as_of) else Amount()
    assert sum_items(facts.carried) == left
    assert set(facts.late) <= set(facts.carried)


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_only_what_others_tell_is_not_counted(history: History, as_of: datetime) -> None:
    """Whoever is covered is told by members, and by going from teller to teller one comes to work that counts."""
    items = {item.item: item for item in history.facts(as_of).items}

    for item in items.values():
        assert item.is_covered == bool(item.covered_by)
        way = [item]
        while way[-1].is_covered:
            assert len(way) <= len(items)
            way.append(items[way[-1].covered_by[0]])


@given(histories(), NOWS, SEEDS)
@PROPERTY_SETTINGS
def test_what_was_recorded_in_parts_is_what_was_recorded_at_once(
    history: History, as_of: datetime, seed: int
) -> None:
    """Batches of deliveries, whichever events fell into which, in any order of batches."""
    chance = random.Random(seed)
    data = [event for events in history.items.values() for event in events]
    batches: dict[int, list[ItemEvent]] = {}
    for event in data:
        batches.setdefault(chance.randrange(4), []).append(event)
    recorded: dict[str, list[ItemEvent]] = {}
    for batch in chance.sample(list(batches.values()), len(batches)):
        for event in batch:
            recorded.setdefault(event.item, []).append(event)
    in_parts = replace(history, items={item: tuple(events) for item, events in recorded.items()})

    assert in_parts.facts(as_of) == history.facts(as_of)


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_what_comes_later_is_not_known_yet(history: History, as_of: datetime) -> None:
    known_items = {item: tuple(e for e in events if e.at < as_of) for item, events in history.items.items()}
    milestone = tuple(e for e in history.milestone if e.at < as_of) or history.milestone
    labels = tuple(label for label in history.labels if label.at < as_of)

    until_then = replace(history, items=known_items, milestone=milestone, labels=labels)
    assert until_then.facts(as_of) == history.facts(as_of)


@given(histories(), NOWS, st.sampled_from(["points", "count"]))
@PROPERTY_SETTINGS
def test_the_burndown_shows_the_facts(history: History, as_of: datetime, unit: str) -> None:
    facts = history.facts(as_of)
    burndown = build_burndown(facts, unit)
    shown = {day.date: day for day in burndown.days}

    for day in facts.days:
        if day.date >= facts.sprint.commitment_day:
            assert shown[day.date].remaining == measure_amount(day.remaining, unit)
    assert all(
        day.date in {row.date for row in facts.days} for day in burndown.days if day.remaining is not None
    )
    assert burndown.committed == measure_amount(facts.committed, unit)
    ideal = [day.ideal for day in burndown.days if day.ideal is not None]
    assert bool(ideal) == bool(facts.sprint.due and burndown.days)
    if ideal:
        assert ideal == sorted(ideal, reverse=True)
        assert ideal[-1] == 0
