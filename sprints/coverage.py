"""Work that would count twice: items that are covered by other items of the same milestone.

A parent issue is covered by its sub-issues, a pull request by the issues that it closes. While one of these
is in the milestone as well, the item itself does not count. An item that nothing covers counts, so that no
work is lost: parents in a circle, which only a missed event can make, do not cover each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

from sprints.history import ItemState, SprintChange
from sprints.model import event_sort_key
from sprints.numbering import Number


@dataclass(frozen=True, slots=True)
class ItemHistory:
    """An item of a milestone: its node id, its number, and its changes.

    `covered_by` are the node ids of the items that cover it after all of these changes.
    """

    item: str
    number: Number
    is_pull_request: bool
    changes: Sequence[SprintChange]
    covered_by: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class _Link:
    """A time during which `covering` may cover `covered`: as its sub-issue, or as the issue `closed` by it.

    `is_live` is whether it does so at the moment that the sweep has reached.
    """

    covered: str
    covering: str
    closed: Number | None = None
    is_live: bool = False


_Ends = tuple[str, str, Number | None]
_NOWHERE = ItemState()


def mark_covered_items(histories: Iterable[ItemHistory]) -> list[ItemHistory]:
    """Mark each item as covered for as long as others represent its work."""
    all_items = {history.item: history for history in histories}
    ends = _parent_links(all_items) | _closing_links(all_items.values())
    if ends:
        links = [_Link(*link_ends) for link_ends in ends]
        all_items.update(_Sweep(links).through(all_items))
    return list(all_items.values())


def _parent_links(items: Mapping[str, ItemHistory]) -> set[_Ends]:
    """List the links from each item that was ever a parent to its sub-issues."""
    return {
        (parent, item.item, None)
        for item in items.values()
        for change in item.changes
        if (parent := change.after.parent) and parent in items
    }


def _closing_links(items: Iterable[ItemHistory]) -> set[_Ends]:
    """List the links from each pull request to the issues that it was ever going to close."""
    closing, issues = list[ItemHistory](), dict[Number, list[str]]()
    for item in items:
        if item.is_pull_request:
            closing.append(item)
        else:
            # Two issues share a number only if one is deleted; its state shows which.
            issues.setdefault(item.number, []).append(item.item)
    return {
        (item.item, teller, number)
        for item in closing
        for change in item.changes
        for number in change.after.closes
        for teller in issues.get(number, ())
    }


@dataclass(slots=True)
class _Coverage:
    """The coverage of an item: how many others cover it now, and its changes so far."""

    covering_count: int = 0
    changes: list[SprintChange] = field(default_factory=list)

    @property
    def latest(self) -> ItemState:
        return self.changes[-1].after if self.changes else _NOWHERE


class _Sweep:
    """A sweep over all changes of linked items, moment by moment.

    Only the links of the items that changed are visited, because a pull request may name thousands.
    """

    def __init__(self, links: Sequence[_Link]) -> None:
        self._states: dict[str, ItemState] = {}
        self._coverage = dict[str, _Coverage]()
        self._links_of: dict[str, list[_Link]] = {}
        for link in links:
            self._coverage.setdefault(link.covered, _Coverage())
            for item in {link.covered, link.covering}:
                self._links_of.setdefault(item, []).append(link)
        # The items that may ever be in a circle of parents, and the items that are in one at the moment.
        self._suspects = _in_circles(links)
        self._in_circle = set[str]()

    def through(self, items: Mapping[str, ItemHistory]) -> dict[str, ItemHistory]:
        """Run the sweep, and return the items that others may cover, with their coverage marked."""
        changes = [(change.at, item, change) for item in self._links_of for change in items[item].changes]
        changes.sort(key=lambda change: change[0])
        for at, group in groupby(changes, key=lambda change: change[0]):
            self._step(at, {item: change for _, item, change in group})
        return {
            item: replace(items[item], changes=coverage.changes, covered_by=self._find_covering(item))
            for item, coverage in self._coverage.items()
        }

    def _find_covering(self, item: str) -> tuple[str, ...]:
        live = (link for link in self._links_of[item] if link.is_live and link.covered == item)
        return tuple(sorted({link.covering for link in live}))

    def _step(self, at: datetime, changed: Mapping[str, SprintChange]) -> None:
        """Process one moment, at which each of these items changed once."""
        self._states.update((item, change.after) for item, change in changed.items())
        in_order = list(changed.items())
        if len(in_order) > 1:
            in_order.sort(key=lambda pair: (event_sort_key(pair[1].event), pair[0]))
        # An item's own event explains its change better than another item's event does.
        reasons = {item: change.event for item, change in in_order if item in self._coverage}
        # Most changes concern labels and states, which no link depends on.
        causes = [(item, change.event) for item, change in in_order if _changes_links(change)]
        suspects = [event for item, event in causes if item in self._suspects]
        if suspects:
            causes += [(item, suspects[0]) for item in sorted(self._update_circles())]
        for item, event in causes:
            for link in self._links_of[item]:
                if self._update_link(link):
                    reasons.setdefault(link.covered, event)
        for item, event in reasons.items():
            coverage, after = self._coverage[item], self._state(item)
            before = coverage.latest
            if coverage.covering_count:
                after = replace(after, is_covered=True)
            if after != before:
                coverage.changes.append(SprintChange(at, before, after, event))

    def _update_link(self, link: _Link) -> bool:
        """Bring a link up to date, and return whether it changed."""
        if link.is_live == self._is_covering(link):
            return False
        link.is_live = not link.is_live
        self._coverage[link.covered].covering_count += 1 if link.is_live else -1
        return True

    def _is_covering(self, link: _Link) -> bool:
        covered, covering = self._state(link.covered), self._state(link.covering)
        if not (covered.is_member and covering.is_member) or covering.is_gone:
            return False
        if link.closed is not None:
            return link.closed in covered.closes
        return covering.parent == link.covered and link.covering not in self._in_circle

    def _update_circles(self) -> set[str]:
        """Search for circles of parents again, and return the items whose membership in one changed."""
        in_circle, visited = set[str](), set[str]()
        for start in self._suspects:
            path, current = list[str](), self._parent_above(start)
            while current is not None and current not in visited:
                visited.add(current)
                path.append(current)
                current = self._parent_above(current)
            if current in path:
                in_circle.update(path[path.index(current) :])
        changed = in_circle ^ self._in_circle
        self._in_circle = in_circle
        return changed

    def _parent_above(self, item: str) -> str | None:
        """Return the item's parent, if the item covers it unless they form a circle."""
        state = self._state(item)
        parent = state.parent if state.is_member and not state.is_gone else None
        return parent if parent and parent in self._suspects and self._state(parent).is_member else None

    def _state(self, item: str) -> ItemState:
        return self._states.get(item, _NOWHERE)


def _changes_links(change: SprintChange) -> bool:
    """Return whether a change affects the item's membership or its links to other items."""
    before, after = change.before, change.after
    return (
        before.is_member != after.is_member
        or before.is_gone != after.is_gone
        or before.parent != after.parent
        or before.closes != after.closes
    )


def _in_circles(links: Iterable[_Link]) -> set[str]:
    """Find the issues that may ever be in a circle of parents, over all of time.

    Issues that only begin or only end a chain are removed until no more can be.
    """
    edges = {(link.covered, link.covering) for link in links if link.closed is None}
    while True:
        parents, children = {parent for parent, _ in edges}, {child for _, child in edges}
        inner_edges = {(parent, child) for parent, child in edges if parent in children and child in parents}
        if inner_edges == edges:
            return parents
        edges = inner_edges
