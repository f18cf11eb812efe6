"""`/burndown` and what it says of a sprint."""

import re
from decimal import Decimal

import pytest
from hypothesis import given

from commands.messages.sprint_charts import days_table, summarize_burndown
from sprints.burndown import build_burndown
from tests.support.builders import Box, Card, make_added_card, make_committed_card
from tests.support.clock import Clock
from tests.support.past import ask_command, record_past
from tests.support.running import Bot
from tests.support.sprints_strategies import NOWS, PROPERTY_SETTINGS, History, histories


def reading(*cards: Card, as_of: str = "11-19 12:00", due: str | None = "2026-11-27") -> list[str]:
    facts = Box("11-10", start="11-16", due=due).facts(*cards, as_of=as_of)
    return summarize_burndown(facts, build_burndown(facts, "points"))


def test_behind_because_of_what_came_in() -> None:
    """Ten working days: 12 of 20 points remain on the ideal line on Thursday evening, 14 in the morning."""
    cards = [make_committed_card(n).closed("11-17") for n in (1, 2)] + [
        make_committed_card(3),
        make_committed_card(4),
        make_added_card(5, 8),
    ]
    lead, _, need = reading(*cards)

    assert lead == (
        "**4 points behind the ideal line**: the scope grew by 8 since the start, and the work itself is 4 "
        "ahead. Agree on what to remove in exchange: `/sprint scope` lists what was added."
    )
    assert (
        need == "7 working days to go, today included: 2.6 a day would be needed, 2.5 a working day so far."
    )


def test_behind_because_of_what_is_not_done() -> None:
    lead = reading(*(make_committed_card(n) for n in range(1, 5)))[0]
    assert lead == (
        "**6 points behind the ideal line**: work that is not done yet. "
        "See what has been in progress the longest: `/aging`."
    )


def test_behind_although_the_scope_fell() -> None:
    lead = reading(
        make_committed_card(1),
        make_committed_card(2),
        make_committed_card(3),
        make_committed_card(4, 2).left("11-17"),
    )[0]
    assert "behind the ideal line**: work that is not done yet, although the scope fell by 2. See" in lead


def test_behind_by_both() -> None:
    lead = reading(*(make_committed_card(n) for n in range(1, 5)), make_added_card(5, 1))[0]
    assert "**7 points behind the ideal line**: the scope is 1 above the start, 6 more should be done" in lead
    assert lead.endswith("`/aging`.")


def test_on_the_line_and_ahead() -> None:
    assert reading(make_committed_card(1, 4).closed("11-17"), make_committed_card(2, 6))[0].startswith(
        "**On the ideal line**"
    )
    assert reading(make_committed_card(1).closed("11-17"), make_committed_card(2, 1))[0].startswith(
        "**2.6 points ahead of the"
    )


@pytest.mark.parametrize(
    ("as_of", "due", "words"),
    [
        (
            "11-14 12:00",
            "2026-11-27",
            "**It has not started**: 5 points planned so far, starting on Mon 16 Nov.",
        ),
        ("11-19 12:00", None, "**5 points to do.** Give the milestone a due date to see whether that fits."),
        ("11-30 12:00", "2026-11-27", "**5 of 5 points were not done** when it ended: #1."),
    ],
)
def test_what_has_no_line(as_of: str, due: str | None, words: str) -> None:
    assert reading(make_committed_card(1), as_of=as_of, due=due)[0].startswith(words)


def test_due_before_it_starts() -> None:
    facts = Box("11-10", due="2026-11-06").facts(make_committed_card(1), as_of="11-19")
    lines = summarize_burndown(facts, build_burndown(facts, "points"))
    assert lines[0].startswith("**It is due before it starts**")


def test_all_done() -> None:
    done = make_committed_card(1).closed("11-17")
    assert reading(done)[0].startswith("**Everything in scope is done.**")
    ended = reading(done, as_of="11-30")
    assert ended[0] == "**Everything in scope was done** when it ended."
    assert ended[2] == "5 points done; of what was committed, 5 of 5 points (100 %)."


def test_all_dropped() -> None:
    dropped = make_committed_card(1).dropped("11-17")
    assert reading(dropped)[0].startswith("**Nothing is in scope now: everything was dropped.** ")
    ended = reading(dropped, as_of="11-30")
    assert ended[0] == "**Nothing was in scope when it ended: everything was dropped.**"


def test_the_largest_step_or_days_without_any() -> None:
    cards = [
        make_committed_card(1).closed("11-17 10:00"),
        make_committed_card(2),
        make_added_card(3, 8, "11-17 11:00"),
    ]
    assert reading(*cards, as_of="11-18 00:00")[1] == (
        "The largest step: up by 3 points (+8 of scope, +5 done) on Tue 17 Nov."
    )
    assert reading(*cards, as_of="11-24 12:00")[1] == (
        "No points were done on 4 working days in a row, Wed 18 Nov to Mon 23 Nov."
    )


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_the_parts_of_being_behind_add_up(history: History, as_of: object) -> None:
    facts = history.facts(as_of)  # type: ignore[arg-type]
    for unit in ("points", "count"):
        burndown = build_burndown(facts, unit)
        lines = summarize_burndown(facts, burndown)
        assert len(lines) == 3
        assert lines[0]
        if result := re.match(
            r"\*\*([\d.,]+) \w+ behind .* is ([\d.,]+) above the start, ([\d.,]+) more should", lines[0]
        ):
            whole, scope, undone = (Decimal(group.replace(",", "")) for group in result.groups())
            assert whole == scope + undone
        known_items = sum(day.remaining is not None for day in burndown.days)
        assert len(days_table(burndown).split("\n")) == (
            2 + min(known_items, 62) + (known_items > 62) if known_items else 1
        )


async def test_from_the_comment_to_the_answer(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, "/burndown by:points as:table")

    assert answer.startswith("### Burndown · Sprint 24\n\n- **On the ideal line**, with 6 points to do.\n")
    assert "**Data by day, in points**" in answer
    assert "| Tue 17 Nov | 12 | 6 | 6 | 7.2 |" in answer
    assert answer.endswith("<sub>As of 18 Nov 2026, 12:00 UTC · complete</sub>")


async def test_of_another_sprint_and_of_none(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, '/burndown for:"Sprint 21" by:count')

    assert (
        "### Burndown · Sprint 21\n\n- **3 of 4 items were not done** when it ended: #1011, #1012, #1013."
        in answer
    )
    assert '`/explain carry-over for:"Sprint 21"` shows how often each was carried over' in answer
    assert "no milestone called “Sprint 99”" in await ask_command(bot, number, '/burndown for:"Sprint 99"')
