"""Texts of the check “Sprint impact”."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.sprint_impact import CheckCard, check_buttons, check_title, impact_card
from sprints.burndown import build_burndown
from sprints.calendar import Calendar
from sprints.impact import Impact, PullRequestStatus, assess_impact
from sprints.pull_requests import FirstReview, PressedButton, PullRequest, UsualSize, UsualWait
from tests.support.builders import OTHER_SPRINT, SPRINT, Box, at
from tests.support.builders import Card as Item
from tests.support.impacts import (
    make_impact,
    make_known_items,
    make_pull_request,
    make_running_week,
    make_snapshot,
)

LATER = Box("11-06", milestone=OTHER_SPRINT, start="11-16", due="11-20", title="Sprint 13").sprint()
AHEAD = {"later": LATER}


def card(impact: Impact, **rest: Any) -> CheckCard:
    return impact_card(impact, Calendar(), **rest)


def identifiers(impact: Impact) -> list[str]:
    return [button.identifier for button in check_buttons(impact)]


ASIDE = make_impact(make_pull_request(), aside_by="alice")
UNPLANNED = make_impact(make_pull_request())
OUTSIDE = make_impact(make_pull_request(closes=(90,)), None, make_snapshot(90))
NAMED = make_impact(make_pull_request(mentions=(4,)))
NAMED_OUTSIDE = make_impact(make_pull_request(branch="90-x"), None, make_snapshot(90))
FINISHES = make_impact(make_pull_request(closes=(4,)))
WORKS_ON = make_impact(make_pull_request(branch="4-x"))
DONE = make_impact(make_pull_request(closes=(1,)))
PLANNED = make_impact(make_pull_request(closes=(90,)), None, make_snapshot(90, OTHER_SPRINT), **AHEAD)
NONE = assess_impact(make_pull_request(), None, None, {})
ALL = [ASIDE, UNPLANNED, OUTSIDE, NAMED, NAMED_OUTSIDE, FINISHES, WORKS_ON, DONE, PLANNED, NONE]


@pytest.mark.parametrize(
    ("impact", "expected", "pressable"),
    [
        (FINISHES, "Finishes #4: 4 → 2 points left in Sprint 12", []),
        (
            make_impact(make_pull_request(closes=(4, 5))),
            "Finishes #4, #5: 4 → 0 points left in Sprint 12",
            [],
        ),
        (WORKS_ON, "Works on #4 of Sprint 12 without closing it", ["link:4"]),
        (DONE, "Works on #1 of Sprint 12, already done", []),
        (UNPLANNED, "Unplanned: closes no item of Sprint 12", ["add:12", "aside:12"]),
        (OUTSIDE, "Unplanned: closes #90, which is not in Sprint 12", ["add:12", "aside:12"]),
        (
            NAMED,
            "Unplanned: mentions #4 of Sprint 12 but does not close it",
            ["link:4", "add:12", "aside:12"],
        ),
        (
            NAMED_OUTSIDE,
            "Unplanned: works on #90, which is not in Sprint 12",
            ["add:12", "link:90", "aside:12"],
        ),
        (ASIDE, "Not for Sprint 12, according to alice", ["add:12"]),
        (PLANNED, "Planned for Sprint 13, which starts on Mon 16 Nov", []),
        (NONE, "No sprint is running", []),
    ],
)
def test_the_title_says_it_and_the_buttons_mend_it(
    impact: Impact, expected: str, pressable: list[str]
) -> None:
    assert check_title(impact) == expected
    assert identifiers(impact) == pressable


def test_what_merging_does_stands_in_a_table() -> None:
    text = card(FINISHES).summary
    assert "Merging this finishes **#4** Card 4 (2 points) of **Sprint 12**." in text
    assert "| Left to do | 4 of 10 points | **2 of 10 points** |" in text
    assert "| Chance to finish by Fri 13 Nov |" in text
    assert (
        "Merging this finishes **#4** Card 4 (2 points) and **#5** Card 5"
        in card(make_impact(make_pull_request(closes=(4, 5)))).summary
    )


def test_without_a_forecast_no_chance_is_reported() -> None:
    impact = assess_impact(make_pull_request(closes=(4,)), make_running_week(), None, make_known_items())
    assert "Left to do" in card(impact).summary
    assert "Chance" not in card(impact).summary


def test_what_is_not_estimated_moves_no_points() -> None:
    items = [Item(n).opened("11-06", "points: 2").joined("11-08") for n in range(1, 5)]
    facts = Box("11-06", start="11-09", due="11-13").facts(
        *items, Item(5).opened("11-06").joined("11-08"), as_of="11-12"
    )
    impact = assess_impact(make_pull_request(closes=(5,)), facts, None, {})
    assert check_title(impact) == "Finishes #5: 8 points left in Sprint 12, unchanged"
    assert "**#5** Card 5 (not estimated)" in card(impact).summary


def test_a_pull_request_in_the_milestone_is_an_item() -> None:
    own = Item(40, is_pull_request=True).opened("11-09", "points: 3").joined("11-09 10:00")
    facts = Box("11-06", start="11-09", due="11-13").facts(own, as_of="11-12")
    impact = assess_impact(make_pull_request(milestone=SPRINT), facts, None, {})
    assert check_title(impact) == "Part of the sprint: 3 → 0 points left in Sprint 12"
    assert "This pull request is an item of **Sprint 12** itself: **#40** (3 points)." in card(impact).summary
    assert identifiers(impact) == ["aside:12"]
    assert check_buttons(impact)[0].description == "Removes it from Sprint 12"


# Reviews and size


def usual(**fields: Any) -> Impact:
    own = replace(UNPLANNED, pull=make_pull_request(lines=420, files=12))
    return replace(
        own,
        usual_wait=UsualWait(34, timedelta(hours=4, minutes=10), timedelta(hours=50)),
        usual_size=UsualSize(41, 96),
        **fields,
    )


def test_review_and_size_stand_beside_what_is_usual() -> None:
    text = card(usual(review=FirstReview(at("11-10 14:30"), None))).summary
    # Rounded up, so that what is said to lie within it does.
    assert (
        "| First review | waiting since 10 Nov 2026, 14:30 UTC | half within 5 hours, 85 % within 3 days (n = 34) |"
        in text
    )
    assert "| Size | 420 lines in 12 files | 96 lines (median, n = 41) |" in text
    assert "<sub>Usual values: last 90 days," in text


def test_a_review_that_came_is_reported_by_how_long_it_took() -> None:
    text = card(usual(review=FirstReview(at("11-10 14:30"), at("11-10 17:40")))).summary
    assert "| First review | after 3 hours |" in text
    text = card(usual(review=FirstReview(None, at("11-10 17:40")))).summary
    assert "| First review | on 10 Nov 2026, 17:40 UTC |" in text
    assert "| First review | none yet |" in card(usual()).summary


def test_too_few_are_not_called_usual() -> None:
    text = card(replace(UNPLANNED, pull=make_pull_request(lines=1, files=1))).summary
    assert "| Size | 1 line in 1 file | not enough data yet |" in text
    assert "Usual:" not in text


def test_a_size_that_nobody_told_is_left_out() -> None:
    assert "| Size |" not in card(UNPLANNED).summary


# The rule


@pytest.mark.parametrize("impact", ALL)
def test_without_a_rule_nothing_is_judged(impact: Impact) -> None:
    assert card(impact).conclusion == "neutral"
    assert "it blocks nothing" in card(impact).summary


@pytest.mark.parametrize(
    ("impact", "conclusion"),
    [
        (FINISHES, "success"),
        (WORKS_ON, "success"),
        (DONE, "success"),
        (PLANNED, "success"),
        (UNPLANNED, "failure"),
        (OUTSIDE, "failure"),
        (NAMED, "failure"),
        (ASIDE, "neutral"),
        (NONE, "neutral"),
    ],
)
def test_a_rule_is_met_or_broken_or_does_not_hold(impact: Impact, conclusion: str) -> None:
    data = card(impact, is_required=True)
    assert data.conclusion == conclusion
    assert ("and this one does not yet" in data.summary) == (conclusion == "failure")
    assert "This repository requires every pull request to belong to a sprint item" in data.summary
    # A success is that of the rule: the title says the same as without it.
    assert data.title == check_title(impact)


ENDED = Box("11-01", milestone=OTHER_SPRINT, start="11-02", due="2026-11-09", title="Sprint 11").sprint()
LONG_ENDED = Box("10-01", milestone=OTHER_SPRINT, start="10-02", due="2026-11-06", title="Sprint 11").sprint()


def test_an_item_of_a_sprint_that_has_just_ended_is_asked_nothing_yet() -> None:
    impact = make_impact(make_pull_request(closes=(90,)), None, make_snapshot(90, OTHER_SPRINT), ended=ENDED)
    data = card(impact, is_required=True)
    assert (data.title, data.conclusion) == ("Belongs to Sprint 11, which ended on Mon 9 Nov", "neutral")
    assert "#90 is still in **Sprint 11**, which ended on Mon 9 Nov." in data.summary
    assert identifiers(impact) == ["add:12", "aside:12"]


def test_an_item_of_a_sprint_that_ended_earlier_is_to_be_moved_on() -> None:
    impact = make_impact(
        make_pull_request(closes=(90,)), None, make_snapshot(90, OTHER_SPRINT), ended=LONG_ENDED
    )
    data = card(impact, is_required=True)
    assert data.conclusion == "failure"
    assert (
        "and this one does not yet.** #90 is still in **Sprint 11**, which ended on Fri 6 Nov. Press “Add to sprint” to move it to Sprint 12, or “Not this sprint” to exempt it."
        in data.summary
    )


@pytest.mark.parametrize(("payload", "by"), [({"words": (4,)}, "description"), ({"linked": (4,)}, "links")])
def test_towards_another_branch_it_works_on_what_it_names(payload: dict[str, Any], by: str) -> None:
    impact = make_impact(make_pull_request(base="release", is_to_default_branch=False, **payload))
    text = card(impact, is_required=True)
    assert (text.title, text.conclusion) == ("Works on #4 of Sprint 12 without closing it", "success")
    assert (
        f"According to its {by}, this works on **#4** Card 4 (2 points) of **Sprint 12**. It merges into `release`"
        in (text.summary)
    )


def test_towards_another_branch_naming_an_item_is_recommended() -> None:
    data = card(make_impact(make_pull_request(base="release", is_to_default_branch=False)), is_required=True)
    assert data.conclusion == "failure"
    assert (
        "It merges into `release`, and GitHub closes issues only when changes reach the default branch."
        in (data.summary)
    )
    assert "(`Closes #12` counts here, although GitHub will not close it)" in data.summary


def test_where_nothing_could_be_added_the_rule_asks_nothing() -> None:
    """A sprint of several repositories without a milestone in this one."""
    sprint = replace(make_running_week().sprint, repository="acme/lead")
    data = card(
        make_impact(make_pull_request(), replace(make_running_week(), sprint=sprint)), is_required=True
    )
    assert (data.conclusion, data.buttons) == ("neutral", ())
    assert (
        "The current sprint has no milestone in this repository, so this check does not fail." in data.summary
    )


def test_where_there_is_nothing_to_say_there_is_no_small_line() -> None:
    for result in ALL:
        assert "<sub></sub>" not in card(result, is_required=True).summary


def test_of_a_draft_the_rule_asks_nothing() -> None:
    data = card(replace(UNPLANNED, pull=make_pull_request(is_draft=True)), is_required=True)
    assert data.conclusion == "neutral"
    assert "Drafts are exempt until they are ready for review." in data.summary


# What was pressed, and the burndown as a table


def test_what_was_pressed_last_is_reported() -> None:
    done = PressedButton(
        40, "a", "Link #4", "alice", at("11-11 10:00"), "The description now says “Closes #4”.", is_done=True
    )
    text = card(FINISHES, button=done).summary
    assert (
        "`alice` pressed “Link \\#\u200b4” on 11 Nov 2026, 10:00 UTC. The description now says “Closes #4”."
        in text
    )
    refused = replace(
        done, is_done=False, result="This button needs the triage role, and they have the read role."
    )
    assert "**Not done:** `alice` pressed" in card(FINISHES, button=refused).summary


def test_the_last_days_are_a_small_table_where_no_picture_may_be_linked() -> None:
    burndown = build_burndown(make_running_week())
    assert "| Wed 11 Nov | 4 | 4 |" in card(FINISHES, burndown=burndown).summary
    assert "<details>" not in card(UNPLANNED, burndown=burndown).summary


# Whatever people write


@given(st.text(max_size=200), st.text(max_size=100), st.sampled_from(ALL))
def test_foreign_words_call_nobody_and_format_nothing(words: str, name: str, impact: Impact) -> None:
    sprint = replace(impact.sprint, title=words) if impact.sprint else None
    moved = tuple(replace(event, item=replace(event.item, title=name)) for event in impact.linked_items)
    text = card(replace(impact, sprint=sprint, linked_items=moved)).summary
    assert "@" not in text.replace("@\u200b", "")
    assert "\r" not in check_title(replace(impact, sprint=sprint))


@given(
    st.integers(1, 10**9 - 1),
    st.integers(1, 10**9 - 1),
    st.sampled_from([entry for entry in ALL if entry.status is not PullRequestStatus.LATER]),
)
def test_every_button_fits_however_large_its_numbers(number: int, milestone: int, impact: Impact) -> None:
    sprint = replace(impact.sprint, number=milestone) if impact.sprint else None
    candidate = number if impact.candidate else None
    made = check_buttons(replace(impact, sprint=sprint, candidate=candidate))
    assert len(made) <= 3
    assert all(len(button.identifier) <= 20 and len(button.label) <= 20 for button in made)
    assert len({button.identifier for button in made}) == len(made)
    links = [button for button in made if button.identifier.startswith("link:")]
    assert all(f"#{number}" in link.description and len(link.description) <= 40 for link in links)


@given(st.integers(0, 10**6), st.integers(0, 10**4))
def test_sizes_are_counted_in_words(lines: int, files: int) -> None:
    own = PullRequest("PR_40", 40, "a", at("11-09"), lines=lines, files=files)
    text = card(replace(UNPLANNED, pull=own)).summary
    size = f"{Decimal(lines):,} {'line' if lines == 1 else 'lines'}"
    assert f"| {size} in {Decimal(files):,} {'file' if files == 1 else 'files'} |" in text
