"""The edge cases of docs/metrics.md, row by row, in the order of its table.

The sprint runs from Monday, 16 November to Friday, 27 November 2026, in UTC.

Rows that live elsewhere:
- cycle time of a re-opened item, negative or zero durations: test_durations.py; what only a poll saw: test_flow.py
- personal data: test_team.py
- twenty-three and twenty-five hours, local midnights: test_start_to_end.py, test_calendar.py
- repeated and late webhooks, the snapshot of a finished sprint, asking again every night: the tests of
  storage/ and bot/; here only what a fold makes of a correction
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from sprints.burndown import build_burndown
from sprints.calendar import Calendar
from sprints.estimates import Estimates
from sprints.facts import Amount, Facts, ScopeCause
from sprints.ledger import group_ledger
from sprints.milestone import DueMove, Phase
from sprints.model import State
from sprints.numbering import local_number
from sprints.rollup import roll_up
from tests.support.builders import OTHER_SPRINT, SPRINT, Box, Card, at, label_deleted, renamed

FIVE, NOTHING = Amount(Decimal(5), 1), Amount()


def points(number: int, count: int = 1) -> Amount:
    return Amount(Decimal(number), count)


def sprint() -> Box:
    return Box("11-10 09:00", start="11-16", due="2026-11-27")


def other_sprint(start: str = "11-16", due: str = "2026-11-27") -> Box:
    return Box("11-10", milestone=OTHER_SPRINT, start=start, due=due)


def committed_card(estimate: int | None = 5, number: int = 1) -> Card:
    """In the sprint before it starts."""
    labels = [] if estimate is None else [f"points: {estimate}"]
    return Card(number).opened("11-10 10:00", *labels).joined("11-12 09:00")


def pull_request(number: int, *closes: int, estimate: int = 3) -> Card:
    """In the sprint before it starts, and meant to close these issues."""
    card = Card(number, is_pull_request=True, closes=closes)
    return card.opened("11-10 11:00", f"points: {estimate}").joined("11-12 10:00")


def ledger(facts: Facts) -> list[tuple[str, str, str]]:
    return [
        (line.cause.value, f"{line.at:%m-%d %H:%M}", f"{line.amount.points} in {line.amount.count}")
        for line in facts.ledger
    ]


def lines(facts: Facts) -> list[tuple[str, int, int]]:
    """Cause, item and points of each line of the ledger."""
    return [(line.cause.value, local_number(line.number), int(line.amount.points)) for line in facts.ledger]


def remaining(facts: Facts) -> dict[str, int]:
    return {f"{day.date:%m-%d}": int(day.remaining.points) for day in facts.days}


# Re-opened inside the box: remaining rises on that day; earlier days untouched; done only if closed at
# E; re-open count kept.


def test_reopened_inside_the_sprint_rises_on_that_day_and_leaves_earlier_days_alone() -> None:
    card = committed_card().closed("11-17 10:00").reopened("11-19 10:00")
    facts = sprint().facts(card, as_of="11-20 12:00")

    assert remaining(facts) == {"11-16": 5, "11-17": 0, "11-18": 0, "11-19": 5, "11-20": 5}
    assert facts.done == NOTHING
    assert not facts.ledger


def test_reopened_inside_and_closed_again_is_done() -> None:
    card = committed_card().closed("11-17").reopened("11-18").closed("11-20")

    assert sprint().facts(card).done == FIVE


def test_reopened_inside_the_sprint_is_counted() -> None:
    card = (
        committed_card().closed("11-17").reopened("11-18").closed("11-19").reopened("11-20").closed("11-23")
    )
    facts = sprint().facts(card.reopened("11-30"))

    assert [item.reopened for item in facts.done_items] == [2]


# Re-opened after close of the box: the box keeps its number; the item counts where it is done again.


def test_reopened_after_the_end_keeps_the_number() -> None:
    card = committed_card().closed("11-26").reopened("11-28 00:00")
    facts = sprint().facts(card)

    assert facts.done == FIVE
    assert [item.state for item in facts.items] == ["open"]


def test_reopened_after_the_end_counts_where_it_is_done_again() -> None:
    card = committed_card().closed("11-26").reopened("11-30").moved("11-30").closed("12-03")

    assert sprint().facts(card).done == FIVE
    assert other_sprint("11-30", "2026-12-11").facts(card).done == FIVE


# Added mid-sprint: scope steps up that day; not in C; counts in Completed; flagged late (the ledger's line
# says when).


def test_added_mid_sprint_steps_the_scope_up_and_counts_as_completed() -> None:
    card = Card().opened("11-10", "points: 5").joined("11-18 10:00").closed("11-20")
    facts = sprint().facts(card)

    assert facts.committed == NOTHING
    assert ledger(facts) == [("added", "11-18 10:00", "5 in 1")]
    assert remaining(facts)["11-17"] == 0
    assert remaining(facts)["11-18"] == 5
    assert facts.done == FIVE
    assert facts.kept == NOTHING


def test_opened_in_the_milestone_mid_sprint_is_added_once_although_github_tells_it_three_times() -> None:
    card = Card().opened("11-18 10:00", "points: 5", milestone=SPRINT)
    card.joined("11-18 10:00").labeled("11-18 10:00", "points: 5")

    assert ledger(sprint().facts(card)) == [("added", "11-18 10:00", "5 in 1")]


@pytest.mark.parametrize("joined", ["11-16 00:00", "11-27 23:59:59"])
def test_the_start_belongs_to_the_sprint(joined: str) -> None:
    facts = sprint().facts(Card().opened("11-10", "points: 5").joined(joined))

    assert facts.committed == NOTHING
    assert facts.total(ScopeCause.ADDED) == FIVE


def test_a_second_before_the_start_is_commitment() -> None:
    facts = sprint().facts(Card().opened("11-10", "points: 5").joined("11-15 23:59:59"))

    assert facts.committed == FIVE
    assert not facts.ledger


def test_the_end_does_not_belong_to_the_sprint() -> None:
    facts = sprint().facts(Card().opened("11-10", "points: 5").joined("11-28 00:00"))

    assert facts.scope == NOTHING
    assert [item.number for item in facts.items] == [1]


# Already done when it joins: done inside [S, now]: Added and Done at the join; done before S: outside,
# listed apart.


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


def test_done_at_the_very_start_is_done_in_the_sprint() -> None:
    facts = sprint().facts(committed_card().closed("11-16 00:00"))

    assert (facts.committed, facts.done) == (FIVE, FIVE)


# Done, then removed before E: leaves both lines as Removed; the report names it.


def test_done_then_removed_leaves_both_lines() -> None:
    facts = sprint().facts(committed_card().closed("11-17").left("11-19 10:00"))

    assert ledger(facts) == [("removed", "11-19 10:00", "5 in 1")]
    assert (facts.scope, facts.done) == (NOTHING, NOTHING)
    assert [line.was_done for line in facts.ledger] == [True]
    assert not facts.items
    assert not facts.kept.count


# Dropped, then re-opened: Added back at that moment, same for a done-before-S member that re-opens.


def test_dropped_then_reopened_is_added_back_at_that_moment() -> None:
    card = committed_card().dropped("11-17 10:00").reopened("11-19 10:00")
    facts = sprint().facts(card)

    assert ledger(facts) == [("dropped", "11-17 10:00", "5 in 1"), ("added", "11-19 10:00", "5 in 1")]
    assert facts.scope == FIVE


def test_done_before_the_start_then_reopened_is_added() -> None:
    facts = sprint().facts(committed_card().closed("11-13").reopened("11-19 10:00"))

    assert ledger(facts) == [("added", "11-19 10:00", "5 in 1")]
    assert (facts.committed, facts.scope) == (NOTHING, FIVE)


# Removed or moved to another milestone before E: Removed at that moment; new box: Added, or part of C if
# before its S.


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


def test_removed_and_added_again_are_two_lines() -> None:
    card = committed_card().left("11-17 10:00").joined("11-19 10:00")

    assert ledger(sprint().facts(card)) == [
        ("removed", "11-17 10:00", "5 in 1"),
        ("added", "11-19 10:00", "5 in 1"),
    ]


def test_leaving_while_dropped_changes_nothing_more() -> None:
    facts = sprint().facts(committed_card().dropped("11-17 10:00").left("11-18"))

    assert ledger(facts) == [("dropped", "11-17 10:00", "5 in 1")]


def test_leaving_a_deleted_milestone_that_github_does_not_name() -> None:
    card = committed_card()
    card.left("11-18 10:00")
    card.events[-1] = replace(card.events[-1], milestone=None)

    assert ledger(sprint().facts(card)) == [("removed", "11-18 10:00", "5 in 1")]


def test_removed_and_added_within_a_second_changes_nothing() -> None:
    facts = sprint().facts(committed_card().left("11-18 10:00").joined("11-18 10:00"))

    assert not facts.ledger
    assert facts.scope == FIVE


# Moved at or after E (within the close window): carry-over, never Removed: the old chart must not change.


def test_moved_after_the_end_is_carried_over_and_not_removed() -> None:
    facts = sprint().facts(committed_card().moved("11-28 00:00"))

    assert (facts.scope, facts.remaining) == (FIVE, FIVE)
    assert not facts.ledger
    assert [f"#{item.number}: {item.points}" for item in facts.carried] == ["#1: 5"]


def test_nothing_is_carried_over_while_the_sprint_runs() -> None:
    assert not sprint().facts(committed_card(), as_of="11-27 23:59:59").carried


def test_moved_on_and_done_there_is_not_late_here() -> None:
    facts = sprint().facts(committed_card().moved("11-28 00:00").closed("11-28 09:00"))

    assert [item.number for item in facts.carried] == [1]
    assert not facts.late


# Done between E and the close: bucket “late”, outside velocity.


def test_done_after_the_end_changes_no_number_but_shows_in_the_list() -> None:
    facts = sprint().facts(committed_card().closed("11-28 09:00"))

    assert facts.done == NOTHING
    assert [item.state for item in facts.items] == ["done"]


@pytest.mark.parametrize(
    ("done", "closed", "is_late"),
    [
        ("11-28 00:00", "11-29 10:00", True),
        ("11-29 09:59:59", "11-29 10:00", True),
        ("11-29 10:00", "11-29 10:00", False),
        ("11-30 23:59:59", None, True),
        ("12-01 00:00", None, False),
        ("12-02", "12-03", False),
    ],
)
def test_done_between_end_and_close_is_late(done: str, closed: str | None, is_late: bool) -> None:
    """Without a close the books are closed three days after the end."""
    box = sprint().closed(closed) if closed else sprint()
    facts = box.facts(committed_card().closed(done))

    assert [item.number for item in facts.late] == ([1] if is_late else [])
    assert [item.number for item in facts.carried] == [1]
    assert facts.done == facts.kept == NOTHING


def test_a_sprint_that_was_closed_early_has_nothing_late() -> None:
    facts = sprint().closed("11-25 10:00").facts(committed_card().closed("11-25 11:00"))

    assert [item.number for item in facts.carried] == [1]
    assert not facts.late


# Re-estimated: delta at that time; C keeps the estimate at S; Done keeps the estimate at done.


def test_reestimated_is_a_delta_at_that_time_and_leaves_the_commitment() -> None:
    facts = sprint().facts(committed_card().estimated("11-18 10:00", 8))

    assert facts.committed == FIVE
    assert facts.total(ScopeCause.REESTIMATED) == Amount(Decimal(3), 0)
    assert facts.scope == points(8)


def test_an_estimate_that_fell_is_negative() -> None:
    facts = sprint().facts(committed_card().estimated("11-18", 2))

    assert facts.total(ScopeCause.REESTIMATED).points == -3


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


def test_reestimated_and_done_keeps_of_the_commitment_what_was_committed() -> None:
    facts = sprint().facts(committed_card().estimated("11-18", 8).closed("11-20"))

    assert (facts.committed, facts.kept, facts.done) == (FIVE, FIVE, points(8))


def test_an_estimate_swapped_in_a_second_is_one_line() -> None:
    assert ledger(sprint().facts(committed_card().estimated("11-18 10:00", 8))) == [
        ("reestimated", "11-18 10:00", "3 in 0")
    ]


def test_a_label_renamed_mid_sprint_reestimates_all_that_bear_it() -> None:
    cards = committed_card(), committed_card(number=2), committed_card(3, number=3)
    facts = sprint().facts(*cards, labels=[renamed("11-18 10:00", "points: 5", "points: 8")])

    assert lines(facts) == [("reestimated", 1, 3), ("reestimated", 2, 3)]
    assert (facts.committed, facts.scope) == (points(13, 3), points(19, 3))


def test_a_label_renamed_into_no_estimate_takes_it_away() -> None:
    facts = sprint().facts(committed_card(), labels=[renamed("11-18", "points: 5", "was five")])

    assert lines(facts) == [("reestimated", 1, -5)]
    assert facts.items[0].points is None


def test_a_label_renamed_twice_is_followed() -> None:
    labels = [renamed("11-18", "points: 5", "five"), renamed("11-19", "five", "points: 6")]
    labels.reverse()

    assert sprint().facts(committed_card(), labels=labels).scope == points(6)


def test_a_label_that_was_renamed_before_it_came_keeps_the_name_that_it_came_with() -> None:
    facts = sprint().facts(committed_card(), labels=[renamed("11-09", "points: 5", "points: 8")])

    assert facts.committed == FIVE


def test_a_label_deleted_mid_sprint_takes_the_estimate() -> None:
    facts = sprint().facts(committed_card(), labels=[label_deleted("11-18 10:00", "points: 5")])

    assert ledger(facts) == [("reestimated", "11-18 10:00", "-5 in 0")]
    assert facts.committed == FIVE


def test_a_label_that_is_gone_is_gone_once_although_github_tells_it_of_each_item_as_well() -> None:
    card = committed_card().lost_a_label("11-18 10:00", "points: 5")
    facts = sprint().facts(card, labels=[label_deleted("11-18 10:00", "points: 5")])

    assert ledger(facts) == [("reestimated", "11-18 10:00", "-5 in 0")]


def test_unlabeled_without_a_name_leaves_the_labels_that_are_shown() -> None:
    card = committed_card().labeled("11-13", "bug").labeled("11-14", "points: 8")
    facts = sprint().facts(card.lost_a_label("11-18 10:00", "points: 8"))

    assert facts.committed == points(8)
    assert ledger(facts) == [("reestimated", "11-18 10:00", "-3 in 0")]


def test_a_label_renamed_while_its_item_is_done_changes_nothing_until_that_reopens() -> None:
    card, labels = committed_card().closed("11-17"), [renamed("11-18", "points: 5", "points: 8")]
    facts = sprint().facts(card, labels=labels)
    assert (facts.scope, facts.done) == (FIVE, FIVE)
    assert not facts.ledger

    facts = sprint().facts(card.reopened("11-19 10:00"), labels=labels)
    assert ledger(facts) == [("reestimated", "11-19 10:00", "3 in 0")]


# Unestimated: 0 points, listed and counted; > 30 % → chart by count with a note; never a silent default.


def test_not_estimated_counts_as_nothing_in_points_and_as_one_item() -> None:
    facts = sprint().facts(committed_card(None))

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


def test_what_others_tell_needs_no_estimate() -> None:
    parent = committed_card(None, number=1)
    children = [committed_card(3, number=n).put_under("11-13", parent) for n in (2, 3)]
    facts = sprint().facts(parent, *children)

    assert facts.unit == "points"


def test_a_size_is_worth_what_the_team_says() -> None:
    card = Card().opened("11-10", "size: M").joined("11-12")
    facts = sprint().facts(card, estimates=Estimates({"S": Decimal(1), "M": Decimal(3)}))

    assert facts.committed == points(3)


def test_a_size_without_a_table_is_no_estimate() -> None:
    facts = sprint().facts(Card().opened("11-10", "size: M").joined("11-12"))

    assert facts.committed == points(0)
    assert facts.items[0].points is None
    assert facts.unit == "count"


# Closed as not planned or duplicate: Dropped: lowers Scope, never Done, never carried.


def test_dropped_lowers_the_scope_and_is_never_done() -> None:
    facts = sprint().facts(committed_card().dropped("11-18 10:00"))

    assert ledger(facts) == [("dropped", "11-18 10:00", "5 in 1")]
    assert (facts.scope, facts.done) == (NOTHING, NOTHING)
    assert [item.state for item in facts.items] == ["dropped"]
    assert not facts.carried


def test_dropped_before_the_start_is_no_commitment() -> None:
    facts = sprint().facts(committed_card().dropped("11-13"))

    assert (facts.committed, facts.scope) == (NOTHING, NOTHING)
    assert not facts.ledger


# Closed before S but in the milestone: outside C and Scope, shown as “done before start”.


def test_closed_before_the_start_in_the_milestone_is_outside_commitment_and_scope() -> None:
    facts = sprint().facts(committed_card().closed("11-13"))

    assert (facts.committed, facts.scope, facts.done) == (NOTHING, NOTHING, NOTHING)
    assert [item.state for item in facts.items] == ["done_before_start"]


# Converted to discussion: Dropped.


def test_converted_to_a_discussion_is_dropped() -> None:
    facts = sprint().facts(committed_card().made_a_discussion("11-18 10:00"))

    assert ledger(facts) == [("dropped", "11-18 10:00", "5 in 1")]
    assert facts.scope == NOTHING


# Transferred out: Dropped with reason.


def test_transferred_out_is_dropped_with_its_reason() -> None:
    facts = sprint().facts(committed_card().transferred("11-18 10:00", "item-there"))

    assert ledger(facts) == [("dropped", "11-18 10:00", "5 in 1")]
    reason = facts.ledger[0].event
    assert (reason.event, getattr(reason, "named", None)) == ("transferred", "item-there")


def test_what_is_announced_an_item_after_it_went_changes_nothing() -> None:
    card = committed_card().transferred("11-18").reopened("11-19").joined("11-20").closed("11-21")

    assert lines(sprint().facts(card)) == [("dropped", 1, 5)]
    assert sprint().facts(card).items[0].state == "dropped"


def test_transferred_in_is_added_when_it_came_although_it_is_older() -> None:
    card = Card().opened("11-18 10:00", "points: 5", milestone=SPRINT)
    older = replace(card.events[0].snapshot, created_at=at("11-01"))
    card.events = [replace(card.events[0], snapshot=older, named="item-there")]

    assert ledger(sprint().facts(card)) == [("added", "11-18 10:00", "5 in 1")]


# Deleted: Dropped; a tombstone keeps id, points, dates, no text.


def test_deleted_is_dropped_and_keeps_its_points_but_no_text() -> None:
    facts = sprint().facts(committed_card().deleted("11-18 10:00"))

    assert ledger(facts) == [("dropped", "11-18 10:00", "5 in 1")]
    assert (facts.items[0].item, facts.items[0].state) == ("item-1", "dropped")
    assert facts.items[0].points == 5
    assert facts.items[0].title == facts.ledger[0].title == ""


def test_done_and_then_deleted_leaves_both_lines() -> None:
    facts = sprint().facts(committed_card().closed("11-17").deleted("11-18"))

    assert (facts.scope, facts.done, facts.kept) == (NOTHING, NOTHING, NOTHING)
    assert lines(facts) == [("dropped", 1, 5)]


def test_deleted_after_the_end_changes_no_number() -> None:
    facts = sprint().facts(committed_card().closed("11-20").deleted("12-01"))

    assert facts.done == FIVE
    assert not facts.ledger


def test_a_label_renamed_later_leaves_a_tombstone_its_points() -> None:
    labels = [renamed("11-19", "points: 5", "points: 8")]

    assert sprint().facts(committed_card().deleted("11-18"), labels=labels).items[0].points == 5


# Parent and sub-issues both in the box: leaves only count; parent shows roll-up; double estimate warned.


def test_a_parent_does_not_count_beside_its_sub_issues() -> None:
    parent = committed_card(8)
    children = [committed_card(n, number=n).put_under("11-13", parent) for n in (2, 3)]
    facts = sprint().facts(parent, *children)

    assert facts.committed == facts.scope == points(5, 2)
    assert not facts.ledger
    item = facts.items[0]
    assert (item.is_covered, item.covered_by) == (True, ("item-2", "item-3"))
    assert item.points == 8, "it is estimated beside its sub-issues, which the card warns of"


def test_a_parent_shows_the_roll_up_of_its_sub_issues() -> None:
    parent = committed_card(8)
    children = [committed_card(n, number=n).put_under("11-13", parent) for n in (2, 3, 4)]
    children[0].closed("11-18")
    children[2].dropped("11-18")
    facts = sprint().facts(parent, *children)
    result = roll_up(facts.items[0], facts.items)

    assert (result.done, result.total) == (points(2), points(5, 2))


def test_of_nested_parents_only_the_leaves_count() -> None:
    top, middle, leaf, other = (committed_card(n, number=n) for n in (1, 2, 3, 4))
    middle.put_under("11-13", top)
    leaf.put_under("11-13", middle).closed("11-18")
    other.put_under("11-13", top)
    facts = sprint().facts(top, middle, leaf, other)

    assert facts.committed == points(7, 2)
    result = roll_up(facts.items[0], facts.items)
    assert (result.done, result.total) == (points(3), points(7, 2))


def test_splitting_mid_sprint_replaces_the_parent_by_its_sub_issues() -> None:
    parent = committed_card(8)
    children = [
        Card(n).opened("11-18 10:00", f"points: {n}", milestone=SPRINT).put_under("11-18 11:00", parent)
        for n in (2, 3)
    ]
    facts = sprint().facts(parent, *children)

    assert lines(facts) == [("added", 2, 2), ("added", 3, 3), ("removed", 1, 8)]
    assert facts.ledger[-1].event.event == "parent_added"
    assert facts.scope == points(5, 2)


def test_a_link_taken_back_mid_sprint_adds_the_parent() -> None:
    parent = committed_card(8)
    child = committed_card(3, number=2).put_under("11-13", parent).taken_from("11-18 10:00", parent)
    facts = sprint().facts(parent, child)

    assert ledger(facts) == [("added", "11-18 10:00", "8 in 1")]
    assert (facts.committed, facts.scope) == (points(3), points(11, 2))


def test_the_last_sub_issue_leaves_the_box_and_the_parent_counts_again() -> None:
    parent = committed_card(8)
    child = committed_card(3, number=2).put_under("11-13", parent).left("11-18 10:00")
    facts = sprint().facts(parent, child)

    assert lines(facts) == [("added", 1, 8), ("removed", 2, 3)]
    assert facts.scope == points(8)


def test_a_sub_issue_elsewhere_does_not_tell_its_parent() -> None:
    parent = committed_card(8)
    child = Card(2).opened("11-10", "points: 3", milestone=OTHER_SPRINT).put_under("11-13", parent)

    assert sprint().facts(parent, child).committed == points(8)


@pytest.mark.parametrize("gone", ["deleted", "transferred", "made_a_discussion"])
def test_the_last_sub_issue_is_gone_and_the_parent_counts_again(gone: str) -> None:
    parent, child = committed_card(8), committed_card(3, number=2)
    child.put_under("11-13", parent)
    getattr(child, gone)("11-18 10:00")

    assert lines(sprint().facts(parent, child)) == [("added", 1, 8), ("dropped", 2, 3)]


def test_a_dropped_sub_issue_still_tells_its_parent() -> None:
    """What it stood for was given up, and the parent does not bring it back."""
    parent = committed_card(8)
    child = committed_card(3, number=2).put_under("11-13", parent).dropped("11-18")

    assert lines(sprint().facts(parent, child)) == [("dropped", 2, 3)]


def test_a_sub_issue_done_before_the_start_still_tells_its_parent() -> None:
    parent = committed_card(8)
    child = committed_card(3, number=2).put_under("11-13", parent).closed("11-14")

    assert sprint().facts(parent, child).committed == NOTHING


def test_parents_in_a_circle_count_each() -> None:
    """GitHub refuses circles; we see one when we missed that a link was taken back. No work may be lost."""
    entry, two = committed_card(3), committed_card(5, number=2)
    entry.put_under("11-13", two)
    two.put_under("11-14", entry)

    assert sprint().facts(entry, two).committed == points(8, 2)
    entry.taken_from("11-18 10:00", two)
    assert lines(sprint().facts(entry, two)) == [("removed", 1, 3)]


def test_an_issue_above_itself_counts() -> None:
    card = committed_card()

    assert sprint().facts(card.put_under("11-13", card)).committed == FIVE


# PR that closes an issue of the same box: not counted; evidence of start and done for the issue.


def test_a_pull_request_that_closes_an_issue_of_the_box_is_not_counted() -> None:
    issue = committed_card().closed("11-18")
    facts = sprint().facts(issue, pull_request(2, 1).closed("11-18"))

    assert facts.committed == facts.done == FIVE
    assert not facts.ledger
    assert facts.items[1].covered_by == ("item-1",)


def test_a_pull_request_whose_text_names_the_issue_later_is_taken_out_then() -> None:
    facts = sprint().facts(committed_card(), pull_request(2).retold("11-18 10:00", 1))

    assert ledger(facts) == [("removed", "11-18 10:00", "3 in 1")]


def test_a_pull_request_counts_while_its_issue_is_elsewhere() -> None:
    issue = committed_card().moved("11-18 10:00")
    facts = sprint().facts(issue, pull_request(2, 1))

    assert lines(facts) == [("removed", 1, 5), ("added", 2, 3)]


def test_a_pull_request_that_closes_itself_counts() -> None:
    assert sprint().facts(pull_request(2, 2)).committed == points(3)


def test_a_number_that_exists_twice_means_the_issue_that_is_there() -> None:
    gone, there = committed_card().deleted("11-13"), committed_card()
    there.id = "item-1-again"
    there.events = [replace(event, item=there.id) for event in there.events]
    for cards in ((gone, there), (there, gone)):
        facts = sprint().facts(*cards, pull_request(2, 1))

        assert facts.committed == FIVE
        assert facts.items[-1].covered_by == ("item-1-again",)


# PR in the milestone with no linked issue: an item: merged done, closed unmerged dropped.


@pytest.mark.parametrize(("state", "done"), [(State.DONE, FIVE), (State.DROPPED, NOTHING)])
def test_a_pull_request_without_an_issue_is_an_item(state: State, done: Amount) -> None:
    card = Card(is_pull_request=True).opened("11-10", "points: 5", milestone=SPRINT).closed("11-18", state)

    assert sprint().facts(card).done == done


# PR linked to several issues: starts each, closes only those GitHub closed.


def test_a_pull_request_linked_to_several_issues_closes_only_those_that_github_closed() -> None:
    closed, left_open = committed_card(5, number=1).closed("11-18"), committed_card(3, number=2)
    facts = sprint().facts(closed, left_open, pull_request(3, 1, 2).closed("11-18"))

    assert (facts.scope, facts.done) == (points(8, 2), FIVE)


def test_a_pull_request_linked_to_several_issues_is_reported_until_the_last_has_left() -> None:
    issues = committed_card(5, number=1).left("11-18"), committed_card(3, number=2).left("11-19 10:00")
    facts = sprint().facts(*issues, pull_request(3, 1, 2))

    assert lines(facts) == [("removed", 1, 5), ("removed", 2, 3), ("added", 3, 3)]


# Milestone without due date: burnup and forecast only, no ideal.


def test_without_a_due_date_there_is_no_ideal_line() -> None:
    facts = Box("11-10", start="11-16").facts(committed_card(), as_of="11-18")

    assert {day.ideal for day in build_burndown(facts).days} == {None}
    assert facts.scope == FIVE


# Due date moved: new ideal from that day, old one as a ghost; slip in days reported.


def test_a_due_date_moved_draws_a_new_ideal_from_that_day_and_the_old_one_as_a_ghost() -> None:
    facts = sprint().edited("11-24 10:00", due="2026-11-30").facts(committed_card(10))
    shown = build_burndown(facts).days

    assert facts.sprint.due_moves == (DueMove(date(2026, 11, 24), date(2026, 11, 27), date(2026, 11, 30)),)
    assert facts.sprint.due_moves[0].slip == 3
    # From 4 at the end of the 23rd, five working days are left where there were four.
    weekend = [Decimal("0.8")] * 2
    ahead = [Decimal("3.2"), Decimal("2.4"), Decimal("1.6"), Decimal("0.8"), *weekend, Decimal(0)]
    assert [day.ideal for day in shown] == [9, 8, 7, 6, 5, 5, 5, 4, *ahead]
    assert [day.ghost for day in shown] == [*[None] * 8, 3, 2, 1, 0, *[None] * 3]


@pytest.mark.parametrize("points", range(1, 12))
def test_a_due_date_moved_on_a_day_off_lifts_the_ideal_by_no_digit(points: int) -> None:
    box = Box("11-13", start="11-16", due="2026-11-26").edited("11-21 10:00", due="2026-12-10")
    shown = {day.date: day.ideal for day in build_burndown(box.facts(committed_card(points))).days}

    assert shown[date(2026, 11, 20)] == shown[date(2026, 11, 21)] == shown[date(2026, 11, 22)]


def test_what_happens_in_the_second_of_its_deletion_happened_before_it() -> None:
    box = sprint().closed("11-18 10:00").opened("11-19 10:00").deleted("11-19 10:00")
    opened, deleted = box.events[-2:]
    # The deliveries are named by chance.
    box.events[-2:] = [replace(opened, delivery=deleted.delivery), replace(deleted, delivery=opened.delivery)]

    assert box.sprint().end == at("11-19 10:00")


def test_a_due_date_moved_earlier_is_a_negative_slip() -> None:
    facts = sprint().edited("11-18", due="2026-11-25").facts(committed_card(10))

    assert facts.sprint.due_moves[0].slip == -2
    assert [day.ideal for day in build_burndown(facts).days][-1] == 0


def test_a_due_date_moved_before_the_start_is_planning() -> None:
    assert sprint().edited("11-15 23:59:59", due="2026-11-30").sprint().due_moves == ()
    assert sprint().edited("11-16 00:00", due="2026-11-30").sprint().due_moves != ()


def test_a_due_date_moved_on_the_day_on_which_a_late_milestone_was_made_is_planning() -> None:
    box = Box("11-18 09:00", start="11-16", due="2026-11-27")

    assert box.edited("11-18 10:00", due="2026-11-30").sprint().due_moves == ()


def test_a_due_date_moved_to_and_fro_within_a_day_was_not_moved() -> None:
    box = sprint().edited("11-18 10:00", due="2026-12-27").edited("11-18 10:01", due="2026-11-27")

    assert box.sprint().due_moves == ()


def test_a_due_date_moved_twice_has_the_first_plan_as_its_ghost() -> None:
    box = sprint().edited("11-18", due="2026-11-30").edited("11-20", due="2026-12-02")
    shown = build_burndown(box.facts(committed_card(10)))

    assert [move.slip for move in box.sprint().due_moves] == [3, 2]
    assert [int(day.ghost) for day in shown.days if day.ghost is not None] == [7, 6, 5, 5, 5, 4, 3, 2, 1, 0]


def test_a_due_date_taken_away_mid_sprint_leaves_no_ideal() -> None:
    box = sprint().edited("11-18", due=None)
    shown = build_burndown(box.facts(committed_card(), as_of="11-20"))

    assert {(day.ideal, day.ghost) for day in shown.days} == {(None, None)}
    assert box.sprint().due_moves == (DueMove(date(2026, 11, 18), date(2026, 11, 27), None),)
    assert box.sprint().due_moves[0].slip is None


def test_a_due_date_given_mid_sprint_begins_an_ideal_on_that_day() -> None:
    box = Box("11-10", start="11-16").edited("11-18", due="2026-11-20")
    shown = build_burndown(box.facts(committed_card(6), as_of="11-18 12:00"))

    assert [day.ideal for day in shown.days] == [None, None, 4, 2, 0]
    assert {day.ghost for day in shown.days} == {None}
    assert box.sprint().due_moves[0].slip is None


def test_a_milestone_edited_before_we_knew_it_tells_what_it_was() -> None:
    box = Box("11-02 09:00", is_known=False, start="11-16", due="2026-11-27", title="Sprint 12b")
    was = {"title": "Sprint 12", "due_on": "2026-11-25T08:00:00Z", "description": "Start: 2026-11-18"}
    box.edited("11-19 10:00", before=was)

    assert (box.sprint("11-18 12:00").title, box.sprint().title) == ("Sprint 12", "Sprint 12b")
    assert box.sprint("11-18 12:00").start == at("11-18")
    assert [(move.before, move.after) for move in box.sprint().due_moves] == [
        (date(2026, 11, 25), date(2026, 11, 27))
    ]


@pytest.mark.parametrize("value", ["soon", "", None, 5, "2026-11-25"])
def test_an_old_due_date_that_cannot_be_read_stops_no_number(value: object) -> None:
    box = Box("11-02", is_known=False, due="2026-11-27").edited("11-19", before={"due_on": value})

    assert box.sprint().end == at("11-28")


# Milestone renamed, deleted or re-opened: the id is the key; deleted → the box is closed as abandoned;
# re-opened → goes on.


def test_a_renamed_milestone_is_the_same_sprint() -> None:
    facts = sprint().edited("11-18", title="Twelve").facts(committed_card())

    assert (facts.sprint.title, facts.committed) == ("Twelve", FIVE)


def test_a_deleted_milestone_ends_as_abandoned() -> None:
    card = committed_card().left("11-18 10:00")
    facts = sprint().deleted("11-18 10:00").facts(card)

    assert facts.sprint.is_deleted
    assert [item.number for item in facts.carried] == [1], "what GitHub takes out with it was open at the end"


def test_a_milestone_opened_again_goes_on() -> None:
    box = sprint().closed("11-18 10:00")
    card = committed_card().closed("11-20")
    assert box.facts(card, as_of="11-19").sprint.phase(at("11-19")) is Phase.COMPLETED
    assert box.facts(card, as_of="11-19").done == NOTHING

    box.opened("11-19")
    assert box.facts(card).done == FIVE
    assert box.facts(card, as_of="11-19").done == NOTHING, "what was known then stays known"


def test_a_milestone_that_was_found_closed_has_ended() -> None:
    box = sprint().edited("11-19")
    box.events[-1] = replace(box.events[-1], event="corrected", closed_at=at("11-18 10:00"))

    assert box.sprint().end == at("11-18 10:00")


# Two boxes overlap: allowed; item totals never summed across.


def test_two_sprints_that_overlap_each_have_their_own_numbers() -> None:
    other = Box("11-10", milestone=OTHER_SPRINT, start="11-20", due="2026-12-04")
    here, there = committed_card(), Card(2).opened("11-10", "points: 3", milestone=OTHER_SPRINT)

    assert sprint().facts(here, there).scope == FIVE
    assert other.facts(here, there).scope == points(3)


# Time zone, DST: local midnights by zone; a zone change applies to later days only.


def test_a_team_that_moves_keeps_the_days_that_are_over() -> None:
    berlin, los_angeles = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Los_Angeles")
    moved = Calendar(((date.min, berlin), (date(2026, 11, 19), los_angeles)))
    # Half past eleven in the evening of the 17th and of the 20th, where the team then was.
    early, late = committed_card().closed("11-17 22:30"), committed_card(number=2).closed("2026-11-21T07:30Z")
    facts = sprint().facts(early, late, calendar=moved)

    assert facts.sprint.start == at("2026-11-15T23:00Z")
    assert facts.sprint.end == at("2026-11-28T08:00Z")
    assert remaining(facts)["11-16"] == 10
    assert [remaining(facts)[day] for day in ("11-17", "11-18", "11-19", "11-20")] == [5, 5, 5, 0]
    assert facts.days[:2] == sprint().facts(early, late, zone=berlin).days[:2]


# Holidays: team calendar by date; work done on a day off is still plotted.


def test_a_holiday_is_flat_in_the_ideal_and_work_done_on_it_is_plotted() -> None:
    calendar = Calendar(holidays=frozenset({date(2026, 11, 18)}))
    cards = committed_card(6), committed_card(3, number=2).closed("11-18 12:00")
    shown = build_burndown(sprint().facts(*cards, calendar=calendar))
    days = {f"{day.date:%m-%d}": day for day in shown.days}

    assert [days[day].ideal for day in ("11-16", "11-17", "11-18", "11-19")] == [8, 7, 7, 6]
    assert [days[day].remaining for day in ("11-17", "11-18", "11-19")] == [9, 6, 6]
    assert not days["11-18"].is_working_day
    assert shown.days[-1].ideal == 0


# Bulk change by a bot: same rules, grouped in one ledger line.


def bulk(count: int, actor: str | None = "dependabot[bot]") -> list[Card]:
    """So many items that join ten seconds apart, from 10:00 on the 18th."""
    return [
        Card(n, actor=actor).opened("11-10", "points: 2").joined(f"11-18 10:00:{n * 4:02}")
        for n in range(1, count + 1)
    ]


def test_a_bulk_change_is_one_line_and_the_sums_stay() -> None:
    facts = sprint().facts(*bulk(12), committed_card(number=99).left("11-18 10:00:20"))
    result = group_ledger(facts.ledger)

    assert [(line.cause.value, line.actor, len(line.changes)) for line in result] == [
        ("added", "dependabot[bot]", 12),
        ("removed", None, 1),
    ]
    assert result[0].amount == facts.total(ScopeCause.ADDED) == points(24, 12)
    assert result[0].at == at("11-18 10:00:04")


@pytest.mark.parametrize(("count", "expected"), [(5, 5), (6, 1)])
def test_a_few_changes_are_named_one_by_one(count: int, expected: int) -> None:
    assert len(group_ledger(sprint().facts(*bulk(count)).ledger)) == expected


def test_what_nobody_is_known_to_have_done_is_no_bulk_change() -> None:
    assert len(group_ledger(sprint().facts(*bulk(12, None)).ledger)) == 12


def test_two_accounts_at_once_are_two_bulk_changes() -> None:
    others = [
        Card(n, actor="alice").opened("11-10", "points: 1").joined("11-18 10:00:30") for n in range(21, 28)
    ]
    result = group_ledger(sprint().facts(*bulk(12), *others).ledger)

    assert [(line.actor, len(line.changes)) for line in result] == [("dependabot[bot]", 12), ("alice", 7)]


def test_a_bulk_change_that_goes_on_is_a_line_for_each_minute() -> None:
    cards = [
        Card(n, actor="bot").opened("11-10").joined(f"11-18 10:{n // 6:02}:{n % 6 * 10:02}")
        for n in range(24)
    ]
    result = group_ledger(sprint().facts(*cards).ledger)

    assert [(f"{line.at:%H:%M}", len(line.changes)) for line in result] == [
        (f"10:0{minute}", 6) for minute in range(4)
    ]


# Missed, duplicated, late webhook: order by event time; corrections say what was found.


def test_late_deliveries_count_where_they_happened() -> None:
    on_time, late = committed_card().closed("11-17 10:00"), committed_card().closed("11-17 10:00")
    late.events.reverse()

    assert sprint().facts(late).days == sprint().facts(on_time).days


def test_a_correction_counts_from_when_it_was_found() -> None:
    card = committed_card().corrected("11-19 03:00", state=State.DONE, closed_at=at("11-18 10:00"))
    facts = sprint().facts(card)

    assert remaining(facts)["11-18"] == 5
    assert remaining(facts)["11-19"] == 0
    assert facts.done_items[0].done_at == at("11-18 10:00")


def test_found_done_before_the_start_is_not_done_in_the_sprint() -> None:
    card = committed_card().corrected("11-19 03:00", state=State.DONE, closed_at=at("11-14"))
    facts = sprint().facts(card)

    assert (facts.done, facts.scope) == (NOTHING, NOTHING)
    assert ledger(facts) == [("removed", "11-19 03:00", "5 in 1")]
    assert facts.items[0].state == "done_before_start"


def test_found_elsewhere_and_estimated_again() -> None:
    stayed = committed_card().corrected("11-19 03:00", labels=("points: 8",))
    left = committed_card(number=2).corrected("11-19 03:00", milestone=OTHER_SPRINT)

    assert lines(sprint().facts(stayed, left)) == [("reestimated", 1, 3), ("removed", 2, 5)]


def test_a_correction_that_finds_nothing_new_changes_nothing() -> None:
    card = committed_card().closed("11-17")

    assert sprint().facts(card) == sprint().facts(card.corrected("11-19 03:00"))


def test_what_was_asked_for_later_is_stated_to_be_reconstructed() -> None:
    card = committed_card().asked_for().closed("11-18")
    complete = sprint().facts(card).completeness

    assert complete.reconstructed_before == at("11-12 09:00")
    assert complete.first_seen == ()
    assert not complete.is_complete
    assert sprint().facts(committed_card()).completeness.is_complete


def test_the_moment_itself_is_not_included() -> None:
    card = committed_card().closed("11-18 10:00")

    assert sprint().facts(card, as_of="11-18 10:00:00").done == NOTHING
    assert sprint().facts(card, as_of="11-18 10:00:01").done == FIVE


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
