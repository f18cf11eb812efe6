"""Texts for closing a sprint."""

from dataclasses import replace
from datetime import timedelta

from commands.messages.close import (
    Closing,
    before_start_warning,
    closed_sprint_text,
    closing_dry_run,
    closing_preview,
    early_warning,
)
from sprints.plain import convert_facts
from sprints.report import build_report
from tests.support.builders import Box, Card
from tests.support.report_sheets import MIXED_CARDS, make_box, make_planned_card

NEXT = Box("11-10", milestone=502, number=13, title="Sprint 13", start="11-30", due="2026-12-11").sprint()


def closing(*cards: Card, as_of: str = "11-26 12:00") -> Closing:
    facts = make_box().facts(*cards, as_of=as_of)
    report = build_report(convert_facts(facts), is_over=False)
    moved = [item for item in facts.items if item.state == "open"]
    return Closing(facts.sprint, report, moved, NEXT)


def test_what_to_know_before() -> None:
    text = closing_preview(closing(*MIXED_CARDS))

    assert text.startswith("**15 of 23 points committed are done (65 %)**, 21 points in all.")
    assert "**Done and stays** (21 points in 4 items): #1, #2, #5, #8." in text
    assert "**Dropped** (1 point in 1 item): #6." in text
    assert (
        "**Will move to Sprint 13** (5 points in 3 items): #3 (3 points), #7 (not estimated), #9 (2 points)."
        in text
    )
    assert "| **Open** | **5** | **3** |" in text


def test_without_a_next_one_all_goes_to_the_backlog() -> None:
    made = replace(closing(*MIXED_CARDS), target=None)

    assert made.summary == "close Sprint 12 and move 3 items to the backlog"
    assert "**Will move to the backlog**" in closing_preview(made)


def test_where_nothing_is_open() -> None:
    made = closing(make_planned_card(1).closed("11-18"))

    assert made.summary == "close Sprint 12"
    assert "No items are open, so nothing moves." in closing_preview(made)


def test_where_nothing_was_done() -> None:
    assert "**Done and stays:** nothing." in closing_preview(closing(make_planned_card(1)))


def test_a_milestone_that_somebody_closed_already() -> None:
    made = closing(make_planned_card(1))
    closed = replace(made, sprint=replace(made.sprint, closed_at=made.sprint.start + timedelta(days=3)))

    assert closed.summary == "tidy up Sprint 12 and move 1 item to Sprint 13"


def test_what_others_tell_moves_and_counts_nothing() -> None:
    parent = make_planned_card(1, 8)
    child = make_planned_card(2, 3).put_under("11-13", parent)

    text = closing_preview(closing(parent, child))
    assert (
        "**Will move to Sprint 13** (3 points in 1 item, and 1 item already covered by linked items): "
        "#1 (covered by linked items), #2 (3 points)."
    ) in text


def test_what_was_done_late_and_counts() -> None:
    facts = make_box().facts(*MIXED_CARDS, as_of="11-29")
    late = [item for item in facts.items if item.number == 9]
    made = replace(closing(*MIXED_CARDS), credited=late)

    assert "**Done late, will count towards its velocity** (2 points in 1 item): #9." in closing_preview(made)
    assert "**Done late, counts towards its velocity**" in closed_sprint_text(made)


def test_what_is_stated_afterwards() -> None:
    text = closed_sprint_text(closing(*MIXED_CARDS))

    assert text.startswith("### Sprint 12 is closed\n\n**15 of 23 points")
    assert "| **Carried over** | **5** | **3** |" in text
    assert "**Moved to Sprint 13** (5 points in 3 items): #3 (3 points)" in text
    assert (
        '`/sprint report for:"Sprint 12"` shows them; `/agile undo` reopens it and moves the items back.'
        in text
    )
    assert closed_sprint_text(closing(make_planned_card(1).closed("11-18"))).endswith(
        'a day after closing. `/sprint report for:"Sprint 12"` shows them; `/agile undo` reopens it.'
    )


def test_a_dry_run_says_that_it_was_one() -> None:
    text = closing_dry_run(closing(*MIXED_CARDS))

    assert text.startswith("### Would close Sprint 12 and move 3 items to Sprint 13")
    assert "Nothing was changed." in text


def test_warnings() -> None:
    sprint = make_box().sprint()
    made = replace(
        closing(make_planned_card(1)), warnings=[early_warning(sprint, 1), before_start_warning(sprint)]
    )
    text = closing_preview(made)

    assert "> [!WARNING]\n> It is due on 27 Nov 2026. If you close it now, it ends 1 day early." in text
    assert "> It starts on 16 Nov 2026. If you close it before that, it counts as abandoned" in text


def test_names_format_nothing() -> None:
    made = replace(closing(make_planned_card(1)), target=replace(NEXT, title="<b>@bob</b>"))

    assert "@bob" not in made.summary
    assert "<b>@" not in closing_preview(made)
