"""Converts GitHub's present data and timelines to the events that webhooks would have sent at the time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from bot.github.linked_issues import LinkedIssues
from bot.sync.backfill.names import NameHistory
from handlers.payloads import clean
from sprints.milestone import parse_github_time
from sprints.model import EventSource, ItemEvent, ItemSnapshot, MilestoneEvent, State
from sprints.people import NOBODY_IDS, account_login, is_person

_Node = Mapping[str, Any]
_DROPPING = {"NOT_PLANNED", "DUPLICATE"}
_NAMES = {
    "LabeledEvent": "labeled",
    "UnlabeledEvent": "unlabeled",
    "MilestonedEvent": "milestoned",
    "DemilestonedEvent": "demilestoned",
    "ClosedEvent": "closed",
    "ReopenedEvent": "reopened",
    "RenamedTitleEvent": "edited",
    "AssignedEvent": "assigned",
    "UnassignedEvent": "unassigned",
    "ParentIssueAddedEvent": "parent_added",
    "ParentIssueRemovedEvent": "parent_removed",
    "ConvertedToDiscussionEvent": "converted_to_discussion",
}
_JOIN, _LEAVE, _TRANSFER = "MilestonedEvent", "DemilestonedEvent", "TransferredEvent"
_NAMING = {"assigned", "unassigned", "parent_added", "parent_removed"}
_COMPLETE_WITHOUT_NAME = {"reopened", "converted_to_discussion"}


@dataclass(frozen=True, slots=True)
class PastItem:
    """An item's facts, and the number of entries of its timeline that name an unknown milestone."""

    facts: list[ItemEvent]
    lost: int = 0


def milestone_events(milestone: Mapping[str, Any]) -> Iterator[MilestoneEvent]:
    """Build a milestone's events: its present fields, dated at its creation, and its closing."""
    created_at, closed_at = _parse_time(milestone["created_at"]), milestone.get("closed_at")
    created = MilestoneEvent(
        milestone=milestone["id"],
        event="observed",
        at=created_at,
        delivery="backfill",
        number=milestone["number"],
        title=clean(milestone["title"]),
        created_at=created_at,
        description=clean(milestone["description"]) if milestone.get("description") else None,
        due_on=parse_github_time(milestone.get("due_on")),
        source=EventSource.BACKFILL,
    )
    yield created
    if closed_at:
        yield replace(created, event="closed", at=_parse_time(closed_at), closed_at=_parse_time(closed_at))


def item_events(item: _Node, names: NameHistory, links: LinkedIssues | None) -> PastItem:
    """Build an item's history in this repository, from its opening or its transfer to it.

    `links` are the issues that GitHub lists for a pull request; None if they are unknown.
    """
    transferred_at, entries = _entries_here(item)
    milestones = _resolve_milestones(entries, item, names)
    steps = [
        step
        for entry, milestone in zip(entries, milestones, strict=True)
        if (step := _read_step(entry, milestone, item, entries))
    ]
    steps += _missing_closing(item, entries)
    snapshot = _snapshot_at_opening(item, names, steps, links)
    opened = ItemEvent(
        item["id"], "opened", transferred_at or snapshot.created_at, "", snapshot, source=EventSource.BACKFILL
    )
    events = [replace(opened, actor=_login(item.get("author")))]
    for step in steps:
        snapshot = _apply_step(snapshot, step)
        events.append(_to_item_event(item["id"], step, snapshot))
    parent = item.get("parent")
    if parent and not any(step.event == "parent_added" for step in steps):
        # GitHub does not say since when; an assumed parent from the beginning changes no running sprint.
        events.append(replace(events[0], event="parent_added", named=parent["id"]))
    # The position in the timeline orders facts of the same second.
    facts = [
        _with_past_labels(replace(fact, delivery=f"backfill:{index:06}"), names)
        for index, fact in enumerate(events)
    ]
    unknown = [
        entry
        for entry, milestone in zip(entries, milestones, strict=True)
        if milestone is None and _names_milestone(entry)
    ]
    return PastItem(facts, len(unknown))


def _to_item_event(item: str, step: "_Step", snapshot: ItemSnapshot) -> ItemEvent:
    return ItemEvent(
        item=item,
        event=step.event,
        at=step.at,
        delivery="",
        snapshot=snapshot,
        milestone=step.milestone,
        label=step.name if step.event in {"labeled", "unlabeled"} else None,
        named=step.name if step.event in _NAMING else None,
        before={"title": step.before} if step.event == "edited" else None,
        actor=step.actor,
        source=EventSource.BACKFILL,
    )


def _with_past_labels(fact: ItemEvent, names: NameHistory) -> ItemEvent:
    """Replace present names of labels by those at the time of the fact, which webhooks have."""
    labels = tuple(names.past_label_name(label, fact.at) for label in fact.snapshot.labels)
    label = names.past_label_name(fact.label, fact.at) if fact.label else None
    return replace(fact, label=label, snapshot=replace(fact.snapshot, labels=labels))


@dataclass(frozen=True, slots=True)
class _Step:
    """One entry of a timeline. `name` is its label, person or parent, or an edit's new title."""

    event: str
    at: datetime
    actor: str | None
    name: str | None = None
    before: str | None = None
    milestone: int | None = None
    state: State = State.OPEN


def _entries_here(item: _Node) -> tuple[datetime | None, list[_Node]]:
    """The time of the item's transfer to this repository, if any, and the entries of its timeline since."""
    entries = list_nodes(item["timelineItems"])
    arrivals = [index for index, node in enumerate(entries) if node["__typename"] == _TRANSFER]
    transferred_at = _parse_time(entries[arrivals[-1]]["createdAt"]) if arrivals else None
    entries_since = entries[arrivals[-1] + 1 :] if arrivals else entries
    return transferred_at, [node for node in entries_since if node["__typename"] in _NAMES]


def _names_milestone(node: _Node) -> bool:
    return node["__typename"] in {_JOIN, _LEAVE}


def _resolve_milestones(entries: Sequence[_Node], item: _Node, names: NameHistory) -> list[int | None]:
    """Resolve the milestone of each entry that names one by its title at that time.

    An item is in one milestone at a time. So the milestone that it left is the one that it had joined last,
    and the last one that it joined is its present one, even if the titles differ.
    """
    milestones = [
        names.find_titled(clean(node["milestoneTitle"]), _parse_time(node["createdAt"]))
        if _names_milestone(node)
        else None
        for node in entries
    ]
    moves = sorted(
        (index for index, node in enumerate(entries) if _names_milestone(node)), key=_by_time(entries)
    )
    for join, leave in pairwise(moves):
        if (entries[join]["__typename"], entries[leave]["__typename"]) == (_JOIN, _LEAVE):
            milestones[join] = milestones[join] or milestones[leave]
            milestones[leave] = milestones[leave] or milestones[join]
    if moves and entries[moves[-1]]["__typename"] == _JOIN and item.get("milestone"):
        milestones[moves[-1]] = names.find_numbered(item["milestone"]["number"]) or milestones[moves[-1]]
    return milestones


def _by_time(entries: Sequence[_Node]) -> Callable[[int], tuple[datetime, bool]]:
    """The sort key of entries by time; within a second, leaving comes before joining."""
    return lambda index: (_parse_time(entries[index]["createdAt"]), entries[index]["__typename"] == _JOIN)


def _read_step(entry: _Node, milestone: int | None, item: _Node, entries: Sequence[_Node]) -> _Step | None:
    """Convert an entry to a step; None if it names an unknown milestone or nothing at all."""
    event, at = _NAMES[entry["__typename"]], _parse_time(entry["createdAt"])
    step = _Step(event, at, _login(entry.get("actor")), _name_in(entry))
    match event:
        case "milestoned" | "demilestoned":
            return replace(step, milestone=milestone) if milestone is not None else None
        case "edited":
            return replace(step, before=clean(entry["previousTitle"]))
        case "closed":
            is_last = entry is _last_state_change(entries) and item["state"] != "OPEN"
            closed_at = _parse_time(item["closedAt"]) if is_last and item.get("closedAt") else at
            return replace(step, at=closed_at, state=_closed_state(item, entry, is_last=is_last))
        case _:
            return step if step.name or event in _COMPLETE_WITHOUT_NAME else None


def _last_state_change(entries: Sequence[_Node]) -> _Node | None:
    """The last entry that closed or reopened the item."""
    changes = [node for node in entries if node["__typename"] in {"ClosedEvent", "ReopenedEvent"}]
    return changes[-1] if changes else None


def _missing_closing(item: _Node, entries: Sequence[_Node]) -> list[_Step]:
    """Build the closing of a closed item whose timeline lacks it, as those of some old items do."""
    last = _last_state_change(entries)
    if item["state"] == "OPEN" or not item.get("closedAt"):
        return []
    if last is not None and last["__typename"] == "ClosedEvent":
        return []
    return [_Step("closed", _parse_time(item["closedAt"]), None, state=_closed_state(item, {}, is_last=True))]


def _name_in(node: _Node) -> str | None:
    """The name in an entry: a label, a person, a parent's id, or a new title."""
    if assignee := node.get("assignee"):
        return _login(assignee)
    named = node.get("label") or node.get("parent") or {}
    name = named.get("name") or named.get("id") or node.get("currentTitle")
    return clean(name) if name else None


def find_people(answer: object) -> dict[int, str]:
    """Find all people in an answer: their present logins by GitHub's ids."""
    match answer:
        case {"__typename": "User", "databaseId": int(person), "login": str(login)} if (
            person not in NOBODY_IDS and is_person(login)
        ):
            return {person: clean(login)}
        case {**fields}:
            return find_people(list(fields.values()))
        case [*parts]:
            return {person: login for part in parts for person, login in find_people(part).items()}
        case _:
            return {}


def _login(actor: Mapping[str, Any] | None) -> str | None:
    """The login as in webhooks: GraphQL omits the suffix of a bot's login."""
    if not actor or not actor.get("login"):
        return None
    return account_login(clean(actor["login"]), str(actor.get("__typename") or ""))


def _closed_state(item: _Node, entry: _Node, *, is_last: bool) -> State:
    if "merged" in item:
        return State.DONE if item["merged"] and is_last else State.DROPPED
    reason = entry.get("stateReason") or (item.get("stateReason") if is_last else None)
    return State.DROPPED if reason in _DROPPING else State.DONE


def _snapshot_at_opening(
    item: _Node, names: NameHistory, steps: Sequence[_Step], links: LinkedIssues | None
) -> ItemSnapshot:
    """Compute the item's first snapshot: its present fields, with all steps undone, the last one first."""
    labels = [clean(node["name"]) for node in list_nodes(item["labels"])]
    people = [clean(node["login"]) for node in list_nodes(item["assignees"])]
    present_milestone = item.get("milestone")
    milestone = names.find_numbered(present_milestone["number"]) if present_milestone else None
    title = clean(item["title"])
    for step in reversed(steps):
        match step.event:
            case "labeled" if step.name in labels:
                labels.remove(step.name)
            case "unlabeled" if step.name and step.name not in labels:
                labels.insert(0, step.name)
            case "assigned" if step.name in people:
                people.remove(step.name)
            case "unassigned" if step.name and step.name not in people:
                people.insert(0, step.name)
            case "milestoned" if milestone == step.milestone:
                milestone = None
            case "demilestoned":
                milestone = step.milestone
            case "edited":
                title = step.before or title
            case _:
                pass
    return ItemSnapshot(
        number=item["number"],
        title=title,
        created_at=_parse_time(item["createdAt"]),
        milestone=milestone,
        labels=tuple(labels),
        is_pull_request="merged" in item,
        author=_login(item.get("author")),
        assignees=tuple(people),
        closes=tuple(sorted(links.issues)) if links else None,
    )


def _apply_step(snapshot: ItemSnapshot, step: _Step) -> ItemSnapshot:
    match step.event:
        case "labeled" if step.name:
            return replace(snapshot, labels=(*_without(snapshot.labels, step.name), step.name))
        case "unlabeled":
            return replace(snapshot, labels=_without(snapshot.labels, step.name))
        case "assigned" if step.name:
            return replace(snapshot, assignees=(*_without(snapshot.assignees, step.name), step.name))
        case "unassigned":
            return replace(snapshot, assignees=_without(snapshot.assignees, step.name))
        case "milestoned":
            return replace(snapshot, milestone=step.milestone)
        case "demilestoned" if snapshot.milestone == step.milestone:
            return replace(snapshot, milestone=None)
        case "closed":
            return replace(snapshot, state=step.state, closed_at=step.at)
        case "reopened":
            return replace(snapshot, state=State.OPEN, closed_at=None)
        case "edited" if step.name:
            return replace(snapshot, title=step.name)
        case _:
            return snapshot


def _without(names: tuple[str, ...], name: str | None) -> tuple[str, ...]:
    return tuple(other for other in names if other != name)


def list_nodes(connection: _Node | None) -> list[dict[str, Any]]:
    """The nodes of a connection. GitHub's schema allows null for it, for its list and for each node."""
    return [node for node in (connection or {}).get("nodes") or () if node]


def _parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)
