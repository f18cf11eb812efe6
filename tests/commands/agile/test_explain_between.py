"""`/explain … from:… to:…`: why a number changed, event by event, and that the events add up."""

import re
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from commands.messages.explain_between import ComparedNumber, comparison_text
from commands.messages.explain_sprint import SCOPE
from sprints.comparison import (
    COMPARABLE,
    NumberChange,
    compare_moments,
    compare_work_in_progress,
    find_moved_flows,
    list_changes,
)
from sprints.fact_folding import compute_facts
from sprints.facts import Amount, ScopeCause
from sprints.milestone import derive_sprint
from tests.support.builders import Box, Card, at, make_added_card, make_committed_card
from tests.support.clock import Clock
from tests.support.flow_cards import FlowCard, calendar, flows
from tests.support.past import ask_command, make_sprint_box, record_past
from tests.support.running import Bot
from tests.support.sprints_strategies import MOMENTS, NOWS, PROPERTY_SETTINGS, History, histories


@given(histories(), NOWS, MOMENTS, MOMENTS)
@PROPERTY_SETTINGS
def test_the_events_between_lead_from_one_value_to_the_other(
    history: History, now: datetime, first_moment: datetime, second_moment: datetime
) -> None:
    since, until = sorted((first_moment, second_moment))
    sprint = derive_sprint(history.milestone, now, history.calendar)
    facts = compute_facts(sprint, history.items, now, labels=history.labels)
    for metric in COMPARABLE:
        changes = list_changes(facts, metric)
        comparison = compare_moments(changes, since, until)
        assert comparison.before + comparison.change == comparison.after
        assert all(since <= change.at < until and change.event for change in comparison.changes)
        assert comparison.after == compare_moments(changes, until, until).before
        assert (
            compare_moments(changes, since, at("2100-01-01")).after
            == {
                "scope": facts.scope,
                "done": facts.done,
                "remaining": facts.remaining,
                **{cause.value: facts.total(cause) for cause in ScopeCause},
            }[metric]
        )


@given(histories(is_distinct=True), NOWS, MOMENTS)
@PROPERTY_SETTINGS
def test_the_value_at_a_moment_is_the_one_that_was_shown_then(
    history: History, now: datetime, moment: datetime
) -> None:
    assume(moment < now)
    # A correction says later what was so earlier, which nobody could show then.
    assume(not any(event.event == "corrected" for events in history.items.values() for event in events))
    sprint = derive_sprint(history.milestone, now, history.calendar)
    facts = compute_facts(sprint, history.items, now, labels=history.labels)
    shown = compute_facts(sprint, history.items, moment, labels=history.labels)
    for metric, amount in (("scope", shown.scope), ("done", shown.done), ("remaining", shown.remaining)):
        assert compare_moments(list_changes(facts, metric), moment, moment).before == amount


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(-9, 9), st.integers(-2, 2)), max_size=150),
    st.integers(0, 30),
    st.integers(0, 30),
)
def test_the_table_adds_up(steps: list[tuple[int, int, int]], first_day: int, second_day: int) -> None:
    since, until = (
        at(f"2026-11-{1 + day:02}") if day < 30 else at("12-01") for day in sorted((first_day, second_day))
    )
    event = Card().opened("11-01").events[0]
    changes = [
        NumberChange(
            at(f"2026-11-{1 + day:02}" if day < 30 else "12-01"), 7, Amount(Decimal(points), count), event
        )
        for day, points, count in sorted(steps)
    ]
    comparison = compare_moments(changes, since, until)
    text = comparison_text(
        ComparedNumber(SCOPE, "Sprint 12", comparison, "points", calendar(), lambda _: "alice"), ""
    )

    rows = [
        [cell.strip(" *") for cell in line.strip("|").split("|")] for line in text.split("\n") if "|" in line
    ]
    assert len(rows) <= 105
    if comparison.changes:
        assert _sum(rows[2:-1], -2) == _value(rows[-1][-2]) == comparison.after.points
        assert _sum(rows[2:-1], -1) == _value(rows[-1][-1]) == comparison.after.count
    for line in re.findall(r"^- (.*) = \*\*(.*?) .*\*\*$", text, re.MULTILINE):
        terms = re.findall(r"(^|[+−] )(−?[\d,.]+)(?: in \d|$| )", line[0])
        assert sum((-1 if sign[0:1] == "−" else 1) * _value(value) for sign, value in terms) == _value(
            line[1]
        )


def _sum(rows: list[list[str]], column: int) -> Decimal:
    return sum((_value(row[column]) for row in rows), Decimal(0))


def _value(cell: str) -> Decimal:
    return Decimal(cell.replace("−", "-").replace("+", "").replace(",", ""))


def test_a_sprint_between_two_days_in_words() -> None:
    facts = Box("11-10", start="11-16", due="2026-11-27").facts(
        make_committed_card(1),
        make_committed_card(2, 3).left("11-18 09:00"),
        make_added_card(3, 8),
        as_of="11-24 12:00",
    )
    comparison = compare_moments(list_changes(facts, "scope"), at("11-16"), at("11-20"))
    text = comparison_text(
        ComparedNumber(SCOPE, "Sprint 12", comparison, "points", facts.sprint.calendar, lambda _: "alice"),
        "end",
    )

    assert text.startswith(
        "### Scope · Sprint 12: 8 → 13 points (+5)\n\n2 changes from the beginning of Mon 16 Nov"
    )
    assert "to the end of Thu 19 Nov." in text
    assert (
        "- 8 + 8 in 1 change − 3 in 1 change = **13 points**\n- 2 + 1 in 1 change − 1 in 1 change = **2 items**"
        in text
    )
    assert "| #2 | removed from the milestone | 18 Nov 2026, 09:00 | `alice` | −3 | −1 |" in text


def test_work_in_progress_between_two_moments() -> None:
    cards = (
        FlowCard(1).opened("11-01").started("11-10"),
        FlowCard(2).opened("11-01").started("11-17"),
        FlowCard(3).opened("11-01").started("11-09").closed("11-18"),
        FlowCard(4).opened("11-01").started("11-09").paused("11-19"),
        FlowCard(5).opened("11-01").started("11-17").closed("11-18"),
        FlowCard(6).opened("11-01").assigned("11-18", "bob"),
    )
    since, until = at("11-16"), at("11-20")
    before, after = (tuple(flows(*cards, as_of=moment).values()) for moment in (since, until))
    came, went = find_moved_flows(before, after)
    events = {card.id: card.events for card in cards if card.id in came | went}
    comparison = compare_work_in_progress(before, after, events, since, until)

    assert (comparison.before.count, comparison.after.count) == (3, 3)
    assert [(change.number, change.amount.count, change.event and change.event.event) for change in comparison.changes] == [
        (2, 1, "started"), (3, -1, "closed"), (6, 1, "assigned"), (4, -1, "paused")
    ]  # fmt: skip
    assert comparison.after.count == sum(flow.is_in_progress for flow in after)


# By the front door. The clock says 18 Nov 2026, 12:00; Sprint 24 began on 16 Nov.


async def record_changes(bot: Bot, clock: Clock) -> int:
    cards = [
        FlowCard(1001, "Card form", actor="alice").opened("11-01", "points: 5").joined("11-13", 7024),
        FlowCard(1002, "Refunds", actor="bob").opened("11-01", "points: 3").joined("11-17 10:00", 7024),
        FlowCard(1003, "Receipts", actor="carol").opened("11-01", "points: 2").joined("11-13", 7024),
    ]
    cards[0].closed("11-17 15:00")
    cards[2].left("11-18 09:00", 7024)
    return await record_past(bot, clock, [make_sprint_box(at("2026-11-16"), 24)], cards)


async def test_why_the_scope_changed(bot: Bot, clock: Clock) -> None:
    number = await record_changes(bot, clock)
    await bot.say(number, "/explain scope from:2026-11-17 to:2026-11-18")

    (answer,) = await bot.answers(number, has_titles=True)
    address = f"{bot.github.url}/{bot.repo}/issues"
    assert answer.startswith("### Scope · Sprint 24: 7 → 8 points (+1)\n")
    assert "2 changes from the beginning of Tue 17 Nov to Wed 18 Nov, 12:00." in answer
    assert "- 7 + 3 in 1 change − 2 in 1 change = **8 points**" in answer
    assert "| **Before** |  | 17 Nov 2026, 00:00 |  | **7** | **2** |" in answer
    assert (
        f"| [#1002 Refunds]({address}/1002) | added to the milestone | 17 Nov 2026, 10:00 | `bob` | +3 | +1 |"
        in answer
    )
    assert (
        f"| [#1003 Receipts]({address}/1003) | removed from the milestone | 18 Nov 2026, 09:00 | `carol` | −2 | −1 |"
        in answer
    )
    assert "| **After** |  | 18 Nov 2026, 12:00 |  | **8** | **2** |" in answer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("remaining from:2026-11-16", "### Remaining · Sprint 24: 7 → 3 points (−4)"),
        ("completed from:2026-11-16", "### Done · Sprint 24: 0 → 5 points (+5)"),
        ("remaining from:2026-11-16 by:count", "### Remaining · Sprint 24: 2 → 1 item (−1)"),
        ("added to:2026-11-17", "### Added · Sprint 24: 0 → 3 points (+3)"),
        ("from:2026-11-18", "### Scope · Sprint 24: 10 → 8 points (−2)"),
        ("scope from:2026-11-14 to:2026-11-15", "7 points, as before\n\nNothing changed from the beginning of Sat 14"),
        ("scope from:2026-11-01", "### Scope · Sprint 24: 0 → 8 points (+8)"),
        ("wip from:2026-11-16", "### Work in progress: 0 items, as before"),
        ("scope from:2026-11-18 to:2026-11-17", "Try `/explain scope from:2026-11-17 to:2026-11-18`."),
        ("scope to:2026-11-19", "`to:2026-11-19` is in the future"),
        ("scope from:2026-11-19", "`from:2026-11-19` is in the future"),
        ("scope to:2026-11-10", "`/explain scope from:2026-11-03 to:2026-11-10`"),
        ("velocity from:2026-11-16", "These do: `scope`, `done`, `remaining`, `added`"),
        ("wip from:2026-01-01", "over 92 days at most"),
    ],
)  # fmt: skip
async def test_what_is_answered(bot: Bot, clock: Clock, text: str, words: str) -> None:
    number = await record_changes(bot, clock)
    assert words in await ask_command(bot, number, f"/explain {text}")


async def test_after_its_end_a_sprint_does_not_change(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, '/explain done for:"Sprint 22" from:2026-11-03 to:2026-11-17')
    assert "from the beginning of Tue 3 Nov to the end of Fri 6 Nov" in answer

    refusal = await ask_command(bot, number, '/explain done for:"Sprint 22" from:2026-11-09')
    assert "Sprint 22 ended on 6 Nov 2026, and its numbers have not changed since." in refusal
    assert '`/explain done for:"Sprint 22" from:2026-11-02 to:2026-11-06`' in refusal


async def test_who_asked_the_bot_for_a_change_is_named(bot: Bot) -> None:
    milestone = await bot.github.create_milestone(
        bot.repo, "Sprint 12", due_on="2030-12-08T12:00:00Z", description="Start: 2026-11-01"
    )
    issue = (await bot.github.create_issue(bot.repo, "Card form", labels=["points: 5"]))["number"]
    await bot.rest()
    assert milestone["title"] == "Sprint 12"
    await bot.say(issue, f"/sprint add #{issue}", as_user="carol")
    await bot.say(issue, "/explain scope from:2026-11-01 new:yes")

    answer = (await bot.answers(issue))[-1]
    assert re.search(rf"\| #{issue} \| added to the milestone \| [^|]*\| `carol` \| \+5 \| \+1 \|", answer)
