"""From what GitHub tells of the past to the facts that webhooks would have told then."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from handlers.payloads import clean
from sprints.model import ItemEvent, ItemSnapshot, MilestoneEvent, Source, State

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
}


_NAMING = {"assigned", "unassigned", "parent_added", "parent_removed"}


@dataclass(frozen=True, slots=True)
class Milestones:
    """A repository's milestones: their ids by number, and by every title that they are known to have had."""

    by_number: Mapping[int, int]
    by_title: Mapping[str, int]


def milestone_facts(told: Mapping[str, Any]) -> Iterator[MilestoneEvent]:
    """Its picture, which holds from its creation until webhooks know better, and its closing."""
    created_at, closed_at = _time(told["created_at"]), told.get("closed_at")
    shown = MilestoneEvent(
        milestone=told["id"],
        event="observed",
        at=created_at,
        delivery="backfill",
        number=told["number"],
        title=clean(told["title"]),
        created_at=created_at,
        description=clean(told["description"]) if told.get("description") else None,
        due_on=_time(told["due_on"]) if told.get("due_on") else None,
        source=Source.BACKFILL,
    )
    yield shown
    if closed_at:
        yield replace(shown, event="closed", at=_time(closed_at), closed_at=_time(closed_at))


def item_facts(told: Mapping[str, Any], full_name: str, milestones: Milestones) -> list[ItemEvent]:
    """An item's life from its opening on."""
    steps = list(_steps(told, milestones))
    shown = _as_opened(told, full_name, milestones, steps)
    author = (told.get("author") or {}).get("login")
    found = [
        ItemEvent(told["id"], "opened", shown.created_at, "", shown, actor=author, source=Source.BACKFILL)
    ]
    for step in steps:
        shown = _after(shown, step)
        found.append(
            ItemEvent(
                item=told["id"],
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
        )
    parent = told.get("parent")
    if parent and not any(step.event == "parent_added" for step in steps):
        # Since when is not told; from the beginning is the guess that changes no running sprint.
        first = found[0]
        found.append(replace(first, event="parent_added", named=parent["id"]))
    # The place in the timeline decides between facts of one second.
    return [replace(fact, delivery=f"backfill:{place:06}") for place, fact in enumerate(found)]


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


def _steps(told: Mapping[str, Any], milestones: Milestones) -> Iterator[_Step]:
    nodes = [node for node in told["timelineItems"]["nodes"] if node and node["__typename"] in _NAMES]
    closings = [node for node in nodes if node["__typename"] == "ClosedEvent"]
    joins = [node for node in nodes if node["__typename"] == "MilestonedEvent"]
    for node in nodes:
        event, at = _NAMES[node["__typename"]], _time(node["createdAt"])
        step = _Step(event, at, (node.get("actor") or {}).get("login"), _name_in(node))
        if event in {"milestoned", "demilestoned"}:
            milestone = milestones.by_title.get(node["milestoneTitle"])
            if milestone is None and joins and node is joins[-1] and told.get("milestone"):
                # It joined under a title that nobody knows any more, and is still there.
                milestone = milestones.by_number.get(told["milestone"]["number"])
            if milestone is not None:
                yield replace(step, milestone=milestone)
        elif event == "edited":
            yield replace(step, before=clean(node["previousTitle"]))
        elif event == "closed":
            is_last = node is closings[-1] and told["state"] != "OPEN"
            when = _time(told["closedAt"]) if is_last and told.get("closedAt") else at
            yield replace(step, at=when, state=_closed_as(told, node, is_last=is_last))
        elif event == "reopened" or step.name:
            yield step


def _name_in(node: Mapping[str, Any]) -> str | None:
    """What an entry names: a label, a person, a parent's id, a new title."""
    told = node.get("label") or node.get("assignee") or node.get("parent") or {}
    name = told.get("name") or told.get("login") or told.get("id") or node.get("currentTitle")
    return clean(name) if name else None


def _closed_as(told: Mapping[str, Any], node: Mapping[str, Any], *, is_last: bool) -> State:
    if "merged" in told:
        return State.DONE if told["merged"] and is_last else State.DROPPED
    reason = node.get("stateReason") or (told.get("stateReason") if is_last else None)
    return State.DROPPED if reason in _DROPPING else State.DONE


def _as_opened(
    told: Mapping[str, Any], full_name: str, milestones: Milestones, steps: list[_Step]
) -> ItemSnapshot:
    """What it is now, without what happened since, from the last to the first."""
    labels = [clean(node["name"]) for node in told["labels"]["nodes"]]
    people = [clean(node["login"]) for node in told["assignees"]["nodes"]]
    box = told.get("milestone")
    milestone = milestones.by_number.get(box["number"]) if box else None
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
    closes = told.get("closingIssuesReferences")
    return ItemSnapshot(
        number=told["number"],
        title=title,
        created_at=_time(told["createdAt"]),
        milestone=milestone,
        labels=tuple(labels),
        is_pull_request="merged" in told,
        author=(told.get("author") or {}).get("login"),
        assignees=tuple(people),
        closes=_closes(closes["nodes"], full_name) if closes else None,
    )


def _closes(references: list[Mapping[str, Any]], full_name: str) -> tuple[int, ...]:
    return tuple(
        sorted(
            one["number"]
            for one in references
            if one["repository"]["nameWithOwner"].lower() == full_name.lower()
        )
    )


def _after(shown: ItemSnapshot, step: _Step) -> ItemSnapshot:
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


def _time(told: str) -> datetime:
    return datetime.fromisoformat(told)
