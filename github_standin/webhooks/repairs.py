"""Completes emulate's webhook payloads where they are thinner than GitHub's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from github_standin.completion import authorship, issue_summaries
from github_standin.completion.backdating import Backdating
from github_standin.history.repositories import RepositoryHistory
from github_standin.proxy.environment import StandInEnvironment, add_organization
from github_standin.webhooks.push import complete_push

# For each event with an `edited` action: the edited object, and the fields that `changes` may name.
EDITED = {
    "issues": ("issue", ("title", "body")),
    "pull_request": ("pull_request", ("title", "body")),
    "milestone": ("milestone", ("title", "description", "due_on")),
}
COMMENT_EVENTS = ("issue_comment", "pull_request_review_comment")
Lookup = Callable[[str], Awaitable[list[dict[str, Any]]]]
CompletePulls = Callable[[Any], Awaitable[None]]
Webhook = tuple[str, dict[str, Any]]


class PayloadRepairs:
    """Turns a payload of emulate into the one or more webhooks that GitHub would have sent.

    `lookup` reads a list from emulate by its REST path. The history of `environment` has the state before
    an edit. `complete_pulls` adds to pull requests what emulate does not store.
    """

    def __init__(
        self,
        lookup: Lookup,
        backdating: Backdating,
        environment: StandInEnvironment,
        complete_pulls: CompletePulls,
    ) -> None:
        self._lookup = lookup
        self._backdating = backdating
        self._environment = environment
        self._history: RepositoryHistory = environment.history
        self._complete_pulls = complete_pulls
        self._edits: dict[int, list[tuple[str, str]]] = {}

    def expect_edit(self, comment_id: int, old: str, new: str) -> None:
        """Remember a comment's text before an edit, which emulate's payload lacks."""
        self._edits.setdefault(comment_id, []).append((old, new))

    def forget_edit(self, comment_id: int) -> None:
        """Forget the latest expected edit, because emulate refused it."""
        self._edits[comment_id].pop()

    async def apply(self, event: str, payload: dict[str, Any]) -> list[Webhook]:
        """Return the events and payloads to deliver, in this order."""
        payload = add_organization(payload)
        if event == "issues" and "diff_url" in payload["issue"]:
            event, payload = "pull_request", {**payload, "pull_request": payload["issue"]}
            del payload["issue"]
        await self._complete_pulls(payload)
        payloads = await self._complete(event, payload)
        issue_summaries.fill_in(self._history, payloads)
        authorship.fill_in(payloads)
        self._backdating.apply(payloads)
        return [(event, payload) for payload in payloads]

    async def _complete(self, event: str, payload: dict[str, Any]) -> list[dict[str, Any]]:
        if event == "push":
            return [await complete_push(self._environment, payload)]
        if event == "pull_request":
            payload = {**payload, "number": payload["pull_request"]["number"]}
        if payload.get("action") == "edited":
            return self._complete_edit(event, payload)
        return await self._complete_item(event, payload)

    def _complete_edit(self, event: str, payload: dict[str, Any]) -> list[dict[str, Any]]:
        if event in COMMENT_EVENTS:
            return [self._add_comment_changes(payload)]
        if event not in EDITED:
            return [payload]
        completed = self._add_changes(event, payload)
        # emulate also sends an edited milestone when none of its values has changed.
        return [completed] if event != "milestone" or completed.get("changes") != {} else []

    async def _complete_item(self, event: str, payload: dict[str, Any]) -> list[dict[str, Any]]:
        action = payload.get("action")
        if event == "issues" and action == "opened":
            return [payload, *_webhooks_beside_opened(payload)]
        if event == "issues" and action in ("milestoned", "demilestoned"):
            return [await self._add_full_object(payload, "milestone", "milestones?state=all", "title")]
        if event in ("issues", "pull_request") and action in ("labeled", "unlabeled"):
            return [await self._add_full_object(payload, "label", "labels?", "name")]
        return [payload]

    def _add_comment_changes(self, payload: dict[str, Any]) -> dict[str, Any]:
        comment = payload["comment"]
        expected = self._edits.get(comment["id"], [])
        for index, (old, new) in enumerate(expected):
            if new == comment["body"]:
                del expected[index]
                return {**payload, "changes": {"body": {"from": old}}}
        return {**payload, "changes": {}}

    def _add_changes(self, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Add `changes` with the old values, which emulate leaves out."""
        key, fields = EDITED[event]
        repository = self._history.repository(payload["repository"]["full_name"])
        after = payload[key]
        stored: Any = getattr(repository, "milestones" if key == "milestone" else "items", {})
        before = stored.get(after["number"])
        if before is None:
            return payload
        changed = [field for field in fields if before.body.get(field) != after.get(field)]
        return {**payload, "changes": {field: {"from": before.body.get(field)} for field in changed}}

    async def _add_full_object(
        self, payload: dict[str, Any], key: str, path: str, name: str
    ) -> dict[str, Any]:
        """Replace a milestone or label, of which emulate gives only the name, by the whole object."""
        thin = payload.get(key)
        if not thin:
            return payload
        issue = payload.get("issue") or payload["pull_request"]
        candidates = [issue.get("milestone")] if key == "milestone" else issue["labels"]
        for full in candidates:
            if full and full[name] == thin[name]:
                return {**payload, key: full}
        for full in await self._lookup(f"/repos/{payload['repository']['full_name']}/{path}&per_page=100"):
            if full[name] == thin[name]:
                return {**payload, key: full}
        return payload


def _webhooks_beside_opened(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """The webhooks that GitHub sends beside `opened`, for labels, assignees and milestone of a new issue."""
    issue = payload["issue"]
    payloads = [{**payload, "action": "labeled", "label": label} for label in issue["labels"]]
    payloads += [{**payload, "action": "assigned", "assignee": person} for person in issue["assignees"]]
    if issue["milestone"]:
        payloads.append({**payload, "action": "milestoned", "milestone": issue["milestone"]})
    return payloads
