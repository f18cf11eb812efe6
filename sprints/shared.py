"""Sprints that span repositories: milestones of one title are one sprint, that of the first repository."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sprints.milestone import Part
from sprints.model import ActivityEvent, ItemEvent, LabelEvent, MilestoneEvent, in_order
from sprints.numbering import Number, number_in, place, seen_from

_Milestones = Mapping[int, Sequence[MilestoneEvent]]
_SUMS = ("carried", "late")


@dataclass(frozen=True, slots=True)
class Sharing:
    """Which milestones are one, by GitHub's ids: `leader_of` tells the first repository's milestone, `parts`
    those of the others that belong to it. `leading` are all of the first repository.
    """

    leader_of: Mapping[int, int]
    parts: Mapping[int, tuple[Part, ...]]
    leading: frozenset[int]


def sharing_of(leading: _Milestones, others: Mapping[str, _Milestones]) -> Sharing:
    """From all events of the milestones of the first repository, and of the others by name.

    Titles are compared as they are now, whatever their case. What was deleted belongs to nothing.
    """
    leaders = {title: milestone for milestone, told in leading.items() if (title := _title(told))}
    leader_of, parts = dict[int, int](), dict[int, list[Part]]()
    for repository, milestones in others.items():
        for milestone, told in milestones.items():
            leader = leaders.get(_title(told) or "")
            if leader is not None:
                leader_of[milestone] = leader
                parts.setdefault(leader, []).append(Part(repository, milestone, told[0].number))
    found = {leader: tuple(belonging) for leader, belonging in parts.items()}
    return Sharing(leader_of, found, frozenset(leading))


def seen_items(
    items: Mapping[str, Sequence[ItemEvent]], repository: str, sharing: Sharing
) -> dict[str, list[ItemEvent]]:
    """A repository's events with the names of items and the milestones that they have in shared sprints."""
    return {
        item: [_seen(event, repository, sharing.leader_of) for event in told] for item, told in items.items()
    }


def seen_labels(labels: Iterable[LabelEvent], repository: str) -> list[LabelEvent]:
    """What happened to a repository's labels, beside that of others."""
    return [replace(label, repository=repository) for label in labels] if repository else list(labels)


def seen_activity(events: Iterable[ActivityEvent], repository: str) -> list[ActivityEvent]:
    """What else happened in a repository; the numbers that it names are those of its items."""
    return [
        replace(event, details={**event.details, "number": number_in(repository, number)})
        if isinstance(number := event.details.get("number"), int)
        else event
        for event in events
    ]


def taken_from(values: Mapping[str, Any], there: str, here: str) -> dict[str, Any]:
    """Plain values of a sprint (plain.py) that were taken in the repository `there`, as seen from `here`."""

    def renamed(number: Number) -> Number:
        return seen_from(number, there, here)

    def listed(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [{**item, "number": renamed(item["number"])} for item in items]

    lists = {name: listed(values[name]) for name in ("items", "committed_items", "done_items", "changes")}
    numbers = {name: [renamed(one) for one in values[name]] for name in ("covered", "first_seen_later")}
    sums = {
        name: {**values[name], "items": [renamed(one) for one in values[name]["items"]]} for name in _SUMS
    }
    return {**values, **lists, **numbers, **sums}


def _seen(event: ItemEvent, repository: str, leader_of: Mapping[int, int]) -> ItemEvent:
    shown = event.snapshot
    closes = shown.closes
    if closes is not None and repository:
        closes = tuple(number_in(repository, place(number)[1]) for number in closes)
    snapshot = replace(
        shown,
        number=number_in(repository, place(shown.number)[1]),
        milestone=_led(shown.milestone, leader_of),
        closes=closes,
    )
    return replace(event, snapshot=snapshot, milestone=_led(event.milestone, leader_of))


def _led(milestone: int | None, leader_of: Mapping[int, int]) -> int | None:
    return milestone if milestone is None else leader_of.get(milestone, milestone)


def _title(told: Sequence[MilestoneEvent]) -> str | None:
    last = in_order(told)[-1]
    return (
        None if any(event.event == "deleted" for event in told) else " ".join(last.title.casefold().split())
    )
