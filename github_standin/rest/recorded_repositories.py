"""Read access by REST to repositories that only a loaded history has: as much as a backfill needs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from yarl import URL

from github_standin.history.objects import (
    PULL_REQUEST_ISSUE_ID_OFFSET,
    StandInItem,
    StandInMilestone,
    StandInRepository,
)
from github_standin.history.repositories import RepositoryHistory
from github_standin.history.timeline import REST_NAMES, TimelineEvent, to_milliseconds
from github_standin.proxy.callers import Caller, IsApp
from github_standin.proxy.responses import ProxyResponse, error_response, json_response
from github_standin.rest.paging import paginate_list

Json = dict[str, Any]
PATH = re.compile(r"^/repos/([^/]+/[^/]+)(?:/(.+))?$")
ISSUE = re.compile(r"^(issues|pulls|milestones)/(\d+)(?:/(timeline|events))?$")
ITEM = re.compile(r"^(?:issues|pulls)/(\d+)(?:/.*)?$")
ONLY_PULLS = ("head", "base", "merged", "merged_at")


class RecordedRepositories:
    """Answers GET requests; other paths are left to emulate, which answers 404."""

    def __init__(self, history: RepositoryHistory, is_app: IsApp, base_url: Callable[[], URL]) -> None:
        self._history = history
        self._is_app = is_app
        self._base_url = base_url

    async def answer(self, caller: Caller, method: str, url: URL) -> ProxyResponse | None:
        """Answer a request; None when emulate has to answer it."""
        match = PATH.match(url.path)
        if match is None:
            return None
        if self._history.is_deleted(match[1]):
            return error_response(404, "Not Found")
        repository = self._history.repository(match[1])
        if repository is None:
            return None
        if (item := ITEM.match(match[2] or "")) and int(item[1]) in repository.former_numbers:
            return _moved_or_deleted(repository.former_numbers[int(item[1])])
        if not repository.recorded or method not in ("GET", "HEAD"):
            return None
        if match[2] == "installation":
            return await self._installation(caller, repository)
        return self._read(repository, match[2] or "", url)

    def remove_former_items(self, url: URL, response: ProxyResponse) -> ProxyResponse:
        """Remove from emulate's list of issues those that a webhook has deleted or transferred."""
        match = PATH.match(url.path)
        repository = self._history.repository(match[1]) if match else None
        if match is None or match[2] != "issues" or repository is None or not repository.former_numbers:
            return response
        issues = json.loads(response.body)
        remaining = [issue for issue in issues if issue["number"] not in repository.former_numbers]
        return replace(response, body=json.dumps(remaining).encode())

    async def _installation(self, caller: Caller, repository: StandInRepository) -> ProxyResponse:
        if not await self._is_app(caller):
            return error_response(401, "A JSON web token could not be decoded")
        if repository.installation_id is None:
            return error_response(404, "Not Found")
        owner = repository.body["owner"]
        return json_response(
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

    def _read(self, repository: StandInRepository, path: str, url: URL) -> ProxyResponse | None:
        if path == "":
            return json_response(200, repository.body)
        if match := ISSUE.match(path):
            return self._read_item(repository, match[1], int(match[2]), match[3], url)
        lists: Mapping[str, Callable[[], list[Json]]] = {
            "milestones": lambda: milestones(repository, url.query),
            "labels": lambda: [label.body for label in repository.labels.values()],
            "issues": lambda: issues(repository, url.query),
            "issues/events": lambda: all_events(repository),
        }
        return paginate_list(self._base_url(), url, lists[path]()) if path in lists else None

    def _read_item(
        self, repository: StandInRepository, kind: str, number: int, part: str | None, url: URL
    ) -> ProxyResponse:
        if kind == "milestones":
            milestone = repository.milestones.get(number)
            return (
                json_response(200, milestone_body(milestone))
                if milestone
                else error_response(404, "Not Found")
            )
        item = repository.items.get(number)
        if item is None or (kind == "pulls" and not item.is_pull):
            return error_response(404, "Not Found")
        if part:
            return paginate_list(
                self._base_url(), url, [event_body(event, repository) for event in item.timeline]
            )
        return json_response(200, item.body if kind == "pulls" else issue_body(item))


def _moved_or_deleted(new_url: str) -> ProxyResponse:
    """Redirect to an item's new address; "" means that it was deleted."""
    if not new_url:
        return error_response(410, "This issue was deleted")
    response = json_response(301, {"message": "Moved Permanently", "url": new_url})
    return replace(response, headers={**response.headers, "Location": new_url})


def milestones(repository: StandInRepository, query: Mapping[str, str]) -> list[Json]:
    """List milestones by due date, as GitHub sorts them; the query's `state` is "open" by default."""
    state = query.get("state", "open")
    matching = [
        milestone for milestone in repository.milestones.values() if state in ("all", milestone.body["state"])
    ]
    matching.sort(key=lambda milestone: (milestone.body.get("due_on") or "9999", milestone.body["number"]))
    return [milestone_body(milestone) for milestone in matching]


def milestone_body(milestone: StandInMilestone) -> Json:
    """Build a milestone's body with its current counts of issues."""
    items = milestone.repository.items_in_milestone(milestone)
    open_count = sum(item.state == "OPEN" for item in items)
    return {**milestone.body, "open_issues": open_count, "closed_issues": len(items) - open_count}


def issues(repository: StandInRepository, query: Mapping[str, str]) -> list[Json]:
    """List issues and pull requests by GitHub's query parameters, newest first by default."""
    state, since = query.get("state", "open"), query.get("since")
    matching = [
        item
        for item in repository.items.values()
        if state in ("all", item.body["state"])
        and _is_in_milestone(item, query.get("milestone"))
        and (since is None or to_milliseconds(item.body["updated_at"]) >= to_milliseconds(since))
    ]
    field = "updated_at" if query.get("sort") == "updated" else "created_at"
    matching.sort(
        key=lambda item: (to_milliseconds(item.body[field]), item.number),
        reverse=query.get("direction") != "asc",
    )
    return [issue_body(item) for item in matching]


def issue_body(item: StandInItem) -> Json:
    """Build the body of an issue, or of a pull request in an issue's form."""
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
    return {**body, "id": item.body["id"] + PULL_REQUEST_ISSUE_ID_OFFSET, "pull_request": pull}


def all_events(repository: StandInRepository) -> list[Json]:
    """List the events of all items, newest first, each with its issue."""
    events = [(event, item) for item in repository.items.values() for event in item.timeline]
    events.sort(key=lambda pair: pair[0].order, reverse=True)
    return [{**event_body(event, repository), "issue": issue_body(item)} for event, item in events]


def event_body(event: TimelineEvent, repository: StandInRepository) -> Json:
    """Build the body of an issue event, in which labels and milestones are given by name only."""
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


def _is_in_milestone(item: StandInItem, wanted: str | None) -> bool:
    """Whether an item passes the query parameter `milestone`: a number, `none` or `*`."""
    milestone = item.milestone
    if wanted in (None, ""):
        return True
    if wanted == "none":
        return milestone is None
    return milestone is not None and wanted in ("*", str(milestone.body["number"]))
