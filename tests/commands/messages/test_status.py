"""Texts of the status card."""

import re
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from commands.messages.status import status_details, status_head
from sprints.burndown import build_burndown
from tests.support.builders import SPRINT, Box, Card, Json


def card(number: int = 1, points: int | str | None = 5) -> Card:
    labels = [] if points is None else [f"points: {points}"]
    return Card(number).opened("11-10", *labels).joined("11-12")


def shown(
    box: Box, *cards: Card, as_of: str = "11-18 12:00", unit: str | None = None, zone: tzinfo = UTC
) -> str:
    facts = box.facts(*cards, as_of=as_of, zone=zone)
    burndown = build_burndown(facts, unit)
    return status_head(facts, burndown) + "\n\n[chart]\n\n" + status_details(facts, burndown)


def sprint(**fields: Any) -> Box:
    frame: Json = {"due": "2026-11-27"} | ({} if "description" in fields else {"start": "11-16"})
    return Box("11-10", **(frame | fields))


# Where it stands


def test_a_running_sprint() -> None:
    done = card(2, 3).closed("11-17")
    text = shown(sprint(description="Goal: Pay by card\nStart: 2026-11-16"), card(), done)

    assert text.startswith(
        "### Sprint 12 · day 3 of 12\n\n**0.6 points ahead of** the ideal line: 5 points remain, with "
        "8 working days to go, today included.\n\n"
    )
    assert "**3 of 8 points done** (38 %)" in text
    assert "<sub>As of 18 Nov 2026, 12:00 UTC · complete</sub>" in text


def test_a_planned_sprint() -> None:
    text = shown(sprint(), card(), as_of="11-13 12:00")

    assert "· starts in 3 days" in text
    assert "**5 points** planned so far; the commitment is whatever is in it when it starts." in text


def test_a_sprint_that_starts_tomorrow() -> None:
    assert "· starts in 1 day\n" in shown(sprint(), as_of="11-15 12:00")


@pytest.mark.parametrize(
    ("cards", "sentence"),
    [
        ([card(1, 5)], "**5 points** were not done when it ended. 1 item carried over."),
        ([card(1, 1)], "**1 point** was not done when it ended."),
        ([card(1, 5).closed("11-20")], "Everything in scope was done."),
        (
            [card(1, 5).dropped("11-20")],
            "Nothing was in scope when it ended: everything was dropped.",
        ),
        (
            [card(1, 5).dropped("11-20"), card(2, 3).left("11-21")],
            "Nothing was in scope when it ended: everything was dropped or removed.",
        ),
        ([card(1, 5).dropped("11-20"), card(2, 3).closed("11-21")], "Everything in scope was done."),
        ([], "Nothing was in scope when it ended."),
    ],
    ids=["some left", "one left", "all done", "all dropped", "all gone", "the rest done", "always empty"],
)
def test_a_sprint_that_has_ended(cards: list[Card], sentence: str) -> None:
    text = shown(sprint(), *cards, as_of="12-05")

    assert "### Sprint 12 · ended" in text
    assert sentence in text


def test_a_sprint_without_a_due_date() -> None:
    text = shown(sprint(due=None), card())

    assert (
        "### Sprint 12 · day 3\n\n**5 points** remain. Without a due date there is no ideal line to compare with."
        in text
    )
    assert "**5 points** remain. Without a due date there is no ideal line to compare with." in text


def test_a_sprint_without_a_due_date_that_was_closed() -> None:
    assert "16 Nov 2026 – closed on 25 Nov 2026" in shown(sprint(due=None).closed("11-25"), as_of="12-01")


def test_a_deleted_milestone_is_abandoned() -> None:
    assert "· abandoned" in shown(sprint().deleted("11-18"), as_of="11-19 12:00")


def test_the_moment_is_reported_in_the_teams_time() -> None:
    text = shown(sprint(), as_of="11-18 12:00", zone=ZoneInfo("Pacific/Auckland"))

    assert "As of 19 Nov 2026, 01:00 NZDT" in text
    assert "· day 4 of 12" in text


@pytest.mark.parametrize(
    ("moves", "sentence"),
    [
        (["2026-11-30"], "The due date was moved from Fri 27 Nov to Mon 30 Nov: 3 days later."),
        (["2026-11-26"], "The due date was moved from Fri 27 Nov to Thu 26 Nov: 1 day earlier."),
        (
            ["2026-11-30", "2026-12-04"],
            "The due date was moved 2 times from Fri 27 Nov to Fri 4 Dec: 7 days later.",
        ),
        (["2026-11-30", "2026-11-27"], "The due date was moved 2 times and is back on Fri 27 Nov."),
        ([None], "The due date was removed; it was Fri 27 Nov."),
    ],
)
def test_a_due_date_that_moved(moves: list[str | None], sentence: str) -> None:
    box = sprint()
    for day, due in enumerate(moves, start=17):
        box.edited(f"11-{day} 10:00", due=due)
    paragraphs = shown(box, card(), as_of="11-19 12:00").split("\n\n")

    assert sentence in paragraphs
    assert paragraphs.index(sentence) < paragraphs.index("[chart]")


def test_a_due_date_that_was_set_while_the_sprint_ran() -> None:
    text = shown(sprint(due=None).edited("11-17", due="2026-11-30"), card())

    assert "The due date was set while the sprint ran: Mon 30 Nov." in text


def test_a_due_date_that_stayed_needs_no_words() -> None:
    assert "due date" not in shown(sprint().edited("11-17", title="Twelve"), card())


def test_what_was_carried_over_and_done_late() -> None:
    cards = [card(1), card(2, 3).closed("11-28 09:00"), card(3, None), card(4, 2)]
    text = shown(sprint().closed("11-29"), *cards, as_of="12-05")

    assert "**10 points** were not done when it ended. 4 items carried over, 1 of them done late." in text


# The pace


@pytest.mark.parametrize(
    ("cards", "sentence"),
    [
        ([card(1, 10)], "**2 points behind** the ideal line: 10 points remain, with 8 working days to go"),
        ([card(1, 9), card(2, 1).closed("11-17")], "**1 point behind** the ideal line: 9 points remain"),
        ([card(1, 8), card(2, 2).closed("11-17")], "**On the ideal line:** 8 points remain"),
        ([card(1, 1), card(2, 9).closed("11-17")], "**6 points ahead of** the ideal line: 1 point remains"),
    ],
    ids=["behind", "one behind", "on it", "ahead"],
)
def test_the_pace_in_words(cards: list[Card], sentence: str) -> None:
    assert sentence in shown(sprint(), *cards)


def test_no_working_day_left() -> None:
    text = shown(sprint(due="2026-11-22"), card(), as_of="11-21 12:00")

    assert "and no working days are left" in text


@pytest.mark.parametrize(
    ("as_of", "left"),
    [
        ("11-20 12:00", "6 working days to go, today included."),
        ("11-20 18:00", "6 working days to go, the rest of today included."),
        ("11-21 00:00", "5 working days to go."),
        ("11-22 12:00", "5 working days to go."),
        ("11-23 00:00", "5 working days to go."),
        ("11-23 00:01", "5 working days to go, today included."),
    ],
    ids=["Friday", "its evening", "its end", "Sunday", "its end", "Monday"],
)
def test_today_is_included_only_while_it_is_a_working_day(as_of: str, left: str) -> None:
    assert f"with {left}" in shown(sprint(), card(), as_of=as_of)


@pytest.mark.parametrize(
    ("as_of", "zone", "left"),
    [
        ("11-20 23:30", "Pacific/Auckland", "5 working days to go."),
        ("11-20 23:30", "America/Los_Angeles", "6 working days to go, today included."),
    ],
)
def test_today_is_the_teams_own(as_of: str, zone: str, left: str) -> None:
    assert f"with {left}" in shown(sprint(), card(), as_of=as_of, zone=ZoneInfo(zone))


def test_the_day_before_the_start() -> None:
    facts = sprint().facts(card(), as_of="11-16 00:00")
    text = status_head(facts, build_burndown(facts), is_past=True)

    assert text.startswith("### Sprint 12 · starts in 1 day · as of Sun 15 Nov 2026\n")
    assert "The sprint had not started on Sun 15 Nov: **5 points** were planned." in text
    assert "due date" not in text
    assert "| Committed |" not in status_details(facts, build_burndown(facts))


def test_the_last_working_day() -> None:
    assert "with 1 working day to go, today included" in shown(sprint(), card(), as_of="11-27 12:00")


# Warnings


def test_due_before_its_start() -> None:
    text = shown(Box("12-01 09:00", due="2026-11-27"), card(), as_of="12-02")

    assert "> [!WARNING]\n> This milestone is due on 27 Nov 2026, before it starts on 1 Dec 2026." in text


def test_a_start_line_that_was_ignored() -> None:
    text = shown(sprint(description="Start: 2026-11-31"))

    assert "> [!WARNING]\n> “Start: 2026-11-31” is not a date in the calendar, so it was ignored." in text


def test_nothing_to_warn_of() -> None:
    assert "WARNING" not in shown(sprint(), card())


# The numbers


def test_the_ledger_leaves_out_what_did_not_happen() -> None:
    text = shown(sprint(), card())

    assert "| Committed | 5 | 1 |\n| **Scope** | **5** | **1** |\n| Done | 0 | 0 |" in text


def test_the_ledger_has_a_line_for_each_cause() -> None:
    cards = [
        card(1, 5).estimated("11-17", "2.5"),
        card(2, 3).left("11-17"),
        card(3, 1).dropped("11-17"),
        Card(4).opened("11-10", "points: 8").joined("11-17"),
    ]
    text = shown(sprint(), *cards)

    assert "| Committed | 9 | 3 |" in text
    assert "| Added | +8 | +1 |" in text
    assert "| Removed | −3 | −1 |" in text
    assert "| Dropped | −1 | −1 |" in text
    assert "| Re-estimated | −2.5 | 0 |" in text
    assert "| **Remaining** | **10.5** | **2** |" in text


def test_what_is_not_estimated_is_named() -> None:
    cards = [card(n) for n in range(1, 10)]
    text = shown(sprint(), *cards, card(10, None))

    assert "**1 open item is not estimated:** #10. In points it counts as 0." in text


def test_mostly_not_estimated_counts_items() -> None:
    text = shown(sprint(), *(card(n, None) for n in range(1, 13)))

    assert "**12 open items are not estimated:** #1, #2, #3, #4, #5, #6, #7, #8, #9, #10 and 2 more" in text
    assert "More than 30 % of its items have no estimate, so this card counts items." in text
    assert "of 12 items done" in text


def test_what_others_tell_is_folded_and_needs_no_estimate() -> None:
    parent, request = card(1, 8), Card(4, closes=[3]).opened("11-10", milestone=SPRINT)
    children = [card(n, n).put_under("11-13", parent) for n in (2, 3)]
    children[0].closed("11-17")
    text = shown(sprint(), parent, *children, request)

    assert "2 of 5 points done" in text
    assert (
        "<details>\n<summary>2 items are not counted: already covered by linked items</summary>\n\n"
        "- #1: 2 of 5 points done in #2, #3; estimated twice, its own 8 points left out\n"
        "- #4: 0 of 3 points done in #3\n\n</details>"
    ) in text
    assert "not estimated" not in text


def test_one_item_that_another_tells() -> None:
    parent = card(1, None)
    text = shown(sprint(), parent, card(2, 1).put_under("11-13", parent), unit="count")

    assert "<summary>1 item is not counted: already covered by linked items</summary>" in text
    assert "- #1: 0 of 1 item done in #2\n" in text


def test_long_lists_of_what_others_tell_are_cut() -> None:
    parents = [card(n) for n in range(1, 13)]
    children = [card(100 + n).put_under("11-13", parent) for n, parent in enumerate(parents)]
    children += [card(200 + n).put_under("11-13", parents[0]) for n in range(12)]
    folded = shown(sprint(), *parents, *children).split("<details>")[1]

    assert folded.count("\n- #") == 10
    assert "#200, #201, #202, #203, #204, #205, #206, #207, #208 and 3 more" in folded
    assert "\n- and 2 more\n" in folded


def test_nothing_is_reported_by_others() -> None:
    assert "not counted" not in shown(sprint(), card())


def test_what_was_reconstructed() -> None:
    early = card(1).asked_for()

    assert "12:00 UTC · reconstructed before 13 Nov 2026</sub>" in shown(sprint(), early, card(2))


def test_items_whose_opening_nobody_told_us() -> None:
    late = card(1).commented("11-17")
    late.events = late.events[2:]

    assert "12:00 UTC · early history missing for 1 item</sub>" in shown(sprint(), late)


def test_one_item_is_one_item() -> None:
    assert "0 of 1 item done" in shown(sprint(), card(1, None))


def test_an_empty_sprint() -> None:
    text = shown(sprint())
    assert '**Nothing is in it yet.** Run `/sprint add for:"Sprint 12"` in an issue to add it.' in text
    assert "0 of 0" not in text
    assert "ideal line" not in text
    assert "0 of 0" not in shown(sprint(), as_of="12-01 12:00")


def test_a_sprint_that_lost_all_its_items_is_not_called_new() -> None:
    text = shown(sprint(), card().left("11-17"))

    assert "**Nothing is in scope now: everything was removed**, with 8 working days to go" in text
    assert "0 of 0" not in text


@pytest.mark.parametrize("unit", ["points", "items"])
def test_a_row_for_each_day(unit: str) -> None:
    text = shown(sprint(), card(), unit="points" if unit == "points" else "count")
    rows = re.findall(r"^\| (Mon|Tue|Wed) (\d\d Nov) 2026 \|", text, re.MULTILINE)

    assert rows == [("Mon", "16 Nov"), ("Tue", "17 Nov"), ("Wed", "18 Nov")]
    assert f"<summary>Data by day, in {unit}</summary>" in text


def test_a_long_sprint_shows_its_last_days() -> None:
    text = shown(Box("09-01", start="09-07", due="2026-12-31"), as_of="11-18 12:00")

    assert "| … 42 earlier days | | | |" in text


# What others wrote


@pytest.mark.parametrize(
    "hostile",
    [
        "@acme/everybody",
        "&commat;acme &#64;acme",
        "[a link](https://example.com)",
        "![a picture](https://example.com/x.png)",
        "<img src=x>",
        "<!-- hidden",
        "**bold** _it_ ~~struck~~ `code`",
        "a | b",
        "#12",
        "line one\n\n# line two",
    ],
)
def test_titles_and_goals_mention_nobody_and_format_nothing(hostile: str) -> None:
    box = sprint(description=f"Goal: {hostile}\nStart: 2026-11-16").edited("11-11", title=hostile)
    text = shown(box, card())
    heading = text.splitlines()[0].removeprefix("### ")
    (goal,) = re.findall(r"^\*\*Goal:\*\* (.*)$", text, re.MULTILINE)

    for line in (heading, goal):
        written = re.sub(r"\\[!-/:-@[-`{-~]", "", line)
        assert not re.search(r"@\w|&\w+;|&#|[\[\]<>`*_|~]", written), line
