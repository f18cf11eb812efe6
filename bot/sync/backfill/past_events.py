"""From what GitHub tells of the past to the facts that webhooks would have told then."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from bot.github.linked_issues import LinkedIssues
from bot.sync.backfill.names import NameHistory
from handlers.payloads import clean
from sprints.milestone import readable_moment
from sprints.model import ItemEvent, ItemSnapshot, MilestoneEvent, Source, State
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
class ItemHistory:
    """An item's facts, and how many entries of its timeline named a milestone that nobody knows."""

    facts: list[ItemEvent]
    lost: int = 0


def milestone_events(told: Mapping[str, Any]) -> Iterator[MilestoneEvent]:
    """Its picture, which holds from its creation until webhooks know better, and its closing."""
    created_at, closed_at = _parse_time(told["created_at"]), told.get("closed_at")
    shown = MilestoneEvent(
        milestone=told["id"],
        event="observed",
        at=created_at,
        delivery="backfill",
        number=told["number"],
        title=clean(told["title"]),
        created_at=created_at,
        description=clean(told["description"]) if told.get("description") else None,
        due_on=readable_moment(told.get("due_on")),
        source=Source.BACKFILL,
    )
    yield shown
    if closed_at:
        yield replace(shown, event="closed", at=_parse_time(closed_at), closed_at=_parse_time(closed_at))


def item_events(told: _Node, names: NameHistory, links: LinkedIssues | None) -> ItemHistory:
    """An item's life in this repository: from its opening or its coming on.

    `links` are the issues that GitHub lists for a pull request; None if it is not known.
    """
    came_at, nodes = _entries_here(told)
    boxes = _resolve_milestones(nodes, told, names)
    steps = [
        step for node, box in zip(nodes, boxes, strict=True) if (step := _read_step(node, box, told, nodes))
    ]
    steps += _missing_closing(told, nodes)
    shown = _snapshot_at_opening(told, names, steps, links)
    opened = ItemEvent(told["id"], "opened", came_at or shown.created_at, "", shown, source=Source.BACKFILL)
    found = [replace(opened, actor=_login(told.get("author")))]
    for step in steps:
        shown = _apply_step(shown, step)
        found.append(_to_item_event(told["id"], step, shown))
    parent = told.get("parent")
    if parent and not any(step.event == "parent_added" for step in steps):
        # Since when is not told; from the beginning is the guess that changes no running sprint.
        found.append(replace(found[0], event="parent_added", named=parent["id"]))
    # The place in the timeline decides between facts of one second.
    facts = [
        _with_past_labels(replace(fact, delivery=f"backfill:{place:06}"), names)
        for place, fact in enumerate(found)
    ]
    unknown = [node for node, box in zip(nodes, boxes, strict=True) if box is None and _names_milestone(node)]
    return ItemHistory(facts, len(unknown))


def _to_item_event(item: str, step: "_Step", shown: ItemSnapshot) -> ItemEvent:
    return ItemEvent(
        item=item,
        event=step.event,
        at=step.at,
        delivery="",
        snapshot=shown,
        milestone=step.milestone,
        label=step.name if step.event in {"labeled", "unlabeled"} else None,
        named=step.name if step.event in _NAMING else None,
        before={"title": step.before} if step.event == "edited" else None,
        actor=step.actor,
        source=Source.BACKFILL,
    )


def _with_past_labels(fact: ItemEvent, names: NameHistory) -> ItemEvent:
    """GitHub tells labels of the past by the names of today; webhooks told of them by those of then."""
    labels = tuple(names.past_label_name(label, fact.at) for label in fact.snapshot.labels)
    label = names.past_label_name(fact.label, fact.at) if fact.label else None
    return replace(fact, label=label, snapshot=replace(fact.snapshot, labels=labels))


@dataclass(frozen=True, slots=True)
class _Step:
    """One entry of a timeline. `name` is its label or person, or an edit's new title."""

    event: str
    at: datetime
    actor: str | None
    name: str | None = None
    before: str | None = None
    milestone: int | None = None
    state: State = State.OPEN


def _entries_here(told: _Node) -> tuple[datetime | None, list[_Node]]:
    """When it came by a transfer, and what is told since: what was before happened in another repository."""
    nodes = nodes_of(told["timelineItems"])
    arrivals = [place for place, node in enumerate(nodes) if node["__typename"] == _TRANSFER]
    came_at = _parse_time(nodes[arrivals[-1]]["createdAt"]) if arrivals else None
    here = nodes[arrivals[-1] + 1 :] if arrivals else nodes
    return came_at, [node for node in here if node["__typename"] in _NAMES]


def _names_milestone(node: _Node) -> bool:
    return node["__typename"] in {_JOIN, _LEAVE}


def _resolve_milestones(nodes: Sequence[_Node], told: _Node, names: NameHistory) -> list[int | None]:
    """The milestone of each entry that is about one, told by its title of then.

    An item is in one milestone at a time. So what it left is what it had joined last, and what it joined last
    is where it is now, whatever the title says.
    """
    found = [
        names.find_titled(clean(node["milestoneTitle"]), _parse_time(node["createdAt"]))
        if _names_milestone(node)
        else None
        for node in nodes
    ]
    moves = sorted((place for place, node in enumerate(nodes) if _names_milestone(node)), key=_by_time(nodes))
    for join, leave in pairwise(moves):
        if (nodes[join]["__typename"], nodes[leave]["__typename"]) == (_JOIN, _LEAVE):
            found[join] = found[join] or found[leave]
            found[leave] = found[leave] or found[join]
    if moves and nodes[moves[-1]]["__typename"] == _JOIN and told.get("milestone"):
        found[moves[-1]] = names.find_numbered(told["milestone"]["number"]) or found[moves[-1]]
    return found


def _by_time(nodes: Sequence[_Node]) -> Callable[[int], tuple[datetime, bool]]:
    """Within a second, leaving comes before joining."""
    return lambda place: (_parse_time(nodes[place]["createdAt"]), nodes[place]["__typename"] == _JOIN)


def _read_step(node: _Node, box: int | None, told: _Node, nodes: Sequence[_Node]) -> _Step | None:
    """What an entry says happened, or None if it names nothing that we know."""
    event, at = _NAMES[node["__typename"]], _parse_time(node["createdAt"])
    step = _Step(event, at, _login(node.get("actor")), _name_in(node))
    match event:
        case "milestoned" | "demilestoned":
            return replace(step, milestone=box) if box is not None else None
        case "edited":
            return replace(step, before=clean(node["previousTitle"]))
        case "closed":
            is_last = node is _last_state_change(nodes) and told["state"] != "OPEN"
            when = _parse_time(told["closedAt"]) if is_last and told.get("closedAt") else at
            return replace(step, at=when, state=_closed_state(told, node, is_last=is_last))
        case _:
            return step if step.name or event in _COMPLETE_WITHOUT_NAME else None


def _last_state_change(nodes: Sequence[_Node]) -> _Node | None:
    """The last time that it was closed or opened again."""
    turns = [node for node in nodes if node["__typename"] in {"ClosedEvent", "ReopenedEvent"}]
    return turns[-1] if turns else None


def _missing_closing(told: _Node, nodes: Sequence[_Node]) -> list[_Step]:
    """Some closed items, mostly very old ones, have a timeline that does not end in their closing."""
    last = _last_state_change(nodes)
    if told["state"] == "OPEN" or not told.get("closedAt"):
        return []
    if last is not None and last["__typename"] == "ClosedEvent":
        return []
    return [_Step("closed", _parse_time(told["closedAt"]), None, state=_closed_state(told, {}, is_last=True))]


def _name_in(node: _Node) -> str | None:
    """What an entry names: a label, a person, a parent's id, a new title."""
    if assignee := node.get("assignee"):
        return _login(assignee)
    told = node.get("label") or node.get("parent") or {}
    name = told.get("name") or told.get("id") or node.get("currentTitle")
    return clean(name) if name else None


def find_people(told: object) -> dict[int, str]:
    """All people that an answer tells of: their present logins by GitHub's ids."""
    match told:
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
    """As webhooks write it: here a bot's login has no suffix."""
    if not actor or not actor.get("login"):
        return None
    return account_login(clean(actor["login"]), str(actor.get("__typename") or ""))


def _closed_state(told: _Node, node: _Node, *, is_last: bool) -> State:
    if "merged" in told:
        return State.DONE if told["merged"] and is_last else State.DROPPED
    reason = node.get("stateReason") or (told.get("stateReason") if is_last else None)
    return State.DROPPED if reason in _DROPPING else State.DONE


def _snapshot_at_opening(
    told: _Node, names: NameHistory, steps: Sequence[_Step], links: LinkedIssues | None
) -> ItemSnapshot:
    """What it is now, without what happened since, from the last to the first."""
    labels = [clean(node["name"]) for node in nodes_of(told["labels"])]
    people = [clean(node["login"]) for node in nodes_of(told["assignees"])]
    box = told.get("milestone")
    milestone = names.find_numbered(box["number"]) if box else None
    title = clean(told["title"])
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
        number=told["number"],
        title=title,
        created_at=_parse_time(told["createdAt"]),
        milestone=milestone,
        labels=tuple(labels),
        is_pull_request="merged" in told,
        author=_login(told.get("author")),
        assignees=tuple(people),
        closes=tuple(sorted(links.issues)) if links else None,
    )


def _apply_step(shown: ItemSnapshot, step: _Step) -> ItemSnapshot:
    match step.event:
        case "labeled" if step.name:
            return replace(shown, labels=(*_without(shown.labels, step.name), step.name))
        case "unlabeled":
            return replace(shown, labels=_without(shown.labels, step.name))
        case "assigned" if step.name:
            return replace(shown, assignees=(*_without(shown.assignees, step.name), step.name))
        case "unassigned":
            return replace(shown, assignees=_without(shown.assignees, step.name))
        case "milestoned":
            return replace(shown, milestone=step.milestone)
        case "demilestoned" if shown.milestone == step.milestone:
            return replace(shown, milestone=None)
        case "closed":
            return replace(shown, state=step.state, closed_at=step.at)
        case "reopened":
            return replace(shown, state=State.OPEN, closed_at=None)
        case "edited" if step.name:
            return replace(shown, title=step.name)
        case _:
            return shown


def _without(names: tuple[str, ...], name: str | None) -> tuple[str, ...]:
    return tuple(one for one in names if one != name)


def nodes_of(connection: _Node | None) -> list[dict[str, Any]]:
    """What a connection holds. GitHub's schema allows null for it, for its list and for each node."""
    return [node for node in (connection or {}).get("nodes") or () if node]


def _parse_time(told: str) -> datetime:
    return datetime.fromisoformat(told)
