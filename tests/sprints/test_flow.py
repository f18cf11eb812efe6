"""When items were created, started and done: the rows of docs/metrics.md on flow, one by one."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprints.flows import build_flows
from sprints.model import LabelEvent, State
from sprints.rules import Rules
from sprints.starts import StartSignal
from tests.support.builders import at, next_delivery
from tests.support.flow_cards import DOING, GONE, FlowCard, Repository, flows, repositories
from tests.support.sprints_strategies import NOWS

EVERY = settings(max_examples=60, deadline=None)


def start(*cards: FlowCard, number: int = 1) -> tuple[str | None, str, bool]:
    flow = flows(*cards)[number]
    when = f"{flow.started_at:%m-%d %H:%M}" if flow.started_at else "never"
    return flow.start_signal, when, flow.is_start_dated


# What starts an item


def test_an_item_that_nobody_touched_is_not_started() -> None:
    assert start(FlowCard().opened("11-10").closed("11-12")) == (None, "never", True)


def test_the_first_kind_of_signal_that_occurred_decides_and_not_the_earliest() -> None:
    card, request = FlowCard().opened("11-10").assigned("11-11"), FlowCard(2).proposed("11-12", 1)
    signals = [
        start(card)[:2],
        start(card, request)[:2],
        start(card.labeled("11-13", DOING), request)[:2],
        start(card.status("11-14", "started"), request)[:2],
        start(card.started("11-15"), request)[:2],
    ]

    assert signals == [
        (StartSignal.ASSIGNED, "11-11 00:00"),
        (StartSignal.PULL_REQUEST, "11-12 00:00"),
        (StartSignal.LABEL, "11-13 00:00"),
        (StartSignal.STATUS, "11-14 00:00"),
        (StartSignal.COMMAND, "11-15 00:00"),
    ]


def test_of_one_kind_the_first_start_counts() -> None:
    card = FlowCard().opened("11-10").assigned("11-11").unassigned("11-12").assigned("11-13", "bob")

    assert start(card)[1] == "11-11 00:00"


@pytest.mark.parametrize("label", ["doing", "In Progress", "WIP", "Status: In Progress"])
def test_a_label_for_work_in_progress_counts_in_any_case(label: str) -> None:
    assert start(FlowCard().opened("11-10").labeled("11-11", label))[0] == StartSignal.LABEL


def test_other_labels_and_other_statuses_start_nothing() -> None:
    card = FlowCard().opened("11-10", "bug").labeled("11-11", "todo").status("11-12", "unstarted")

    assert start(card)[0] is None


def test_what_the_opening_shows_started_then() -> None:
    card = FlowCard().opened("11-10", DOING)
    assert start(card) == (StartSignal.LABEL, "11-10 00:00", True)

    card.events[0] = replace(
        card.events[0], snapshot=replace(card.events[0].snapshot, labels=(), assignees=("bob",))
    )
    assert start(card) == (StartSignal.ASSIGNED, "11-10 00:00", True)


def test_the_teams_own_labels_replace_the_usual_ones() -> None:
    card = FlowCard().opened("11-10").labeled("11-11", "wip").labeled("11-12", "Cooking")
    (flow,) = build_flows({card.id: card.events}, at("12-31"), Rules(started_labels=frozenset({"cooking"})))

    assert flow.started_at == at("11-12")


def test_only_what_happened_before_the_moment_counts() -> None:
    card = FlowCard().opened("11-10").assigned("11-11").started("11-15").closed("11-16")

    assert flows(card, as_of="11-10") == {}
    assert flows(card, as_of="11-15")[1].start_signal == StartSignal.ASSIGNED
    assert flows(card, as_of="11-16")[1].done_at is None
    assert flows(card, as_of="11-16 00:00:01")[1].done_at == at("11-16")


# Items whose beginning we missed


def test_a_start_before_we_knew_the_item_has_no_date() -> None:
    card = FlowCard().opened("11-10").assigned("11-11").commented("11-14").first_seen(2)

    assert start(card) == (StartSignal.ASSIGNED, "11-14 00:00", False)


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        (FlowCard().opened("11-10").assigned("11-12").first_seen(1), (StartSignal.ASSIGNED, True)),
        (FlowCard().opened("11-10").labeled("11-12", DOING).first_seen(1), (StartSignal.LABEL, True)),
        (FlowCard().opened("11-10").status("11-12", "started").first_seen(1), (StartSignal.STATUS, True)),
        (
            FlowCard().opened("11-10").assigned("11-11").unassigned("11-12").first_seen(2),
            (StartSignal.ASSIGNED, False),
        ),
        (
            FlowCard().opened("11-10", DOING).unlabeled("11-12", DOING).first_seen(1),
            (StartSignal.LABEL, False),
        ),
        (
            FlowCard().opened("11-10").status("11-11", "started").commented("11-12").first_seen(2),
            (StartSignal.STATUS, False),
        ),
    ],
)
def test_the_event_that_we_saw_first_dates_only_what_it_did(
    card: FlowCard, expected: tuple[StartSignal, bool]
) -> None:
    signal, when, is_dated = start(card)

    assert (signal, is_dated) == expected
    assert when == "11-12 00:00"


def test_what_a_correction_shows_has_no_date() -> None:
    card = FlowCard().opened("11-10").corrected("11-14", assignees=("bob",))
    assert start(card) == (StartSignal.ASSIGNED, "11-14 00:00", False)

    card = FlowCard().opened("11-10").assigned("11-11", "bob").corrected("11-14", assignees=("bob",))
    assert start(card) == (StartSignal.ASSIGNED, "11-11 00:00", True)


def test_an_item_first_seen_when_it_was_done_keeps_its_dates_and_names_nobody() -> None:
    card = FlowCard().opened("11-10").assigned("11-11", "bob").closed("11-12").commented("11-20").by("eve")
    flow = flows(card.first_seen(3))[1]

    assert (flow.created_at, flow.done_at) == (at("11-10"), at("11-12"))
    assert (flow.assignee_at_done, flow.closed_by) == ("bob", None)


def test_an_item_first_seen_when_it_was_dropped_keeps_the_date() -> None:
    card = FlowCard().opened("11-10").dropped("11-12").commented("11-20").first_seen(2)

    assert flows(card)[1].dropped_at == at("11-12")


# Pull requests


def test_a_link_that_came_later_starts_the_issue_then() -> None:
    request = FlowCard(2).proposed("11-11").closing("11-13", 1)

    assert start(FlowCard().opened("11-10"), request)[1] == "11-13 00:00"


def test_a_link_that_is_taken_back_has_started_it_nevertheless() -> None:
    request = FlowCard(2).proposed("11-11", 1).closing("11-13")

    assert start(FlowCard().opened("11-10"), request)[1] == "11-11 00:00"


def test_a_pull_request_first_seen_when_merged_was_linked_since_its_creation() -> None:
    request = FlowCard(2).proposed("11-11", 1).closed("11-14").first_seen(1)

    assert start(FlowCard().opened("11-10"), request) == (StartSignal.PULL_REQUEST, "11-11 00:00", True)


def test_a_pull_request_linked_to_several_issues_starts_each_and_closes_only_those_github_closed() -> None:
    first, second = FlowCard(1).opened("11-10").closed("11-14"), FlowCard(2).opened("11-10")
    result = flows(first, second, FlowCard(3).proposed("11-12", 1, 2).closed("11-14"))

    assert [result[n].started_at for n in (1, 2)] == [at("11-12")] * 2
    assert [result[n].done_at for n in (1, 2)] == [at("11-14"), None]
    assert [result[n].is_covered for n in (1, 2, 3)] == [False, False, True]


def test_a_pull_request_is_started_when_it_is_opened() -> None:
    assert start(FlowCard(2).proposed("11-11 10:00"), number=2)[:2] == (
        StartSignal.PULL_REQUEST,
        "11-11 10:00",
    )


def test_a_pull_request_counts_unless_it_closes_an_issue_that_is_there() -> None:
    issue = FlowCard(1).opened("11-10")
    result = flows(
        issue,
        FlowCard(2).proposed("11-11"),
        FlowCard(3).proposed("11-11", 1),
        FlowCard(4).proposed("11-11", 99),
        FlowCard(5).proposed("11-11", 2),  # Not an issue.
    )
    assert [number for number, flow in result.items() if flow.is_covered] == [3]

    result = flows(issue.gone("11-12"), FlowCard(3).proposed("11-11", 1))
    assert not result[3].is_covered


def test_a_pull_request_closed_unmerged_is_dropped() -> None:
    flow = flows(FlowCard(2).proposed("11-11").dropped("11-12"))[2]

    assert (flow.done_at, flow.dropped_at) == (None, at("11-12"))
    assert not flow.is_in_progress


# Done, dropped, gone


def test_of_a_reopened_item_the_last_time_counts_and_openings_are_counted() -> None:
    card = FlowCard().opened("11-10").assigned("11-11")
    card.closed("11-12").reopened("11-13").closed("11-14").reopened("11-15")
    flow = flows(card)[1]
    assert (flow.done_at, flow.reopen_count, flow.is_in_progress) == (None, 2, True)

    flow = flows(card.closed("11-16"))[1]
    assert (flow.started_at, flow.done_at, flow.reopen_count) == (at("11-11"), at("11-16"), 2)


def test_one_that_was_given_up_and_taken_up_again_was_not_done_before() -> None:
    flow = flows(FlowCard().opened("11-10").dropped("11-12").reopened("11-13").closed("11-14"))[1]

    assert (flow.done_at, flow.dropped_at, flow.reopen_count) == (at("11-14"), None, 0)


@pytest.mark.parametrize("event", GONE)
def test_removed_item_is_dropped_even_if_done(event: str) -> None:
    flow = flows(FlowCard().opened("11-10", "points: 3").closed("11-12").gone("11-13", event))[1]

    assert (flow.done_at, flow.dropped_at, flow.points) == (None, at("11-13"), Decimal(3))
    assert flow.title == ("" if event == "deleted" else "Card 1")


def test_what_was_dropped_keeps_its_date_when_it_is_deleted() -> None:
    assert flows(FlowCard().opened("11-10").dropped("11-12").gone("11-13"))[1].dropped_at == at("11-12")


def test_points_are_frozen_while_done_and_follow_renamed_labels() -> None:
    card = FlowCard().opened("11-10", "size 3").closed("11-13").labeled("11-14", "points: 8")
    renamed = LabelEvent("L1", "renamed", at("11-12"), next_delivery(), "size 3", "points: 3")
    (flow,) = build_flows({card.id: card.events}, at("12-31"), Rules(), [renamed])

    assert flow.points == 3


def test_the_age_of_an_item_goes_on_after_a_transfer() -> None:
    there = FlowCard(7).opened("11-01").assigned("11-03").gone("11-10", "transferred")
    here = FlowCard(1).opened("11-01").assigned("11-11", "bob")
    here.events[0] = replace(here.events[0], at=at("11-10"))
    here.came_from(there)

    alone, linked = flows(here)[1], flows(here, elsewhere=(there,))[1]
    assert (alone.created_at, alone.started_at) == (at("11-01"), at("11-11"))
    assert (linked.created_at, linked.started_at) == (at("11-01"), at("11-03"))
    assert flows(there)[7].dropped_at == at("11-10")


def test_what_a_transferred_item_brought_along_has_no_date_of_its_own() -> None:
    there = FlowCard(7).opened("11-01", DOING)
    here = FlowCard(1).opened("11-10", DOING).came_from(there)

    assert not flows(here)[1].is_start_dated
    assert flows(here, elsewhere=(there,))[1].is_start_dated


def test_transfers_in_a_circle_end() -> None:
    entry, other = FlowCard(1).opened("11-01"), FlowCard(2).opened("11-02")
    entry.events[0] = replace(entry.events[0], named=other.id)
    other.events[0] = replace(other.events[0], named=entry.id)

    assert flows(entry, elsewhere=(entry, other))[1].created_at == at("11-01")


# Who


def test_a_done_item_names_who_was_assigned_first_of_those_still_assigned() -> None:
    card = FlowCard().opened("11-10").assigned("11-11", "eve").assigned("11-12", "bob")
    card.assigned("11-12 10:00", "alice").unassigned("11-13", "eve").closed("11-14").by("carol")
    card.unassigned("11-15", "bob")
    flow = flows(card)[1]

    assert (flow.assignee_at_done, flow.closed_by) == ("bob", "carol")


def test_who_was_assigned_before_we_came_is_taken_from_the_first_picture() -> None:
    card = FlowCard().opened("11-10").assigned("11-11", "bob").assigned("11-12", "alice").first_seen(2)
    assert flows(card.closed("11-13"))[1].assignee_at_done == "bob"

    card = FlowCard().opened("11-10").assigned("11-11", "bob").unassigned("11-12", "bob").first_seen(2)
    assert flows(card.closed("11-13"))[1].assignee_at_done is None


def test_the_closings_picture_helps_where_an_assignment_was_missed() -> None:
    card = FlowCard().opened("11-10").assigned("11-11", "bob").closed("11-12")
    del card.events[1]

    assert flows(card)[1].assignee_at_done == "bob"


def test_corrected_assignees_are_those_shown() -> None:
    card = FlowCard().opened("11-10").assigned("11-11", "bob").corrected("11-12", assignees=("eve", "bob"))

    assert flows(card.closed("11-13"))[1].assignee_at_done == "bob"


# Parents


def test_only_leaves_count_and_a_parent_is_one_as_long_as_it_has_children() -> None:
    parent, child = FlowCard(1).opened("11-10").assigned("11-10"), FlowCard(2).opened("11-10")
    result = flows(parent, child.child_of("11-11", parent))
    assert [flow.is_covered for flow in result.values()] == [True, False]
    assert not result[1].is_in_progress

    assert flows(parent, child.orphaned("11-12", parent))[1].is_in_progress


def test_a_child_that_is_gone_covers_nothing_and_one_elsewhere_does() -> None:
    parent, child = FlowCard(1).opened("11-10"), FlowCard(2).opened("11-10")
    child.child_of("11-11", parent)

    assert flows(parent, elsewhere=(child,))[1].is_covered
    assert not flows(parent, child.gone("11-12"))[1].is_covered


def test_parents_in_a_circle_tell_nothing_of_each_other() -> None:
    entry, other, child = (FlowCard(n).opened("11-10") for n in (1, 2, 3))
    entry.child_of("11-11", other)
    other.child_of("11-11", entry)
    assert not any(flow.is_covered for flow in flows(entry, other).values())

    result = flows(entry, other, child.child_of("11-12", entry))
    assert [flow.is_covered for flow in result.values()] == [True, False, False]


# What holds for every history


@given(repositories(), NOWS, st.integers(0, 2**32))
@EVERY
def test_order_of_arrival_and_duplicates_change_nothing(repo: Repository, as_of: datetime, seed: int) -> None:
    shuffle = random.Random(seed)
    arrived = {}
    for item, events in shuffle.sample(sorted(repo.items.items()), len(repo.items)):
        data = [*events, *shuffle.choices(events, k=2)]
        shuffle.shuffle(data)
        arrived[item] = tuple(data)

    assert replace(repo, items=arrived).flows(as_of) == repo.flows(as_of)


@given(repositories(), NOWS)
@EVERY
def test_the_future_changes_nothing(repo: Repository, as_of: datetime) -> None:
    past = {item: tuple(e for e in events if e.at < as_of) for item, events in repo.items.items()}

    assert replace(repo, items=past).flows(at("12-31")) == repo.flows(as_of)


@given(repositories(), NOWS)
@EVERY
def test_an_item_is_open_done_or_dropped_and_dates_are_reported(repo: Repository, as_of: datetime) -> None:
    for flow in repo.flows(as_of):
        assert flow.done_at is None or flow.dropped_at is None
        assert (flow.started_at is None) == (flow.start_signal is None)
        assert all(when < as_of for when in (flow.started_at, flow.done_at, flow.dropped_at) if when)
        assert flow.reopen_count >= 0
        assert flow.done_at or flow.assignee_at_done is None


@given(repositories(), NOWS)
@EVERY
def test_who_is_in_progress_was_started_and_not_finished(repo: Repository, as_of: datetime) -> None:
    for flow in repo.flows(as_of):
        closed = any(
            e.snapshot.state is not State.OPEN or e.event in {"deleted", "transferred"}
            for e in repo.items[flow.item]
            if e.at < as_of
        )
        if flow.started_at and not flow.is_covered and not flow.is_in_progress:
            assert closed or flow.dropped_at
        if flow.is_in_progress:
            assert flow.started_at
            assert as_of - flow.started_at > timedelta(0)
