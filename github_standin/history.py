"""What happened in the repositories, folded from webhooks: the state and the timelines behind GraphQL.

emulate knows no GraphQL and thin timelines, but it sends a webhook for all that people do. Those, recorded
histories and payloads made by tests all come in by `observe`. Order and repetition do not matter: the state
is that of the newest payload by its own `updated_at`, and an event told twice is kept once.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from github_standin.objects import Item, Json, Label, Milestone, StandInRepository
from github_standin.timeline import milliseconds

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


class History:
    """All repositories that a webhook or a record told of."""

    def __init__(self) -> None:
        self._repositories: dict[str, StandInRepository] = {}
        self._renamed: dict[str, str] = {}
        self._deleted: set[str] = set()
        # What GraphQL was asked last, so that tests can see it.
        self.asked: deque[Json] = deque(maxlen=1000)

    def load(self, deliveries: Iterable[Mapping[str, Any]]) -> None:
        """Recorded deliveries, oldest first: `{"event", "delivery", "payload"}`."""
        for delivery in deliveries:
            self.observe(delivery["event"], delivery["payload"], recorded=True)

    def observe(self, event: str, payload: Mapping[str, Any], *, recorded: bool = False) -> None:
        """One webhook. A test may send any payload, so what is not as GitHub's is passed over."""
        with contextlib.suppress(KeyError, TypeError, AttributeError, ValueError):
            self._observe(event, payload, recorded=recorded)

    def repository(self, full_name: str) -> StandInRepository | None:
        """A repository by its name, or by one that it had earlier."""
        name = full_name.lower()
        return self._repositories.get(self._renamed.get(name, name))

    @property
    def repositories(self) -> list[StandInRepository]:
        """All of them."""
        return list(self._repositories.values())

    def is_deleted(self, full_name: str) -> bool:
        """Whether a webhook told so."""
        return full_name.lower() in self._deleted

    def tell(self, full_name: str, number: int, kind: str, at: str, **details: Any) -> None:
        """An entry of a timeline that no webhook tells of, such as a ConvertedToDiscussionEvent."""
        repository = self.repository(full_name)
        if repository is None:
            raise LookupError(f"no webhook told of {full_name}")
        actor, subject = details.pop("actor", None), details.pop("subject", "")
        repository.items[number].add(kind, at, subject, actor, **details)

    def forget(self, full_name: str) -> None:
        """Leave nothing of a repository."""
        self._repositories.pop(full_name.lower(), None)

    def node(self, node_id: str) -> StandInRepository | Item | Milestone | Label | None:
        """Whatever bears a global id."""
        for repository in self.repositories:
            if repository.body["node_id"] == node_id:
                return repository
            for group in (repository.items, repository.milestones, repository.labels):
                for one in group.values():
                    if one.body.get("node_id") == node_id:
                        return one
        return None

    def retime(self, node_id: str, old: str, new: str) -> None:
        """Move an object's instant into the past."""
        found = self.node(node_id)
        if found is None:
            return
        for name in ("created_at", "updated_at", "closed_at"):
            if found.body.get(name) == old:
                found.body[name] = new
        if isinstance(found, Item):
            found.retime(old, new)

    def _observe(self, event: str, payload: Mapping[str, Any], *, recorded: bool) -> None:
        read = {
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
        repository = self._named(payload["repository"], renaming=event == "repository")
        repository.recorded = repository.recorded or (recorded and is_new)
        if installation := payload.get("installation"):
            repository.installation_id = installation["id"]
        if read is not None:
            read(repository, payload)

    # Repositories

    def _named(self, body: Json, *, renaming: bool = False) -> StandInRepository:
        """The repository with this body; a known id under another name has been renamed or transferred."""
        name = body["full_name"].lower()
        known = self._repositories.get(name)
        if known is not None and known.body["id"] == body["id"]:
            known.body = {**known.body, **body}
            return known
        for old, repository in list(self._repositories.items()):
            if (repository.body["node_id"], repository.body["id"]) == (body["node_id"], body["id"]):
                was_before = self._renamed.get(name) == old
                return repository if was_before and not renaming else self._rename(old, name, body)
        self._renamed.pop(name, None)
        return self._repositories.setdefault(name, StandInRepository(dict(body)))

    def _rename(self, old: str, name: str, body: Json) -> StandInRepository:
        repository = self._repositories.pop(old)
        repository.body = {**repository.body, **body}
        self._repositories[name] = repository
        self._renamed = {earlier: name if now == old else now for earlier, now in self._renamed.items()}
        self._renamed |= {old: name}
        self._renamed.pop(name, None)
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
        """A comment moves `updated_at`; of a pull request, the payload holds another body than its own."""
        if "pull_request" not in payload["issue"]:
            self._seen(repository, payload["issue"])

    def _on_item(
        self, repository: StandInRepository, payload: Mapping[str, Any], body: Json, *, is_pull: bool = False
    ) -> None:
        action, actor = payload["action"], payload.get("sender")
        before = repository.items.get(body["number"])
        if action in ("deleted", "transferred"):
            self._leave(repository, payload, body)
            return
        old_title = before.body["title"] if before else body["title"]
        item = self._seen(repository, body, is_pull=is_pull)
        if item is None:
            return
        at = time_of(action, body)
        if action == "opened":
            set_at_creation(item, body, body.get("user") or actor)
            self._came_from(item, payload, body["updated_at"])
        elif action in ITEM_EVENTS:
            kind, key, name = ITEM_EVENTS[action]
            about = payload[key]
            item.add(kind, at, about[name], actor, **{key: about})
        elif action == "closed":
            close(item, body, at, actor)
        elif action in PLAIN_EVENTS:
            item.add(PLAIN_EVENTS[action], at, "", actor, stateReason="REOPENED")
        elif action == "edited" and "title" in (payload.get("changes") or {}):
            change = payload["changes"]["title"]
            previous = change["from"] if isinstance(change, dict) else old_title
            rename(item, previous, body["title"], at, actor)

    def _seen(self, repository: StandInRepository, body: Json, *, is_pull: bool = False) -> Item | None:
        """The item with the newer of two bodies."""
        if body["number"] in repository.gone:
            return None
        item = repository.items.get(body["number"])
        if item is None:
            item = repository.items[body["number"]] = Item(
                repository, dict(body), is_pull or "pull_request" in body
            )
        elif _is_newer(body, item.body):
            item.body = {**item.body, **body}
        if held := body.get("milestone"):
            seen_milestone(repository, held)
        for label in body.get("labels", ()):
            repository.labels.setdefault(label["name"], Label(repository, dict(label)))
        return item

    def _leave(self, repository: StandInRepository, payload: Mapping[str, Any], body: Json) -> None:
        item = repository.items.pop(body["number"], None)
        moved = (payload.get("changes") or {}).get("new_issue")
        where = (payload.get("changes") or {}).get("new_repository")
        repository.gone[body["number"]] = moved["url"] if moved else ""
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
        if moved and where:
            arrived = self._seen(self._named(where), moved)
            if arrived is not None:
                arrived.take_events(item.timeline)
                at = moved.get("updated_at") or body["updated_at"]
                arrived.add(
                    "TransferredEvent",
                    at,
                    repository.full_name,
                    payload.get("sender"),
                    fromRepository=repository,
                )

    def _came_from(self, item: Item, payload: Mapping[str, Any], at: str) -> None:
        if old := (payload.get("changes") or {}).get("old_repository"):
            source = self._named(old)
            known = [event for event in item.timeline if event.kind == "TransferredEvent"]
            if not known:
                item.add(
                    "TransferredEvent", at, source.full_name, payload.get("sender"), fromRepository=source
                )

    def _on_sub_issue(self, _: StandInRepository, payload: Mapping[str, Any]) -> None:
        """Both deliveries of a pair tell the same, with the time of the sub-issue."""
        parent = self._seen(
            self._named(payload.get("parent_issue_repo") or payload["repository"]), payload["parent_issue"]
        )
        child = self._seen(
            self._named(payload.get("sub_issue_repo") or payload["repository"]), payload["sub_issue"]
        )
        if parent is not None and child is not None:
            link(
                parent,
                child,
                payload["sub_issue"]["updated_at"],
                payload.get("sender"),
                added=SUB_ISSUES[payload["action"]],
            )

    def _on_dependency(self, _: StandInRepository, payload: Mapping[str, Any]) -> None:
        """Both deliveries of a pair tell the same."""
        blocked = self._seen(
            self._named(payload.get("blocked_issue_repo") or payload["repository"]), payload["blocked_issue"]
        )
        blocking = self._seen(
            self._named(payload.get("blocking_issue_repo") or payload["repository"]),
            payload["blocking_issue"],
        )
        if blocked is not None and blocking is not None:
            set_dependency(blocked, blocking, exists=payload["action"].endswith("_added"))


def set_dependency(blocked: Item, blocking: Item, *, exists: bool) -> None:
    """Let one issue wait for another, or no longer."""
    for items, item in ((blocked.blocked_by, blocking), (blocking.blocking, blocked)):
        if exists and item not in items:
            items.append(item)
        elif not exists and item in items:
            items.remove(item)


def link(parent: Item, child: Item, at: str, actor: Json | None, *, added: bool) -> None:
    """Make or undo a sub-issue, with an event on either side."""
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


def time_of(action: str, body: Json) -> str:
    """When a webhook's event happened, by the object it is about."""
    if action in ("opened", "created"):
        return str(body["created_at"])
    if action == "closed" and body.get("closed_at"):
        return str(body["closed_at"])
    return str(body["updated_at"])


def set_at_creation(item: Item, body: Json, actor: Json | None) -> None:
    """GitHub writes an event for all that the form of a new issue held."""
    at = body["created_at"]
    for label in body.get("labels", ()):
        item.add("LabeledEvent", at, label["name"], actor, label=label)
    for person in body.get("assignees", ()):
        item.add("AssignedEvent", at, person["login"], actor, assignee=person)
    if held := body.get("milestone"):
        item.add("MilestonedEvent", at, held["title"], actor, milestone=held)


def close(item: Item, body: Json, at: str, actor: Json | None) -> None:
    """A merge is two events."""
    if item.is_pull and (body.get("merged_at") or body.get("merged")):
        base = (body.get("base") or {}).get("ref", "main")
        item.add("MergedEvent", at, "", actor, mergeRefName=base)
    reason = None if item.is_pull else str(body.get("state_reason") or "completed").upper()
    item.add("ClosedEvent", at, "", actor, stateReason=reason)


def rename(item: Item, previous: str, current: str, at: str, actor: Json | None) -> None:
    """A new title."""
    if previous != current:
        item.add("RenamedTitleEvent", at, current, actor, previousTitle=previous, currentTitle=current)


def seen_milestone(repository: StandInRepository, body: Json) -> Milestone | None:
    """The milestone with the newer of two bodies, unless it was deleted."""
    if body["id"] in repository.deleted_milestones:
        return None
    known = repository.milestones.get(body["number"])
    if known is None:
        known = repository.milestones[body["number"]] = Milestone(repository, dict(body))
    elif _is_newer(body, known.body):
        known.body = {**known.body, **body}
    return known


def _on_milestone(repository: StandInRepository, payload: Mapping[str, Any]) -> None:
    body = payload["milestone"]
    if payload["action"] == "deleted":
        repository.deleted_milestones.add(body["id"])
        repository.milestones.pop(body["number"], None)
    else:
        seen_milestone(repository, body)


def _on_label(repository: StandInRepository, payload: Mapping[str, Any]) -> None:
    body = payload["label"]
    if payload["action"] == "deleted":
        repository.labels.pop(body["name"], None)
        return
    changed = (payload.get("changes") or {}).get("name")
    for name, label in list(repository.labels.items()):
        if label.body.get("id") == body["id"] or (changed and name == changed["from"]):
            del repository.labels[name]
            for item in repository.items.values():
                _rename_label(item, name, body)
    repository.labels[body["name"]] = Label(repository, dict(body))


def _rename_label(item: Item, name: str, body: Json) -> None:
    labels = item.body.get("labels", ())
    item.body["labels"] = [body if label["name"] == name else label for label in labels]
    for event in item.timeline:
        if (event.details.get("label") or {}).get("name") == name:
            event.details["label"] = body


def _is_newer(body: Json, known: Json) -> bool:
    """Later or just as late: within one second, what came in last counts."""
    return milliseconds(body["updated_at"]) >= milliseconds(known["updated_at"])
