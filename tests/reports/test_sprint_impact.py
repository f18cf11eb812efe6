"""The words of the check “Sprint impact”."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.sprint_impact import CheckCard, check_buttons, check_title, impact_card
from sprints.burndown import burndown_of
from sprints.calendar import Calendar
from sprints.impact import Impact, PullRequestStatus, impact_of
from sprints.pull_requests import Button, PullRequest, Review, Usual, UsualSize
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


def card(found: Impact, **rest: Any) -> CheckCard:
    return impact_card(found, Calendar(), **rest)


def identifiers(found: Impact) -> list[str]:
    return [one.identifier for one in check_buttons(found)]


ASIDE = make_impact(make_pull_request(), aside_by="alice")
UNPLANNED = make_impact(make_pull_request())
OUTSIDE = make_impact(make_pull_request(closes=(90,)), None, make_snapshot(90))
NAMED = make_impact(make_pull_request(mentions=(4,)))
NAMED_OUTSIDE = make_impact(make_pull_request(branch="90-x"), None, make_snapshot(90))
FINISHES = make_impact(make_pull_request(closes=(4,)))
WORKS_ON = make_impact(make_pull_request(branch="4-x"))
DONE = make_impact(make_pull_request(closes=(1,)))
PLANNED = make_impact(make_pull_request(closes=(90,)), None, make_snapshot(90, OTHER_SPRINT), **AHEAD)
NONE = impact_of(make_pull_request(), None, None, {})
ALL = [ASIDE, UNPLANNED, OUTSIDE, NAMED, NAMED_OUTSIDE, FINISHES, WORKS_ON, DONE, PLANNED, NONE]


@pytest.mark.parametrize(
    ("found", "said", "pressable"),
    [
        (FINISHES, "Finishes #4: 4 → 2 points left in Sprint 12", []),
        (
            make_impact(make_pull_request(closes=(4, 5))),
            "Finishes #4, #5: 4 → 0 points left in Sprint 12",
            [],
        ),
        (WORKS_ON, "Works on #4 of Sprint 12, but does not close it", ["link:4"]),
        (DONE, "Belongs to #1 of Sprint 12, done already", []),
        (UNPLANNED, "Unplanned: moves no item of Sprint 12", ["add:12", "aside:12"]),
        (OUTSIDE, "Unplanned: closes #90, which is not in Sprint 12", ["add:12", "aside:12"]),
        (NAMED, "Unplanned: names #4 of Sprint 12, but does not close it", ["link:4", "add:12", "aside:12"]),
        (
            NAMED_OUTSIDE,
            "Unplanned: works on #90, which is not in Sprint 12",
            ["add:12", "link:90", "aside:12"],
        ),
        (ASIDE, "Not for Sprint 12, says alice", ["add:12"]),
        (PLANNED, "Planned for Sprint 13, which starts on Mon 16 Nov", []),
        (NONE, "No sprint is running", []),
    ],
)
def test_the_title_says_it_and_the_buttons_mend_it(found: Impact, said: str, pressable: list[str]) -> None:
    assert check_title(found) == said
    assert identifiers(found) == pressable


def test_what_merging_does_stands_in_a_table() -> None:
    text = card(FINISHES).summary
    assert "Merging this finishes **#4** Card 4 (2 points) of **Sprint 12**." in text
    assert "| Left to do | 4 of 10 points | **2 of 10 points** |" in text
    assert "| Chance that all is done by Fri 13 Nov |" in text
    assert (
        "Merging this finishes **#4** Card 4 (2 points) and **#5** Card 5"
        in card(make_impact(make_pull_request(closes=(4, 5)))).summary
    )


def test_without_a_forecast_no_chance_is_told() -> None:
    found = impact_of(make_pull_request(closes=(4,)), make_running_week(), None, make_known_items())
    assert "Left to do" in card(found).summary
    assert "Chance" not in card(found).summary


def test_what_is_not_estimated_moves_no_points() -> None:
    items = [Item(n).opened("11-06", "points: 2").joined("11-08") for n in range(1, 5)]
    facts = Box("11-06", start="11-09", due="11-13").facts(
        *items, Item(5).opened("11-06").joined("11-08"), as_of="11-12"
    )
    found = impact_of(make_pull_request(closes=(5,)), facts, None, {})
    assert check_title(found) == "Finishes #5: 8 points left in Sprint 12, as now"
    assert "**#5** Card 5 (not estimated)" in card(found).summary


def test_a_pull_request_in_the_milestone_is_an_item() -> None:
    own = Item(40, is_pull_request=True).opened("11-09", "points: 3").joined("11-09 10:00")
    facts = Box("11-06", start="11-09", due="11-13").facts(own, as_of="11-12")
    found = impact_of(make_pull_request(milestone=SPRINT), facts, None, {})
    assert check_title(found) == "Part of the sprint: 3 → 0 points left in Sprint 12"
    assert "This pull request is itself an item of **Sprint 12**: **#40** (3 points)." in card(found).summary
    assert identifiers(found) == ["aside:12"]
    assert check_buttons(found)[0].description == "Takes it out of Sprint 12"


# Reviews and size


def usual(**told: Any) -> Impact:
    own = replace(UNPLANNED, pull=make_pull_request(lines=420, files=12))
    return replace(
        own,
        usual_wait=Usual(34, timedelta(hours=4, minutes=10), timedelta(hours=50)),
        usual_size=UsualSize(41, 96),
        **told,
    )


def test_review_and_size_stand_beside_what_is_usual() -> None:
    text = card(usual(review=Review(at("11-10 14:30"), None))).summary
    # Rounded up, so that what is said to lie within it does.
    assert (
        "| First review | waiting since 10 Nov 2026, 14:30 UTC | half within 5 hours, 85 % within 3 days (n = 34) |"
        in text
    )
    assert "| Size | 420 lines in 12 files | 96 lines (median, n = 41) |" in text
    assert "<sub>Usual: the last 90 days;" in text


def test_a_review_that_came_is_told_by_how_long_it_took() -> None:
    text = card(usual(review=Review(at("11-10 14:30"), at("11-10 17:40")))).summary
    assert "| First review | after 3 hours |" in text
    text = card(usual(review=Review(None, at("11-10 17:40")))).summary
    assert "| First review | on 10 Nov 2026, 17:40 UTC |" in text
    assert "| First review | none yet |" in card(usual()).summary


def test_too_few_are_not_called_usual() -> None:
    text = card(replace(UNPLANNED, pull=make_pull_request(lines=1, files=1))).summary
    assert "| Size | 1 line in 1 file | too few to say |" in text
    assert "Usual:" not in text


def test_a_size_that_nobody_told_is_left_out() -> None:
    assert "| Size |" not in card(UNPLANNED).summary


# The rule


@pytest.mark.parametrize("found", ALL)
def test_without_a_rule_nothing_is_judged(found: Impact) -> None:
    assert card(found).conclusion == "neutral"
    assert "it blocks nothing" in card(found).summary


@pytest.mark.parametrize(
    ("found", "conclusion"),
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
def test_a_rule_is_met_or_broken_or_does_not_hold(found: Impact, conclusion: str) -> None:
    told = card(found, is_required=True)
    assert told.conclusion == conclusion
    assert ("and this one does not yet" in told.summary) == (conclusion == "failure")
    assert "This repository asks every pull request to belong to an item of a sprint" in told.summary
    # A success is that of the rule: the title says the same as without it.
    assert told.title == check_title(found)


ENDED = Box("11-01", milestone=OTHER_SPRINT, start="11-02", due="2026-11-09", title="Sprint 11").sprint()
LONG_ENDED = Box("10-01", milestone=OTHER_SPRINT, start="10-02", due="2026-11-06", title="Sprint 11").sprint()


def test_an_item_of_a_sprint_that_has_just_ended_is_asked_nothing_yet() -> None:
    found = make_impact(make_pull_request(closes=(90,)), None, make_snapshot(90, OTHER_SPRINT), ended=ENDED)
    told = card(found, is_required=True)
    assert (told.title, told.conclusion) == ("Belongs to Sprint 11, which ended on Mon 9 Nov", "neutral")
    assert "#90 is still in **Sprint 11**, which ended on Mon 9 Nov." in told.summary
    assert identifiers(found) == ["add:12", "aside:12"]


def test_an_item_of_a_sprint_that_ended_earlier_is_to_be_moved_on() -> None:
    found = make_impact(
        make_pull_request(closes=(90,)), None, make_snapshot(90, OTHER_SPRINT), ended=LONG_ENDED
    )
    told = card(found, is_required=True)
    assert told.conclusion == "failure"
    assert (
        "and this one does not yet.** #90 is still in **Sprint 11**, which ended on Fri 6 Nov. Move it to "
        "Sprint 12 with “Add to sprint”, or say that it is not for this sprint." in told.summary
    )


@pytest.mark.parametrize(("told", "by"), [({"words": (4,)}, "text"), ({"linked": (4,)}, "links")])
def test_towards_another_branch_it_works_on_what_it_names(told: dict[str, Any], by: str) -> None:
    found = make_impact(make_pull_request(base="release", is_to_default_branch=False, **told))
    text = card(found, is_required=True)
    assert (text.title, text.conclusion) == ("Works on #4 of Sprint 12, but does not close it", "success")
    assert f"By its {by} this works on **#4** Card 4 (2 points) of **Sprint 12**. It goes into `release`" in (
        text.summary
    )


def test_towards_another_branch_naming_an_item_is_recommended() -> None:
    told = card(make_impact(make_pull_request(base="release", is_to_default_branch=False)), is_required=True)
    assert told.conclusion == "failure"
    assert "It goes into `release`, and GitHub closes issues only for what reaches the default branch." in (
        told.summary
    )
    assert "(`Closes #12` counts here, although GitHub will not close it)" in told.summary


def test_where_nothing_could_be_added_the_rule_asks_nothing() -> None:
    """A sprint of several repositories without a milestone in this one."""
    sprint = replace(make_running_week().sprint, repository="acme/lead")
    told = card(
        make_impact(make_pull_request(), replace(make_running_week(), sprint=sprint)), is_required=True
    )
    assert (told.conclusion, told.buttons) == ("neutral", ())
    assert "this sprint has no milestone here to add anything to, so it asks nothing." in told.summary


def test_where_there_is_nothing_to_say_there_is_no_small_line() -> None:
    for found in ALL:
        assert "<sub></sub>" not in card(found, is_required=True).summary


def test_of_a_draft_the_rule_asks_nothing() -> None:
    told = card(replace(UNPLANNED, pull=make_pull_request(is_draft=True)), is_required=True)
    assert told.conclusion == "neutral"
    assert "Of a draft it asks nothing yet." in told.summary


# What was pressed, and the burndown as a table


def test_what_was_pressed_last_is_told() -> None:
    done = Button(
        40, "a", "Link #4", "alice", at("11-11 10:00"), "“Closes #4” stands in its text now.", is_done=True
    )
    text = card(FINISHES, button=done).summary
    assert (
        "`alice` pressed “Link \\#\u200b4” on 11 Nov 2026, 10:00 UTC. “Closes #4” stands in its text now."
        in text
    )
    refused = replace(done, is_done=False, said="It needs the triage role; theirs is read.")
    assert "**Not done:** `alice` pressed" in card(FINISHES, button=refused).summary


def test_the_last_days_are_a_small_table_where_no_picture_may_be_linked() -> None:
    burndown = burndown_of(make_running_week())
    assert "| Wed 11 Nov | 4 | 4 |" in card(FINISHES, burndown=burndown).summary
    assert "<details>" not in card(UNPLANNED, burndown=burndown).summary


# Whatever people write


@given(st.text(max_size=200), st.text(max_size=100), st.sampled_from(ALL))
def test_foreign_words_call_nobody_and_format_nothing(words: str, name: str, found: Impact) -> None:
    sprint = replace(found.sprint, title=words) if found.sprint else None
    moved = tuple(replace(one, item=replace(one.item, title=name)) for one in found.moved)
    text = card(replace(found, sprint=sprint, moved=moved)).summary
    assert "@" not in text.replace("@\u200b", "")
    assert "\r" not in check_title(replace(found, sprint=sprint))


@given(
    st.integers(1, 10**9 - 1),
    st.integers(1, 10**9 - 1),
    st.sampled_from([one for one in ALL if one.standing is not PullRequestStatus.LATER]),
)
def test_every_button_fits_however_large_its_numbers(number: int, milestone: int, found: Impact) -> None:
    sprint = replace(found.sprint, number=milestone) if found.sprint else None
    candidate = number if found.candidate else None
    made = check_buttons(replace(found, sprint=sprint, candidate=candidate))
    assert len(made) <= 3
    assert all(len(one.identifier) <= 20 and len(one.label) <= 20 for one in made)
    assert len({one.identifier for one in made}) == len(made)
    links = [one for one in made if one.identifier.startswith("link:")]
    assert all(f"#{number}" in one.description and len(one.description) <= 40 for one in links)


@given(st.integers(0, 10**6), st.integers(0, 10**4))
def test_sizes_are_counted_in_words(lines: int, files: int) -> None:
    own = PullRequest("PR_40", 40, "a", at("11-09"), lines=lines, files=files)
    text = card(replace(UNPLANNED, pull=own)).summary
    size = f"{Decimal(lines):,} {'line' if lines == 1 else 'lines'}"
    assert f"| {size} in {Decimal(files):,} {'file' if files == 1 else 'files'} |" in text
