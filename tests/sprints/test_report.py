"""A sprint's report: each total is that of the facts, and the sum of its list."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings

from charts.reading import is_over
from sprints.burndown import build_burndown
from sprints.estimates import Estimates
from sprints.fact_folding import compute_facts
from sprints.facts import Amount, Facts, ScopeCause, sum_items
from sprints.milestone import derive_sprint
from sprints.plain import convert_facts
from sprints.report import Report, build_final_burndown, build_report
from tests.support.builders import Box, Card
from tests.support.sprints_strategies import NOWS, History, histories


def report(facts: Facts, as_of_now: Facts | None = None) -> Report:
    values: dict[str, Any] = convert_facts(facts)
    if as_of_now:
        values["late"] = convert_facts(as_of_now)["late"]
    return build_report(values, is_over=facts.sprint.has_ended(facts.as_of))


def card(number: int, points: int | None) -> Card:
    labels = [] if points is None else [f"points: {points}"]
    return Card(number).opened("11-10", *labels).joined("11-12")


BOX = Box("11-10", due="2026-11-27", start="11-16")


def test_a_sprint_that_is_over() -> None:
    cards = [
        card(1, 5).closed("11-18"),
        card(2, 3),
        card(3, None).left("11-19"),
        Card(4).opened("11-10", "points: 8").joined("11-20"),
        card(5, 2).dropped("11-20"),
        card(6, 1).estimated("11-18", 3).closed("11-20"),
        card(7, 2).closed("11-28 09:00"),
    ]
    end = BOX.sprint().end
    assert end
    result = report(BOX.facts(*cards, as_of=end), BOX.facts(*cards, as_of="12-05"))

    assert result.is_over
    assert result.committed.total == Amount(Decimal(13), 6)
    assert [entry.number for entry in result.committed.entries if not entry.is_estimated] == [3]
    assert {cause: part.numbers for cause, part in result.changes.items()} == {
        ScopeCause.ADDED: (4,), ScopeCause.REMOVED: (3,), ScopeCause.DROPPED: (5,), ScopeCause.REESTIMATED: (6,)
    }  # fmt: skip
    assert result.done.total == Amount(Decimal(8), 2)
    assert result.kept.total == Amount(Decimal(6), 2)
    assert result.left.numbers == (2, 4, 7)
    assert result.late.total == Amount(Decimal(2), 1)
    assert result.scope == Amount(Decimal(21), 5)
    assert result.say_do("points") == Decimal(6) / 13
    assert result.delivered("count") == Decimal(2) / 6


@given(histories(), NOWS)
@settings(max_examples=60, deadline=None)
def test_the_burndown_of_the_snapshot_is_that_of_the_facts(history: History, now: datetime) -> None:
    sprint = derive_sprint(history.milestone, now, history.calendar)
    if sprint.end is None or sprint.end > now:
        return
    facts = compute_facts(sprint, history.items, sprint.end, Estimates(history.sizes or {}), history.labels)
    result, expected = build_final_burndown(convert_facts(facts), sprint), build_burndown(facts)
    if result is None:
        assert not facts.days
        return
    assert (result.unit, result.committed, result.days) == (expected.unit, expected.committed, expected.days)
    assert is_over(result)


def test_a_running_sprint_has_something_open_and_nothing_carried() -> None:
    result = report(BOX.facts(card(1, 5).closed("11-18"), card(2, 3), as_of="11-20"))

    assert not result.is_over
    assert result.left.numbers == (2,)


def test_nothing_promised_is_no_share() -> None:
    result = report(BOX.facts(as_of="12-05"))

    assert result.say_do("points") is None
    assert result.delivered("count") is None


def test_what_others_tell_is_in_no_list() -> None:
    parent = card(1, 5)
    child = card(2, 3).put_under("11-13", parent)

    assert report(BOX.facts(parent, child, as_of="11-20")).left.numbers == (2,)


@given(histories(), NOWS)
@settings(max_examples=60, deadline=None)
def test_every_total_is_that_of_the_facts(history: History, now: datetime) -> None:
    sprint = derive_sprint(history.milestone, now, history.calendar)
    if sprint.end and sprint.end <= now:
        now = sprint.end
    facts = compute_facts(sprint, history.items, now, Estimates(history.sizes or {}), history.labels)
    result = report(facts)

    assert result.committed.total == facts.committed
    assert result.done.total == facts.done
    assert result.left.total == facts.remaining
    assert result.scope == facts.scope
    assert result.kept.total == facts.kept
    assert all(result.changes[cause].total == facts.total(cause) for cause in ScopeCause)
    if result.is_over:
        assert result.left.total == sum_items(facts.carried)
