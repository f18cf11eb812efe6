"""Random histories: several items and milestones, told as GitHub might, in seconds that often coincide."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from sprints.calendar import Calendar
from sprints.facts import Facts, facts_of
from sprints.milestone import sprint_of
from sprints.model import ItemEvent, ItemSnapshot, MilestoneEvent, State
from tests.builders import OTHER_SPRINT, SPRINT, at

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
LABELS = ["points: 1", "points: 3", "5 points", "sp/0.5", "points: 0", "bug", "checkpoint 3"]

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


@dataclass(frozen=True, slots=True)
class History:
    """All that happened to one milestone and to the items around it, and who looks at it when."""

    zone: ZoneInfo
    milestone: tuple[MilestoneEvent, ...]
    items: dict[str, tuple[ItemEvent, ...]]

    def facts(self, as_of: datetime) -> Facts:
        return facts_of(sprint_of(self.milestone, as_of, Calendar.of(self.zone)), self.items, as_of)


@st.composite
def items(draw: st.DrawFn, number: int) -> tuple[ItemEvent, ...]:
    """One item from its opening on. What happens is possible on GitHub but for coincidences of a second."""
    moments = sorted(draw(st.lists(MOMENTS, min_size=1, max_size=9)))
    ids = draw(st.permutations(range(len(moments) * 4)))
    deliveries = (f"{number}-{n:03}" for n in ids)
    item, events = f"item-{number}", list[ItemEvent]()
    labels = draw(st.lists(st.sampled_from(LABELS), unique=True, max_size=2))
    home = st.sampled_from([SPRINT, SPRINT, OTHER_SPRINT])
    shown = ItemSnapshot(
        number, f"Card {number}", moments[0], labels=tuple(labels), milestone=draw(st.none() | home)
    )

    def add(event: str, when: datetime, milestone: int | None = None, label: str | None = None) -> None:
        events.append(ItemEvent(item, event, when, next(deliveries), shown, milestone, label))

    add("opened", moments[0])
    for when in moments[1:]:
        match draw(st.sampled_from(["label", "label", "move", "move", "state", "state", "comment"])):
            case "label":
                label = draw(st.sampled_from(LABELS))
                rest = tuple(name for name in shown.labels if name != label)
                added = label not in shown.labels
                shown = replace(shown, labels=(*rest, label) if added else rest)
                add("labeled" if added else "unlabeled", when, label=label)
            case "move":
                target = draw(st.none() | home)
                if (source := shown.milestone) is not None:
                    shown = replace(shown, milestone=None)
                    add("demilestoned", when, milestone=source)
                if target is not None:
                    shown = replace(shown, milestone=target)
                    add("milestoned", when, milestone=target)
            case "state" if shown.state is State.OPEN:
                state = draw(st.sampled_from([State.DONE, State.DONE, State.DROPPED]))
                shown = replace(shown, state=state, closed_at=when)
                add("closed", when)
            case "state":
                shown = replace(shown, state=State.OPEN, closed_at=None)
                add("reopened", when)
            case _:
                add("commented", when)
    return tuple(events)


@st.composite
def milestones(draw: st.DrawFn) -> tuple[MilestoneEvent, ...]:
    """A milestone from its creation on: described, due, moved, closed, opened again, deleted."""
    moments = sorted(draw(st.lists(MOMENTS, min_size=1, max_size=4)))
    ids = draw(st.permutations(range(len(moments))))
    dues = st.none() | st.integers(-2, 20).map(
        lambda n: datetime(2026, 10, 19, 8, tzinfo=UTC) + timedelta(days=n)
    )
    starts = st.integers(-3, 18).map(lambda n: f"Goal: ship\r\nstart: {FIRST_DAY + timedelta(days=n)}\r\n")
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
def histories(draw: st.DrawFn, most_items: int = 4) -> History:
    count = draw(st.integers(0, most_items))
    return History(
        draw(st.sampled_from(ZONES)),
        draw(milestones()),
        {f"item-{n}": draw(items(n)) for n in range(1, count + 1)},
    )


NOWS = MOMENTS | st.just(at("12-31"))
