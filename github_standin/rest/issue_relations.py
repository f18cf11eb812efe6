"""Endpoints for sub-issues and dependencies, which emulate lacks; the history stores both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from yarl import URL

from github_standin.history.objects import PULL_REQUEST_ISSUE_ID_OFFSET, StandInItem
from github_standin.proxy.callers import Caller
from github_standin.proxy.environment import StandInEnvironment, parse_object
from github_standin.proxy.responses import ProxyResponse, error_response, json_response
from github_standin.rest.paging import paginate_list
from github_standin.webhooks.payloads import dependency_payloads, sub_issue_payloads

Json = dict[str, Any]
PATH = re.compile(
    r"^/repos/([^/]+/[^/]+)/issues/(\d+)/"
    r"(sub_issues|sub_issue|parent|dependencies/blocked_by|dependencies/blocking)(?:/(\d+))?$"
)
MAX_SUB_ISSUES = 100
MAX_LEVELS = 8
ADDING_FAILED = "An error occurred while adding the sub-issue to the parent issue. "


class RelationRequest(NamedTuple):
    """A request with its issue, and the other issue that it names, if any."""

    caller: Caller
    item: StandInItem
    other: StandInItem | None
    sent: Json
    url: URL


class IssueRelations:
    """Answers from the history; each change is sent as webhooks, which update the history."""

    def __init__(self, environment: StandInEnvironment) -> None:
        self._environment = environment
        self._handlers = {
            ("GET", "sub_issues"): self._list_sub_issues,
            ("POST", "sub_issues"): self._add_sub_issue,
            ("DELETE", "sub_issue"): self._remove_sub_issue,
            ("GET", "parent"): self._get_parent,
            ("GET", "dependencies/blocked_by"): self._list_blocked_by,
            ("GET", "dependencies/blocking"): self._list_blocking,
            ("POST", "dependencies/blocked_by"): self._add_blocked_by,
            ("DELETE", "dependencies/blocked_by"): self._remove_blocked_by,
        }

    async def answer(self, caller: Caller, method: str, url: URL, body: bytes | None) -> ProxyResponse | None:
        """Answer a request; None when the path belongs to another module."""
        match = PATH.match(url.path)
        if match is None or (method, match[3]) not in self._handlers:
            return None
        issue = await self._environment.request("GET", f"/repos/{match[1]}/issues/{match[2]}", caller.token)
        if issue.status != 200:
            return issue
        await self._environment.catch_up()
        repository = self._environment.history.repository(match[1])
        item = repository.items.get(int(match[2])) if repository else None
        if item is None:
            return error_response(404, "Not Found")
        sent = parse_object(body)
        number = match[4] or sent.get("sub_issue_id") or sent.get("issue_id")
        other = self._by_id(int(number)) if number else None
        if method != "GET" and other is None:
            return error_response(404, "Not Found")
        return await self._handlers[method, match[3]](RelationRequest(caller, item, other, sent, url))

    def _by_id(self, number: int) -> StandInItem | None:
        for repository in self._environment.history.repositories:
            for item in repository.items.values():
                if number == item.body["id"] + (PULL_REQUEST_ISSUE_ID_OFFSET if item.is_pull else 0):
                    return item
        return None

    # Sub-issues

    async def _list_sub_issues(self, request: RelationRequest) -> ProxyResponse:
        return await self._list_items(request, request.item.sub_issues)

    async def _get_parent(self, request: RelationRequest) -> ProxyResponse:
        if request.item.parent is None:
            return error_response(404, "Not Found")
        return json_response(200, await self._body(request.item.parent))

    async def _add_sub_issue(self, request: RelationRequest) -> ProxyResponse:
        parent, child = request.item, request.other
        assert child is not None  # noqa: S101 - for the type checker; answer() has checked it
        if problem := _sub_issue_problem(parent, child, replace=bool(request.sent.get("replace_parent"))):
            return error_response(422, ADDING_FAILED + problem)
        if refusal := await self._touch(request, child):
            return refusal
        if child.parent is not None:
            await self._send_sub_issue_webhooks(request, child.parent, child, "removed")
        await self._send_sub_issue_webhooks(request, parent, child, "added")
        return json_response(201, await self._body(parent))

    async def _remove_sub_issue(self, request: RelationRequest) -> ProxyResponse:
        child = request.other
        if child is None or child.parent is not request.item:
            return error_response(404, "Not Found")
        if refusal := await self._touch(request, child):
            return refusal
        await self._send_sub_issue_webhooks(request, request.item, child, "removed")
        return json_response(200, await self._body(request.item))

    async def _send_sub_issue_webhooks(
        self, request: RelationRequest, parent: StandInItem, child: StandInItem, done: str
    ) -> None:
        """Send both webhooks, each with the repository of its side."""
        webhooks = sub_issue_payloads(
            await self._webhook_base(request, parent),
            await self._webhook_base(request, child),
            await self._body(parent),
            await self._body(child),
            done,
        )
        for event, payload in webhooks:
            await self._environment.send_webhook(event, payload)

    # Dependencies

    async def _list_blocked_by(self, request: RelationRequest) -> ProxyResponse:
        return await self._list_items(request, request.item.blocked_by)

    async def _list_blocking(self, request: RelationRequest) -> ProxyResponse:
        return await self._list_items(request, request.item.blocking)

    async def _add_blocked_by(self, request: RelationRequest) -> ProxyResponse:
        blocked, blocking = request.item, request.other
        assert blocking is not None  # noqa: S101 - for the type checker; answer() has checked it
        if problem := _dependency_problem(blocked, blocking):
            detail = {"resource": "IssueDependency", "code": "custom", "message": problem}
            return error_response(422, "Validation Failed", errors=[detail])
        if refusal := await self._touch(request, blocked):
            return refusal
        await self._send_dependency_webhooks(request, blocked, blocking, "added")
        return json_response(201, await self._body(blocked))

    async def _remove_blocked_by(self, request: RelationRequest) -> ProxyResponse:
        if request.other not in request.item.blocked_by or request.other is None:
            return error_response(404, "Not Found")
        if refusal := await self._touch(request, request.item):
            return refusal
        await self._send_dependency_webhooks(request, request.item, request.other, "removed")
        return json_response(200, await self._body(request.item))

    async def _send_dependency_webhooks(
        self, request: RelationRequest, blocked: StandInItem, blocking: StandInItem, done: str
    ) -> None:
        webhooks = dependency_payloads(
            await self._webhook_base(request, blocked),
            await self._webhook_base(request, blocking),
            await self._body(blocked),
            await self._body(blocking),
            done,
        )
        for event, payload in webhooks:
            await self._environment.send_webhook(event, payload)

    # For both

    async def _webhook_base(self, request: RelationRequest, item: StandInItem) -> Json:
        return await self._environment.webhook_base(request.caller, item.repository.full_name)

    async def _touch(self, request: RelationRequest, item: StandInItem) -> ProxyResponse | None:
        """Update the issue's `updated_at`; return emulate's refusal if the caller may not change it."""
        response = await self._environment.request("PATCH", _path(item), request.caller.token, {})
        return response if response.status >= 400 else None

    async def _body(self, item: StandInItem) -> Json:
        body: Json = await self._environment.get(_path(item)) or item.body
        return body

    async def _list_items(self, request: RelationRequest, items: Sequence[StandInItem]) -> ProxyResponse:
        return paginate_list(
            self._environment.base_url(), request.url, [await self._body(item) for item in items]
        )


def _path(item: StandInItem) -> str:
    return f"/repos/{item.repository.full_name}/issues/{item.number}"


def _sub_issue_problem(parent: StandInItem, child: StandInItem, *, replace: bool) -> str:
    """GitHub's reason to refuse a sub-issue; "" when it is valid."""
    if child.is_pull:
        return "Sub issue may only be an issue"
    if child in parent.sub_issues:
        return "Issue may not contain duplicate sub-issues and Sub issue may only have one parent"
    if child.parent is not None and not replace:
        return "Sub issue may only have one parent"
    if child is parent or child in _ancestors(parent):
        return "Sub issue may not create a circular dependency"
    if len(parent.sub_issues) >= MAX_SUB_ISSUES:
        return f"Parent cannot have more than {MAX_SUB_ISSUES} sub-issues"
    if len(_ancestors(parent)) + _depth(child) > MAX_LEVELS:
        return f"Sub issue may not be nested more than {MAX_LEVELS} levels deep"
    return ""


def _dependency_problem(blocked: StandInItem, blocking: StandInItem) -> str:
    """GitHub's reason to refuse a dependency; "" when it is valid."""
    if blocking.is_pull:
        return "Target issue may only be an issue"
    if blocking in blocked.blocked_by:
        return "Target issue has already been taken"
    if blocking is blocked or blocked in blocking.blocked_by:
        return "Target issue may not create a circular dependency"
    return ""


def _ancestors(item: StandInItem) -> list[StandInItem]:
    """The parent of an issue, the parent's parent, and so on."""
    ancestors: list[StandInItem] = []
    parent = item.parent
    while parent is not None and parent not in ancestors:
        ancestors.append(parent)
        parent = parent.parent
    return ancestors


def _depth(item: StandInItem) -> int:
    """The number of levels of an issue with its sub-issues."""
    return 1 + max((_depth(child) for child in item.sub_issues), default=0)
