"""Texts of the sticky comment, of alerts and of automatic summaries."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.framework.changes import CreateMilestone, EditMilestone, Step, encode_steps
from commands.shared.tracking import remember_thread_step
from reports.alert import alert_text
from reports.sprint_tracking import TrackingPlace, find_start_thread, is_sprint, resolve_tracking_place
from reports.sticky_comment import (
    StickyComment,
    content_digest,
    effect_words,
    facts_without,
    line_key,
    shown_lines,
    text_above_chart,
    text_below_chart,
)
from sprints.alerts import BlockedItem, DaysLeft, ForecastDrop, HalfWay, ScopeGrowth
from sprints.burndown import build_burndown
from sprints.facts import Amount, Facts, ScopeCause
from sprints.ledger import LedgerLine, group_ledger
from sprints.settings_parser import parse_settings
from storage.changes import ChangeState, CommandChange
from storage.projects import Project
from tests.support.builders import Box, Card


def facts(*cards: Card, as_of: str = "11-18 12:00") -> Facts:
    committed = Card(1, "Card form").opened("11-10", "points: 10").joined("11-12")
    return Box("11-10", due="2026-11-27", start="11-16").facts(committed, *cards, as_of=as_of)


def living(*cards: Card, as_of: str = "11-18 12:00", **more: Any) -> StickyComment:
    result = facts(*cards, as_of=as_of)
    return StickyComment(result, build_burndown(result), **more)


def late(number: int, when: str = "11-17 10:00", points: str | None = "3", title: str = "Late wish") -> Card:
    labels = [f"points: {points}"] if points else []
    return Card(number, title).opened("11-10", *labels).joined(when)


def line_of(result: Facts, number: int) -> LedgerLine:
    (line,) = [entry for entry in group_ledger(result.ledger) if entry.changes[0].number == number]
    return line


# The card


def test_each_scope_change_is_a_line_the_latest_first() -> None:
    dropped = late(3, "11-17 09:00").dropped("11-18 09:00")
    text = text_above_chart(living(late(2), dropped, late(4, "11-18 10:00", None)))
    lines = [line for line in text.splitlines() if line.startswith("- ")]

    assert "**Scope since the start:** +3 points, 4 changes" in text
    assert lines == [
        "- Wed 18 Nov · #4 added, not estimated",
        "- Wed 18 Nov · #3 dropped, −3 points",
        "- Tue 17 Nov · #2 added, +3 points",
        "- Tue 17 Nov · #3 added, +3 points",
    ]


def test_what_a_change_did_stands_beside_it() -> None:
    result = facts(late(2))
    effects = {line_key(line_of(result, 2)): effect_words(0.81, 0.6)}
    text = text_above_chart(living(late(2), effects=effects))
    assert "added, +3 points · chance 8 in 10 → **6 in 10**" in text
    assert effect_words(0.7, 0.71) == "", "four lines of the same chance are noise"


def test_only_the_last_ten_changes_are_open() -> None:
    text = text_above_chart(living(*(late(n, f"11-17 10:{n:02}") for n in range(2, 20))))
    open_part, _, folded = text.partition("<details>")
    assert open_part.count("\n- ") == 10
    assert "<summary>8 earlier changes</summary>" in folded
    assert folded.count("\n- ") == 8


def test_what_waits_and_for_what() -> None:
    text = text_above_chart(living(blocked=(BlockedItem(4, 3, (9,), "no *key*"), BlockedItem(5, 0))))
    assert "**Blocked**\n- #4 for 3 working days, by #9: no \\*key\\*\n- #5 since today" in text


def test_nobody_is_mentioned_and_nothing_is_formatted() -> None:
    reason = "@acme/all <b>**now**</b> `x`"
    text = text_above_chart(living(late(2, title=reason), blocked=(BlockedItem(4, 3, (), reason),)))
    assert not re.search(r"@\w", text)
    assert "<b>" not in text
    assert "**now" not in text


def test_it_says_as_of_when_and_how_to_silence_it() -> None:
    text = text_below_chart(living())
    assert "As of 18 Nov 2026, 12:00 UTC" in text
    assert "To silence this thread, run `/agile quiet on`" in text
    assert "quiet" not in text_below_chart(living(is_silenced=True))


# Equal or not


def test_within_a_day_time_alone_changes_nothing() -> None:
    result = {content_digest(living(late(2), as_of=f"11-18 {hour:02}:30")) for hour in range(11, 24)}
    assert len(result) == 1
    assert content_digest(living(late(2), as_of="11-19 00:30")) not in result


def test_what_is_expected_changes_nothing_but_what_happened_does() -> None:
    plain = content_digest(living())
    assert content_digest(living(expected="**7 in 10**", effects={"x": "y"})) == plain
    others = [
        living(late(2)),
        living(Card(5).opened("11-10", "points: 1").joined("11-12")),
        living(blocked=(BlockedItem(1, 1),)),
        living(is_silenced=True),
    ]
    assert len({plain, *map(content_digest, others), content_digest(living(), "image")}) == len(others) + 2


@given(st.lists(st.integers(0, 5), max_size=8), st.integers(0, 8))
def test_the_digest_tells_every_difference_of_numbers(points: list[int], done: int) -> None:
    def cards(*, is_done: bool) -> list[Card]:
        result = [late(2 + n, points=str(worth)) for n, worth in enumerate(points)]
        if is_done and done < len(result):
            result[done].closed("11-18 09:00")
        return result

    is_different = done < len(points)
    assert (
        content_digest(living(*cards(is_done=True))) != content_digest(living(*cards(is_done=False)))
    ) is is_different


# A change undone


@pytest.mark.parametrize(
    ("card", "cause", "points", "count"),
    [
        (late(2), ScopeCause.ADDED, 10, 1),
        (late(2, points=None), ScopeCause.ADDED, 10, 1),
        (Card(2).opened("11-10", "points: 5").joined("11-12").left("11-17"), ScopeCause.REMOVED, 15, 2),
        (Card(2).opened("11-10", "points: 5").joined("11-12").dropped("11-17"), ScopeCause.DROPPED, 15, 2),
        (
            Card(2).opened("11-10", "points: 5").joined("11-12").estimated("11-17", 2),
            ScopeCause.REESTIMATED,
            15,
            2,
        ),
    ],
)
def test_what_the_sprint_would_be_without_a_change(
    card: Card, cause: ScopeCause, points: int, count: int
) -> None:
    result = facts(card)
    line = line_of(result, 2)
    assert line.cause is cause
    before = facts_without(line, result)
    assert before
    assert before.remaining == Amount(Decimal(points), count)


def test_what_changed_nothing_of_what_is_left_had_no_effect() -> None:
    done = Card(2).opened("11-10", "points: 5").joined("11-12").closed("11-16 10:00").left("11-17")
    result = facts(done)
    assert facts_without(line_of(result, 2), result) is None


def test_the_shown_lines_are_those_of_the_card() -> None:
    result = facts(*(late(n, f"11-17 10:{n:02}") for n in range(2, 20)))
    assert [line.changes[0].number for line in shown_lines(result)] == list(range(19, 9, -1))
    assert len({line_key(line) for line in group_ledger(result.ledger)}) == 18


# Where


def test_where_a_sprint_is_followed() -> None:
    sprint = facts().sprint
    assert resolve_tracking_place(parse_settings({}), sprint, None) is None
    assert resolve_tracking_place(parse_settings({}), sprint, 5) == TrackingPlace(5)
    assert resolve_tracking_place(parse_settings({"tracking": 7}), sprint, 5) == TrackingPlace(7)
    assert resolve_tracking_place(parse_settings({"tracking": "7"}), sprint, 5) == TrackingPlace(7)
    assert resolve_tracking_place(parse_settings({"tracking": "issue"}), sprint, 5) == TrackingPlace(None)
    assert resolve_tracking_place(parse_settings({"tracking": "off"}), sprint, 5) is None
    assert resolve_tracking_place(parse_settings({"tracking": True}), sprint, 5) == TrackingPlace(5)
    assert resolve_tracking_place(parse_settings({"tracking": ["x"]}), sprint, None) is None


def test_a_thread_that_was_remembered() -> None:
    sprint = facts().sprint
    project = Project(
        1, "acme/shop", is_private=False, installation=100, stored_settings={"threads": {"1": 2}}
    )
    step = remember_thread_step(project, sprint.milestone, 9)
    assert step.after == {"1": 2, str(sprint.milestone): 9}
    assert resolve_tracking_place(parse_settings({step.key: step.after}), sprint, None) == TrackingPlace(9)
    assert find_start_thread(sprint, ()) is None


def started(*steps: Step) -> CommandChange:
    words: dict[str, Any] = dict.fromkeys(CommandChange.__dataclass_fields__, "")
    return CommandChange(
        **words | {"id": 1, "thread": 5, "steps": encode_steps(steps), "state": ChangeState.APPLIED}
    )


def test_a_sprint_is_known_by_its_id_whatever_it_is_called() -> None:
    sprint = facts().sprint
    made = CreateMilestone("Another title", milestone=sprint.milestone)
    assert find_start_thread(sprint, [started(made)]) == 5
    assert find_start_thread(sprint, [started(CreateMilestone(sprint.title, milestone=99))]) is None
    # What older versions wrote down names no id.
    assert find_start_thread(sprint, [started(CreateMilestone(sprint.title))]) == 5
    assert find_start_thread(sprint, [started(EditMilestone(sprint.number, {}, {}))]) == 5
    assert find_start_thread(sprint, [started(EditMilestone(sprint.number, {}, {}, "acme/other"))]) is None


def test_what_is_a_time_box() -> None:
    assert is_sprint(facts().sprint)
    assert is_sprint(Box("11-10", start="11-16").sprint())
    assert not is_sprint(Box("11-10").sprint())
    assert not is_sprint(Box("11-10", due="2026-11-27").deleted("11-12").sprint())


# Alerts


def test_the_first_line_is_the_news_and_all_else_follows() -> None:
    text = alert_text(
        facts(late(2)),
        (ScopeGrowth(1), ForecastDrop(0.22), BlockedItem(4, 3, (9,))),
        "**2 in 10** chance that the remaining 5 points are done.",
    )
    *data, hint = text.split("\n\n")
    assert data == [
        "**Sprint 12:** the scope has grown by 30 %, from 10 to 13 points. Latest changes: #2 (+3 points).",
        "It was likely to finish by Fri 27 Nov, but now the chance is 2 in 10.",
        "#4 has been blocked for 3 working days, by #9.",
        "**2 in 10** chance that the remaining 5 points are done.",
    ]
    assert hint.startswith(
        "<sub>I post each alert once per sprint, and scope growth again each time it doubles · "
    )


@pytest.mark.parametrize(
    ("added", "news"),
    [
        ("9.9", "has grown by 99 %, from 10 to 19.9 points"),
        ("9.99", "has grown by >99 %, from 10 to 19.99 points"),
        ("10", "has doubled, from 10 to 20 points"),
        ("15", "has more than doubled, from 10 to 25 points"),
        ("20", "has tripled, from 10 to 30 points"),
        ("39.9", "has more than quadrupled, from 10 to 49.9 points"),
        ("40", "has grown to 5 times the commitment, from 10 to 50 points"),
        ("102.5", "has grown to more than 11 times the commitment, from 10 to 112.5 points"),
    ],
)
def test_large_growth_is_reported_as_people_say_it(added: str, news: str) -> None:
    assert f"the scope {news}." in alert_text(facts(late(2, points=added)), (ScopeGrowth(1),))


@pytest.mark.parametrize(
    ("crossed", "news"),
    [
        (HalfWay(5), "half of the working days are over, and 5 are left. **0 of 10 points done** (0 %)."),
        (DaysLeft(2), "2 working days left, including today. **0 of 10 points done** (0 %). Still open: #1."),
        (DaysLeft(1), "this is the last working day. **0 of 10 points done** (0 %). Still open: #1."),
    ],
)
def test_what_time_brings(crossed: HalfWay | DaysLeft, news: str) -> None:
    assert alert_text(facts(), (crossed,)).startswith(f"**Sprint 12:** {news}")


def test_several_that_are_blocked_are_a_list() -> None:
    blocked = tuple(BlockedItem(n, 4) for n in range(1, 15))
    text = alert_text(facts(), blocked)
    assert text.startswith(
        "**Sprint 12:** 14 items have been blocked for a long time:\n- #1 for 4 working days"
    )
    assert "- and 4 more" in text
