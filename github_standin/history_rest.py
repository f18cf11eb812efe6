"""REST for repositories that only a loaded history knows: reading, as far as a backfill by REST would go."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from yarl import URL

from github_standin.answers import Answer, error, json_answer
from github_standin.callers import Caller
from github_standin.history import History
from github_standin.objects import Item, Milestone, StandInRepository
from github_standin.paging import listed
from github_standin.timeline import REST_NAMES, Event, milliseconds

Json = dict[str, Any]
PATH = re.compile(r"^/repos/([^/]+/[^/]+)(?:/(.+))?$")
ISSUE = re.compile(r"^(issues|pulls|milestones)/(\d+)(?:/(timeline|events))?$")
GONE = re.compile(r"^(?:issues|pulls)/(\d+)(?:/.*)?$")
ONLY_PULLS = ("head", "base", "merged", "merged_at")
# The REST API numbers an issue and the pull request that it is apart; the node id is the same.
ISSUE_ID_OF_PULL = 1_000_000_000


class HistoryRest:
    """Answers GET requests; what it does not know is left to emulate, which says 404."""

    def __init__(
        self, history: History, is_app: Callable[[Caller], Awaitable[bool]], front: Callable[[], URL]
    ) -> None:
        self._history = history
        self._is_app = is_app
        self._front = front

    async def answer(self, caller: Caller, method: str, url: URL) -> Answer | None:
        """The answer, or None when emulate shall give it."""
        match = PATH.match(url.path)
        if match is None:
            return None
        if self._history.is_deleted(match[1]):
            return error(404, "Not Found")
        repository = self._history.repository(match[1])
        if repository is None:
            return None
        if (gone := GONE.match(match[2] or "")) and int(gone[1]) in repository.gone:
            return _no_longer_here(repository.gone[int(gone[1])])
        if not repository.recorded or method not in ("GET", "HEAD"):
            return None
        if match[2] == "installation":
            return await self._installation(caller, repository)
        return self._read(repository, match[2] or "", url)

    def without_gone(self, url: URL, answer: Answer) -> Answer:
        """emulate's list of issues, without those that a test deleted or transferred by a webhook."""
        match = PATH.match(url.path)
        repository = self._history.repository(match[1]) if match else None
        if match is None or match[2] != "issues" or repository is None or not repository.gone:
            return answer
        kept = [one for one in json.loads(answer.body) if one["number"] not in repository.gone]
        return replace(answer, body=json.dumps(kept).encode())

    async def _installation(self, caller: Caller, repository: StandInRepository) -> Answer:
        if not await self._is_app(caller):
            return error(401, "A JSON web token could not be decoded")
        if repository.installation_id is None:
            return error(404, "Not Found")
        owner = repository.body["owner"]
        return json_answer(
            200,
            {
                "id": repository.installation_id,
                "account": owner,
                "repository_selection": "all",
                "target_id": owner["id"],
                "target_type": owner.get("type", "Organization"),
                "suspended_at": None,
            },
        )

    def _read(self, repository: StandInRepository, path: str, url: URL) -> Answer | None:
        if path == "":
            return json_answer(200, repository.body)
        if match := ISSUE.match(path):
            return self._one(repository, match[1], int(match[2]), match[3], url)
        lists: Mapping[str, Callable[[], list[Json]]] = {
            "milestones": lambda: milestones(repository, url.query),
            "labels": lambda: [label.body for label in repository.labels.values()],
            "issues": lambda: issues(repository, url.query),
            "issues/events": lambda: all_events(repository),
        }
        return listed(self._front(), url, lists[path]()) if path in lists else None

    def _one(
        self, repository: StandInRepository, kind: str, number: int, part: str | None, url: URL
    ) -> Answer:
        if kind == "milestones":
            milestone = repository.milestones.get(number)
            return json_answer(200, milestone_body(milestone)) if milestone else error(404, "Not Found")
        item = repository.items.get(number)
        if item is None or (kind == "pulls" and not item.is_pull):
            return error(404, "Not Found")
        if part:
            return listed(self._front(), url, [event_body(event, repository) for event in item.timeline])
        return json_answer(200, item.body if kind == "pulls" else issue_body(item))


def _no_longer_here(where: str) -> Answer:
    if not where:
        return error(410, "This issue was deleted")
    answer = json_answer(301, {"message": "Moved Permanently", "url": where})
    return replace(answer, headers={**answer.headers, "Location": where})


def milestones(repository: StandInRepository, query: Mapping[str, str]) -> list[Json]:
    """By due day as GitHub sorts them, open ones unless another state is asked for."""
    state = query.get("state", "open")
    found = [one for one in repository.milestones.values() if state in ("all", one.body["state"])]
    found.sort(key=lambda one: (one.body.get("due_on") or "9999", one.body["number"]))
    return [milestone_body(one) for one in found]


def milestone_body(milestone: Milestone) -> Json:
    """With the counts as they are now."""
    items = milestone.repository.in_milestone(milestone)
    is_open = sum(item.state == "OPEN" for item in items)
    return {**milestone.body, "open_issues": is_open, "closed_issues": len(items) - is_open}


def issues(repository: StandInRepository, query: Mapping[str, str]) -> list[Json]:
    """Issues and pull requests, newest first."""
    state, since = query.get("state", "open"), query.get("since")
    found = [
        item
        for item in repository.items.values()
        if state in ("all", item.body["state"])
        and _is_in(item, query.get("milestone"))
        and (since is None or milliseconds(item.body["updated_at"]) >= milliseconds(since))
    ]
    field = "updated_at" if query.get("sort") == "updated" else "created_at"
    found.sort(
        key=lambda item: (milliseconds(item.body[field]), item.number),
        reverse=query.get("direction") != "asc",
    )
    return [issue_body(item) for item in found]


def issue_body(item: Item) -> Json:
    """An issue, or a pull request in the form of one."""
    milestone = item.milestone
    body = {
        **item.body,
        "labels": [label.body for label in item.labels],
        "milestone": milestone_body(milestone) if milestone else None,
    }
    if not item.is_pull:
        return body
    for name in ONLY_PULLS:
        body.pop(name, None)
    url = item.body.get("url")
    pull = {"url": url, "html_url": item.body.get("html_url"), "merged_at": item.body.get("merged_at")}
    return {**body, "id": item.body["id"] + ISSUE_ID_OF_PULL, "pull_request": pull}


def all_events(repository: StandInRepository) -> list[Json]:
    """Of all items, newest first, each with its issue."""
    found = [(event, item) for item in repository.items.values() for event in item.timeline]
    found.sort(key=lambda one: one[0].order, reverse=True)
    return [{**event_body(event, repository), "issue": issue_body(item)} for event, item in found]


def event_body(event: Event, repository: StandInRepository) -> Json:
    """An issue event: what it is about stands there by name only."""
    body = {
        "id": event.number,
        "node_id": event.id,
        "url": f"{repository.body.get('url')}/issues/events/{event.number}",
        "actor": event.actor,
        "event": REST_NAMES[event.kind],
        "commit_id": None,
        "commit_url": None,
        "created_at": event.at,
    }
    details = event.details
    if "label" in details:
        body["label"] = {key: details["label"].get(key) for key in ("name", "color")}
    if "milestone" in details:
        body["milestone"] = {"title": event.subject}
    if "assignee" in details:
        body |= {"assignee": details["assignee"], "assigner": event.actor}
    if "previousTitle" in details:
        body["rename"] = {"from": details["previousTitle"], "to": details["currentTitle"]}
    if event.kind == "ClosedEvent":
        body["state_reason"] = str(details.get("stateReason") or "").lower() or None
    return body


def _is_in(item: Item, wanted: str | None) -> bool:
    held = item.milestone
    if wanted in (None, ""):
        return True
    if wanted == "none":
        return held is None
    return held is not None and wanted in ("*", str(held.body["number"]))
