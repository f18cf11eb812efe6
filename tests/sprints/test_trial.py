"""A sprint as it would be is the sprint that it then is."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sprints.calendar import Calendar
from sprints.estimates import Estimates
from sprints.facts import Amount, ScopeCause
from sprints.milestone import derive_sprint
from sprints.rules import Rules
from sprints.trial import compute_trial, edit_milestone, move_items
from tests.support.builders import Box, Card, at
from tests.support.sprints_strategies import NOWS, History, histories

BOX = Box("11-10", due="2026-11-27", start="11-16")
NOW = at("11-20 12:00")


def card(number: int, points: int = 5) -> Card:
    return Card(number).opened("11-10", f"points: {points}").joined("11-12")


def test_joining_item_is_added() -> None:
    events = {entry.id: entry.events for entry in (card(1),)}
    joining = {entry.id: entry.events for entry in (Card(2).opened("11-10", "points: 3"),)}
    sprint = BOX.sprint(NOW)
    facts = compute_trial(sprint, move_items(sprint, events, joining, [], NOW), NOW, Rules())

    assert facts.total(ScopeCause.ADDED) == Amount(3, 1)  # type: ignore[arg-type]
    assert len(events["item-1"]) == 2  # What was given stays as it was.


def test_what_leaves_is_removed() -> None:
    events = {entry.id: entry.events for entry in (card(1), card(2, 3))}
    sprint = BOX.sprint(NOW)
    facts = compute_trial(sprint, move_items(sprint, events, {}, ["item-2"], NOW), NOW, Rules())

    assert facts.total(ScopeCause.REMOVED) == Amount(3, 1)  # type: ignore[arg-type]


def test_what_comes_from_another_sprint_is_added_here() -> None:
    joining = {"item-1": Card(1).opened("11-10", "points: 3").joined("11-12", 502).events}
    sprint = BOX.sprint(NOW)

    assert compute_trial(sprint, move_items(sprint, {}, joining, [], NOW), NOW, Rules()).scope.count == 1


def test_a_clock_behind_githubs_makes_no_difference() -> None:
    events = {"item-1": card(1).commented("11-20 12:01").events}
    sprint = BOX.sprint(NOW)

    assert (
        compute_trial(sprint, move_items(sprint, events, {}, ["item-1"], NOW), NOW, Rules()).scope.count == 0
    )


def test_a_milestone_described_otherwise() -> None:
    box = Box("11-10", due="2026-11-27")
    sprint = edit_milestone(
        box.events, NOW, Calendar.of(UTC), "Start: 2026-11-23\nGoal: Ship", at("12-04 12:00")
    )

    assert (sprint.first_day.isoformat(), sprint.goal) == ("2026-11-23", "Ship")
    assert sprint.due == datetime(2026, 12, 4).date()  # noqa: DTZ001


@given(histories(), NOWS, st.data())
@settings(max_examples=40, deadline=None)
def test_leaving_and_coming_back_changes_no_total(
    history: History, now: datetime, data: st.DataObject
) -> None:
    rules = Rules(estimates=Estimates(history.sizes or {}))
    sprint = derive_sprint(history.milestone, now, history.calendar)
    events = {item: [entry for entry in data if entry.at <= now] for item, data in history.items.items()}
    events = {item: data for item, data in events.items() if data}
    if not events or sprint.has_ended(now + timedelta(seconds=1)):
        return
    item = data.draw(st.sampled_from(sorted(events)))
    before = compute_trial(sprint, events, now, rules, history.labels)
    is_member = any(event.item == item for event in before.items)
    if not is_member:
        return
    gone = move_items(sprint, events, {}, [item], now)
    back = move_items(sprint, gone, {item: gone[item]}, [], now)

    assert compute_trial(sprint, back, now, rules, history.labels).scope == before.scope
