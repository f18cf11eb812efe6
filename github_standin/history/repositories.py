"""The state and timelines of all repositories, built from webhooks.

emulate has no GraphQL and hardly any timelines, but it sends a webhook for each change. `observe` takes
these, recorded histories, and payloads made by tests. The order of webhooks and duplicates do not matter:
the newest payload by its `updated_at` gives the state, and an event that arrives twice is kept once.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from github_standin.history.changes import (
    add_close_events,
    add_creation_events,
    add_rename_event,
    event_time,
    is_newer,
    set_dependency,
    set_sub_issue,
    update_milestone,
)
from github_standin.history.objects import (
    Json,
    StandInComment,
    StandInItem,
    StandInLabel,
    StandInMilestone,
    StandInRepository,
)

ITEM_EVENTS = {
    "labeled": ("LabeledEvent", "label", "name"),
    "unlabeled": ("UnlabeledEvent", "label", "name"),
    "milestoned": ("MilestonedEvent", "milestone", "title"),
    "demilestoned": ("DemilestonedEvent", "milestone", "title"),
    "assigned": ("AssignedEvent", "assignee", "login"),
    "unassigned": ("UnassignedEvent", "assignee", "login"),
}
PLAIN_EVENTS = {
    "reopened": "ReopenedEvent",
    "converted_to_draft": "ConvertToDraftEvent",
    "ready_for_review": "ReadyForReviewEvent",
}
SUB_ISSUES = {
    "sub_issue_added": True,
    "parent_issue_added": True,
    "sub_issue_removed": False,
    "parent_issue_removed": False,
}


class RepositoryHistory:
    """All repositories that webhooks or recorded histories contain."""

    def __init__(self) -> None:
        self._repositories: dict[str, StandInRepository] = {}
        self._new_names: dict[str, str] = {}
        self._deleted: set[str] = set()
        # The latest GraphQL queries with their variables, for tests to inspect.
        self.queries: deque[Json] = deque(maxlen=1000)

    def load(self, deliveries: Iterable[Mapping[str, Any]]) -> None:
        """Load recorded deliveries, oldest first: `{"event", "delivery", "payload"}`."""
        for delivery in deliveries:
            self.observe(delivery["event"], delivery["payload"], recorded=True)

    def observe(self, event: str, payload: Mapping[str, Any], *, recorded: bool = False) -> None:
        """Apply a webhook. A payload without GitHub's keys is ignored, because tests may send anything."""
        with contextlib.suppress(KeyError, TypeError, AttributeError, ValueError):
            self._observe(event, payload, recorded=recorded)

    def repository(self, full_name: str) -> StandInRepository | None:
        """Find a repository by its current or a former name."""
        name = full_name.lower()
        return self._repositories.get(self._new_names.get(name, name))

    @property
    def repositories(self) -> list[StandInRepository]:
        """All repositories."""
        return list(self._repositories.values())

    def is_deleted(self, full_name: str) -> bool:
        """Whether a webhook announced that the repository was deleted."""
        return full_name.lower() in self._deleted

    def add_timeline_event(self, full_name: str, number: int, kind: str, at: str, **details: Any) -> None:
        """Add a timeline event that no webhook announces, such as ConvertedToDiscussionEvent.

        Raises LookupError when no webhook has named the repository.
        """
        repository = self.repository(full_name)
        if repository is None:
            raise LookupError(f"no webhook named {full_name}")
        actor, subject = details.pop("actor", None), details.pop("subject", "")
        repository.items[number].add(kind, at, subject, actor, **details)

    def forget(self, full_name: str) -> None:
        """Remove a repository."""
        self._repositories.pop(full_name.lower(), None)

    def node(
        self, node_id: str
    ) -> StandInRepository | StandInItem | StandInMilestone | StandInLabel | StandInComment | None:
        """Find an object by its global node id."""
        for repository in self.repositories:
            if repository.body["node_id"] == node_id:
                return repository
            for group in (
                repository.items,
                repository.milestones,
                repository.labels,
                repository.comments,
            ):
                for element in group.values():
                    if element.body.get("node_id") == node_id:
                        return element
        return None

    def retime(self, node_id: str, old: str, new: str) -> None:
        """Replace one timestamp of an object and of its timeline by another."""
        node = self.node(node_id)
        if node is None:
            return
        for name in ("created_at", "updated_at", "closed_at"):
            if node.body.get(name) == old:
                node.body[name] = new
        if isinstance(node, StandInItem):
            node.retime(old, new)

    def _observe(self, event: str, payload: Mapping[str, Any], *, recorded: bool) -> None:
        handler = {
            "repository": self._on_repository,
            "issues": self._on_issue,
            "issue_comment": self._on_comment,
            "pull_request": self._on_pull_request,
            "milestone": _on_milestone,
            "label": _on_label,
            "sub_issues": self._on_sub_issue,
            "issue_dependencies": self._on_dependency,
        }.get(event)
        name = payload["repository"]["full_name"].lower()
        if event == "repository" and payload["action"] == "created":
            self._deleted.discard(name)
        if name in self._deleted:
            return
        is_new = self.repository(name) is None
        repository = self._find_or_add(payload["repository"], renaming=event == "repository")
        repository.recorded = repository.recorded or (recorded and is_new)
        if installation := payload.get("installation"):
            repository.installation_id = installation["id"]
        if handler is not None:
            handler(repository, payload)

    # Repositories

    def _find_or_add(self, body: Json, *, renaming: bool = False) -> StandInRepository:
        """Find the repository of a body, or add it.

        A repository whose id is stored under another name has been renamed or transferred.
        """
        name = body["full_name"].lower()
        current = self._repositories.get(name)
        if current is not None and current.body["id"] == body["id"]:
            current.body = {**current.body, **body}
            return current
        for old, repository in list(self._repositories.items()):
            if (repository.body["node_id"], repository.body["id"]) == (body["node_id"], body["id"]):
                was_before = self._new_names.get(name) == old
                return repository if was_before and not renaming else self._rename(old, name, body)
        self._new_names.pop(name, None)
        return self._repositories.setdefault(name, StandInRepository(dict(body)))

    def _rename(self, old: str, name: str, body: Json) -> StandInRepository:
        repository = self._repositories.pop(old)
        repository.body = {**repository.body, **body}
        self._repositories[name] = repository
        self._new_names = {earlier: name if now == old else now for earlier, now in self._new_names.items()}
        self._new_names |= {old: name}
        self._new_names.pop(name, None)
        return repository

    def _on_repository(self, repository: StandInRepository, payload: Mapping[str, Any]) -> None:
        if payload["action"] == "deleted":
            self.forget(repository.full_name)
            self._deleted.add(repository.full_name.lower())

    # Issues and pull requests

    def _on_issue(self, repository: StandInRepository, payload: Mapping[str, Any]) -> None:
        self._on_item(repository, payload, payload["issue"])

    def _on_pull_request(self, repository: StandInRepository, payload: Mapping[str, Any]) -> None:
        self._on_item(repository, payload, payload["pull_request"], is_pull=True)

    def _on_comment(self, repository: StandInRepository, payload: Mapping[str, Any]) -> None:
        """Update the commented issue; for a pull request the payload's `issue` is not the item's own body."""
        if "pull_request" not in payload["issue"]:
            self._update_item(repository, payload["issue"])
        comment = payload["comment"]
        if payload["action"] == "deleted":
            repository.comments.pop(comment["id"], None)
        else:
            stored = repository.comments.setdefault(comment["id"], StandInComment(repository, comment))
            stored.body = comment

    def _on_item(
        self, repository: StandInRepository, payload: Mapping[str, Any], body: Json, *, is_pull: bool = False
    ) -> None:
        action, actor = payload["action"], payload.get("sender")
        before = repository.items.get(body["number"])
        if action in ("deleted", "transferred"):
            self._remove_item(repository, payload, body)
            return
        old_title = before.body["title"] if before else body["title"]
        item = self._update_item(repository, body, is_pull=is_pull)
        if item is None:
            return
        at = event_time(action, body)
        if action == "opened":
            add_creation_events(item, body, body.get("user") or actor)
            self._add_transfer_event(item, payload, body["updated_at"])
        elif action in ITEM_EVENTS:
            kind, key, name = ITEM_EVENTS[action]
            subject = payload[key]
            item.add(kind, at, subject[name], actor, **{key: subject})
        elif action == "closed":
            add_close_events(item, body, at, actor)
        elif action in PLAIN_EVENTS:
            item.add(PLAIN_EVENTS[action], at, "", actor, stateReason="REOPENED")
        elif action == "edited" and "title" in (payload.get("changes") or {}):
            change = payload["changes"]["title"]
            previous = change["from"] if isinstance(change, dict) else old_title
            add_rename_event(item, previous, body["title"], at, actor)

    def _update_item(
        self, repository: StandInRepository, body: Json, *, is_pull: bool = False
    ) -> StandInItem | None:
        """Store a body unless the stored one is newer; None when the item was deleted or transferred away."""
        if body["number"] in repository.former_numbers:
            return None
        item = repository.items.get(body["number"])
        if item is None:
            item = repository.items[body["number"]] = StandInItem(
                repository, dict(body), is_pull or "pull_request" in body
            )
        elif is_newer(body, item.body):
            item.body = {**item.body, **body}
        if milestone := body.get("milestone"):
            update_milestone(repository, milestone)
        for label in body.get("labels", ()):
            repository.labels.setdefault(label["name"], StandInLabel(repository, dict(label)))
        return item

    def _remove_item(self, repository: StandInRepository, payload: Mapping[str, Any], body: Json) -> None:
        item = repository.items.pop(body["number"], None)
        new_issue = (payload.get("changes") or {}).get("new_issue")
        target = (payload.get("changes") or {}).get("new_repository")
        repository.former_numbers[body["number"]] = new_issue["url"] if new_issue else ""
        if item is None:
            return
        if item.parent is not None:
            item.parent.sub_issues.remove(item)
        for child in item.sub_issues:
            child.parent = None
        for other in [*item.blocked_by]:
            set_dependency(item, other, exists=False)
        for other in [*item.blocking]:
            set_dependency(other, item, exists=False)
        if new_issue and target:
            transferred = self._update_item(self._find_or_add(target), new_issue)
            if transferred is not None:
                transferred.copy_events(item.timeline)
                at = new_issue.get("updated_at") or body["updated_at"]
                transferred.add(
                    "TransferredEvent",
                    at,
                    repository.full_name,
                    payload.get("sender"),
                    fromRepository=repository,
                )

    def _add_transfer_event(self, item: StandInItem, payload: Mapping[str, Any], at: str) -> None:
        if old := (payload.get("changes") or {}).get("old_repository"):
            source = self._find_or_add(old)
            if not any(event.kind == "TransferredEvent" for event in item.timeline):
                item.add(
                    "TransferredEvent", at, source.full_name, payload.get("sender"), fromRepository=source
                )

    def _on_sub_issue(self, _: StandInRepository, payload: Mapping[str, Any]) -> None:
        """Apply one of a change's two deliveries: both have the same content and the sub-issue's time."""
        parent = self._update_item(
            self._find_or_add(payload.get("parent_issue_repo") or payload["repository"]),
            payload["parent_issue"],
        )
        child = self._update_item(
            self._find_or_add(payload.get("sub_issue_repo") or payload["repository"]), payload["sub_issue"]
        )
        if parent is not None and child is not None:
            set_sub_issue(
                parent,
                child,
                payload["sub_issue"]["updated_at"],
                payload.get("sender"),
                added=SUB_ISSUES[payload["action"]],
            )

    def _on_dependency(self, _: StandInRepository, payload: Mapping[str, Any]) -> None:
        """Apply one of a change's two deliveries: both have the same content."""
        blocked = self._update_item(
            self._find_or_add(payload.get("blocked_issue_repo") or payload["repository"]),
            payload["blocked_issue"],
        )
        blocking = self._update_item(
            self._find_or_add(payload.get("blocking_issue_repo") or payload["repository"]),
            payload["blocking_issue"],
        )
        if blocked is not None and blocking is not None:
            set_dependency(blocked, blocking, exists=payload["action"].endswith("_added"))


def _on_milestone(repository: StandInRepository, payload: Mapping[str, Any]) -> None:
    body = payload["milestone"]
    if payload["action"] == "deleted":
        repository.deleted_milestones.add(body["id"])
        repository.milestones.pop(body["number"], None)
    else:
        update_milestone(repository, body)


def _on_label(repository: StandInRepository, payload: Mapping[str, Any]) -> None:
    body = payload["label"]
    if payload["action"] == "deleted":
        repository.labels.pop(body["name"], None)
        return
    old_name = (payload.get("changes") or {}).get("name")
    for name, label in list(repository.labels.items()):
        if label.body.get("id") == body["id"] or (old_name and name == old_name["from"]):
            del repository.labels[name]
            for item in repository.items.values():
                _rename_label(item, name, body)
    repository.labels[body["name"]] = StandInLabel(repository, dict(body))


def _rename_label(item: StandInItem, name: str, body: Json) -> None:
    labels = item.body.get("labels", ())
    item.body["labels"] = [body if label["name"] == name else label for label in labels]
    for event in item.timeline:
        if (event.details.get("label") or {}).get("name") == name:
            event.details["label"] = body
