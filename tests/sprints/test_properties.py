"""What holds for every history, whatever happened in it."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sprints.burndown import burndown_of, measure
from sprints.facts import Amount, Cause, Facts
from sprints.model import ItemEvent
from tests.builders import at
from tests.sprints.strategies import MOMENTS, NOWS, History, histories, items

E = TypeVar("E")
SEEDS = st.integers(0, 2**32)
EVERY = settings(max_examples=30, deadline=None)


@given(histories(), NOWS, SEEDS)
@EVERY
def test_order_of_arrival_and_duplicates_change_nothing(history: History, as_of: datetime, seed: int) -> None:
    shuffle = random.Random(seed)

    def as_it_came(events: Sequence[E]) -> tuple[E, ...]:
        arrived = [*events, *shuffle.choices(events, k=2)]
        shuffle.shuffle(arrived)
        return tuple(arrived)

    items = list(history.items.items())
    shuffle.shuffle(items)
    arrived = replace(
        history,
        milestone=as_it_came(history.milestone),
        items={item: as_it_came(events) for item, events in items},
    )

    assert arrived.facts(as_of) == history.facts(as_of)


@given(histories(), NOWS)
@EVERY
def test_scope_is_commitment_and_its_changes(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    changed = facts.total(Cause.ADDED) - facts.total(Cause.REMOVED) - facts.total(Cause.DROPPED)

    assert facts.scope == facts.committed + changed + facts.total(Cause.REESTIMATED)
    assert facts.total(Cause.REESTIMATED).count == 0
    assert facts.remaining == facts.scope - facts.done


@given(histories(), NOWS)
@EVERY
def test_each_total_is_the_sum_of_its_lines(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)

    for cause in Cause:
        lines = [line for line in facts.ledger if line.cause is cause]
        assert facts.total(cause).points == sum((line.amount.points for line in lines), Decimal(0))
        assert facts.total(cause).count == sum(line.amount.count for line in lines)
    assert [line.at for line in facts.ledger] == sorted(line.at for line in facts.ledger)


@given(histories(), NOWS)
@EVERY
def test_nothing_is_negative_but_a_fallen_estimate(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    changes = [line.amount for line in facts.ledger if line.cause is not Cause.REESTIMATED]
    rows = [amount for day in facts.days for amount in (day.scope, day.done, day.remaining)]

    for amount in [facts.committed, facts.scope, facts.done, facts.remaining, *changes, *rows]:
        assert amount.points >= 0
        assert amount.count >= 0


@given(histories(), NOWS)
@EVERY
def test_the_last_day_is_where_the_sprint_stands(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    assume(facts.days)

    assert (facts.days[-1].scope, facts.days[-1].done) == (facts.scope, facts.done)


@given(histories(), NOWS)
@EVERY
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
@EVERY
def test_before_the_start_all_scope_is_the_commitment(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    assume(as_of <= facts.sprint.start)

    assert facts.committed == facts.scope
    assert facts.done == Amount()
    assert not facts.ledger
    assert not facts.days


def _numbers(facts: Facts) -> tuple[object, ...]:
    return facts.committed, facts.scope, facts.done, facts.ledger, facts.days


@given(histories(), st.lists(items(9), max_size=2), NOWS)
@EVERY
def test_what_happens_after_the_end_changes_no_number(
    history: History, more: list[tuple[ItemEvent, ...]], later: datetime
) -> None:
    end = history.facts(at("12-30")).sprint.end
    assume(end is not None)
    assert end is not None
    told = [event for events in history.items.values() for event in events] + [e for es in more for e in es]
    kept = {
        item: tuple(event for event in told if event.item == item and event.at < end)
        for item in {event.item for event in told}
    }
    only_until_then = replace(history, items=kept)
    with_all = replace(history, items={item: tuple(e for e in told if e.item == item) for item in kept})

    assert _numbers(with_all.facts(at("12-30"))) == _numbers(only_until_then.facts(at("12-30")))


@given(histories(), NOWS)
@EVERY
def test_each_item_of_the_milestone_is_listed_once(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    numbers = [item.number for item in facts.items]

    assert numbers == sorted(set(numbers))
    assert {item.state for item in facts.items} <= {"open", "done", "dropped", "done_before_start"}


@given(histories(), NOWS)
@EVERY
def test_while_it_runs_the_list_adds_up_to_the_scope(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    assume(not facts.sprint.has_ended(as_of))
    in_scope = [item for item in facts.items if item.state in {"open", "done"}]
    done = [item for item in in_scope if item.state == "done"]

    assert facts.scope == Amount(sum((i.points or Decimal(0) for i in in_scope), Decimal(0)), len(in_scope))
    assert facts.done == Amount(sum((i.points or Decimal(0) for i in done), Decimal(0)), len(done))


@given(histories(most_items=3), MOMENTS, st.integers(1, 5))
@EVERY
def test_what_was_missed_before_the_start_is_told_by_the_first_picture(
    history: History, as_of: datetime, missed: int
) -> None:
    """The App was installed later than the first things happened, but before the sprint began."""
    facts = history.facts(as_of)
    start = min(facts.sprint.start, facts.sprint.committed_at)
    assume(all(len({event.at for event in events}) == len(events) for events in history.items.values()))
    kept = {item: events[missed:] or events for item, events in history.items.items()}
    assume(all(events[0].at < min(start, as_of) for events in kept.values()))
    assume(all(events[0].snapshot.closed_at is None for events in kept.values()))
    late = replace(history, items=kept).facts(as_of)

    assert _numbers(late) == _numbers(facts)
    assert late.items == facts.items


@given(histories(), NOWS, st.sampled_from(["points", "count"]))
@EVERY
def test_the_burndown_shows_the_facts(history: History, as_of: datetime, unit: str) -> None:
    facts = history.facts(as_of)
    burndown = burndown_of(facts, unit)
    shown = {day.date: day for day in burndown.days}
    planned_on = facts.sprint.committed_at.astimezone(facts.sprint.timezone) - timedelta(seconds=1)

    for day in facts.days:
        if day.date >= planned_on.date():
            assert shown[day.date].remaining == measure(day.remaining, unit)
    assert all(
        day.date in {row.date for row in facts.days} for day in burndown.days if day.remaining is not None
    )
    assert burndown.committed == measure(facts.committed, unit)
    ideal = [day.ideal for day in burndown.days if day.ideal is not None]
    assert bool(ideal) == bool(facts.sprint.due and burndown.days)
    if ideal:
        assert ideal == sorted(ideal, reverse=True)
        assert ideal[-1] == 0
