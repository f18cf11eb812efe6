"""`/explain`: every number adds up from its list, and every line has its event."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.agile.explain import METRICS
from commands.messages.explain import (
    Explanation,
    ExplanationRow,
    ItemListing,
    addition_text,
    delivery_text,
    event_text,
    explanation_text,
    listing_table,
)
from commands.messages.explain_flow import explain_velocity, percentile_text
from commands.messages.explain_overview import explain_overview
from commands.messages.explain_sprint import (
    ADDED,
    DROPPED,
    REESTIMATED,
    REMOVED,
    SprintEvidence,
    explain_carry_over,
    explain_cause,
    explain_committed,
    explain_done,
    explain_remaining,
    explain_say_do,
    explain_scope,
)
from sprints.calendar import Calendar
from sprints.estimates import Estimates
from sprints.facts import Amount, Facts, ScopeCause
from sprints.history import LabelHistory, trace_changes
from sprints.model import EventSource
from sprints.order_statistics import find_nearest_rank
from sprints.velocity import compute_velocity, list_carry_over
from tests.support.builders import (
    SPRINT,
    Box,
    Card,
    at,
    label_deleted,
    make_added_card,
    make_committed_card,
    renamed,
)
from tests.support.clock import Clock
from tests.support.flow_cards import FlowCard
from tests.support.outcomes import USUAL_OUTCOMES
from tests.support.past import ask_command, record_past
from tests.support.running import Bot
from tests.support.sprints_strategies import NOWS, PROPERTY_SETTINGS, History, histories


def told(*cards: Card, as_of: str = "11-19 12:00", due: str = "2026-11-27") -> SprintEvidence:
    facts = Box("11-10", start="11-16", due=due).facts(*cards, as_of=as_of)
    return SprintEvidence(facts, {card.id: trace_changes(card.events, SPRINT) for card in cards}, "points")


def told_of(history: History, facts: Facts) -> SprintEvidence:
    book = LabelHistory(history.labels)
    estimates = Estimates(history.sizes or {})
    milestone = facts.sprint.milestone
    result = {
        item: trace_changes(data, milestone, estimates, book.find_for(data))
        for item, data in history.items.items()
    }
    return SprintEvidence(facts, result, "points")


def rows_of(text: str) -> list[list[str]]:
    """The cells of the first table's rows, without its head."""
    lines = [line for line in text.split("\n") if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[2:]]


# The arithmetic


@given(st.lists(st.decimals(-50, 50, places=2), min_size=1, max_size=30))
def test_an_addition_adds_up(values: list[Decimal]) -> None:
    answer = addition_text(values, "x").removesuffix(" = **x**")
    terms = [term.replace("(", "").replace(")", "").replace("−", "-") for term in answer.split(" + ")]
    products = [[Decimal(factor) for factor in term.split(" × ")] for term in terms]

    assert sum((p[0] * p[1] if len(p) == 2 else p[0] for p in products), Decimal(0)) == sum(values)


def test_an_addition_puts_equal_values_together() -> None:
    values = [Decimal(v) for v in (3, 5, 3, -2, 0)]
    assert addition_text(values, "9 points") == "5 + 2 × 3 + 0 + (−2) = **9 points**"


@given(st.lists(st.integers(1, 60), min_size=1).map(sorted), st.sampled_from([50, 85, 95]))
def test_a_percentile_is_the_value_at_its_place(days: list[int], percent: int) -> None:
    value = find_nearest_rank(days, percent)
    assert percentile_text(days, percent).endswith(f"**{value} {'day' if value == 1 else 'days'}**")


def test_a_velocity_tells_which_value_is_in_the_middle() -> None:
    odd, even = (
        explain_velocity(compute_velocity(USUAL_OUTCOMES), Calendar()),
        explain_velocity(compute_velocity([*USUAL_OUTCOMES, USUAL_OUTCOMES[0]]), Calendar()),
    )
    assert odd.result == "21 points"
    assert odd.arithmetic == ["In ascending order 19, 21, 22: the median is **21 points**"]
    assert even.arithmetic == [
        "In ascending order 19, 21, 21, 22: the median is (21 + 21) ÷ 2 = **21 points**"
    ]
    few = explain_velocity(compute_velocity(USUAL_OUTCOMES[:2]), Calendar())
    assert few.result == "too few to say"
    assert few.arithmetic == ["2 sprints finished; a velocity needs 3."]


# The lists of a sprint

CARDS = (
    make_committed_card(1).closed("11-17"),
    make_committed_card(2, 3),
    make_committed_card(3).left("11-17"),
    make_committed_card(4, 2).dropped("11-18"),
    make_committed_card(5, 1).estimated("11-18", 8),
    make_added_card(6, 8),
)
OF_SPRINT: dict[str, Callable[[SprintEvidence], Explanation]] = {
    "committed": explain_committed,
    "added": lambda entry: explain_cause(entry, ADDED, ScopeCause.ADDED),
    "removed": lambda entry: explain_cause(entry, REMOVED, ScopeCause.REMOVED),
    "dropped": lambda entry: explain_cause(entry, DROPPED, ScopeCause.DROPPED),
    "reestimated": lambda entry: explain_cause(entry, REESTIMATED, ScopeCause.REESTIMATED),
    "scope": explain_scope,
    "done": explain_done,
    "remaining": explain_remaining,
    "say/do": explain_say_do,
    "carry-over": lambda entry: explain_carry_over(entry, list_carry_over(entry.facts)),
}


def total_of(facts: Facts, metric: str) -> Amount:
    result = {cause.value: facts.total(cause) for cause in ScopeCause}
    result |= {"committed": facts.committed, "scope": facts.scope, "done": facts.done}
    return (result | {"remaining": facts.remaining, "say/do": facts.committed})[metric]


@pytest.mark.parametrize(
    ("metric", "result", "events"),
    [
        ("committed", "16 points in 5 items", {1: "opened with points: 5<br>added to the milestone"}),
        ("added", "8 points in 1 item", {6: "opened in a milestone with points: 8"}),
        ("removed", "5 points in 1 item", {3: "removed from the milestone"}),
        ("dropped", "2 points in 1 item", {4: "closed as not planned or duplicate"}),
        ("reestimated", "7 points", {5: "labelled points: 8"}),
        ("scope", "24 points in 4 items", {5: "added to the milestone<br>labelled points: 8"}),
        ("done", "5 points in 1 item", {1: "closed"}),
        ("remaining", "19 points in 3 items", {6: "opened in a milestone with points: 8"}),
        ("say/do", "31 %", {1: "closed", 2: "not done", 3: "not done"}),
        ("carry-over", "none yet", {}),
    ],
)
def test_each_number_of_a_sprint(metric: str, result: str, events: dict[int, str]) -> None:
    text = explanation_text(OF_SPRINT[metric](told(*CARDS)), "")
    rows = {row[0]: row for row in rows_of(text)}

    assert text.startswith("### ")
    assert text.split("\n")[0].endswith(f" · Sprint 12: {result}")
    assert "Source: " in text
    for number, words in events.items():
        assert words in rows[f"#{number}"]


def test_the_equation_of_the_scope() -> None:
    entry = told(*CARDS)
    for text in (explanation_text(explain_scope(entry), ""), explain_overview(entry.facts)):
        assert "16 committed + 8 added − 5 removed − 2 dropped + 7 re-estimated = **24 points**" in text
        assert "5 committed + 1 added − 1 removed − 1 dropped = **4 items**" in text
    assert all(f"`/explain {metric}`" in explain_overview(entry.facts) for metric in METRICS)


def test_scope_that_an_estimate_lowered_is_subtracted_in_brackets() -> None:
    text = explanation_text(explain_scope(told(make_committed_card(1, 8).estimated("11-18", 5))), "")
    assert "8 committed + 0 added − 0 removed − 0 dropped + (−3) re-estimated = **5 points**" in text


def test_what_was_carried_over_at_the_end() -> None:
    entry = told(*CARDS, as_of="12-05")
    text = explanation_text(explain_carry_over(entry, list_carry_over(entry.facts)), "")
    assert "Carry-over · Sprint 12: 19 points in 3 items" in text
    assert "2 × 8 + 3 = **19 points**" in text
    assert "| #6 | 8 | 1 | 1 time |" in text


def test_what_is_not_estimated_is_stated_and_what_never_happened_as_well() -> None:
    text = explanation_text(explain_committed(told(Card(1).opened("11-10").joined("11-12"))), "")
    assert "1 item not estimated, 0 points each" in text
    assert "| #1 | not estimated | 1 | added to the milestone |" in text
    nothing = explanation_text(OF_SPRINT["added"](told(make_committed_card(1))), "")
    assert "Nothing of that kind has happened in this sprint." in nothing
    assert "n/a" in explanation_text(explain_say_do(told(make_added_card(1, 3))), "")


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_every_list_of_a_sprint_adds_up_to_its_number(history: History, as_of: object) -> None:
    facts = history.facts(as_of)  # type: ignore[arg-type]
    entry = told_of(history, facts)
    for metric, explain in OF_SPRINT.items():
        result = explain(entry)
        assert result.listing is not None
        if metric == "carry-over":
            continue
        total = total_of(facts, metric)
        assert sum(result.listing.amounts, Amount()) == total
        if result.listing.rows:
            assert rows_of(explanation_text(result, ""))[-1][:3] == [
                "**Sum**", f"**{_number(total.points)}**", f"**{total.count}**"
            ]  # fmt: skip


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_every_item_that_counts_has_the_event_that_made_it_count(history: History, as_of: object) -> None:
    facts = history.facts(as_of)  # type: ignore[arg-type]
    entry = told_of(history, facts)
    for explain in (explain_committed, explain_scope, explain_remaining, explain_done):
        listed = explain(entry).listing
        assert listed is not None
        assert all(row.events for row in listed.rows)
        assert all(event.at < facts.as_of for row in listed.rows for event in row.events)


def _number(value: Decimal) -> str:
    return f"{value:,f}".rstrip("0").rstrip(".").replace("-", "−") if "." in f"{value:f}" else f"{value:,}".replace("-", "−")  # fmt: skip


# How events and long lists are told


def test_how_something_came_to_be_known() -> None:
    event = Card().opened("11-10").events[0]
    assert delivery_text(replace(event, delivery="d-`1")) == "`d-1`"
    assert delivery_text(replace(event, source=EventSource.BACKFILL)) == "fetched later"
    assert delivery_text(replace(event, source=EventSource.CORRECTION)) == "found later"
    assert delivery_text(replace(event, delivery="")) == ""


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (Card().opened("11-10").closed("11-11"), "closed"),
        (Card(is_pull_request=True).opened("11-10").closed("11-11"), "merged"),
        (Card(is_pull_request=True).opened("11-10").dropped("11-11"), "closed unmerged"),
        (Card().opened("11-10").labeled("11-11", "@all <b>"), "labelled @\u200ball \\<b\\>"),
        (Card().opened("11-10").unlabeled("11-11", "sp/5"), "label removed: sp/5"),
        (Card().opened("11-10", "sp/5").lost_a_label("11-11", "sp/5"), "a label was deleted"),
        (FlowCard().opened("11-10").assigned("11-11"), "assigned"),
        (Card().opened("11-10").commented("11-11"), "commented"),
    ],
)
def test_what_happened_in_words(card: Card, words: str) -> None:
    assert event_text(card.events[-1]) == words


def test_what_happened_to_labels_in_words() -> None:
    assert event_text(renamed("11-10", "big", "sp/8")) == "label big renamed to sp/8"
    assert event_text(label_deleted("11-10", "big")) == "label big deleted"


def test_a_long_list_is_folded_and_its_rest_is_one_line_that_adds_up() -> None:
    amounts = [Amount(Decimal(n), 1) for n in range(120)]
    rows = [ExplanationRow(n, (str(n), "1")) for n in range(120)]
    listed = ItemListing("120 lines", ("Points", "Items"), rows, ("7140", "120"), amounts=amounts)
    text = explanation_text(Explanation(ADDED, "x", "y", (), listed), "")

    assert "<summary>120 lines</summary>" in text
    result = rows_of(listing_table(listed, None))
    assert len(result) == 102
    assert result[-2][:3] == ["… 20 more", "2,190", "20"]
    assert sum(int(row[1].replace(",", "")) for row in result[:-1]) == 7140


# By the front door


async def test_without_a_metric(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, "/explain")

    assert answer.startswith("### How the scope of Sprint 24 came about")
    assert "12 committed + 0 added − 0 removed − 0 dropped + 0 re-estimated = **12 points**" in answer
    assert "**6 points in 2 items done, 6 points in 2 items remaining.**" in answer


async def test_who_did_what_when_and_which_delivery_told_it(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, '/explain added for:"Sprint 22" verbose:yes')

    assert "### Added · Sprint 22: 9 points in 3 items" in answer
    assert "3 × 3 = **9 points**" in answer
    assert re.search(
        r"\| #1011 \| 3 \| 1 \| added to the milestone \| 2 Nov 2026, 00:00 \| `alice` \| `delivery-\d+` \|",
        answer,
    )


async def test_without_verbose_it_names_actors_and_times_but_no_deliveries(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, '/explain added for:"Sprint 22"')

    assert "| #1011 | 3 | 1 | added to the milestone | 2 Nov 2026, 00:00 | `alice` |\n" in answer
    assert "deliver" not in answer.lower()
    assert answer.index("= **9 points**") < answer.index("**What it is:** The estimate of whatever entered")


async def test_how_often_an_item_was_carried_over(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    first = await ask_command(bot, number, '/explain carry-over for:"Sprint 21"')
    second = await ask_command(bot, number, '/explain carry over for:"Sprint 22"')

    assert "| #1013 | 3 | 1 | 1 time |" in first
    assert "| #1013 | 3 | 1 | 2 times |" in second
    assert "1 item had been carried over before" in second


@pytest.mark.parametrize(
    ("metric", "result", "more"),
    [
        ("velocity", "the last 4 sprints: 12 points", "(12 + 12) ÷ 2 = **12 points**"),
        ("throughput", "18 items", "4 (week of 19 Oct) + 1 (week of 26 Oct) + 6 (week of 2 Nov)"),
        ("cycle time", "85 % within 9 days", "85 % of 18 is 15.3, so position 16: **9 days**"),
        ("Cycle-Time", "85 % within 9 days", "| #1013 | 21 | assigned | assigned<br>closed |"),
        ("leadtime", "85 % within 11 days", "| #1013 | 23 | opened with points: 3<br>closed |"),
        ("WIP", "now: 2 items", "2 open − 0 not started − 0 paused = **2 items**"),
        ("throughput last:1", "this week: 2 items", "1 (16 Nov) + 1 (17 Nov) + 0 (18 Nov) = **2 items**"),
        ('done for:"Sprint 20"', "Sprint 20: 12 points in 4 items", "4 × 3 = **12 points**"),
        ('say/do for:"Sprint 21" by:count', "Sprint 21: 25 %", "1 kept ÷ 4 items committed = **25 %**"),
    ],
)
async def test_each_metric_is_answered(bot: Bot, clock: Clock, metric: str, result: str, more: str) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, f"/explain {metric}")

    assert answer.split("\n")[0].endswith(result)
    assert more in answer
    assert "Source: " in answer


async def test_every_name_that_is_reported_is_understood(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    for metric in METRICS:
        assert (await ask_command(bot, number, f"/explain {metric}")).startswith("### ")


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ("veloity", "I cannot explain “veloity”. Did you mean `/explain velocity`?"),
        ("@all", "I cannot explain “@\u200ball”. I can explain: `committed`"),
        ("velocity last:3", "so `for` and `last` don't apply"),
        ('added for:"Sprint 99"', "no milestone called “Sprint 99”"),
        ("throughput last:0", "`last:0` is not valid. Use a number of calendar weeks from 1 to 52"),
    ],
)
async def test_what_cannot_be_explained(bot: Bot, clock: Clock, expected: str, words: str) -> None:
    number = await record_past(bot, clock)
    assert words in await ask_command(bot, number, f"/explain {expected}")


async def test_a_stranger_is_refused(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    assert "is for collaborators of this repository" in await ask_command(bot, number, "/explain", "mallory")


def test_each_moment_is_shown_in_the_zone_that_was_in_force() -> None:
    rows = [
        ExplanationRow(n, ("1",), (Card().opened(at(when)).events[0],))
        for n, when in enumerate(("11-10 23:30", "12-10 23:30"))
    ]
    calendar = Calendar(
        ((date.min, ZoneInfo("Europe/Helsinki")), (date(2026, 12, 1), ZoneInfo("Asia/Tokyo")))
    )
    text = listing_table(ItemListing("x", ("Items",), rows), calendar)
    assert "11 Nov 2026, 01:30" in text
    assert "11 Dec 2026, 08:30" in text
