"""Cumulative flow: lines that never fall, and what lies between them."""

from datetime import date, datetime
from itertools import pairwise

from hypothesis import given, settings

from sprints.cumulative_flow import CumulativeFlow, FlowDay, count_cumulative_flow
from sprints.model import State
from tests.support.builders import When
from tests.support.flow_cards import FlowCard, Repository, calendar, flows, repositories
from tests.support.sprints_strategies import NOWS

FIRST, LAST = date(2026, 11, 9), date(2026, 11, 13)


def flow(*cards: FlowCard, as_of: When = "12-31", first: date = FIRST, last: date = LAST) -> CumulativeFlow:
    return count_cumulative_flow(flows(*cards, as_of=as_of).values(), calendar(), first, last)


def counts(result: CumulativeFlow) -> list[tuple[int, int, int, int]]:
    return [(day.arrived, day.started, day.done, day.dropped) for day in result.days]


def test_an_item_waits_is_worked_on_and_is_done() -> None:
    card = FlowCard().opened("11-09 12:00").assigned("11-10 12:00").closed("11-12 12:00")
    assert counts(flow(card)) == [(1, 0, 0, 0), (1, 1, 0, 0), (1, 1, 0, 0), (1, 1, 1, 0), (1, 1, 1, 0)]
    assert [day.waiting for day in flow(card).days] == [1, 0, 0, 0, 0]
    assert [day.in_progress for day in flow(card).days] == [0, 1, 1, 0, 0]


def test_an_open_item_that_nothing_else_is_known_of_waits() -> None:
    assert counts(flow(FlowCard().opened("11-10 12:00"))) == [(0, 0, 0, 0), *[(1, 0, 0, 0)] * 4]


def test_what_leaves_unstarted_counts_as_started_then() -> None:
    card = FlowCard().opened("11-09").dropped("11-11")
    assert counts(flow(card))[1:3] == [(1, 0, 0, 0), (1, 1, 0, 1)]


def test_opened_again_is_a_new_arrival_and_in_progress_at_once() -> None:
    card = FlowCard().opened("11-09").assigned("11-09 01:00").closed("11-10").reopened("11-12")
    assert counts(flow(card)) == [(1, 1, 0, 0), (1, 1, 1, 0), (1, 1, 1, 0), (2, 2, 1, 0), (2, 2, 1, 0)]
    assert flow(card).returned == 1
    assert flow(card, last=date(2026, 11, 11)).returned == 0


def test_what_was_given_up_and_is_found_to_be_done_has_left_once_as_done() -> None:
    card = FlowCard().opened("11-09").dropped("11-10").corrected("11-11 12:00", state=State.DONE)
    assert counts(flow(card))[-1] == (1, 1, 1, 0)


def test_what_had_left_before_the_window_does_not_count_but_what_was_open_does() -> None:
    gone = FlowCard(1).opened("10-01").closed("11-01")
    still = FlowCard(2).opened("10-01")
    assert counts(flow(gone, still))[0] == (1, 0, 0, 0)


def test_a_day_ends_at_local_midnight_and_the_moment_of_looking_is_the_end() -> None:
    card = FlowCard().opened("11-09").closed("11-11 00:00")
    assert flow(card).days[1] == FlowDay(date(2026, 11, 10), 1, 0, 0, 0)
    assert flow(card, as_of="11-11 00:00").days[-1].done == 0


@settings(max_examples=60, deadline=None)
@given(repositories(), NOWS)
def test_lines_never_fall_and_end_in_what_is_open(repository: Repository, now: datetime) -> None:
    known_items = repository.flows(now)
    result = count_cumulative_flow(known_items, repository.rules.calendar, date(2026, 9, 1), date(2027, 6, 1))
    days = result.days
    for before, after in pairwise(days):
        assert after.arrived >= before.arrived
        assert after.started >= before.started
        assert after.done >= before.done
        assert after.dropped >= before.dropped
    assert all(day.waiting >= 0 and day.in_progress >= 0 for day in days)
    counted = [entry for entry in known_items if not entry.is_covered]
    is_open = [entry for entry in counted if entry.done_at is None and entry.dropped_at is None]
    assert days[-1].in_progress == sum(entry.is_in_progress for entry in counted)
    assert days[-1].arrived - days[-1].done - days[-1].dropped == len(is_open)
    # What was done and came back is done no longer.
    assert days[-1].done - result.returned == sum(entry.done_at is not None for entry in counted)
