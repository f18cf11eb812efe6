"""Pull requests under `/issues/…`, with milestone and assignees, which emulate does not store for them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from yarl import URL

from github_standin.history.objects import PULL_REQUEST_ISSUE_ID_OFFSET
from github_standin.proxy.callers import Caller
from github_standin.proxy.environment import StandInEnvironment, parse_object, simple_user
from github_standin.proxy.responses import ProxyResponse, json_response
from github_standin.rest.paging import paginate_list
from github_standin.rest.validation import invalid_response

Json = dict[str, Any]
ISSUE = re.compile(r"^(/repos/([^/]+/[^/]+))/issues/(\d+)(/assignees)?$")
FILES = re.compile(r"^((/repos/[^/]+/[^/]+)/pulls/\d+)/files$")
# The fields of a pull request that emulate stores itself.
EMULATE_FIELDS = ("title", "body", "state")
# The fields that have the same value in a pull request and in its form as an issue.
SHARED_FIELDS = (
    "node_id",
    "html_url",
    "number",
    "title",
    "user",
    "labels",
    "state",
    "locked",
    "assignee",
    "assignees",
    "milestone",
    "comments",
    "comments_url",
    "created_at",
    "updated_at",
    "closed_at",
    "author_association",
    "body",
    "draft",
)


@dataclass
class PullRequestExtras:
    """What emulate does not store of a pull request: the milestone's path, and assignees as user objects."""

    milestone: str | None = None
    assignees: list[Json] = field(default_factory=list)


class PullRequests:
    """Answers requests for pull requests as issues, and completes pull requests inside all bodies."""

    def __init__(self, environment: StandInEnvironment) -> None:
        self._environment = environment
        self._extras: dict[str, PullRequestExtras] = {}

    async def answer(self, caller: Caller, method: str, url: URL, body: bytes | None) -> ProxyResponse | None:
        """Answer a request for an issue that is a pull request; None when it is not one."""
        match = ISSUE.match(url.path)
        if match is None or (method, bool(match[4])) not in SUPPORTED:
            return None
        path = f"{match[1]}/pulls/{match[3]}"
        pull = await self._environment.get(path, caller)
        if pull is None:
            return None
        if method == "GET":
            await self.complete(pull)
            return json_response(200, to_issue(pull))
        if match[4]:
            sent = {"assignees": _assignee_logins(method, self._extras_of(pull), parse_object(body))}
            return await self._change(caller, match, pull, sent, 201 if method == "POST" else 200)
        return await self._change(caller, match, pull, parse_object(body), 200)

    async def files(self, caller: Caller, method: str, url: URL) -> ProxyResponse | None:
        """List the files that a pull request changes, which emulate invents."""
        match = FILES.match(url.path)
        pull = await self._environment.get(match[1], caller) if match and method == "GET" else None
        if match is None or pull is None:
            return None
        branches = f"{pull['base']['ref']}...{pull['head']['ref']}"
        comparison = await self._environment.get(f"{match[2]}/compare/{branches}", caller) or {}
        return paginate_list(self._environment.base_url(), url, comparison.get("files", []))

    async def complete(self, value: Any) -> None:
        """Put milestone and assignees into every pull request inside a decoded body."""
        if not self._extras:
            return
        for pull in _find_pulls(value):
            if (extras := self._extras.get(pull["node_id"])) is not None:
                path = extras.milestone
                pull["milestone"] = await self._environment.get(path) if path else None
                pull["assignees"] = list(extras.assignees)
                pull["assignee"] = extras.assignees[0] if extras.assignees else None

    def _extras_of(self, pull: Json) -> PullRequestExtras:
        return self._extras.setdefault(pull["node_id"], PullRequestExtras())

    async def _change(
        self, caller: Caller, match: re.Match[str], pull: Json, sent: Json, status: int
    ) -> ProxyResponse:
        """Change a pull request; emulate sends the webhooks for the fields that it stores itself."""
        path = f"{match[1]}/pulls/{match[3]}"
        number = sent.get("milestone")
        if number is not None and await self._environment.get(f"{match[1]}/milestones/{number}") is None:
            return invalid_response("Issue", "milestone", value=number)
        fields = {key: sent[key] for key in EMULATE_FIELDS if key in sent}
        response = await self._environment.request("PATCH", path, caller.token, fields)
        if response.status >= 400:
            return response
        if "labels" in sent:
            await self._set_labels(caller, match, sent["labels"])
        if "milestone" in sent:
            await self._set_milestone(caller, match, pull, number)
        if "assignees" in sent:
            await self._set_assignees(caller, match, pull, sent["assignees"])
        changed = await self._environment.get(path, caller)
        await self.complete(changed)
        return json_response(status, to_issue(changed))

    async def _set_labels(self, caller: Caller, match: re.Match[str], labels: list[Any]) -> None:
        names = [label["name"] if isinstance(label, dict) else label for label in labels]
        path = f"{match[1]}/issues/{match[3]}/labels"
        await self._environment.request("PUT", path, caller.token, {"labels": names})

    async def _set_milestone(
        self, caller: Caller, match: re.Match[str], pull: Json, number: int | None
    ) -> None:
        extras = self._extras_of(pull)
        old, new = extras.milestone, f"{match[1]}/milestones/{number}" if number else None
        if old == new:
            return
        old_milestone = await self._environment.get(old) if old else None
        extras.milestone = new
        if old_milestone:
            await self._send_webhook(caller, match, "demilestoned", milestone=old_milestone)
        if new:
            new_milestone = await self._environment.get(new)
            await self._send_webhook(caller, match, "milestoned", milestone=new_milestone)

    async def _set_assignees(
        self, caller: Caller, match: re.Match[str], pull: Json, logins: list[str]
    ) -> None:
        """Assign people; logins that do not exist are ignored, as on GitHub."""
        extras, old = self._extras_of(pull), self._extras_of(pull).assignees
        users = [await self._environment.get(f"/users/{login}") for login in dict.fromkeys(logins)]
        new = extras.assignees = [simple_user(user) for user in users if user]
        for action, people in (("unassigned", _without(old, new)), ("assigned", _without(new, old))):
            for person in people:
                await self._send_webhook(caller, match, action, assignee=person)

    async def _send_webhook(self, caller: Caller, match: re.Match[str], action: str, **more: Any) -> None:
        pull = await self._environment.get(f"{match[1]}/pulls/{match[3]}")
        await self.complete(pull)
        payload = {"action": action, "number": pull["number"], "pull_request": pull, **more}
        payload |= await self._environment.webhook_base(caller, match[2])
        await self._environment.send_webhook("pull_request", payload)


# The supported requests: the method, and whether the path ends in `/assignees`.
SUPPORTED = {("GET", False), ("PATCH", False), ("POST", True), ("DELETE", True)}


def to_issue(pull: Json) -> Json:
    """Convert a pull request to the form of an issue."""
    url = str(pull["issue_url"])
    more = {
        "id": pull["id"] + PULL_REQUEST_ISSUE_ID_OFFSET,
        "url": url,
        "repository_url": url.rpartition("/issues/")[0],
        "labels_url": f"{url}/labels{{/name}}",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "state_reason": None,
        "active_lock_reason": None,
        "closed_by": pull.get("merged_by"),
        "performed_via_github_app": None,
        "reactions": {"url": f"{url}/reactions", "total_count": 0},
    }
    links = {key: pull.get(key) for key in ("url", "html_url", "diff_url", "patch_url", "merged_at")}
    return {**{key: pull.get(key) for key in SHARED_FIELDS}, **more, "pull_request": links}


def _assignee_logins(method: str, extras: PullRequestExtras, sent: Json) -> list[str]:
    """The logins after assignees were added (POST) or removed (DELETE)."""
    current, named = [person["login"] for person in extras.assignees], sent.get("assignees", [])
    return [*current, *named] if method == "POST" else [login for login in current if login not in named]


def _without(people: Iterable[Json], others: Iterable[Json]) -> list[Json]:
    logins = {person["login"] for person in others}
    return [person for person in people if person["login"] not in logins]


def _find_pulls(value: Any) -> list[Json]:
    """Find the pull requests in a decoded body; none contains another."""
    if isinstance(value, list):
        return [pull for item in value for pull in _find_pulls(item)]
    if not isinstance(value, dict):
        return []
    if "diff_url" in value and "node_id" in value:
        return [value]
    return [pull for item in value.values() for pull in _find_pulls(item)]
