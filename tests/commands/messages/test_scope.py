"""Texts for scope changes."""

from dataclasses import replace
from decimal import Decimal

import pytest

from commands.messages.scope import Moves, RequestedChange, moves_text, scope_text
from sprints.facts import Facts, Item, ScopeCause
from tests.support.builders import Box, Card, at
from tests.support.report_sheets import make_box, make_planned_card

NOW = "11-19 12:00"


def facts(*cards: Card, as_of: str = NOW, frame: Box | None = None) -> Facts:
    return (frame or make_box()).facts(*cards, as_of=as_of)


def added(number: int = 9, points: int = 3) -> Card:
    return Card(number, actor="bob").opened("11-10", f"points: {points}").joined("11-18 10:00")


# Moves


def test_the_ledger_line_in_both_units() -> None:
    text = moves_text(
        Moves(facts(make_planned_card(1)), facts(make_planned_card(1), added()), [(9, "3 points")])
    )

    assert text.startswith(
        "**Scope of Sprint 12:** 5 points in 1 item → **8 points in 2 items** (+3 points, +1 item)\n\n- #9: 3 points"
    )


def test_over_the_commitment_a_swap_is_proposed() -> None:
    swap = [Item(2, "", "open", Decimal(2)), Item(4, "", "open", Decimal(1))]
    before, after = (
        facts(make_planned_card(1), make_planned_card(2, 2)),
        facts(make_planned_card(1), make_planned_card(2, 2), added()),
    )

    assert (
        'That is **3 points over** the 7 points committed. To make room: `/sprint remove #2 #4 for:"Sprint 12"` – 3 points in 2 items, which are open and not started.'
        in moves_text(Moves(before, after, [], swap=swap))
    )
    assert moves_text(Moves(before, after, [])).endswith("the 7 points committed.")


def test_within_the_commitment_nothing_is_stated_of_it() -> None:
    left = make_planned_card(2, 5).left("11-17")

    assert "over" not in moves_text(
        Moves(facts(make_planned_card(1), left), facts(make_planned_card(1), left, added()), [])
    )


def test_before_the_start_it_is_planning() -> None:
    before = facts(make_planned_card(1), as_of="11-13")
    text = moves_text(Moves(before, facts(make_planned_card(1), make_planned_card(2, 8), as_of="11-13"), []))

    assert (
        text
        == "**Planned for Sprint 12:** 5 points in 1 item → **13 points in 2 items** (+8 points, +1 item)"
    )


def test_what_counts_nothing_changes_nothing() -> None:
    text = moves_text(
        Moves(
            facts(make_planned_card(1)),
            facts(make_planned_card(1)),
            [(9, "3 points, dropped: it doesn't count")],
        )
    )

    assert text.startswith("**Scope of Sprint 12:** 5 points in 1 item, as before.")


def test_out_of_a_sprint_that_has_ended() -> None:
    over = facts(make_planned_card(1), as_of="12-01")

    assert moves_text(Moves(over, over, [])) == "**Sprint 12** has ended; its numbers are final."


def test_a_reason() -> None:
    text = moves_text(Moves(facts(make_planned_card(1)), facts(), [(1, "5 points")], "waits for <b>@bob</b>"))

    assert "**Reason:** waits for \\<b\\>@\u200bbob" in text
    assert "(−5 points, −1 item)" in text


# The ledger


def test_from_the_commitment_to_the_scope() -> None:
    cards = [
        make_planned_card(1),
        added(),
        make_planned_card(2, 2).left("11-17"),
        make_planned_card(3, 1).dropped("11-17"),
        make_planned_card(4, 2).estimated("11-17", 3),
    ]
    text = scope_text(facts(*cards))

    assert (
        "### Sprint 12 · scope\n\n**11 points in 3 items**, +1 point, −1 item since the commitment." in text
    )
    assert "| Committed | 10 | 4 |  |" in text
    assert "| Added | +3 | +1 | #9 |" in text
    assert "| Removed | −2 | −1 | #2 |" in text
    assert "| Dropped | −1 | −1 | #3 |" in text
    assert "| Re-estimated | +1 | 0 | #4 |" in text
    assert "| **Scope** | **11** | **3** |  |" in text


def test_each_change_with_who_and_when() -> None:
    text = scope_text(facts(make_planned_card(1), added()))

    assert "**Changes, the latest first**\n- Wed 18 Nov, 10:00 · #9 added by `bob`, 3 points" in text


def test_what_we_did_was_done_by_who_asked_for_it() -> None:
    ours = Card(9, actor="suite[bot]").opened("11-10", "points: 3").joined("11-18 10:00").left("11-18 12:00")
    deeds = [
        RequestedChange(9, ScopeCause.ADDED, "alice", at("11-17 10:00")),
        RequestedChange(9, ScopeCause.ADDED, "carol", at("11-18 10:00:02")),
        RequestedChange(9, ScopeCause.REMOVED, "dave", at("11-18 12:00:02"), "too early @all"),
    ]
    text = scope_text(facts(make_planned_card(1), ours), deeds)

    assert "· #9 added by `carol`, 3 points" in text
    assert "· #9 removed by `dave`, 3 points: too early @\u200ball" in text


def test_what_a_person_did_on_github_is_theirs() -> None:
    deeds = [RequestedChange(9, ScopeCause.ADDED, "alice", at("11-18 10:00:02"))]

    assert "added by `bob`" in scope_text(facts(make_planned_card(1), added()), deeds)


def test_one_label_for_another_is_one_new_estimate() -> None:
    swapped = (
        make_planned_card(1, 5)
        .unlabeled("11-18 10:00:00", "points: 5")
        .labeled("11-18 10:00:02", "points: 8")
    )
    again = swapped.unlabeled("11-18 12:00:00", "points: 8").labeled("11-18 12:00:02", "points: 8")
    text = scope_text(facts(again))

    assert text.count("re-estimated") == 1
    assert "· #1 re-estimated, +3 points" in text
    assert "| Re-estimated | +3 | 0 | #1 |" in text


def test_work_that_left_after_it_was_done_is_named() -> None:
    assert "#1 removed, 5 points, though it was done" in scope_text(
        facts(make_planned_card(1).closed("11-17").left("11-18"))
    )


@pytest.mark.parametrize(
    ("cards", "sentence"),
    [
        ([make_planned_card(1)], "**5 points in 1 item**, as committed: nothing has changed since."),
        (
            [make_planned_card(1), make_planned_card(2, 3).left("11-17"), added()],
            "**8 points in 2 items**, as much as committed, after 2 changes.",
        ),
    ],
    ids=["nothing", "as much"],
)
def test_what_leads(cards: list[Card], sentence: str) -> None:
    assert sentence in scope_text(facts(*cards))


def test_before_the_commitment_nothing_is_a_change() -> None:
    assert "the commitment is whatever is in it at the beginning of 16 Nov 2026." in scope_text(
        facts(make_planned_card(1), as_of="11-13")
    )
    made_late = Box("11-18 09:00", due="2026-11-27", start="11-16")
    text = scope_text(facts(added(), as_of="11-18 12:00", frame=made_late))
    assert "the commitment is whatever is in it at the end of 18 Nov 2026." in text


def test_many_changes_of_one_hand_are_one_line_and_old_ones_are_folded() -> None:
    bulk = [added(number) for number in range(20, 30)]
    single = [
        Card(number).opened("11-10", "points: 1").joined(f"11-{16 + number // 10} {10 + number % 10}:00")
        for number in range(1, 19)
    ]
    text = scope_text(facts(make_planned_card(90), *bulk, *single))

    assert "added 30 points in 10 items by `bob`: #20, #21" in text
    assert "4 earlier changes" in text


def test_the_moment() -> None:
    made = facts(make_planned_card(1))

    assert "<sub>As of 19 Nov 2026, 12:00 UTC</sub>" in scope_text(replace(made))
