"""Work that was put aside: the rows of docs/metrics.md on pauses, one by one."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprints.calendar import Calendar
from sprints.durations import measure_ages, measure_cycle_times
from sprints.flows import build_flows
from sprints.model import State
from sprints.rules import Rules
from sprints.starts import StartSignal
from tests.support.builders import at
from tests.support.flow_cards import DOING, FlowCard, calendar, flows

STATEMENTS = st.lists(st.sampled_from(["started", "paused", "unstarted", "close", "reopen"]), max_size=9)


def pauses(*cards: FlowCard, as_of: str = "12-31") -> list[tuple[str, str]]:
    result = flows(*cards, as_of=as_of)[1].pauses
    return [
        (f"{entry.span.since:%m-%d}", f"{entry.span.until:%m-%d}" if entry.span.until else "now")
        for entry in result
    ]


def test_an_item_is_paused_until_somebody_starts_it_again() -> None:
    card = FlowCard().opened("11-10").started("11-11").paused("11-12", "holidays").started("11-16")

    assert pauses(card) == [("11-12", "11-16")]
    assert flows(card, as_of="11-14")[1].pauses[0].reason == "holidays"
    assert [flows(card, as_of=day)[1].is_paused for day in ("11-12", "11-13", "11-17")] == [
        False,
        True,
        False,
    ]


def test_a_paused_item_is_neither_in_progress_nor_does_it_have_an_age() -> None:
    card = FlowCard().opened("11-10").started("11-11").paused("11-12")
    result = flows(card)

    assert not result[1].is_in_progress
    assert result[1].is_open
    assert measure_ages(result.values(), at("12-31"), calendar()) == []


def test_cycle_time_and_age_run_on_through_a_pause() -> None:
    card = FlowCard().opened("11-10").started("11-11").paused("11-12").started("11-16")

    (age,) = measure_ages(flows(card, as_of="11-18").values(), at("11-18"), calendar())
    assert age.elapsed == timedelta(days=7)
    assert measure_cycle_times([flows(card.closed("11-20"))[1]], Calendar()).elapsed == (timedelta(days=9),)


@pytest.mark.parametrize(
    "begun",
    [
        FlowCard().opened("11-10").assigned("11-11"),
        FlowCard().opened("11-10").labeled("11-11", DOING),
        FlowCard().opened("11-10").status("11-11", "started"),
    ],
)
def test_going_on_is_no_start_however_the_work_had_begun(begun: FlowCard) -> None:
    """Otherwise a pause would shorten the cycle time to what comes after it."""
    flow = flows(begun.paused("11-13").started("11-16"))[1]

    assert flow.started_at == at("11-11")
    assert flow.start_signal is not StartSignal.COMMAND


def test_the_first_start_after_a_pause_of_what_had_not_begun_is_a_start() -> None:
    flow = flows(FlowCard().opened("11-10").paused("11-11").started("11-16").assigned("11-17"))[1]

    assert (flow.started_at, flow.start_signal) == (at("11-16"), StartSignal.COMMAND)


def test_only_a_command_ends_a_pause() -> None:
    card = FlowCard().opened("11-10").started("11-11").paused("11-12")
    card.labeled("11-13", DOING).assigned("11-14", "bob").status("11-15", "started")

    assert pauses(card) == [("11-12", "now")]


def test_a_pause_that_is_reported_twice_is_one() -> None:
    card = FlowCard().opened("11-10").started("11-11").paused("11-12").paused("11-14").started("11-16")
    assert pauses(card) == [("11-12", "11-16")]


@pytest.mark.parametrize("state", [State.DONE, State.DROPPED])
def test_closing_ends_a_pause_for_good(state: State) -> None:
    card = FlowCard().opened("11-10").started("11-11").paused("11-12").closed("11-13", state)

    assert pauses(card) == [("11-12", "11-13")]
    assert pauses(card.reopened("11-20")) == [("11-12", "11-13")]
    assert flows(card)[1].is_in_progress


def test_a_start_that_was_taken_back_never_was() -> None:
    card = FlowCard().opened("11-10").started("11-11").unstarted("11-12")

    assert flows(card)[1].started_at is None
    assert flows(card.started("11-16"))[1].started_at == at("11-16")
    assert flows(card, as_of="11-11 12:00")[1].started_at == at("11-11")


def test_taking_back_what_ended_a_pause_lets_it_go_on() -> None:
    card = FlowCard().opened("11-10").started("11-11").paused("11-12").started("11-13").unstarted("11-14")
    assert pauses(card) == [("11-12", "now")]


def test_nothing_is_taken_back_where_nothing_was_started() -> None:
    card = FlowCard().opened("11-10").unstarted("11-11").started("11-12")
    assert flows(card)[1].started_at == at("11-12")


@settings(max_examples=60, deadline=None)
@given(STATEMENTS)
def test_pauses_lie_apart_within_the_time_in_which_it_was_open(steps: list[str]) -> None:
    card = FlowCard().opened("11-01")
    is_open = True
    for day, step in enumerate(steps, start=2):
        when = f"11-{day:02}"
        if step in {"close", "reopen"}:
            if is_open == (step == "close"):
                (card.closed if is_open else card.reopened)(when)
                is_open = not is_open
        else:
            getattr(card, step)(when)
    (flow,) = build_flows({card.id: card.events}, at("12-01"), Rules())
    ends = [pause.span.until for pause in flow.pauses]

    assert all(end is not None for end in ends[:-1])
    assert all(
        end is not None and end <= later.span.since for end, later in zip(ends, flow.pauses[1:], strict=False)
    )
    assert not flow.is_paused or flow.is_open
    assert not (flow.is_paused and flow.is_in_progress)


@settings(max_examples=60, deadline=None)
@given(STATEMENTS, st.integers(1, 12))
def test_what_is_reported_later_changes_no_earlier_moment(steps: list[str], day: int) -> None:
    card = FlowCard().opened("11-01")
    for n, step in enumerate(step for step in steps if step not in {"close", "reopen"}):
        getattr(card, step)(f"11-{n + 2:02}")
    as_of = at(f"11-{day:02}")
    data = {card.id: [event for event in card.events if event.at < as_of]}

    assert build_flows({card.id: card.events}, as_of, Rules()) == build_flows(data, as_of, Rules())
