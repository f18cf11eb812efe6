"""Changes of single objects and of their timelines, as deliveries describe them."""

from __future__ import annotations

from github_standin.history.objects import (
    Json,
    StandInItem,
    StandInMilestone,
    StandInRepository,
)
from github_standin.history.timeline import to_milliseconds


def set_dependency(blocked: StandInItem, blocking: StandInItem, *, exists: bool) -> None:
    """Add or remove a dependency between two issues."""
    for items, item in ((blocked.blocked_by, blocking), (blocking.blocking, blocked)):
        if exists and item not in items:
            items.append(item)
        elif not exists and item in items:
            items.remove(item)


def set_sub_issue(
    parent: StandInItem, child: StandInItem, at: str, actor: Json | None, *, added: bool
) -> None:
    """Add or remove a sub-issue, with an event in both timelines."""
    if child in parent.sub_issues:
        parent.sub_issues.remove(child)
    if added:
        parent.sub_issues.append(child)
        child.parent = parent
    elif child.parent is parent:
        child.parent = None
    verb = "Added" if added else "Removed"
    parent.add(f"SubIssue{verb}Event", at, child.body["node_id"], actor, subIssue=child)
    child.add(f"ParentIssue{verb}Event", at, parent.body["node_id"], actor, parent=parent)


def event_time(action: str, body: Json) -> str:
    """The time of a webhook's event, read from the object in its payload."""
    if action in ("opened", "created"):
        return str(body["created_at"])
    if action == "closed" and body.get("closed_at"):
        return str(body["closed_at"])
    return str(body["updated_at"])


def add_creation_events(item: StandInItem, body: Json, actor: Json | None) -> None:
    """Add the events that GitHub writes for labels, assignees and milestone of a new issue."""
    at = body["created_at"]
    for label in body.get("labels", ()):
        item.add("LabeledEvent", at, label["name"], actor, label=label)
    for person in body.get("assignees", ()):
        item.add("AssignedEvent", at, person["login"], actor, assignee=person)
    if milestone := body.get("milestone"):
        item.add("MilestonedEvent", at, milestone["title"], actor, milestone=milestone)


def add_close_events(item: StandInItem, body: Json, at: str, actor: Json | None) -> None:
    """Add the event of closing, and before it that of merging for a merged pull request."""
    if item.is_pull and (body.get("merged_at") or body.get("merged")):
        base = (body.get("base") or {}).get("ref", "main")
        item.add("MergedEvent", at, "", actor, mergeRefName=base)
    reason = None if item.is_pull else str(body.get("state_reason") or "completed").upper()
    item.add("ClosedEvent", at, "", actor, stateReason=reason)


def add_rename_event(item: StandInItem, previous: str, current: str, at: str, actor: Json | None) -> None:
    """Add the event of a changed title."""
    if previous != current:
        item.add("RenamedTitleEvent", at, current, actor, previousTitle=previous, currentTitle=current)


def update_milestone(repository: StandInRepository, body: Json) -> StandInMilestone | None:
    """Store a body unless the stored one is newer; None when the milestone was deleted."""
    if body["id"] in repository.deleted_milestones:
        return None
    milestone = repository.milestones.get(body["number"])
    if milestone is None:
        milestone = repository.milestones[body["number"]] = StandInMilestone(repository, dict(body))
    elif is_newer(body, milestone.body):
        milestone.body = {**milestone.body, **body}
    return milestone


def is_newer(body: Json, stored: Json) -> bool:
    """Whether a body is at least as new: within one second, the payload that arrived last wins."""
    return to_milliseconds(body["updated_at"]) >= to_milliseconds(stored["updated_at"])
