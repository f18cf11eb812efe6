"""Changes that no webhook tells of, made in the history itself: what a reconciliation has to find."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from github_standin.history import close, rename
from github_standin.objects import Item

Json = dict[str, Any]
GHOST = {"login": "ghost", "type": "User"}


def change(item: Item, fields: Json, *, at: str | None, is_in_timeline: bool) -> None:
    """REST's fields and values: labels by name, a milestone by number, people by login.

    With `is_in_timeline` the timeline tells of it as GitHub's does; without, only the state has changed.
    """
    at = at or datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    before = dict(item.body)
    item.body = {**before, "updated_at": at, **_resolved(item, fields)}
    if item.body["state"] != before["state"]:
        _set_closed(item, fields, at)
    if is_in_timeline:
        _tell(item, before, at)


def _resolved(item: Item, fields: Json) -> Json:
    repository = item.repository
    found = dict(fields)
    if "labels" in fields:
        known = repository.labels
        found["labels"] = [known[name].body for name in fields["labels"]]
    if fields.get("milestone") is not None:
        found["milestone"] = repository.milestones[fields["milestone"]].body
    if "assignees" in fields:
        found["assignees"] = [{"login": login, "type": "User"} for login in fields["assignees"]]
    return found


def _set_closed(item: Item, fields: Json, at: str) -> None:
    is_closed = item.body["state"] == "closed"
    item.body["closed_at"] = fields.get("closed_at", at) if is_closed else None
    if not item.is_pull and "state_reason" not in fields:
        item.body["state_reason"] = "completed" if is_closed else "reopened"
    if item.is_pull and item.body.get("merged"):
        item.body["merged_at"] = item.body["closed_at"]


def _tell(item: Item, before: Json, at: str) -> None:
    now = item.body
    rename(item, before["title"], now["title"], at, GHOST)
    for key, name, kinds in (
        ("labels", "name", ("UnlabeledEvent", "LabeledEvent")),
        ("assignees", "login", ("UnassignedEvent", "AssignedEvent")),
    ):
        old, new = ({one[name]: one for one in body.get(key, ())} for body in (before, now))
        for kind, gone, kept in ((kinds[0], old, new), (kinds[1], new, old)):
            for word in gone.keys() - kept.keys():
                item.add(kind, at, word, GHOST, **{key.removesuffix("s"): gone[word]})
    _tell_milestone(item, before.get("milestone"), now.get("milestone"), at)
    if now["state"] != before["state"]:
        if now["state"] == "closed":
            close(item, now, now["closed_at"], GHOST)
        else:
            item.add("ReopenedEvent", at, "", GHOST, stateReason="REOPENED")


def _tell_milestone(item: Item, old: Json | None, new: Json | None, at: str) -> None:
    if (old and old["number"]) == (new and new["number"]):
        return
    if old:
        item.add("DemilestonedEvent", at, old["title"], GHOST, milestone=old)
    if new:
        item.add("MilestonedEvent", at, new["title"], GHOST, milestone=new)
