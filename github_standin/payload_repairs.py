"""Makes emulate's webhook payloads as full as GitHub's where a reader would notice the difference."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from github_standin import authorship, summaries
from github_standin.backdating import Backdating
from github_standin.environment import StandInEnvironment, with_organization
from github_standin.files import full_push
from github_standin.history import History
from github_standin.pull_requests import Pulls

# The object that an edit is of, and its values that the webhook tells of.
EDITED = {
    "issues": ("issue", ("title", "body")),
    "pull_request": ("pull_request", ("title", "body")),
    "milestone": ("milestone", ("title", "description", "due_on")),
}
SAID = ("issue_comment", "pull_request_review_comment")
Lookup = Callable[[str], Awaitable[list[dict[str, Any]]]]
Told = tuple[str, dict[str, Any]]


class PayloadRepairs:
    """Repairs one payload into the one or more that GitHub would have sent.

    `lookup` reads a list from emulate by its REST path; `desk` has the history, which knows how things were
    before, and `pulls` knows what emulate does not keep.
    """

    def __init__(
        self, lookup: Lookup, backdating: Backdating, desk: StandInEnvironment, pulls: Pulls
    ) -> None:
        self._lookup = lookup
        self._backdating = backdating
        self._desk = desk
        self._history: History = desk.history
        self._pulls = pulls
        self._edits: dict[int, list[tuple[str, str]]] = {}

    def expect_edit(self, comment_id: int, old: str, new: str) -> None:
        """Remember what a comment said before an edit; emulate's payload does not tell."""
        self._edits.setdefault(comment_id, []).append((old, new))

    def forget_edit(self, comment_id: int) -> None:
        """The edit announced last was refused."""
        self._edits[comment_id].pop()

    async def apply(self, event: str, payload: dict[str, Any]) -> list[Told]:
        """The events and payloads to deliver, in this order."""
        payload = with_organization(payload)
        if event == "issues" and "diff_url" in payload["issue"]:
            event, payload = "pull_request", {**payload, "pull_request": payload["issue"]}
            del payload["issue"]
        await self._pulls.complete(payload)
        payloads = await self._filled_in(event, payload)
        summaries.fill_in(self._history, payloads)
        authorship.fill_in(payloads)
        self._backdating.apply(payloads)
        return [(event, one) for one in payloads]

    async def _filled_in(self, event: str, payload: dict[str, Any]) -> list[dict[str, Any]]:
        if event == "push":
            return [await full_push(self._desk, payload)]
        if event == "pull_request":
            payload = {**payload, "number": payload["pull_request"]["number"]}
        if payload.get("action") == "edited":
            return self._edited(event, payload)
        return await self._of_an_item(event, payload)

    def _edited(self, event: str, payload: dict[str, Any]) -> list[dict[str, Any]]:
        if event in SAID:
            return [self._with_changes(payload)]
        if event not in EDITED:
            return [payload]
        full = self._with_old_values(event, payload)
        # emulate tells of a milestone also when nothing in it was changed.
        return [full] if event != "milestone" or full.get("changes") != {} else []

    async def _of_an_item(self, event: str, payload: dict[str, Any]) -> list[dict[str, Any]]:
        action = payload.get("action")
        if event == "issues" and action == "opened":
            return [payload, *_beside_opened(payload)]
        if event == "issues" and action in ("milestoned", "demilestoned"):
            return [await self._with_full(payload, "milestone", "milestones?state=all", "title")]
        if event in ("issues", "pull_request") and action in ("labeled", "unlabeled"):
            return [await self._with_full(payload, "label", "labels?", "name")]
        return [payload]

    def _with_changes(self, payload: dict[str, Any]) -> dict[str, Any]:
        comment = payload["comment"]
        waiting = self._edits.get(comment["id"], [])
        for index, (old, new) in enumerate(waiting):
            if new == comment["body"]:
                del waiting[index]
                return {**payload, "changes": {"body": {"from": old}}}
        return {**payload, "changes": {}}

    def _with_old_values(self, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        """emulate says at most what changed; GitHub says from what."""
        key, fields = EDITED[event]
        repository = self._history.repository(payload["repository"]["full_name"])
        now = payload[key]
        known: Any = getattr(repository, "milestones" if key == "milestone" else "items", {})
        before = known.get(now["number"])
        if before is None:
            return payload
        changed = [field for field in fields if before.body.get(field) != now.get(field)]
        return {**payload, "changes": {field: {"from": before.body.get(field)} for field in changed}}

    async def _with_full(self, payload: dict[str, Any], key: str, path: str, name: str) -> dict[str, Any]:
        """emulate names the milestone or label only; GitHub sends the whole object with its id."""
        thin = payload.get(key)
        if not thin:
            return payload
        issue = payload.get("issue") or payload["pull_request"]
        known = [issue.get("milestone")] if key == "milestone" else issue["labels"]
        for full in known:
            if full and full[name] == thin[name]:
                return {**payload, key: full}
        for full in await self._lookup(f"/repos/{payload['repository']['full_name']}/{path}&per_page=100"):
            if full[name] == thin[name]:
                return {**payload, key: full}
        return payload


def _beside_opened(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """GitHub sends one `labeled` for each label and a `milestoned` beside `opened` for what the form held."""
    issue = payload["issue"]
    more = [{**payload, "action": "labeled", "label": label} for label in issue["labels"]]
    more += [{**payload, "action": "assigned", "assignee": person} for person in issue["assignees"]]
    if issue["milestone"]:
        more.append({**payload, "action": "milestoned", "milestone": issue["milestone"]})
    return more
