"""The edge cases of docs/metrics.md, section 2, one by one.

The sprint runs from Monday, 16 November to Friday, 27 November 2026, in UTC.
"""

from decimal import Decimal

import pytest

from sprints.facts import Amount, Cause, Facts
from sprints.model import State
from tests.builders import OTHER_SPRINT, SPRINT, Box, Card

FIVE, NOTHING = Amount(Decimal(5), 1), Amount()


def sprint() -> Box:
    return Box("11-10 09:00", start="11-16", due="2026-11-27")


def committed_card(points: int | None = 5) -> Card:
    """In the sprint before it starts."""
    labels = [] if points is None else [f"points: {points}"]
    return Card().opened("11-10 10:00", *labels).joined("11-12 09:00")


def ledger(facts: Facts) -> list[tuple[str, str, str]]:
    return [
        (line.cause.value, f"{line.at:%m-%d %H:%M}", f"{line.amount.points} in {line.amount.count}")
        for line in facts.ledger
    ]


def remaining(facts: Facts) -> dict[str, int]:
    return {f"{day.date:%m-%d}": int(day.remaining.points) for day in facts.days}


def test_reopened_inside_the_sprint_rises_on_that_day_and_leaves_earlier_days_alone() -> None:
    card = committed_card().closed("11-17 10:00").reopened("11-19 10:00")
    facts = sprint().facts(card, as_of="11-20 12:00")

    assert remaining(facts) == {"11-16": 5, "11-17": 0, "11-18": 0, "11-19": 5, "11-20": 5}
    assert facts.done == NOTHING
    assert not facts.ledger


def test_reopened_inside_and_closed_again_is_done() -> None:
    card = committed_card().closed("11-17").reopened("11-18").closed("11-20")

    assert sprint().facts(card).done == FIVE


def test_reopened_after_the_end_keeps_the_number() -> None:
    card = committed_card().closed("11-26").reopened("11-28 00:00")
    facts = sprint().facts(card)

    assert facts.done == FIVE
    assert [item.state for item in facts.items] == ["open"]


def test_added_mid_sprint_steps_the_scope_up_and_counts_as_completed() -> None:
    card = Card().opened("11-10", "points: 5").joined("11-18 10:00").closed("11-20")
    facts = sprint().facts(card)

    assert facts.committed == NOTHING
    assert ledger(facts) == [("added", "11-18 10:00", "5 in 1")]
    assert remaining(facts)["11-17"] == 0
    assert remaining(facts)["11-18"] == 5
    assert facts.done == FIVE


def test_opened_in_the_milestone_mid_sprint_is_added_once_although_github_tells_it_three_times() -> None:
    card = Card().opened("11-18 10:00", "points: 5", milestone=SPRINT)
    card.joined("11-18 10:00").labeled("11-18 10:00", "points: 5")

    assert ledger(sprint().facts(card)) == [("added", "11-18 10:00", "5 in 1")]


@pytest.mark.parametrize("joined", ["11-16 00:00", "11-27 23:59:59"])
def test_the_start_belongs_to_the_sprint(joined: str) -> None:
    facts = sprint().facts(Card().opened("11-10", "points: 5").joined(joined))

    assert facts.committed == NOTHING
    assert facts.total(Cause.ADDED) == FIVE


def test_a_second_before_the_start_is_commitment() -> None:
    facts = sprint().facts(Card().opened("11-10", "points: 5").joined("11-15 23:59:59"))

    assert facts.committed == FIVE
    assert not facts.ledger


def test_the_end_does_not_belong_to_the_sprint() -> None:
    facts = sprint().facts(Card().opened("11-10", "points: 5").joined("11-28 00:00"))

    assert facts.scope == NOTHING
    assert [item.number for item in facts.items] == [1]


def test_done_inside_the_sprint_when_it_joins_is_added_and_done_at_the_join() -> None:
    card = Card().opened("11-10", "points: 5").closed("11-17").joined("11-19 10:00")
    facts = sprint().facts(card)

    assert ledger(facts) == [("added", "11-19 10:00", "5 in 1")]
    assert facts.done == FIVE
    assert [(day.scope, day.done) for day in facts.days[2:4]] == [(NOTHING, NOTHING), (FIVE, FIVE)]


def test_done_before_the_start_when_it_joins_stays_outside_and_is_listed_apart() -> None:
    card = Card().opened("11-10", "points: 5").closed("11-15 23:59:59").joined("11-19")
    facts = sprint().facts(card)

    assert (facts.scope, facts.done) == (NOTHING, NOTHING)
    assert [item.state for item in facts.items] == ["done_before_start"]


def test_closed_before_the_start_in_the_milestone_is_outside_commitment_and_scope() -> None:
    facts = sprint().facts(committed_card().closed("11-13"))

    assert (facts.committed, facts.scope, facts.done) == (NOTHING, NOTHING, NOTHING)
    assert [item.state for item in facts.items] == ["done_before_start"]


def test_done_at_the_very_start_is_done_in_the_sprint() -> None:
    facts = sprint().facts(committed_card().closed("11-16 00:00"))

    assert (facts.committed, facts.done) == (FIVE, FIVE)


def test_done_then_removed_leaves_both_lines() -> None:
    facts = sprint().facts(committed_card().closed("11-17").left("11-19 10:00"))

    assert ledger(facts) == [("removed", "11-19 10:00", "5 in 1")]
    assert (facts.scope, facts.done) == (NOTHING, NOTHING)
    assert not facts.items


def test_dropped_then_reopened_is_added_back_at_that_moment() -> None:
    card = committed_card().dropped("11-17 10:00").reopened("11-19 10:00")
    facts = sprint().facts(card)

    assert ledger(facts) == [("dropped", "11-17 10:00", "5 in 1"), ("added", "11-19 10:00", "5 in 1")]
    assert facts.scope == FIVE


def test_done_before_the_start_then_reopened_is_added() -> None:
    facts = sprint().facts(committed_card().closed("11-13").reopened("11-19 10:00"))

    assert ledger(facts) == [("added", "11-19 10:00", "5 in 1")]
    assert (facts.committed, facts.scope) == (NOTHING, FIVE)


def test_moved_to_another_milestone_is_removed_here_and_added_there() -> None:
    card = committed_card().moved("11-18 10:00")
    there = Box("11-10", milestone=OTHER_SPRINT, start="11-16", due="2026-11-27")

    assert ledger(sprint().facts(card)) == [("removed", "11-18 10:00", "5 in 1")]
    assert ledger(there.facts(card)) == [("added", "11-18 10:00", "5 in 1")]


def test_moved_to_a_sprint_that_has_not_started_is_part_of_its_commitment() -> None:
    card = committed_card().moved("11-18 10:00")
    next_one = Box("11-10", milestone=OTHER_SPRINT, start="11-30", due="2026-12-11")

    assert next_one.facts(card, as_of="12-02").committed == FIVE


def test_a_move_within_a_second_keeps_its_target_whichever_delivery_comes_first() -> None:
    card = committed_card()
    card.joined("11-18 10:00", OTHER_SPRINT).left("11-18 10:00", SPRINT)
    there = Box("11-10", milestone=OTHER_SPRINT, start="11-16", due="2026-11-27")

    assert sprint().facts(card).scope == NOTHING
    assert there.facts(card).scope == FIVE


def test_leaving_ends_membership_of_the_milestone_that_it_names_and_of_no_other() -> None:
    card = committed_card().left("11-18", OTHER_SPRINT)

    assert sprint().facts(card).scope == FIVE


def test_moved_after_the_end_is_carried_over_and_not_removed() -> None:
    facts = sprint().facts(committed_card().moved("11-28 00:00"))

    assert (facts.scope, facts.remaining) == (FIVE, FIVE)
    assert not facts.ledger


def test_done_after_the_end_changes_no_number_but_shows_in_the_list() -> None:
    facts = sprint().facts(committed_card().closed("11-28 09:00"))

    assert facts.done == NOTHING
    assert [item.state for item in facts.items] == ["done"]


def test_reestimated_is_a_delta_at_that_time_and_leaves_the_commitment() -> None:
    facts = sprint().facts(committed_card().estimated("11-18 10:00", 8))

    assert facts.committed == FIVE
    assert facts.total(Cause.REESTIMATED) == Amount(Decimal(3), 0)
    assert facts.scope == Amount(Decimal(8), 1)


def test_an_estimate_that_fell_is_negative() -> None:
    facts = sprint().facts(committed_card().estimated("11-18", 2))

    assert facts.total(Cause.REESTIMATED).points == -3


def test_reestimated_while_done_keeps_the_estimate_of_when_it_became_done() -> None:
    facts = sprint().facts(committed_card().closed("11-17").estimated("11-18", 8))

    assert (facts.scope, facts.done) == (FIVE, FIVE)
    assert not facts.ledger


def test_reestimated_while_done_matters_once_it_reopens() -> None:
    card = committed_card().closed("11-17").estimated("11-18", 8).reopened("11-19 10:00")

    assert ledger(sprint().facts(card)) == [("reestimated", "11-19 10:00", "3 in 0")]


def test_closing_what_is_done_changes_nothing() -> None:
    """Where a re-opening was missed: it became done the first time."""
    card = committed_card().closed("11-13").estimated("11-17", 8).closed("11-18")
    facts = sprint().facts(card)

    assert facts.scope == NOTHING
    assert facts.items[0].state == "done_before_start"
    assert facts.items[0].points == 5


def test_not_estimated_counts_as_nothing_in_points_and_as_one_item() -> None:
    facts = sprint().facts(committed_card(points=None))

    assert facts.committed == Amount(Decimal(0), 1)
    assert facts.items[0].points is None


@pytest.mark.parametrize(("not_estimated", "unit"), [(3, "points"), (4, "count")])
def test_counts_items_when_more_than_30_percent_are_not_estimated(not_estimated: int, unit: str) -> None:
    labels: list[list[str]] = [[]] * not_estimated + [["points: 1"]] * (10 - not_estimated)
    cards = [Card(n).opened("11-12", *label, milestone=SPRINT) for n, label in enumerate(labels)]

    assert sprint().facts(*cards).unit == unit


def test_an_empty_sprint_is_measured_in_points() -> None:
    facts = sprint().facts()

    assert (facts.unit, facts.scope, facts.items) == ("points", NOTHING, ())


def test_dropped_lowers_the_scope_and_is_never_done() -> None:
    facts = sprint().facts(committed_card().dropped("11-18 10:00"))

    assert ledger(facts) == [("dropped", "11-18 10:00", "5 in 1")]
    assert (facts.scope, facts.done) == (NOTHING, NOTHING)
    assert [item.state for item in facts.items] == ["dropped"]


def test_dropped_before_the_start_is_no_commitment() -> None:
    facts = sprint().facts(committed_card().dropped("11-13"))

    assert (facts.committed, facts.scope) == (NOTHING, NOTHING)
    assert not facts.ledger


def test_leaving_while_dropped_changes_nothing_more() -> None:
    facts = sprint().facts(committed_card().dropped("11-17 10:00").left("11-18"))

    assert ledger(facts) == [("dropped", "11-17 10:00", "5 in 1")]


@pytest.mark.parametrize(("state", "done"), [(State.DONE, FIVE), (State.DROPPED, NOTHING)])
def test_a_pull_request_without_an_issue_is_an_item(state: State, done: Amount) -> None:
    card = Card(is_pull_request=True).opened("11-10", "points: 5", milestone=SPRINT).closed("11-18", state)

    assert sprint().facts(card).done == done


def test_removed_and_added_again_are_two_lines() -> None:
    card = committed_card().left("11-17 10:00").joined("11-19 10:00")

    assert ledger(sprint().facts(card)) == [
        ("removed", "11-17 10:00", "5 in 1"),
        ("added", "11-19 10:00", "5 in 1"),
    ]


def test_the_moment_itself_is_not_included() -> None:
    card = committed_card().closed("11-18 10:00")

    assert sprint().facts(card, as_of="11-18 10:00:00").done == NOTHING
    assert sprint().facts(card, as_of="11-18 10:00:01").done == FIVE


def test_late_deliveries_count_where_they_happened() -> None:
    on_time, late = committed_card().closed("11-17 10:00"), committed_card().closed("11-17 10:00")
    late.events.reverse()

    assert sprint().facts(late).days == sprint().facts(on_time).days


def test_two_sprints_that_overlap_each_have_their_own_numbers() -> None:
    other = Box("11-10", milestone=OTHER_SPRINT, start="11-20", due="2026-12-04")
    here, there = committed_card(), Card(2).opened("11-10", "points: 3", milestone=OTHER_SPRINT)

    assert sprint().facts(here, there).scope == FIVE
    assert other.facts(here, there).scope == Amount(Decimal(3), 1)


# Items that are older than our knowledge of them


def test_an_item_first_heard_of_in_a_comment_was_in_its_milestone_all_along() -> None:
    card = Card().opened("11-10", "points: 5", milestone=SPRINT).commented("11-18")
    card.events = card.events[1:]

    assert sprint().facts(card).committed == FIVE


def test_an_item_first_heard_of_when_it_left_was_there_before() -> None:
    card = committed_card().left("11-18 10:00")
    card.events = card.events[2:]

    facts = sprint().facts(card)
    assert facts.committed == FIVE
    assert ledger(facts) == [("removed", "11-18 10:00", "5 in 1")]


def test_an_item_first_heard_of_when_it_was_closed_was_open_before() -> None:
    card = committed_card().closed("11-18")
    card.events = card.events[2:]

    facts = sprint().facts(card)
    assert (facts.committed, facts.done) == (FIVE, FIVE)


def test_an_item_first_heard_of_when_it_lost_its_estimate_had_it_before() -> None:
    card = committed_card().unlabeled("11-18 10:00", "points: 5")
    card.events = card.events[2:]

    assert ledger(sprint().facts(card)) == [("reestimated", "11-18 10:00", "-5 in 0")]


# Where it lies in time


def test_before_the_start_there_is_only_a_commitment() -> None:
    facts = sprint().facts(committed_card(), as_of="11-13")

    assert (facts.committed, facts.scope) == (FIVE, FIVE)
    assert not facts.days


def test_a_row_for_each_whole_day_and_one_for_the_day_in_progress() -> None:
    assert list(remaining(sprint().facts(as_of="11-18 10:00"))) == ["11-16", "11-17", "11-18"]


def test_at_midnight_no_day_is_in_progress() -> None:
    assert list(remaining(sprint().facts(as_of="11-18 00:00"))) == ["11-16", "11-17"]


def test_no_rows_after_the_end() -> None:
    assert list(remaining(sprint().facts(as_of="12-31")))[-1] == "11-27"
