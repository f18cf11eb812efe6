"""The flows of a repository's items, assembled from the projection of each item.

Assembling adds what other items say: which items cover an item, which pull request started it, and when the
issues that block it were open.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

from sprints.blocked import limit_to_blockers
from sprints.flow import Flow
from sprints.history import LabelHistory
from sprints.item_projection import ItemProjection, previous_id, project_item
from sprints.model import ItemEvent, LabelEvent, sort_events
from sprints.numbering import Number, split_number
from sprints.rules import Rules

_Events = Mapping[str, Sequence[ItemEvent]]
_NOTHING: _Events = MappingProxyType({})
# The rules of other repositories are not known here.
_USUAL_RULES = Rules()


def build_flows(
    events: _Events,
    as_of: datetime,
    rules: Rules,
    labels: Iterable[LabelEvent] = (),
    elsewhere: _Events = _NOTHING,
) -> tuple[Flow, ...]:
    """Build the flows of all items of one repository by number, from the events before `as_of`.

    `events` are those of all its items by node id, `labels` the events of its labels. `elsewhere` are events
    of other repositories' items: items transferred from there keep their age and start, sub-issues that live
    there make a parent here, and issues there may block items here.

    Work in progress at an earlier moment must be read from the flows as of that moment, so that later
    corrections do not change it.
    """
    as_of = as_of.astimezone(UTC)
    here, others = _events_before(events, as_of), _events_before(elsewhere, as_of)
    label_history = LabelHistory(label for label in labels if label.at < as_of)
    projections = [
        project_item(
            item_events, rules, label_history.find_for(item_events), earlier_life(item_events, others)
        )
        for item_events in here.values()
    ]
    other_projections = [project_item(item_events, _USUAL_RULES) for item_events in others.values()]
    return assemble_flows(projections, projections, other_projections)


def assemble_flows(
    wanted: Iterable[ItemProjection],
    related: Iterable[ItemProjection],
    elsewhere: Iterable[ItemProjection] = (),
) -> tuple[Flow, ...]:
    """Assemble the flows of the items `wanted`, sorted by number.

    `related` are items of the same repository, the wanted ones among them: at least all sub-issues and their
    ancestors, all pull requests that close wanted issues, and all issues that wanted pull requests close.
    `elsewhere` are items of other repositories: sub-issues of wanted ones, and issues that block them.
    """
    here = {projection.flow.item: projection for projection in related}
    blockers = {item: projection.as_blocker(is_here=True) for item, projection in here.items()}
    elsewhere = [projection for projection in elsewhere if projection.flow.item not in here]
    blockers |= {projection.flow.item: projection.as_blocker(is_here=False) for projection in elsewhere}
    parents, links = _parents([*here.values(), *elsewhere]), _first_links(here.values())
    issues = {
        projection.flow.number
        for projection in here.values()
        if not projection.flow.is_pull_request and not projection.is_gone
    }
    flows = []
    for projection in wanted:
        flow = projection.flow
        # A pull request is itself started work, so its creation counts.
        linked_at = flow.created_at if flow.is_pull_request else links.get(flow.number)
        start = projection.signals.find_start(linked_at)
        covers = flow.is_pull_request and not issues.isdisjoint(flow.closes)
        flows.append(
            replace(
                flow,
                started_at=start.at if start else None,
                start_signal=start.signal if start else None,
                is_start_dated=start.is_dated if start else True,
                is_covered=covers or flow.item in parents,
                blocks=limit_to_blockers(flow.blocks, blockers) if flow.blocks else (),
            )
        )
    return tuple(sorted(flows, key=lambda flow: (split_number(flow.number), flow.item)))


def earlier_life(events: Sequence[ItemEvent], others: _Events) -> list[ItemEvent]:
    """The ordered events of an item in other repositories, before it was transferred to this one.

    `events` and those of `others`, by node id, are ordered.
    """
    earlier, previous, visited = list[ItemEvent](), previous_id(events), set[str]()
    while previous and previous in others and previous not in visited:
        visited.add(previous)
        earlier = [*others[previous], *earlier]
        previous = previous_id(others[previous])
    return earlier


def _events_before(events: _Events, as_of: datetime) -> dict[str, list[ItemEvent]]:
    """Sort the events before a moment by item, without items that have none."""
    ordered = {
        item: sort_events(event for event in item_events if event.at < as_of)
        for item, item_events in events.items()
    }
    return {item: item_events for item, item_events in ordered.items() if item_events}


def _parents(projections: Iterable[ItemProjection]) -> set[str]:
    """Return the issues that have sub-issues, except those in a circle of parents (see coverage.py)."""
    parent_of = {
        projection.flow.item: projection.parent
        for projection in projections
        if projection.parent and not projection.is_gone
    }
    return {parent for item, parent in parent_of.items() if not _is_its_own_ancestor(item, parent_of)}


def _is_its_own_ancestor(item: str, parent_of: Mapping[str, str]) -> bool:
    visited, ancestor = set[str](), parent_of.get(item)
    while ancestor and ancestor != item and ancestor not in visited:
        visited.add(ancestor)
        ancestor = parent_of.get(ancestor)
    return ancestor == item


def _first_links(projections: Iterable[ItemProjection]) -> dict[Number, datetime]:
    """Find by issue number when the first pull request that closes the issue appeared."""
    first: dict[Number, datetime] = {}
    for projection in projections:
        for number, at in projection.links:
            first[number] = min(at, first.get(number, at))
    return first
