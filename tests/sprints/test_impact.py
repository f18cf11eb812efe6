"""What a pull request means for a sprint."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprints.facts import Amount, Facts
from sprints.forecast import Refusal
from sprints.impact import (
    Impact,
    LinkKind,
    PullRequestStatus,
    assess_impact,
    choose_sprints,
    list_finished_numbers,
    list_related_numbers,
    parse_branch_numbers,
)
from sprints.model import ItemSnapshot, State
from sprints.numbering import local_number
from sprints.outlook import Outlook
from sprints.pull_requests import PullRequest
from tests.sprints.test_outlook import PAST, chance, outlook, week
from tests.support.builders import OTHER_SPRINT, SPRINT, Box, Card, at

NOW = at("11-12 00:00")
CREATED = at("11-09 09:00")


def pull(number: int = 40, **told: Any) -> PullRequest:
    return PullRequest(f"PR_{number}", number, "a" * 40, CREATED, **told)


def issue(number: int, milestone: int | None = None, **told: Any) -> ItemSnapshot:
    return ItemSnapshot(number, f"Card {number}", CREATED, milestone=milestone, **told)


def running() -> Facts:
    """A week of five items of 2 points, #1 to #3 done, #4 and #5 open."""
    return week("11-09", 3, as_of="11-12 00:00")


def known(*more: ItemSnapshot) -> dict[int, ItemSnapshot]:
    found = [issue(n, SPRINT, state=State.DONE if n < 4 else State.OPEN) for n in range(1, 6)]
    return {local_number(one.number): one for one in (*found, *more)}


def impact(told: PullRequest, facts: Facts | None = None, *more: ItemSnapshot, **rest: Any) -> Impact:
    facts = facts or running()
    return assess_impact(told, facts, outlook(facts, *PAST), known(*more), **rest)


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
    told = pull(closes=(12,), linked=(13, 12))
    assert list_finished_numbers(told) == (12, 13)
    assert list_finished_numbers(replace(told, is_to_default_branch=False)) == ()


def test_all_that_it_may_have_to_do_with_is_looked_up_once() -> None:
    told = pull(closes=(1,), linked=(2, 1), branch="3-x", mentions=(4, 2))
    assert list_related_numbers(told) == (1, 2, 3, 4)


def test_closing_words_finish_an_item_of_the_sprint() -> None:
    found = impact(pull(closes=(4,)))
    assert found.status is PullRequestStatus.SPRINT
    assert [(one.item.number, one.kind) for one in found.linked_items] == [(4, LinkKind.CLOSES)]
    assert found.candidate is None


def test_the_strongest_reason_counts() -> None:
    found = impact(pull(closes=(4,), branch="4-and-5"), None)
    assert [(one.item.number, one.kind) for one in found.linked_items] == [(4, LinkKind.CLOSES)]
    found = impact(pull(branch="4-x", linked=(5,)))
    assert [(one.item.number, one.kind) for one in found.linked_items] == [
        (4, LinkKind.BRANCH),
        (5, LinkKind.CLOSES),
    ]


def test_one_in_the_milestone_is_an_item_itself_unless_an_issue_tells_it() -> None:
    card = Card(40, is_pull_request=True).opened("11-09 10:00").joined("11-09 11:00")
    box = Box("11-06", start="11-09", due="11-13")
    facts = box.facts(card, as_of="11-12")
    found = assess_impact(pull(milestone=SPRINT), facts, None, {})
    assert [(one.item.number, one.kind) for one in found.linked_items] == [(40, LinkKind.ITSELF)]

    told = Card(40, closes=(4,)).opened("11-09 10:00").joined("11-09 11:00")
    other = Card(4).opened("11-08").joined("11-09")
    facts = box.facts(told, other, as_of="11-12")
    found = assess_impact(pull(milestone=SPRINT, closes=(4,)), facts, None, {})
    assert [(one.item.number, one.kind) for one in found.linked_items] == [(4, LinkKind.CLOSES)]
    assert found.effect
    assert found.effect.after == Amount()


def test_what_was_dropped_is_no_item_of_the_sprint() -> None:
    dropped = Card(4).opened("11-08").joined("11-09").dropped("11-10")
    facts = Box("11-06", start="11-09", due="11-13").facts(dropped, as_of="11-12")
    assert assess_impact(pull(closes=(4,)), facts, None, {}).status is PullRequestStatus.UNPLANNED


# Where it stands


def test_who_belongs_to_nothing_is_unplanned() -> None:
    found = impact(pull(closes=(90,), mentions=(91,)), None, issue(90))
    assert found.status is PullRequestStatus.UNPLANNED
    assert found.outside == (90,)
    assert found.to_add == (90,)
    assert found.effect is None
    assert impact(pull()).to_add == (40,)


def test_what_is_closed_or_a_pull_request_is_not_added() -> None:
    done, other = issue(90, state=State.DONE), issue(91, is_pull_request=True)
    found = impact(pull(closes=(90, 91, 92)), None, done, other)
    assert found.outside == ()
    assert found.to_add == (40,)


def test_set_aside_holds_only_while_it_belongs_to_nothing() -> None:
    assert impact(pull(), aside_by="alice").status is PullRequestStatus.ASIDE
    assert impact(pull(closes=(4,)), aside_by="alice").status is PullRequestStatus.SPRINT


def test_without_a_running_sprint_there_is_nothing_to_say() -> None:
    found = assess_impact(pull(closes=(4,)), None, None, {})
    assert found.status is PullRequestStatus.NO_SPRINT
    assert (found.sprint, found.effect) == (None, None)


def test_one_for_a_later_sprint_is_no_unplanned_work() -> None:
    later = Box("11-06", milestone=OTHER_SPRINT, start="11-16", due="11-20").sprint()
    sprint, found = choose_sprints(
        pull(closes=(90,)), known(issue(90, OTHER_SPRINT)), [running().sprint, later], NOW
    )
    assert sprint == running().sprint
    assert found == later
    assert (
        impact(pull(closes=(90,)), None, issue(90, OTHER_SPRINT), later=found).status
        is PullRequestStatus.LATER
    )


def test_of_two_running_sprints_the_one_that_it_belongs_to_counts() -> None:
    soon = Box("11-06", start="11-09", due="11-13").sprint("11-12")
    other = Box("11-06", milestone=OTHER_SPRINT, start="11-09", due="11-20").sprint("11-12")
    both, items = [other, soon], {90: issue(90, OTHER_SPRINT)}
    assert choose_sprints(pull(), items, both, NOW) == (soon, None)
    assert choose_sprints(pull(closes=(90,)), items, both, NOW) == (other, None)
    assert choose_sprints(pull(branch="90-x"), items, both, NOW) == (other, None)
    assert choose_sprints(pull(mentions=(90,)), items, both, NOW) == (soon, None)
    assert choose_sprints(pull(milestone=OTHER_SPRINT), items, both, NOW) == (other, None)


def test_what_is_over_or_not_begun_is_not_running() -> None:
    over = Box("11-01", start="11-02", due="11-06").sprint("11-12")
    later = Box("11-06", milestone=OTHER_SPRINT, start="11-16", due="11-20").sprint("11-12")
    assert choose_sprints(pull(milestone=SPRINT), {}, [over, later], NOW) == (None, None)
    assert choose_sprints(pull(milestone=OTHER_SPRINT), {}, [over, later], NOW) == (None, later)


# The likely one


def test_exactly_one_likely_issue_is_a_candidate() -> None:
    assert impact(pull(mentions=(4,))).candidate == 4
    assert impact(pull(mentions=(4,))).is_candidate_inside
    assert impact(pull(mentions=(4, 5))).candidate is None
    assert impact(pull(mentions=(4, 5), branch="5-x")).candidate == 5
    assert impact(pull(mentions=(1, 4))).candidate == 4  # #1 is done.


def test_outside_of_the_sprint_only_a_branch_makes_a_candidate() -> None:
    assert impact(pull(mentions=(90,)), None, issue(90)).candidate is None
    found = impact(pull(branch="90-x"), None, issue(90))
    assert (found.candidate, found.is_candidate_inside, found.to_add) == (90, False, (90,))
    assert impact(pull(branch="90-x"), None, issue(90, is_pull_request=True)).candidate is None


def test_there_is_no_candidate_where_a_link_would_close_nothing() -> None:
    assert impact(pull(branch="4-x", is_to_default_branch=False)).candidate is None
    assert impact(pull(branch="4-x", linked=(4,))).candidate is None


# What merging does


def test_merging_takes_the_item_out_of_what_is_left() -> None:
    facts = running()
    found = impact(pull(closes=(4,)), facts).effect
    assert found
    assert (found.before, found.after) == (Amount(Decimal(4), 2), Amount(Decimal(2), 1))
    told = outlook(facts, *PAST)
    assert found.chance_before == chance(told)
    assert found.chance_after is not None
    assert found.chance_after >= chance(told)
    assert not found.is_conditional


def test_of_a_branch_alone_it_is_told_what_closing_the_item_would_do() -> None:
    found = impact(pull(branch="4-x")).effect
    assert found
    assert found.is_conditional
    assert found.after == Amount(Decimal(2), 1)


def test_what_is_done_already_has_no_effect() -> None:
    assert impact(pull(closes=(1,))).effect is None
    found = impact(pull(closes=(1, 4))).effect
    assert found
    assert found.after == Amount(Decimal(2), 1)


def test_without_a_forecast_what_is_left_is_told_all_the_same() -> None:
    found = assess_impact(pull(closes=(4,)), running(), Refusal("There are too few."), known())
    assert found.effect
    assert (found.effect.chance_before, found.effect.chance_after) == (None, None)
    assert found.effect.unit == running().unit


def test_the_forecast_s_unit_is_told_where_there_is_one() -> None:
    facts = running()
    told = outlook(facts, *PAST)
    assert isinstance(told, Outlook)
    found = assess_impact(pull(closes=(4,)), facts, replace(told, unit="count"), known())
    assert found.effect
    assert found.effect.unit == "count"


@given(st.sets(st.integers(1, 7)), st.sets(st.integers(1, 7)), st.integers(0, 7))
def test_what_is_left_afterwards_is_what_stays_open(closes: set[int], linked: set[int], branch: int) -> None:
    """Counted by itself, from the list of items."""
    facts = running()
    told = pull(closes=tuple(sorted(closes)), linked=tuple(sorted(linked)), branch=f"{branch}-x")
    found = impact(told, facts)
    finished = closes | linked
    if not finished & {4, 5}:
        finished |= {branch}
    still_open = [one for one in facts.items if one.state == "open" and one.number not in finished]
    after = found.effect.after if found.effect else facts.remaining
    assert after.count == len(still_open)
    assert after.points == sum((one.points or Decimal(0) for one in still_open), Decimal(0))
    assert (found.status is PullRequestStatus.SPRINT) == bool(({branch} | closes | linked) & {1, 2, 3, 4, 5})
    assert all(one.item.number in {1, 2, 3, 4, 5} for one in found.linked_items)


def test_the_sprint_is_looked_at_until_its_end() -> None:
    sprint = running().sprint
    assert sprint.end
    last = sprint.end - timedelta(seconds=1)
    assert choose_sprints(pull(), {}, [sprint], last)[0] == sprint
    assert choose_sprints(pull(), {}, [sprint], sprint.end)[0] is None
