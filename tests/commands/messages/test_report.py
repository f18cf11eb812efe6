"""Texts of reports and summaries."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings

from commands.messages.report import (
    ClosedSnapshot,
    ReportData,
    numbers_table,
    report_text,
    summary_details,
    summary_head,
)
from sprints.estimates import Estimates
from sprints.fact_folding import compute_facts
from sprints.facts import Amount
from sprints.late import LateCredit
from sprints.milestone import derive_sprint
from sprints.plain import convert_facts
from sprints.report import build_report
from sprints.thanks import Contribution, Thanks
from sprints.waits import ItemWait, WaitKind
from tests.support.builders import Card, at
from tests.support.report_sheets import (
    EARLIER_OUTCOMES,
    MIXED_CARDS,
    make_box,
    make_planned_card,
    make_points_outcome,
    make_sheet,
)
from tests.support.sprints_strategies import NOWS, History, histories


def summary_text(made: ReportData) -> str:
    """The words around the picture."""
    return f"{summary_head(made)}\n\n{summary_details(made)}"


# What a report says


def test_a_report_leads_with_what_became_of_the_commitment() -> None:
    text = report_text(make_sheet(*MIXED_CARDS, verdict="met"))

    assert text.split("\n\n")[:4] == [
        "### Sprint 12 · report",
        "**15 of 23 points committed were done (65 %)**, 21 points in all. 5 points in 3 items carried over.",
        "**Goal met:** Pay by card",
        "16 Nov 2026 – 27 Nov 2026",
    ]


def test_a_report_of_a_planned_sprint_promises_nothing() -> None:
    text = report_text(make_sheet(make_planned_card(1, 3), as_of="11-13 12:00"))

    assert "**3 points in 1 item** planned so far; nothing is committed yet." in text
    assert "not started yet" in text
    assert "| Committed |" not in text
    assert "Say/do" not in text


def test_the_table_goes_from_the_commitment_to_what_was_left() -> None:
    assert numbers_table(make_sheet(*MIXED_CARDS).report).splitlines() == [
        "|  | Points | Items |",
        "| :-- | --: | --: |",
        "| Committed | 23 | 8 |",
        "| Added | +5 | +1 |",
        "| Removed | −2 | −1 |",
        "| Dropped | −1 | −1 |",
        "| Re-estimated | +1 | 0 |",
        "| **Scope** | **26** | **7** |",
        "| Done | 21 | 4 |",
        "| **Carried over** | **5** | **3** |",
        "| – of it done late | 2 | 1 |",
        "| Say/do: part of the commitment done | 65 % | 38 % |",
        "| Delivered vs planned: all done ÷ commitment | 91 % | 50 % |",
    ]


def test_what_did_not_happen_has_no_row() -> None:
    text = numbers_table(make_sheet(make_planned_card(1).closed("11-18")).report)

    assert "Added" not in text
    assert "Dropped" not in text
    assert "| **Carried over** | **0** | **0** |" in text


def test_everything_done() -> None:
    text = report_text(make_sheet(make_planned_card(1).closed("11-18")))

    assert "**5 of 5 points committed were done (100 %)**. Nothing was left." in text
    assert "**Carried over:**" not in text


def test_nothing_committed() -> None:
    added = Card(1).opened("11-10", "points: 5").joined("11-20").closed("11-24")
    text = report_text(make_sheet(added))

    assert "**5 points were done**; nothing was committed." in text
    assert "Say/do" not in text


def test_where_too_little_is_estimated_items_are_reported() -> None:
    text = report_text(make_sheet(make_planned_card(1, None).closed("11-18"), make_planned_card(2, None)))

    assert "**1 of 2 items committed were done (50 %)**. 0 points in 1 item carried over." in text
    assert "**Carried over:** #2 (not estimated)." in text
    assert "| Say/do: part of the commitment done | – | 50 % |" in text


def test_what_was_carried_names_how_often_and_what_was_late() -> None:
    text = report_text(make_sheet(*MIXED_CARDS, crossed={3: 2, 7: 1, 9: 1}))

    assert (
        "**Carried over:** #3 (3 points, for the 2nd time), #7 (not estimated), #9 (2 points, done late)."
        in text
    )


@pytest.mark.parametrize(
    ("crossed", "word"), [(2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd")]
)
def test_ordinals(crossed: int, word: str) -> None:
    assert f"for the {word} time" in report_text(make_sheet(make_planned_card(1), crossed={1: crossed}))


def test_many_that_were_carried() -> None:
    text = report_text(make_sheet(*(make_planned_card(number, 1) for number in range(1, 16))))

    assert "#10 (1 point), 5 more." in text


def test_each_list_adds_up_to_its_total() -> None:
    text = report_text(make_sheet(*MIXED_CARDS))

    assert (
        "**Done: 21 points in 4 items**\n- #1 · 5 points\n- #2 · 8 points\n- #5 · 5 points\n- #8 · 3 points"
        in text
    )
    assert "**Added: 5 points in 1 item**\n- #5 · 5 points" in text
    assert "**Re-estimated: +1 point in 1 change**\n- #8 · +1 point" in text
    assert "**Done late: 2 points in 1 item**\n- #9 · 2 points" in text


def test_a_list_without_end_is_cut_where_it_still_adds_up() -> None:
    text = report_text(make_sheet(*(make_planned_card(number, 1) for number in range(1, 101))))

    assert "- #60 · 1 point\n- and 40 more · 40 points in 40 items" in text


# Its goal, its frame, and where its numbers come from


def test_a_verdict_is_asked_for_once_it_is_over() -> None:
    assert 'Pay by card – was it met? Run `/sprint goal met for:"Sprint 12"`' in report_text(
        make_sheet(make_planned_card(1))
    )
    assert "was it met" not in report_text(make_sheet(make_planned_card(1), as_of="11-20"))
    assert "**Goal missed:** Pay by card" in report_text(make_sheet(make_planned_card(1), verdict="missed"))


def test_without_a_goal_nothing_is_stated_of_it() -> None:
    assert "Goal" not in report_text(
        make_sheet(make_planned_card(1), frame=make_box(description="Start: 2026-11-16"))
    )


def test_a_running_sprint_tells_its_numbers_so_far() -> None:
    text = report_text(
        make_sheet(
            make_planned_card(1).closed("11-18"),
            make_planned_card(2, 3),
            as_of="11-20 12:00",
            before=EARLIER_OUTCOMES,
        )
    )

    assert "27 Nov 2026 · still running: these are its numbers so far" in text
    assert "**5 of 8 points committed are done (63 %)**. 3 points in 1 item still to do." in text
    assert "**Open:** #2 (3 points)." in text
    assert "**Velocity:** The 4 sprints before it: median 20.5 points, from 18 to 24." in text
    assert "<sub>As of 20 Nov 2026, 12:00 UTC · complete</sub>" in text


def test_a_planned_sprint() -> None:
    assert "· not started yet" in report_text(make_sheet(make_planned_card(1), as_of="11-13"))


def test_one_closed_before_its_due_date() -> None:
    text = report_text(make_sheet(make_planned_card(1), frame=make_box().closed("11-25 10:00")))

    assert "16 Nov 2026 – 27 Nov 2026 · closed on 25 Nov 2026" in text
    assert "provisional until a day after the closing" in text


def test_an_abandoned_one() -> None:
    text = report_text(make_sheet(make_planned_card(1), frame=make_box().deleted("11-20")))

    assert "· abandoned" in text
    assert "It was abandoned, so it doesn't count towards velocity." in text


def test_numbers_that_are_not_frozen_yet_say_until_when() -> None:
    assert 'provisional until a day after `/sprint close for:"Sprint 12"`' in report_text(
        make_sheet(make_planned_card(1))
    )


def test_numbers_that_are_frozen_say_since_when() -> None:
    taken = ClosedSnapshot(1, at("11-29 09:00"))

    assert "<sub>Frozen on 29 Nov 2026, 09:00 UTC · complete</sub>" in report_text(
        make_sheet(make_planned_card(1), snapshot=taken)
    )
    assert "UTC, revision 2 ·" in report_text(
        make_sheet(make_planned_card(1), snapshot=replace(taken, revision=2))
    )


def test_what_became_known_since_is_a_footnote_of_the_report_only() -> None:
    made = make_sheet(make_planned_card(1), footnotes=["#4 was reopened afterwards"])

    assert "1 thing became known later; the sprint runs again" in report_text(made)
    frozen = replace(made, snapshot=ClosedSnapshot(1, at("11-29 09:00")))
    assert "1 thing became known later; the numbers don't change" in report_text(frozen)
    assert "afterwards" not in summary_text(made)


def test_how_well_the_history_is_known() -> None:
    made = make_sheet(make_planned_card(1))
    report = replace(made.report, is_complete=False, reconstructed_before=at("11-13 10:00"), first_seen=(1,))
    text = report_text(replace(made, report=report))

    assert "reconstructed before 14 Nov 2026, early history missing for 1 item: #1" in text


# Velocity


def test_velocity_stands_beside_the_last_ones() -> None:
    text = report_text(make_sheet(*MIXED_CARDS, before=EARLIER_OUTCOMES))

    assert "**Velocity:** 21 points. The 4 sprints before it: median 20.5 points, from 18 to 24." in text


def test_too_few_sprints_have_no_median() -> None:
    assert "The sprints before it: 18 and 24 points; a median needs three." in report_text(
        make_sheet(make_planned_card(1), before=EARLIER_OUTCOMES[:2])
    )
    assert "The sprint before it: 18 points; a median needs three." in report_text(
        make_sheet(make_planned_card(1), before=EARLIER_OUTCOMES[:1])
    )
    assert "There is no earlier sprint to compare with." in report_text(make_sheet(make_planned_card(1)))


def test_units_are_never_mixed() -> None:
    text = report_text(
        make_sheet(
            make_planned_card(1).closed("11-18"),
            before=[*EARLIER_OUTCOMES[:3], make_points_outcome(4, 0, "count")],
        )
    )

    assert "**Velocity:** 1 item. The 4 sprints before it: median 3 items, from 3 to 3." in text


def test_what_was_credited_is_named() -> None:
    text = report_text(
        make_sheet(make_planned_card(1).closed("11-18"), credit=LateCredit(Amount(Decimal(2), 1), (9,)))
    )

    assert "**Velocity:** 5 points (2 points of it done late)." in text


# The summary


WAITS = [
    ItemWait(3, WaitKind.START, timedelta(days=9, hours=3), is_over=False),
    ItemWait(2, WaitKind.BLOCKED, timedelta(days=4), is_over=True),
    ItemWait(9, WaitKind.BLOCKED, timedelta(days=2), is_over=False),
    ItemWait(8, WaitKind.START, timedelta(days=1), is_over=True),
]


def test_the_longest_waits() -> None:
    text = summary_text(make_sheet(*MIXED_CARDS, waits=WAITS))

    assert (
        "**Longest waits**\n- #3: 9 days, and no work on it had started\n- #2: blocked for 4 days\n"
        "- #9: blocked for 2 days, and still blocked at the end\n\n"
    ) in text


def test_a_wait_of_a_day() -> None:
    assert "- #8: 1 day until work on it started" in summary_text(make_sheet(*MIXED_CARDS, waits=WAITS[3:]))


def test_people_are_thanked_and_not_called() -> None:
    thanks = [Thanks(Contribution.FINISHED, ("alice", "bob")), Thanks(Contribution.REVIEWED, ("carol",))]
    text = summary_text(make_sheet(*MIXED_CARDS, thanks=thanks))

    assert "**Thank you** – finished work: `alice`, `bob`; reviewed: `carol`." in text
    assert "@" not in text


def test_a_summary_without_waits_and_people() -> None:
    text = summary_text(make_sheet(*MIXED_CARDS))

    assert "Longest waits" not in text
    assert "Thank you" not in text


def test_words_written_elsewhere_format_nothing_here() -> None:
    frame = make_box(title="Sprint @all **12**", description="Goal: <b>@bob</b>\nStart: 2026-11-16")
    text = summary_text(make_sheet(make_planned_card(1), frame=frame))
    # Within code, as in a command line to copy, GitHub formats nothing and mentions nobody.
    text = re.sub(r"`[^`]+`", "", text)

    assert "@all" not in text
    assert "@bob" not in text
    assert "<b>" not in text.replace("\\<b\\>", "")


@given(histories(), NOWS)
@settings(max_examples=60, deadline=None)
def test_every_list_that_is_shown_adds_up_to_its_heading(history: History, now: datetime) -> None:
    sprint = derive_sprint(history.milestone, now, history.calendar)
    until = min(sprint.end, now) if sprint.end else now
    facts = compute_facts(sprint, history.items, until, Estimates(history.sizes or {}), history.labels)
    report = build_report(convert_facts(facts), is_over=sprint.has_ended(until))
    text = report_text(ReportData(sprint=sprint, report=report, as_of=until))

    for heading, lines in re.findall(r"^\*\*[^*\n]+: ([^*\n]+)\*\*\n((?:- #.*\n)+)", text, re.MULTILINE):
        points = [_points(line) for line in lines.splitlines()]
        assert _points(heading) == sum(points, Decimal(0))
        assert int(re.findall(r"in (\d+) (?:item|change)", heading)[0]) == len(points)


def _points(text: str) -> Decimal:
    result = re.search(r"([+−]?)([\d,.]+) points?", text)
    if result is None:
        assert "not estimated" in text
        return Decimal(0)
    sign = -1 if result[1] == "−" else 1
    return sign * Decimal(result[2].replace(",", ""))
