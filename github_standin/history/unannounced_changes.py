"""Changes without a webhook, made directly in the history, so that tests can check reconciliation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from github_standin.history.changes import add_close_events, add_rename_event
from github_standin.history.objects import StandInItem

Json = dict[str, Any]
GHOST = {"login": "ghost", "type": "User"}


def change_item(item: StandInItem, fields: Json, *, at: str | None, is_in_timeline: bool) -> None:
    """Change an item's REST fields: labels by name, a milestone by number, people by login.

    With `is_in_timeline` the timeline gets GitHub's events, too; without it only the state changes.
    """
    at = at or datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    before = dict(item.body)
    item.body = {**before, "updated_at": at, **_resolved(item, fields)}
    if item.body["state"] != before["state"]:
        _set_closed(item, fields, at)
    if is_in_timeline:
        _add_events(item, before, at)


def _resolved(item: StandInItem, fields: Json) -> Json:
    """Replace names and numbers in the fields by the objects that they stand for."""
    repository = item.repository
    resolved = dict(fields)
    if "labels" in fields:
        resolved["labels"] = [repository.labels[name].body for name in fields["labels"]]
    if fields.get("milestone") is not None:
        resolved["milestone"] = repository.milestones[fields["milestone"]].body
    if "assignees" in fields:
        resolved["assignees"] = [{"login": login, "type": "User"} for login in fields["assignees"]]
    return resolved


def _set_closed(item: StandInItem, fields: Json, at: str) -> None:
    is_closed = item.body["state"] == "closed"
    item.body["closed_at"] = fields.get("closed_at", at) if is_closed else None
    if not item.is_pull and "state_reason" not in fields:
        item.body["state_reason"] = "completed" if is_closed else "reopened"
    if item.is_pull and item.body.get("merged"):
        item.body["merged_at"] = item.body["closed_at"]


def _add_events(item: StandInItem, before: Json, at: str) -> None:
    after = item.body
    add_rename_event(item, before["title"], after["title"], at, GHOST)
    for key, name, kinds in (
        ("labels", "name", ("UnlabeledEvent", "LabeledEvent")),
        ("assignees", "login", ("UnassignedEvent", "AssignedEvent")),
    ):
        old, new = ({value[name]: value for value in body.get(key, ())} for body in (before, after))
        for kind, values, others in ((kinds[0], old, new), (kinds[1], new, old)):
            for subject in values.keys() - others.keys():
                item.add(kind, at, subject, GHOST, **{key.removesuffix("s"): values[subject]})
    _add_milestone_events(item, before.get("milestone"), after.get("milestone"), at)
    if after["state"] != before["state"]:
        if after["state"] == "closed":
            add_close_events(item, after, after["closed_at"], GHOST)
        else:
            item.add("ReopenedEvent", at, "", GHOST, stateReason="REOPENED")


def _add_milestone_events(item: StandInItem, old: Json | None, new: Json | None, at: str) -> None:
    if (old and old["number"]) == (new and new["number"]):
        return
    if old:
        item.add("DemilestonedEvent", at, old["title"], GHOST, milestone=old)
    if new:
        item.add("MilestonedEvent", at, new["title"], GHOST, milestone=new)
