"""Random histories: several items and milestones, told as GitHub might, in seconds that often coincide."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from sprints.calendar import Calendar
from sprints.estimates import Estimates
from sprints.fact_folding import compute_facts
from sprints.facts import Facts
from sprints.milestone import derive_sprint
from sprints.model import ItemEvent, ItemSnapshot, LabelEvent, MilestoneEvent, State
from tests.support.builders import OTHER_SPRINT, SPRINT, at

T = TypeVar("T")
FIRST_DAY = date(2026, 10, 19)  # A Monday; clocks change in Europe six days later, in America on 1 November.
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Berlin",
        "America/Los_Angeles",
        "Pacific/Auckland",
        "Asia/Kathmandu",
        "Africa/Cairo",
    )
]
LABELS = ["points: 1", "points: 3", "5 points", "sp/0.5", "points: 0", "size: M", "bug", "checkpoint 3"]
NEW_NAMES = ["points: 8", "points: 2", "size: L", "3 story points", "chore"]
GONE = ["deleted", "transferred", "converted_to_discussion"]
HOMES = [SPRINT, SPRINT, SPRINT, SPRINT, OTHER_SPRINT]

# Every six hours, so that things often happen at once, and seconds around midnights of all kinds.
_BEGIN = datetime(2026, 10, 16, tzinfo=UTC)
MOMENTS = st.one_of(
    st.integers(0, 4 * 26).map(lambda n: _BEGIN + timedelta(hours=6 * n)),
    st.integers(0, 26 * 86400).map(lambda n: _BEGIN + timedelta(seconds=n)),
    st.builds(
        lambda n, zone, off: (
            (datetime(2026, 10, 17, tzinfo=zone) + timedelta(days=n)).astimezone(UTC) + timedelta(seconds=off)
        ),
        st.integers(0, 24),
        st.sampled_from(ZONES),
        st.integers(-1, 1),
    ),
)


def a_moment(chance: random.Random) -> datetime:
    """Like MOMENTS."""
    kind = chance.randrange(3)
    if kind == 0:
        return _BEGIN + timedelta(hours=6 * chance.randint(0, 4 * 26))
    if kind == 1:
        return _BEGIN + timedelta(seconds=chance.randint(0, 26 * 86400))
    midnight = datetime(2026, 10, 17, tzinfo=chance.choice(ZONES)) + timedelta(days=chance.randint(0, 24))
    return midnight.astimezone(UTC) + timedelta(seconds=chance.randint(-1, 1))


@dataclass(frozen=True, slots=True)
class History:
    """All that happened to one milestone, the items around it and their labels, and by whose rules."""

    calendar: Calendar
    milestone: tuple[MilestoneEvent, ...]
    items: dict[str, tuple[ItemEvent, ...]]
    labels: tuple[LabelEvent, ...] = ()
    sizes: dict[str, Decimal] | None = None

    def facts(self, as_of: datetime) -> Facts:
        sprint = derive_sprint(self.milestone, as_of, self.calendar)
        return compute_facts(sprint, self.items, as_of, Estimates(self.sizes or {}), self.labels)


class World:
    """A repository in which one thing happens after the other, as GitHub would tell it.

    What happens comes from plain chance: a history takes hundreds of choices, and hypothesis tries mostly
    those that take few.
    """

    def __init__(self, chance: random.Random, count: int) -> None:
        self._chance = chance
        self.events: dict[str, list[ItemEvent]] = {}
        self.labels: list[LabelEvent] = []
        self._shown: dict[str, ItemSnapshot] = {}
        self._parents: dict[str, str] = {}
        self._names = list(LABELS)
        self._unborn = list(range(1, count + 1))
        ids = list(range(1000))
        chance.shuffle(ids)
        self._deliveries = (f"{n:03}" for n in ids)

    def happens(self, when: datetime) -> None:
        """One more thing, at that moment."""
        if self._unborn and (not self._shown or self._one_of([True, False])):
            self._open(self._unborn.pop(0), when)
            return
        if not self._shown:
            return
        usual = [self._label, self._move, self._turn, self._turn, self._link] * 3
        rare = [self._comment, self._correct, self._vanish, self._rename, self._delete]
        self._one_of([*usual, *rare])(self._one_of(list(self._shown)), when)

    def _one_of(self, choices: Sequence[T]) -> T:
        return self._chance.choice(choices)

    def _some(self, choices: Sequence[T]) -> list[T]:
        return self._chance.sample(choices, self._chance.randint(0, min(2, len(choices))))

    def _tell(
        self,
        item: str,
        event: str,
        when: datetime,
        *,
        milestone: int | None = None,
        label: str | None = None,
        named: str | None = None,
        **shown: Any,
    ) -> None:
        """`milestone` is the one that the event names, `milestone_shown` the one of the picture."""
        if "milestone_shown" in shown:
            shown["milestone"] = shown.pop("milestone_shown")
        self._shown[item] = snapshot = replace(self._shown[item], **shown)
        item_event = ItemEvent(item, event, when, next(self._deliveries), snapshot, milestone, label, named)
        self.events.setdefault(item, []).append(item_event)

    def _open(self, number: int, when: datetime) -> None:
        item, is_pull_request = f"item-{number}", self._one_of([False, False, True])
        labels = self._some(self._names)
        home, closes = self._one_of([None, *HOMES]), (number - 1,) if is_pull_request else None
        self._shown[item] = ItemSnapshot(number, f"Card {number}", when, is_pull_request=is_pull_request)
        self._tell(item, "opened", when, labels=tuple(labels), milestone_shown=home, closes=closes)

    def _label(self, item: str, when: datetime) -> None:
        label, borne = self._one_of(self._names), self._shown[item].labels
        rest = tuple(name for name in borne if name != label)
        if label in borne:
            self._tell(item, "unlabeled", when, label=label, labels=rest)
        else:
            self._tell(item, "labeled", when, label=label, labels=(*rest, label))

    def _move(self, item: str, when: datetime) -> None:
        source, target = self._shown[item].milestone, self._one_of([None, *HOMES])
        if source is not None:
            # Of a milestone that was deleted GitHub names none.
            named = None if self._one_of([False, False, True]) else source
            self._tell(item, "demilestoned", when, milestone=named, milestone_shown=None)
        if target is not None:
            self._tell(item, "milestoned", when, milestone=target, milestone_shown=target)

    def _turn(self, item: str, when: datetime) -> None:
        if self._shown[item].state is State.OPEN:
            state = self._one_of([State.DONE, State.DONE, State.DROPPED])
            self._tell(item, "closed", when, state=state, closed_at=when)
        else:
            self._tell(item, "reopened", when, state=State.OPEN, closed_at=None)

    def _link(self, item: str, when: datetime) -> None:
        """Also in circles, which GitHub refuses: we may have missed that a link was taken back."""
        if self._shown[item].is_pull_request:
            others = sorted(item.number for item in self._shown.values())
            data = self._some(others)
            self._tell(item, "edited", when, closes=tuple(data))
            return
        parent = self._parents.pop(item, None)
        if parent is not None:
            self._tell(item, "parent_removed", when, named=parent)
        if parent is None or self._one_of([True, False]):
            self._parents[item] = self._one_of(list(self._shown))
            self._tell(item, "parent_added", when, named=self._parents[item])

    def _correct(self, item: str, when: datetime) -> None:
        """We asked, and something had happened that nobody told us."""
        state = self._one_of(list(State))
        labels = self._some(self._names)
        known_items = self._shown[item].labels
        self._tell(
            item,
            "corrected",
            when,
            state=state,
            closed_at=None if state is State.OPEN else when - timedelta(hours=self._one_of([0, 1, 30])),
            milestone_shown=self._one_of([None, *HOMES]),
            labels=self._one_of([known_items, tuple(labels)]),
        )

    def _comment(self, item: str, when: datetime) -> None:
        self._tell(item, "commented", when)

    def _vanish(self, item: str, when: datetime) -> None:
        self._tell(item, self._one_of(GONE), when)
        if self._one_of([True, False]):
            # Something of it may still be told.
            self._label(item, when)
        del self._shown[item]

    def _rename(self, _: str, when: datetime) -> None:
        name, new_name = self._one_of(self._names), self._one_of(NEW_NAMES)
        if new_name not in self._names:
            self._names[self._names.index(name)] = new_name
            self._happened("renamed", when, name, new_name)

    def _delete(self, _: str, when: datetime) -> None:
        name = self._one_of(self._names)
        if len(self._names) == 1:
            return
        self._names.remove(name)
        is_told_of_items = self._one_of([True, False])
        bearers = [item for item, shown in self._shown.items() if name in shown.labels]
        self._happened("deleted", when, name, None)
        for item in bearers if is_told_of_items else ():
            self._tell(item, "unlabeled", when)

    def _happened(self, event: str, when: datetime, name: str, new_name: str | None) -> None:
        self.labels.append(LabelEvent(f"label-{name}", event, when, next(self._deliveries), name, new_name))
        for item, shown in self._shown.items():
            after = [new_name if label == name else label for label in shown.labels]
            self._shown[item] = replace(shown, labels=tuple(label for label in after if label))


@st.composite
def milestones(draw: st.DrawFn) -> tuple[MilestoneEvent, ...]:
    """A milestone from its creation on: described, due, moved, closed, opened again, deleted."""
    made = draw(st.one_of(st.just(_BEGIN - timedelta(days=1)), st.just(_BEGIN), MOMENTS))
    moments = [made, *sorted(when for when in draw(st.lists(MOMENTS, max_size=3)) if when >= made)]
    ids = draw(st.permutations(range(len(moments))))
    later = st.integers(8, 20) | st.integers(8, 20) | st.integers(-2, 20)
    days = later.map(lambda n: datetime(2026, 10, 19, 8, tzinfo=UTC) + timedelta(days=n))
    dues = st.one_of(days, days, st.none())
    starts = (st.integers(-3, 4) | st.integers(-3, 18)).map(
        lambda n: f"Goal: ship\r\nstart: {FIRST_DAY + timedelta(days=n)}\r\n"
    )
    descriptions = st.one_of(st.none(), starts, st.just("Start: 2026-02-30"), st.just("No line at all"))
    shown = MilestoneEvent(
        SPRINT,
        "created",
        moments[0],
        f"m-{ids[0]}",
        12,
        "Sprint 12",
        moments[0],
        draw(descriptions),
        draw(dues),
    )
    events = [shown]
    for when, delivery in zip(moments[1:], ids[1:], strict=True):
        match draw(st.sampled_from(["edited", "edited", "toggled", "deleted"])):
            case "edited":
                shown = replace(shown, description=draw(descriptions), due_on=draw(dues), event="edited")
            case "toggled" if shown.closed_at:
                shown = replace(shown, closed_at=None, event="opened")
            case "toggled":
                shown = replace(shown, closed_at=when, event="closed")
            case _:
                shown = replace(shown, event="deleted")
        shown = replace(shown, at=when, delivery=f"m-{delivery}")
        events.append(shown)
        if shown.event == "deleted":
            break
    return tuple(events)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Of a team that perhaps moved, and perhaps has holidays and a week of its own."""
    days = st.integers(0, 20).map(lambda n: FIRST_DAY + timedelta(days=n))
    zones = [(date.min, draw(st.sampled_from(ZONES)))]
    if draw(st.integers(0, 2)) == 0:
        zones.append((draw(days), draw(st.sampled_from(ZONES))))
    weekdays = draw(st.sampled_from([range(5), range(5), {6, 0, 1, 2, 3}, {2}]))
    return Calendar(tuple(zones), frozenset(weekdays), draw(st.frozensets(days, max_size=3)))


@st.composite
def histories(draw: st.DrawFn, most_items: int = 4, *, is_distinct: bool = False) -> History:
    """`is_distinct`: no two things of items and labels happen at once."""
    count = draw(st.sampled_from([*range(most_items, -1, -1), most_items]))
    steps, early = draw(st.integers(4 * count, 9 * count)), draw(st.integers(0, 2 * count))
    chance = random.Random(f"{draw(st.integers(0, 2**32))}/{count}/{steps}")
    moments = [a_moment(chance) for _ in range(steps)]
    # Many items are there before a sprint begins.
    moments += [_BEGIN + timedelta(hours=chance.randrange(72)) for _ in range(early)]
    world = World(chance, count)
    for when in sorted(set(moments) if is_distinct else moments):
        world.happens(when)
    return History(
        draw(calendars()),
        draw(milestones()),
        {item: tuple(events) for item, events in world.events.items()},
        tuple(world.labels),
        draw(st.sampled_from([None, {"M": Decimal(3)}, {"M": Decimal(3), "L": Decimal(13)}])),
    )


NOWS = MOMENTS | st.just(at("12-31")) | st.just(at("10-30 12:00"))


# Several properties hold only for some of the random moments; the others are passed over.
PROPERTY_SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)
