"""Sprints that span repositories: milestones of one title are one sprint, that of the first repository."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sprints.milestone import SprintPart
from sprints.model import ActivityEvent, ItemEvent, LabelEvent, MilestoneEvent, sort_events
from sprints.numbering import Number, qualify_number, split_number, translate_number

_Milestones = Mapping[int, Sequence[MilestoneEvent]]
_SUMS = ("carried", "late")


@dataclass(frozen=True, slots=True)
class SharedSprints:
    """The milestones that form one sprint, by GitHub's ids.

    `leader_of` maps each milestone to that of the first repository, `parts` that one to the milestones of the
    others. `leading` are all milestones of the first repository.
    """

    leader_of: Mapping[int, int]
    parts: Mapping[int, tuple[SprintPart, ...]]
    leading: frozenset[int]


def find_shared_sprints(leading: _Milestones, others: Mapping[str, _Milestones]) -> SharedSprints:
    """Match milestones by title, from all events of those of the first repository and of the others by name.

    Titles are compared as they are now, ignoring case. Deleted milestones belong to no shared sprint.
    """
    leaders = {
        title: milestone
        for milestone, milestone_events in leading.items()
        if (title := _title(milestone_events))
    }
    leader_of, parts = dict[int, int](), dict[int, list[SprintPart]]()
    for repository, milestones in others.items():
        for milestone, milestone_events in milestones.items():
            leader = leaders.get(_title(milestone_events) or "")
            if leader is not None:
                leader_of[milestone] = leader
                parts.setdefault(leader, []).append(
                    SprintPart(repository, milestone, milestone_events[0].number)
                )
    parts_of = {leader: tuple(belonging) for leader, belonging in parts.items()}
    return SharedSprints(leader_of, parts_of, frozenset(leading))


def qualify_items(
    items: Mapping[str, Sequence[ItemEvent]], repository: str, sharing: SharedSprints
) -> dict[str, list[ItemEvent]]:
    """Map a repository's item events to the item names and milestone ids of shared sprints."""
    return {
        item: [_qualify_event(event, repository, sharing.leader_of) for event in item_events]
        for item, item_events in items.items()
    }


def qualify_labels(labels: Iterable[LabelEvent], repository: str) -> list[LabelEvent]:
    """Mark label events with their repository, to distinguish equal labels of several repositories."""
    return [replace(label, repository=repository) for label in labels] if repository else list(labels)


def qualify_activity(events: Iterable[ActivityEvent], repository: str) -> list[ActivityEvent]:
    """Qualify the item numbers in a repository's other events with the repository's name."""
    return [
        replace(event, details={**event.details, "number": qualify_number(repository, number)})
        if isinstance(number := event.details.get("number"), int)
        else event
        for event in events
    ]


def renumber_values(values: Mapping[str, Any], source: str, target: str) -> dict[str, Any]:
    """Renumber a sprint's plain values (plain.py), taken in repository `source`, for repository `target`."""

    def renumber(number: Number) -> Number:
        return translate_number(number, source, target)

    def renumber_items(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [{**item, "number": renumber(item["number"])} for item in items]

    lists = {
        name: renumber_items(values[name]) for name in ("items", "committed_items", "done_items", "changes")
    }
    numbers = {
        name: [renumber(number) for number in values[name]] for name in ("covered", "first_seen_later")
    }
    sums = {
        name: {**values[name], "items": [renumber(number) for number in values[name]["items"]]}
        for name in _SUMS
    }
    return {**values, **lists, **numbers, **sums}


def _qualify_event(event: ItemEvent, repository: str, leader_of: Mapping[int, int]) -> ItemEvent:
    original = event.snapshot
    closes = original.closes
    if closes is not None and repository:
        closes = tuple(qualify_number(repository, split_number(number)[1]) for number in closes)
    qualified = replace(
        original,
        number=qualify_number(repository, split_number(original.number)[1]),
        milestone=_map_milestone(original.milestone, leader_of),
        closes=closes,
    )
    return replace(event, snapshot=qualified, milestone=_map_milestone(event.milestone, leader_of))


def _map_milestone(milestone: int | None, leader_of: Mapping[int, int]) -> int | None:
    return milestone if milestone is None else leader_of.get(milestone, milestone)


def _title(events: Sequence[MilestoneEvent]) -> str | None:
    last = sort_events(events)[-1]
    return (
        None if any(event.event == "deleted" for event in events) else " ".join(last.title.casefold().split())
    )
