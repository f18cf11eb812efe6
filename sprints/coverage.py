"""Work that would count twice: items that are told by other items of the same milestone.

A parent issue is told by its sub-issues, a pull request by the issues that it closes. While one of these
is in the milestone as well, the item itself counts nothing. Whoever is told by nobody counts, so that no
work is lost: parents in a circle, which only a missed event can make, tell nothing of each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

from sprints.history import ItemState, SprintChange
from sprints.model import place_in_time
from sprints.numbering import Number


@dataclass(frozen=True, slots=True)
class ItemHistory:
    """One item of a milestone: its node id, its number, and how it changed.

    `told_by` are the node ids of the items that tell its work after all of these changes.
    """

    item: str
    number: Number
    is_pull_request: bool
    changes: Sequence[SprintChange]
    told_by: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class _Link:
    """For some time `teller` may tell the work of `told`: as its sub-issue, or as issue `closed` by it.

    `is_live` says whether it does so at the moment that the sweep has come to.
    """

    told: str
    teller: str
    closed: Number | None = None
    is_live: bool = False


_Ends = tuple[str, str, Number | None]
_NOWHERE = ItemState()


def without_double_work(histories: Iterable[ItemHistory]) -> list[ItemHistory]:
    """The same items, each marked as covered for as long as others tell its work."""
    all_items = {one.item: one for one in histories}
    ends = _parent_links(all_items) | _closing_links(all_items.values())
    if ends:
        links = [_Link(*one) for one in ends]
        all_items.update(_Sweep(links).through(all_items))
    return list(all_items.values())


def _parent_links(items: Mapping[str, ItemHistory]) -> set[_Ends]:
    """From each item that was ever a parent to its sub-issues."""
    return {
        (parent, one.item, None)
        for one in items.values()
        for change in one.changes
        if (parent := change.after.parent) and parent in items
    }


def _closing_links(items: Iterable[ItemHistory]) -> set[_Ends]:
    """From each pull request to the issues that it ever meant to close."""
    closing, issues = list[ItemHistory](), dict[Number, list[str]]()
    for one in items:
        if one.is_pull_request:
            closing.append(one)
        else:
            # Of two issues of one number, one is gone; which of them, its state says.
            issues.setdefault(one.number, []).append(one.item)
    return {
        (one.item, teller, number)
        for one in closing
        for change in one.changes
        for number in change.after.closes
        for teller in issues.get(number, ())
    }


@dataclass(slots=True)
class _Told:
    """An item that others may tell: how many do now, and what became of it so far."""

    tellers: int = 0
    changes: list[SprintChange] = field(default_factory=list)

    @property
    def latest(self) -> ItemState:
        return self.changes[-1].after if self.changes else _NOWHERE


class _Sweep:
    """All that happened to linked items, moment by moment.

    Only the links of the items that changed are looked at, because a pull request may name thousands.
    """

    def __init__(self, links: Sequence[_Link]) -> None:
        self._states: dict[str, ItemState] = {}
        self._told = dict[str, _Told]()
        self._links_of: dict[str, list[_Link]] = {}
        for link in links:
            self._told.setdefault(link.told, _Told())
            for item in {link.told, link.teller}:
                self._links_of.setdefault(item, []).append(link)
        # Those that may ever stand in a circle, and those that do at the moment.
        self._suspects = _in_circles(links)
        self._in_circle = set[str]()

    def through(self, items: Mapping[str, ItemHistory]) -> dict[str, ItemHistory]:
        """The items that others may tell, marked."""
        changes = [(change.at, item, change) for item in self._links_of for change in items[item].changes]
        changes.sort(key=lambda one: one[0])
        for at, group in groupby(changes, key=lambda one: one[0]):
            self._step(at, {item: change for _, item, change in group})
        return {
            item: replace(items[item], changes=told.changes, told_by=self._tellers_of(item))
            for item, told in self._told.items()
        }

    def _tellers_of(self, item: str) -> tuple[str, ...]:
        live = (link for link in self._links_of[item] if link.is_live and link.told == item)
        return tuple(sorted({link.teller for link in live}))

    def _step(self, at: datetime, changed: Mapping[str, SprintChange]) -> None:
        """One moment, at which each of these items changed once."""
        self._states.update((item, change.after) for item, change in changed.items())
        in_order = list(changed.items())
        if len(in_order) > 1:
            in_order.sort(key=lambda one: (place_in_time(one[1].event), one[0]))
        # Its own event explains a moment of an item better than another item's.
        reasons = {item: change.event for item, change in in_order if item in self._told}
        # Most changes are of labels and states, which no link depends on.
        causes = [(item, change.event) for item, change in in_order if _moved(change)]
        suspects = [event for item, event in causes if item in self._suspects]
        if suspects:
            causes += [(item, suspects[0]) for item in sorted(self._turn_circles())]
        for item, event in causes:
            for link in self._links_of[item]:
                if self._turn(link):
                    reasons.setdefault(link.told, event)
        for item, event in reasons.items():
            told, after = self._told[item], self._state(item)
            before = told.latest
            if told.tellers:
                after = replace(after, is_covered=True)
            if after != before:
                told.changes.append(SprintChange(at, before, after, event))

    def _turn(self, link: _Link) -> bool:
        """Brings a link up to date. Says whether it changed."""
        if link.is_live == self._tells(link):
            return False
        link.is_live = not link.is_live
        self._told[link.told].tellers += 1 if link.is_live else -1
        return True

    def _tells(self, link: _Link) -> bool:
        told, teller = self._state(link.told), self._state(link.teller)
        if not (told.is_member and teller.is_member) or teller.is_gone:
            return False
        if link.closed is not None:
            return link.closed in told.closes
        return teller.parent == link.told and link.teller not in self._in_circle

    def _turn_circles(self) -> set[str]:
        """Finds anew who stands in a circle of parents. Returns those for whom that changed."""
        found, seen = set[str](), set[str]()
        for start in self._suspects:
            way, at = list[str](), self._up(start)
            while at is not None and at not in seen:
                seen.add(at)
                way.append(at)
                at = self._up(at)
            if at in way:
                found.update(way[way.index(at) :])
        changed = found ^ self._in_circle
        self._in_circle = found
        return changed

    def _up(self, item: str) -> str | None:
        """Its parent, if it tells that one but for circles."""
        state = self._state(item)
        parent = state.parent if state.is_member and not state.is_gone else None
        return parent if parent and parent in self._suspects and self._state(parent).is_member else None

    def _state(self, item: str) -> ItemState:
        return self._states.get(item, _NOWHERE)


def _moved(change: SprintChange) -> bool:
    """Whether it changed where an item stands in the milestone and among those that it is linked with."""
    before, after = change.before, change.after
    return (
        before.is_member != after.is_member
        or before.is_gone != after.is_gone
        or before.parent != after.parent
        or before.closes != after.closes
    )


def _in_circles(links: Iterable[_Link]) -> set[str]:
    """The issues of which, over time, one was above another and below it as well, and those between such.

    What only begins a chain, or only ends one, is taken off until nothing more can be.
    """
    left = {(link.told, link.teller) for link in links if link.closed is None}
    while True:
        parents, children = {parent for parent, _ in left}, {child for _, child in left}
        kept = {(parent, child) for parent, child in left if parent in children and child in parents}
        if kept == left:
            return parents
        left = kept
