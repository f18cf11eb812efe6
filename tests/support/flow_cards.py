"""Items of a repository that are started, linked and given to people: told one by one, or at random."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Self
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from sprints.calendar import Calendar
from sprints.flow import Flow
from sprints.flows import build_flows
from sprints.model import ActivityEvent, ItemEvent, ItemSnapshot, State
from sprints.numbering import local_number
from sprints.rules import Rules
from tests.support.builders import Card, When, at, next_delivery
from tests.support.sprints_strategies import MOMENTS, ZONES

DOING = "In Progress"
LABELS = [DOING, "WIP", "points: 1", "points: 3", "sp/0.5", "bug"]
PEOPLE = ["alice", "bob", "carol"]
GONE = ["deleted", "transferred", "converted_to_discussion"]


class FlowCard(Card):
    """A card that tells of work on it."""

    def assigned(self, when: When, login: str = "alice") -> Self:
        self._shown = replace(self._shown, assignees=(*self._shown.assignees, login))
        return self._named("assigned", when, login)

    def unassigned(self, when: When, login: str = "alice") -> Self:
        rest = tuple(assignee for assignee in self._shown.assignees if assignee != login)
        self._shown = replace(self._shown, assignees=rest)
        return self._named("unassigned", when, login)

    def started(self, when: When) -> Self:
        """Somebody said so, in words meant for us."""
        return self._named("started", when)

    def paused(self, when: When, reason: str | None = None) -> Self:
        return self._said("paused", when, reason)

    def unstarted(self, when: When) -> Self:
        """The last start is taken back."""
        return self._named("unstarted", when)

    def blocked(self, when: When, by: Card | None = None, reason: str | None = None) -> Self:
        """By another issue, or as somebody says."""
        return self._said("blocked", when, reason, by)

    def unblocked(self, when: When, by: Card | None = None) -> Self:
        return self._said("unblocked", when, None, by)

    def status(self, when: When, category: str) -> Self:
        self._shown = replace(self._shown, status=category)
        return self._named("status_changed", when, category)

    def closing(self, when: When, *numbers: int) -> Self:
        """The pull request's text is edited."""
        self._shown = replace(self._shown, closes=numbers)
        return self._named("edited", when)

    def proposed(self, when: When, *numbers: int, author: str = "alice") -> Self:
        """A pull request is opened that closes these issues."""
        self._shown = replace(self._shown, is_pull_request=True, closes=numbers, author=author)
        return self.opened(when)

    def child_of(self, when: When, parent: Card) -> Self:
        return self._named("parent_added", when, parent.id)

    def orphaned(self, when: When, parent: Card) -> Self:
        return self._named("parent_removed", when, parent.id)

    def gone(self, when: When, event: str = "deleted") -> Self:
        return self._named(event, when)

    def corrected(self, when: When, **shown: object) -> Self:
        """We looked, and found that we had missed something."""
        self._shown = replace(self._shown, **shown)  # type: ignore[arg-type]
        return self._named("corrected", when)

    def by(self, actor: str) -> Self:
        """Who made the last thing happen."""
        self.events[-1] = replace(self.events[-1], actor=actor)
        return self

    def came_from(self, card: Card) -> Self:
        """It was opened by a transfer."""
        self.id = f"{card.id}-here"
        self.events = [replace(event, item=self.id, named=card.id) for event in self.events]
        return self

    def first_seen(self, event: int) -> Self:
        """We came to know it by the event of this index; what was before is lost."""
        self.events = self.events[event:]
        return self

    def _said(self, event: str, when: When, reason: str | None, by: Card | None = None) -> Self:
        self._named(event, when, by.id if by else None)
        self.events[-1] = replace(self.events[-1], reason=reason)
        return self

    def _named(self, event: str, when: When, named: str | None = None) -> Self:
        self._happened(event, when)
        self.events[-1] = replace(self.events[-1], named=named)
        return self


def calendar(zone: str = "UTC") -> Calendar:
    return Calendar.of(ZoneInfo(zone))


def flows(*cards: Card, as_of: When = "12-31", elsewhere: tuple[Card, ...] = ()) -> dict[int, Flow]:
    """By number, the flows of the cards of one repository."""
    result = build_flows(
        {card.id: card.events for card in cards},
        at(as_of),
        Rules(),
        elsewhere={card.id: card.events for card in elsewhere},
    )
    return {local_number(flow.number): flow for flow in result}


def pushed(when: When, commits: dict[str, int] | None = None, subject: str | None = None) -> ActivityEvent:
    return ActivityEvent(
        "push", subject or next_delivery(), "pushed", at(when), next_delivery(), {"commits": commits or {}}
    )


@dataclass(frozen=True, slots=True)
class Repository:
    """All that happened in one repository."""

    zone: tzinfo
    items: dict[str, tuple[ItemEvent, ...]]
    pushes: tuple[ActivityEvent, ...]

    @property
    def rules(self) -> Rules:
        return Rules(Calendar.of(self.zone))

    def flows(self, as_of: datetime) -> tuple[Flow, ...]:
        return build_flows(self.items, as_of, self.rules)


@st.composite
def repositories(draw: st.DrawFn, most_items: int = 5) -> Repository:
    """Items whose beginnings are sometimes lost, and pushes."""
    count = draw(st.integers(0, most_items))
    data = {}
    for number in range(1, count + 1):
        events = draw(_items(number, count))
        data[f"item-{number}"] = events[draw(st.integers(0, min(2, len(events) - 1))) :]
    people = st.sampled_from([*PEOPLE, ""])
    pushes = st.builds(pushed, MOMENTS, st.dictionaries(people, st.integers(1, 9), max_size=3))
    return Repository(draw(st.sampled_from(ZONES)), data, tuple(draw(st.lists(pushes, max_size=5))))


@st.composite
def _items(draw: st.DrawFn, number: int, count: int) -> tuple[ItemEvent, ...]:
    """One item of `count`, from its opening on."""
    moments = sorted(draw(st.lists(MOMENTS, min_size=1, max_size=9)))
    deliveries = iter(draw(st.permutations(range(len(moments)))))
    numbers = st.lists(st.integers(1, count), max_size=2, unique=True).map(tuple)
    is_pull_request = draw(st.booleans())
    shown = ItemSnapshot(
        number,
        f"Card {number}",
        moments[0],
        labels=tuple(draw(st.lists(st.sampled_from(LABELS), max_size=1))),
        is_pull_request=is_pull_request,
        author=draw(st.none() | st.sampled_from(PEOPLE)),
        assignees=tuple(draw(st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True))),
        closes=draw(numbers) if is_pull_request else None,
    )
    events = list[ItemEvent]()
    for when in moments:
        step = draw(st.sampled_from([_label, _assign, _state, _state, _state, _status, _parent, _edit, _go]))
        data = _Told(shown, "opened") if not events else step(draw, shown, when)
        shown = data.shown
        if data.event == "edited" and is_pull_request:
            shown = replace(shown, closes=draw(numbers))
        events.append(
            ItemEvent(
                f"item-{number}",
                data.event,
                when,
                f"{number}-{next(deliveries):03}",
                shown,
                label=data.label,
                named=data.named,
                actor=draw(st.none() | st.sampled_from(PEOPLE)),
            )
        )
        if data.event in GONE:
            break
    return tuple(events)


@dataclass(frozen=True, slots=True)
class _Told:
    shown: ItemSnapshot
    event: str
    label: str | None = None
    named: str | None = None


def _label(draw: st.DrawFn, shown: ItemSnapshot, _: datetime) -> _Told:
    label = draw(st.sampled_from(LABELS))
    rest = tuple(name for name in shown.labels if name != label)
    if label in shown.labels:
        return _Told(replace(shown, labels=rest), "unlabeled", label=label)
    return _Told(replace(shown, labels=(*rest, label)), "labeled", label=label)


def _assign(draw: st.DrawFn, shown: ItemSnapshot, _: datetime) -> _Told:
    login = draw(st.sampled_from(PEOPLE))
    rest = tuple(name for name in shown.assignees if name != login)
    if login in shown.assignees:
        return _Told(replace(shown, assignees=rest), "unassigned", named=login)
    return _Told(replace(shown, assignees=(*rest, login)), "assigned", named=login)


def _state(draw: st.DrawFn, shown: ItemSnapshot, when: datetime) -> _Told:
    if shown.state is not State.OPEN:
        return _Told(replace(shown, state=State.OPEN, closed_at=None), "reopened")
    state = draw(st.sampled_from([State.DONE, State.DONE, State.DROPPED]))
    return _Told(replace(shown, state=state, closed_at=when), "closed")


def _status(draw: st.DrawFn, shown: ItemSnapshot, _: datetime) -> _Told:
    status = draw(st.sampled_from(["unstarted", "started", "completed"]))
    return _Told(replace(shown, status=status), "status_changed", named=status)


def _parent(draw: st.DrawFn, shown: ItemSnapshot, _: datetime) -> _Told:
    return _Told(shown, "parent_added", named=f"item-{draw(st.integers(1, 6))}")


def _edit(draw: st.DrawFn, shown: ItemSnapshot, _: datetime) -> _Told:
    return _Told(shown, draw(st.sampled_from(["edited", "commented", "started"])))


def _go(draw: st.DrawFn, shown: ItemSnapshot, _: datetime) -> _Told:
    return _Told(shown, draw(st.sampled_from(["commented", *GONE])))


def make_finished_card(number: int, days: int) -> FlowCard:
    """Make an item whose cycle time is `days` days."""
    start = at("11-02 09:00")
    card = FlowCard(number).opened("11-01").assigned(start)
    card.closed(start + timedelta(days=days - 1, hours=1))
    return card
