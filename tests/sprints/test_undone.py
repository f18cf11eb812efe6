"""Changes that were undone: every number is the one without them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sprints.calendar import Calendar
from sprints.item_projection import ItemProjection, project_item
from sprints.milestone import derive_sprint
from sprints.model import ItemEvent, MilestoneEvent, sort_events
from sprints.rules import Rules
from sprints.undone import ChangeSpan, Sign, UndoneStep, is_undone, net_undone_edits, net_undone_steps
from tests.support.builders import OTHER_SPRINT, SPRINT, Box, Card, at
from tests.support.sprints_strategies import NOWS, PROPERTY_SETTINGS, History, histories

APP = "suite[bot]"
SECOND = timedelta(seconds=1)


def moved_step(done_at: datetime, undone_at: datetime, before: int | None, after: int | None) -> UndoneStep:
    """The step that moved an item from one milestone to another, and back."""

    def signs(source: int | None, target: int | None) -> frozenset[Sign]:
        events = (("demilestoned", source), ("milestoned", target))
        return frozenset(Sign(event, str(milestone)) for event, milestone in events if milestone)

    return step_of(signs(before, after), signs(after, before), done_at, undone_at)


def step_of(
    done: frozenset[Sign], undone: frozenset[Sign], done_at: datetime, undone_at: datetime
) -> UndoneStep:
    spans = (ChangeSpan(moment - SECOND, moment + SECOND) for moment in (done_at, undone_at))
    return UndoneStep(7, APP, done, undone, *spans)


def relabelled_step(done_at: datetime, undone_at: datetime, removed: str, added: str) -> UndoneStep:
    done = frozenset({Sign("unlabeled", removed), Sign("labeled", added)})
    undone = frozenset({Sign("unlabeled", added), Sign("labeled", removed)})
    return step_of(done, undone, done_at, undone_at)


def by_app(card: Card, *changes: Callable[[Card], object]) -> None:
    """Let the App change a card."""
    count = len(card.events)
    for change in changes:
        change(card)
    card.events[count:] = [replace(event, actor=APP) for event in card.events[count:]]


# Random histories with a command and its undoing


@st.composite
def interrupted_histories(draw: st.DrawFn) -> tuple[History, History, datetime]:
    """A history, the same with a command and its undoing in between, and a moment to look at it from.

    What the App changed and took back is what it is on GitHub: the item's snapshots show it meanwhile.
    """
    history = draw(histories(is_distinct=True))
    chance = random.Random(draw(st.integers(0, 2**32)))
    items = {item: events for item, events in history.items.items() if len(events) > 1}
    assume(items)
    item = chance.choice(sorted(items))
    events = sort_events(items[item])
    place = chance.randrange(len(events))
    since = events[place].at + SECOND * 2
    until = since + timedelta(seconds=chance.choice([1, 60, 86_400, 86_400 * 5]))
    changed, step = change_and_undo(events, since, until, chance)
    assume(changed)
    return (
        history,
        replace(history, items=history.items | {item: tuple(net_undone_steps(changed, [step]))}),
        draw(NOWS),
    )


def change_and_undo(
    events: Sequence[ItemEvent], since: datetime, until: datetime, chance: random.Random
) -> tuple[list[ItemEvent], UndoneStep]:
    """Insert a change of the App at `since`, and its undoing at `until`, into the events of an item."""
    before = [event for event in events if event.at < since][-1]
    if chance.random() < 0.5:
        source, target = before.snapshot.milestone, chance.choice([SPRINT, OTHER_SPRINT, None])
        step = moved_step(since, until, source, target)
        touched = {"milestoned", "demilestoned", "corrected"}
        is_possible = source != target

        def change(event: ItemEvent) -> ItemEvent:
            return replace(event, snapshot=replace(event.snapshot, milestone=target))
    else:
        removed, added = next(iter(before.snapshot.labels), ""), "points: 21"
        step = relabelled_step(since, until, removed, added)
        touched = {"labeled", "unlabeled", "corrected"}
        is_possible = bool(removed)

        def change(event: ItemEvent) -> ItemEvent:
            rest = tuple(label for label in event.snapshot.labels if label != removed)
            return replace(event, snapshot=replace(event.snapshot, labels=(*rest, added)))

    between = [event for event in events if since <= event.at <= until]
    gone = {"deleted", "transferred", "converted_to_discussion"}
    if not is_possible or any(event.event in touched | gone for event in [before, *between]):
        return [], step
    ours = [replace(before, at=since, delivery=f"ours-{n}", actor=APP) for n in range(2)]
    done = [change(event) for event in tell(ours, step.done)]
    last = between[-1] if between else before
    undoing = [replace(last, at=until + SECOND, delivery=f"undo-{n}", actor=APP) for n in range(2)]
    undone = tell(undoing, step.undone)
    rest = [change(event) if event in between else event for event in events]
    return [*rest, *done, *undone], step


def tell(events: Sequence[ItemEvent], signs: frozenset[Sign]) -> list[ItemEvent]:
    """Events that say what the signs say; each is otherwise a copy of one of `events`."""
    shown = []
    for event, sign in zip(events, sorted(signs, key=lambda sign: sign.event), strict=False):
        is_label = "label" in sign.event
        milestone = None if is_label else int(sign.subject)
        label = sign.subject if is_label else None
        shown.append(replace(event, event=sign.event, milestone=milestone, label=label, named=None))
    return shown


@PROPERTY_SETTINGS
@given(interrupted_histories())
def test_a_history_with_a_change_and_its_undoing_gives_the_same_facts(
    drawn: tuple[History, History, datetime],
) -> None:
    history, interrupted, now = drawn
    expected, actual = history.facts(now), interrupted.facts(now)
    for name in ("committed", "scope", "done", "kept", "ledger", "days", "committed_items", "done_items", "carried", "late", "items"):  # fmt: skip
        assert getattr(actual, name) == getattr(expected, name), name


@PROPERTY_SETTINGS
@given(interrupted_histories())
def test_the_flow_of_each_item_is_the_same(drawn: tuple[History, History, datetime]) -> None:
    history, interrupted, _ = drawn
    for item, events in history.items.items():
        assert bare(project_item(interrupted.items[item], Rules())) == bare(project_item(events, Rules()))


def bare(projection: ItemProjection) -> ItemProjection:
    """A projection without what only tells when to compute it anew."""
    flow = replace(projection.flow, labels=tuple(sorted(projection.flow.labels)))
    return replace(projection, flow=flow, last_at=at("01-01"), label_names=())


# Single histories


def moved_and_back() -> tuple[Card, UndoneStep]:
    card = Card(actor="alice").opened("11-02", "points: 5", milestone=SPRINT)
    by_app(
        card,
        lambda card: card.moved("11-18 10:02"),
        lambda card: card.moved("11-18 10:05", OTHER_SPRINT, SPRINT),
    )
    return card, moved_step(at("11-18 10:02"), at("11-18 10:05"), SPRINT, OTHER_SPRINT)


def names(events: Sequence[ItemEvent]) -> list[str]:
    return [event.event for event in events]


def test_the_events_stay_and_name_the_change() -> None:
    card, step = moved_and_back()
    events = net_undone_steps(card.events, [step])
    assert names(events) == ["opened", *["undone"] * 4]
    assert {event.named for event in events if is_undone(event)} == {"7"}
    assert [event.snapshot.milestone for event in events] == [SPRINT] * 5
    assert net_undone_steps(events, [step]) == events


def test_an_undoing_whose_events_are_late_counts_already() -> None:
    card, step = moved_and_back()
    assert names(net_undone_steps(card.events[:3], [step])) == ["opened", "undone", "undone"]


def test_a_part_of_the_events_is_enough() -> None:
    card, step = moved_and_back()
    opened, _, joined, left, _ = card.events
    assert names(net_undone_steps([opened, joined, left], [step])) == ["opened", "undone", "undone"]


def test_what_a_person_changed_in_between_counts_with_all_around_it() -> None:
    card = Card(actor="alice").opened("11-02", milestone=SPRINT)
    by_app(card, lambda card: card.moved("11-18 10:02"))
    card.moved("11-18 10:03", OTHER_SPRINT, SPRINT).moved("11-18 10:04")
    by_app(card, lambda card: card.moved("11-18 10:05", OTHER_SPRINT, SPRINT))
    step = moved_step(at("11-18 10:02"), at("11-18 10:05"), SPRINT, OTHER_SPRINT)
    assert net_undone_steps(card.events, [step]) == sort_events(card.events)


def test_other_things_that_people_changed_in_between_count() -> None:
    card = Card(actor="alice").opened("11-02", "points: 5", milestone=SPRINT)
    by_app(card, lambda card: card.moved("11-18 10:02"))
    card.labeled("11-18 10:03", "bug").closed("11-18 10:04")
    by_app(card, lambda card: card.moved("11-18 10:05", OTHER_SPRINT, SPRINT))
    step = moved_step(at("11-18 10:02"), at("11-18 10:05"), SPRINT, OTHER_SPRINT)
    events = net_undone_steps(card.events, [step])
    assert names(events) == ["opened", "undone", "undone", "labeled", "closed", "undone", "undone"]
    assert {event.snapshot.milestone for event in events} == {SPRINT}


def test_what_a_person_did_first_is_not_taken_for_ours() -> None:
    card = Card(actor="alice").opened("11-02").joined("11-18 10:02")
    by_app(card, lambda card: card.left("11-18 10:05"))
    step = moved_step(at("11-18 10:02"), at("11-18 10:05"), None, SPRINT)
    assert net_undone_steps(card.events, [step]) == sort_events(card.events)


def test_what_is_done_again_after_its_undoing_counts() -> None:
    card, step = moved_and_back()
    by_app(card, lambda card: card.moved("11-18 10:05:10"))
    events = net_undone_steps(card.events, [step])
    assert names(events) == ["opened", *["undone"] * 4, "demilestoned", "milestoned"]


def test_two_changes_that_were_undone_one_after_the_other_are_both_netted() -> None:
    card = Card(actor="alice").opened("11-02", "points: 1")

    def relabel(when: str, before: int, after: int) -> None:
        by_app(
            card,
            lambda card: card.unlabeled(when, f"points: {before}"),
            lambda card: card.labeled(when, f"Points: {after}".lower()),
        )

    for when, before, after in (
        ("11-18 10:00", 1, 2),
        ("11-18 11:00", 2, 3),
        ("11-18 12:00", 3, 2),
        ("11-18 13:00", 2, 1),
    ):
        relabel(when, before, after)
    outer = relabelled_step(at("11-18 10:00"), at("11-18 13:00"), "points: 1", "Points: 2")
    inner = relabelled_step(at("11-18 11:00"), at("11-18 12:00"), "points: 2", "points: 3")
    events = net_undone_steps(card.events, [outer, inner])
    assert names(events) == ["opened", *["undone"] * 8]
    assert {event.snapshot.labels for event in events} == {("points: 1",)}


@pytest.mark.parametrize("milestone", [OTHER_SPRINT, None])
def test_a_correction_in_between_hinders_only_if_it_shows_something_else(milestone: int | None) -> None:
    card, step = moved_and_back()
    correction = replace(
        card.events[2],
        event="corrected",
        at=at("11-18 10:04"),
        actor=None,
        milestone=None,
        snapshot=replace(card.events[2].snapshot, milestone=milestone),
    )
    events = net_undone_steps([*card.events, correction], [step])
    assert ("undone" in names(events)) == (milestone == OTHER_SPRINT)
    if milestone:
        assert {event.snapshot.milestone for event in events} == {SPRINT}


# Milestones


def by_the_app(event: MilestoneEvent) -> MilestoneEvent:
    return replace(event, actor=APP)


@pytest.mark.parametrize("is_closing", [True, False])
def test_an_edit_of_a_milestone_that_was_undone_leaves_no_trace(is_closing: bool) -> None:
    box = Box(due="12-04")
    made = list(box.events)
    if is_closing:
        box.closed("11-18 10:02").opened("11-20 10:05")
        signs = frozenset({Sign("closed")}), frozenset({Sign("opened")})
    else:
        box.edited("11-18 10:02", {"description": None}, description="Start: 2026-11-10\nGoal: ship")
        box.edited("11-20 10:05", {"description": "…"}, description=None)
        signs = (frozenset({Sign("edited", "description")}),) * 2
    step = step_of(*signs, at("11-18 10:02"), at("11-20 10:05"))
    shown = [*made, *map(by_the_app, box.events[len(made) :])]
    events = net_undone_edits(shown, [step])
    assert [event.event for event in events][-2:] == ["undone", "undone"]
    for moment in (at("11-19"), at("11-25")):
        assert derive_sprint(events, moment, Calendar()) == derive_sprint(made, moment, Calendar())
    assert net_undone_edits(box.events, [step]) == box.events, "a person's own edits count"
