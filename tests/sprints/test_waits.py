"""Where the work of a sprint waited."""

from dataclasses import replace
from datetime import timedelta

from sprints.flows import build_flows
from sprints.plain import convert_facts
from sprints.report import build_report
from sprints.rules import Rules
from sprints.waits import ItemWait, WaitKind, list_waits
from tests.support.builders import Box, at
from tests.support.flow_cards import FlowCard

BOX = Box("11-10", due="2026-11-27", start="11-16")


class WaitingCard(FlowCard):
    """A card that others can block."""

    def told(self, event: str, when: str, named: str | None = None) -> "WaitingCard":
        self._named(event, when, "")
        self.events[-1] = replace(self.events[-1], named=named)
        return self


def card(number: int = 1) -> WaitingCard:
    return WaitingCard(number).opened("11-10", "points: 3").joined("11-12")


def waits(*cards: WaitingCard, until: str = "11-26") -> list[ItemWait]:
    facts = BOX.facts(*cards, as_of=until)
    events = {entry.id: entry.events for entry in cards}
    report = build_report(convert_facts(facts), is_over=False)
    return list_waits(report, facts.sprint.start, at(until), build_flows(events, at(until), Rules()))


def days(count: int) -> timedelta:
    return timedelta(days=count)


def test_from_the_sprints_start_until_work_began() -> None:
    assert waits(card().started("11-20")) == [ItemWait(1, WaitKind.START, days(4), is_over=True)]


def test_what_was_added_waits_from_then_on() -> None:
    added = WaitingCard(1).opened("11-10").joined("11-19").started("11-21")

    assert waits(added) == [ItemWait(1, WaitKind.START, days(2), is_over=True)]


def test_what_nobody_began_waits_to_the_end() -> None:
    assert waits(card()) == [ItemWait(1, WaitKind.START, days(10), is_over=False)]


def test_what_was_done_without_a_known_start_tells_no_wait() -> None:
    assert waits(card().closed("11-20")) == []


def test_what_was_begun_before_the_sprint_did_not_wait() -> None:
    assert waits(card().started("11-13")) == []


def test_less_than_a_day_is_no_wait() -> None:
    assert waits(card().started("11-16 23:59")) == []


def test_what_left_the_sprint_is_not_its_wait() -> None:
    assert waits(card().left("11-18")) == []


def test_the_longest_comes_first() -> None:
    result = waits(card(1).started("11-18"), card(2).started("11-21"))

    assert [wait.number for wait in result] == [2, 1]


def test_blocked_within_the_sprint() -> None:
    blocked = card().started("11-13").told("blocked", "11-14", "I_9").told("unblocked", "11-19", "I_9")

    assert waits(blocked) == [ItemWait(1, WaitKind.BLOCKED, days(3), is_over=True)]


def test_blocked_to_the_end() -> None:
    assert waits(card().started("11-13").told("blocked", "11-24", "I_9")) == [
        ItemWait(1, WaitKind.BLOCKED, days(2), is_over=False)
    ]


def test_several_blockers_are_one_wait() -> None:
    data = card().started("11-13").told("blocked", "11-16", "I_8").told("blocked", "11-17", "I_9")
    data.told("unblocked", "11-18", "I_8").told("unblocked", "11-20", "I_9")

    assert waits(data) == [ItemWait(1, WaitKind.BLOCKED, days(4), is_over=True)]
