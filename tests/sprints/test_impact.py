"""What a pull request means for a sprint."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprints.facts import Amount
from sprints.forecast import Refusal
from sprints.impact import (
    LinkKind,
    PullRequestStatus,
    assess_impact,
    choose_sprints,
    list_finished_numbers,
    list_related_numbers,
    parse_branch_numbers,
)
from sprints.model import State
from sprints.outlook import Outlook
from tests.support.builders import OTHER_SPRINT, SPRINT, Box, Card, at
from tests.support.forecasts import PAST_RECORDS, chance_of, make_outlook
from tests.support.impacts import (
    make_impact,
    make_known_items,
    make_pull_request,
    make_running_week,
    make_snapshot,
)

NOW = at("11-12 00:00")


# Which items


@pytest.mark.parametrize(
    ("branch", "numbers"),
    [
        ("12-card-form", (12,)),
        ("12_card", (12,)),
        ("12", (12,)),
        ("feature/12-card-form", (12,)),
        ("fix/issue-12", (12,)),
        ("gh-12", (12,)),
        ("issue12-x", (12,)),
        ("alice/#12-x", (12,)),
        ("12-a/13-b", (12, 13)),
        ("release/1.2", ()),
        ("v2", ()),
        ("card-form-12", ()),
        ("revert-12-main", ()),
        ("sprint-12", ()),
        ("12.x", ()),
        ("node-12", ()),
        ("dependabot/npm_and_yarn/left-pad-1.3.0", ()),
        ("1234567890-too-long", ()),
        ("", ()),
        ("١٢-card", ()),
    ],
)
def test_the_number_in_a_branch_s_name(branch: str, numbers: tuple[int, ...]) -> None:
    assert parse_branch_numbers(branch) == numbers


@given(st.text(max_size=60))
def test_any_branch_can_be_read(branch: str) -> None:
    assert all(0 <= number < 10**9 for number in parse_branch_numbers(branch))


def test_only_in_the_default_branch_something_is_closed() -> None:
    pull_request = make_pull_request(closes=(12,), linked=(13, 12))
    assert list_finished_numbers(pull_request) == (12, 13)
    assert list_finished_numbers(replace(pull_request, is_to_default_branch=False)) == ()


def test_all_that_it_may_have_to_do_with_is_looked_up_once() -> None:
    pull_request = make_pull_request(closes=(1,), linked=(2, 1), branch="3-x", mentions=(4, 2))
    assert list_related_numbers(pull_request) == (1, 2, 3, 4)


def test_closing_words_finish_an_item_of_the_sprint() -> None:
    impact = make_impact(make_pull_request(closes=(4,)))
    assert impact.status is PullRequestStatus.SPRINT
    assert [(entry.item.number, entry.kind) for entry in impact.linked_items] == [(4, LinkKind.CLOSES)]
    assert impact.candidate is None


def test_the_strongest_reason_counts() -> None:
    impact = make_impact(make_pull_request(closes=(4,), branch="4-and-5"), None)
    assert [(entry.item.number, entry.kind) for entry in impact.linked_items] == [(4, LinkKind.CLOSES)]
    impact = make_impact(make_pull_request(branch="4-x", linked=(5,)))
    assert [(entry.item.number, entry.kind) for entry in impact.linked_items] == [
        (4, LinkKind.BRANCH),
        (5, LinkKind.CLOSES),
    ]


def test_one_in_the_milestone_is_an_item_itself_unless_an_issue_tells_it() -> None:
    card = Card(40, is_pull_request=True).opened("11-09 10:00").joined("11-09 11:00")
    box = Box("11-06", start="11-09", due="11-13")
    facts = box.facts(card, as_of="11-12")
    impact = assess_impact(make_pull_request(milestone=SPRINT), facts, None, {})
    assert [(entry.item.number, entry.kind) for entry in impact.linked_items] == [(40, LinkKind.ITSELF)]

    data = Card(40, closes=(4,)).opened("11-09 10:00").joined("11-09 11:00")
    other = Card(4).opened("11-08").joined("11-09")
    facts = box.facts(data, other, as_of="11-12")
    impact = assess_impact(make_pull_request(milestone=SPRINT, closes=(4,)), facts, None, {})
    assert [(entry.item.number, entry.kind) for entry in impact.linked_items] == [(4, LinkKind.CLOSES)]
    assert impact.effect
    assert impact.effect.after == Amount()


def test_what_was_dropped_is_no_item_of_the_sprint() -> None:
    dropped = Card(4).opened("11-08").joined("11-09").dropped("11-10")
    facts = Box("11-06", start="11-09", due="11-13").facts(dropped, as_of="11-12")
    assert (
        assess_impact(make_pull_request(closes=(4,)), facts, None, {}).status is PullRequestStatus.UNPLANNED
    )


# Where it stands


def test_who_belongs_to_nothing_is_unplanned() -> None:
    impact = make_impact(make_pull_request(closes=(90,), mentions=(91,)), None, make_snapshot(90))
    assert impact.status is PullRequestStatus.UNPLANNED
    assert impact.outside == (90,)
    assert impact.to_add == (90,)
    assert impact.effect is None
    assert make_impact(make_pull_request()).to_add == (40,)


def test_what_is_closed_or_a_pull_request_is_not_added() -> None:
    done, other = make_snapshot(90, state=State.DONE), make_snapshot(91, is_pull_request=True)
    impact = make_impact(make_pull_request(closes=(90, 91, 92)), None, done, other)
    assert impact.outside == ()
    assert impact.to_add == (40,)


def test_set_aside_holds_only_while_it_belongs_to_nothing() -> None:
    assert make_impact(make_pull_request(), aside_by="alice").status is PullRequestStatus.ASIDE
    assert make_impact(make_pull_request(closes=(4,)), aside_by="alice").status is PullRequestStatus.SPRINT


def test_without_a_running_sprint_there_is_nothing_to_say() -> None:
    impact = assess_impact(make_pull_request(closes=(4,)), None, None, {})
    assert impact.status is PullRequestStatus.NO_SPRINT
    assert (impact.sprint, impact.effect) == (None, None)


def test_one_for_a_later_sprint_is_no_unplanned_work() -> None:
    later = Box("11-06", milestone=OTHER_SPRINT, start="11-16", due="11-20").sprint()
    sprint, result = choose_sprints(
        make_pull_request(closes=(90,)),
        make_known_items(make_snapshot(90, OTHER_SPRINT)),
        [make_running_week().sprint, later],
        NOW,
    )
    assert sprint == make_running_week().sprint
    assert result == later
    assert (
        make_impact(
            make_pull_request(closes=(90,)), None, make_snapshot(90, OTHER_SPRINT), later=result
        ).status
        is PullRequestStatus.LATER
    )


def test_of_two_running_sprints_the_one_that_it_belongs_to_counts() -> None:
    soon = Box("11-06", start="11-09", due="11-13").sprint("11-12")
    other = Box("11-06", milestone=OTHER_SPRINT, start="11-09", due="11-20").sprint("11-12")
    both, items = [other, soon], {90: make_snapshot(90, OTHER_SPRINT)}
    assert choose_sprints(make_pull_request(), items, both, NOW) == (soon, None)
    assert choose_sprints(make_pull_request(closes=(90,)), items, both, NOW) == (other, None)
    assert choose_sprints(make_pull_request(branch="90-x"), items, both, NOW) == (other, None)
    assert choose_sprints(make_pull_request(mentions=(90,)), items, both, NOW) == (soon, None)
    assert choose_sprints(make_pull_request(milestone=OTHER_SPRINT), items, both, NOW) == (other, None)


def test_what_is_over_or_not_begun_is_not_running() -> None:
    over = Box("11-01", start="11-02", due="11-06").sprint("11-12")
    later = Box("11-06", milestone=OTHER_SPRINT, start="11-16", due="11-20").sprint("11-12")
    assert choose_sprints(make_pull_request(milestone=SPRINT), {}, [over, later], NOW) == (None, None)
    assert choose_sprints(make_pull_request(milestone=OTHER_SPRINT), {}, [over, later], NOW) == (None, later)


# The likely one


def test_exactly_one_likely_issue_is_a_candidate() -> None:
    assert make_impact(make_pull_request(mentions=(4,))).candidate == 4
    assert make_impact(make_pull_request(mentions=(4,))).is_candidate_inside
    assert make_impact(make_pull_request(mentions=(4, 5))).candidate is None
    assert make_impact(make_pull_request(mentions=(4, 5), branch="5-x")).candidate == 5
    assert make_impact(make_pull_request(mentions=(1, 4))).candidate == 4  # #1 is done.


def test_outside_of_the_sprint_only_a_branch_makes_a_candidate() -> None:
    assert make_impact(make_pull_request(mentions=(90,)), None, make_snapshot(90)).candidate is None
    impact = make_impact(make_pull_request(branch="90-x"), None, make_snapshot(90))
    assert (impact.candidate, impact.is_candidate_inside, impact.to_add) == (90, False, (90,))
    assert (
        make_impact(make_pull_request(branch="90-x"), None, make_snapshot(90, is_pull_request=True)).candidate
        is None
    )


def test_there_is_no_candidate_where_a_link_would_close_nothing() -> None:
    assert make_impact(make_pull_request(branch="4-x", is_to_default_branch=False)).candidate is None
    assert make_impact(make_pull_request(branch="4-x", linked=(4,))).candidate is None


# What merging does


def test_merging_takes_the_item_out_of_what_is_left() -> None:
    facts = make_running_week()
    effect = make_impact(make_pull_request(closes=(4,)), facts).effect
    assert effect
    assert (effect.before, effect.after) == (Amount(Decimal(4), 2), Amount(Decimal(2), 1))
    outlook = make_outlook(facts, *PAST_RECORDS)
    assert effect.chance_before == chance_of(outlook)
    assert effect.chance_after is not None
    assert effect.chance_after >= chance_of(outlook)
    assert not effect.is_conditional


def test_of_a_branch_alone_it_is_reported_what_closing_the_item_would_do() -> None:
    effect = make_impact(make_pull_request(branch="4-x")).effect
    assert effect
    assert effect.is_conditional
    assert effect.after == Amount(Decimal(2), 1)


def test_what_is_done_already_has_no_effect() -> None:
    assert make_impact(make_pull_request(closes=(1,))).effect is None
    effect = make_impact(make_pull_request(closes=(1, 4))).effect
    assert effect
    assert effect.after == Amount(Decimal(2), 1)


def test_without_a_forecast_what_is_left_is_reported_nevertheless() -> None:
    impact = assess_impact(
        make_pull_request(closes=(4,)), make_running_week(), Refusal("There are too few."), make_known_items()
    )
    assert impact.effect
    assert (impact.effect.chance_before, impact.effect.chance_after) == (None, None)
    assert impact.effect.unit == make_running_week().unit


def test_the_forecast_s_unit_is_reported_where_there_is_one() -> None:
    facts = make_running_week()
    outlook = make_outlook(facts, *PAST_RECORDS)
    assert isinstance(outlook, Outlook)
    impact = assess_impact(
        make_pull_request(closes=(4,)), facts, replace(outlook, unit="count"), make_known_items()
    )
    assert impact.effect
    assert impact.effect.unit == "count"


@given(st.sets(st.integers(1, 7)), st.sets(st.integers(1, 7)), st.integers(0, 7))
def test_what_is_left_afterwards_is_what_stays_open(closes: set[int], linked: set[int], branch: int) -> None:
    """Counted by itself, from the list of items."""
    facts = make_running_week()
    pull_request = make_pull_request(
        closes=tuple(sorted(closes)), linked=tuple(sorted(linked)), branch=f"{branch}-x"
    )
    impact = make_impact(pull_request, facts)
    finished = closes | linked
    if not finished & {4, 5}:
        finished |= {branch}
    still_open = [item for item in facts.items if item.state == "open" and item.number not in finished]
    after = impact.effect.after if impact.effect else facts.remaining
    assert after.count == len(still_open)
    assert after.points == sum((item.points or Decimal(0) for item in still_open), Decimal(0))
    assert (impact.status is PullRequestStatus.SPRINT) == bool(({branch} | closes | linked) & {1, 2, 3, 4, 5})
    assert all(event.item.number in {1, 2, 3, 4, 5} for event in impact.linked_items)


def test_the_sprint_is_looked_at_until_its_end() -> None:
    sprint = make_running_week().sprint
    assert sprint.end
    last = sprint.end - timedelta(seconds=1)
    assert choose_sprints(make_pull_request(), {}, [sprint], last)[0] == sprint
    assert choose_sprints(make_pull_request(), {}, [sprint], sprint.end)[0] is None
