"""Sub-issues and dependencies: what emulate lacks of them. The history knows them, from webhooks as these."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from yarl import URL

from github_standin.answers import Answer, error, json_answer
from github_standin.callers import Caller
from github_standin.environment import StandInEnvironment, sent_object
from github_standin.objects import Item
from github_standin.paging import listed
from github_standin.pull_requests import ISSUE_ID_OF_PULL
from github_standin.webhooks import dependency_payloads, family_payloads

Json = dict[str, Any]
PATH = re.compile(
    r"^/repos/([^/]+/[^/]+)/issues/(\d+)/"
    r"(sub_issues|sub_issue|parent|dependencies/blocked_by|dependencies/blocking)(?:/(\d+))?$"
)
MOST_SUB_ISSUES = 100
MOST_LEVELS = 8
ADDING = "An error occurred while adding the sub-issue to the parent issue. "


class Asked(NamedTuple):
    """A request: who, which issue, and the other issue that it names, if there is one."""

    caller: Caller
    item: Item
    other: Item | None
    sent: Json
    url: URL


class Relations:
    """Answers by the history; each change is told to the bot, and so to the history."""

    def __init__(self, desk: StandInEnvironment) -> None:
        self._desk = desk
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

    async def answer(self, caller: Caller, method: str, url: URL, body: bytes | None) -> Answer | None:
        """The answer, or None when it is about something else."""
        match = PATH.match(url.path)
        if match is None or (method, match[3]) not in self._handlers:
            return None
        issue = await self._desk.ask("GET", f"/repos/{match[1]}/issues/{match[2]}", caller.token)
        if issue.status != 200:
            return issue
        await self._desk.catch_up()
        repository = self._desk.history.repository(match[1])
        item = repository.items.get(int(match[2])) if repository else None
        if item is None:
            return error(404, "Not Found")
        sent = sent_object(body)
        number = match[4] or sent.get("sub_issue_id") or sent.get("issue_id")
        other = self._by_id(int(number)) if number else None
        if method != "GET" and other is None:
            return error(404, "Not Found")
        return await self._handlers[method, match[3]](Asked(caller, item, other, sent, url))

    def _by_id(self, number: int) -> Item | None:
        for repository in self._desk.history.repositories:
            for item in repository.items.values():
                if number == item.body["id"] + (ISSUE_ID_OF_PULL if item.is_pull else 0):
                    return item
        return None

    # Sub-issues

    async def _list_sub_issues(self, asked: Asked) -> Answer:
        return await self._listed(asked, asked.item.sub_issues)

    async def _get_parent(self, asked: Asked) -> Answer:
        if asked.item.parent is None:
            return error(404, "Not Found")
        return json_answer(200, await self._body(asked.item.parent))

    async def _add_sub_issue(self, asked: Asked) -> Answer:
        parent, child = asked.item, asked.other
        assert child is not None  # noqa: S101 - for the type checker; answer() looked
        if why := _no_sub_issue(parent, child, replace=bool(asked.sent.get("replace_parent"))):
            return error(422, ADDING + why)
        if refused := await self._touched(asked, child):
            return refused
        if child.parent is not None:
            await self._tell_family(asked, child.parent, child, "removed")
        await self._tell_family(asked, parent, child, "added")
        return json_answer(201, await self._body(parent))

    async def _remove_sub_issue(self, asked: Asked) -> Answer:
        child = asked.other
        if child is None or child.parent is not asked.item:
            return error(404, "Not Found")
        if refused := await self._touched(asked, child):
            return refused
        await self._tell_family(asked, asked.item, child, "removed")
        return json_answer(200, await self._body(asked.item))

    async def _tell_family(self, asked: Asked, parent: Item, child: Item, done: str) -> None:
        """The sub-issue's side stands in its repository, the parent's in the parent's."""
        told = family_payloads(
            await self._scene(asked, parent),
            await self._scene(asked, child),
            await self._body(parent),
            await self._body(child),
            done,
        )
        for event, payload in told:
            await self._desk.tell(event, payload)

    # Dependencies

    async def _list_blocked_by(self, asked: Asked) -> Answer:
        return await self._listed(asked, asked.item.blocked_by)

    async def _list_blocking(self, asked: Asked) -> Answer:
        return await self._listed(asked, asked.item.blocking)

    async def _add_blocked_by(self, asked: Asked) -> Answer:
        blocked, blocking = asked.item, asked.other
        assert blocking is not None  # noqa: S101 - for the type checker; answer() looked
        if why := _no_blocker(blocked, blocking):
            wrong = {"resource": "IssueDependency", "code": "custom", "message": why}
            return error(422, "Validation Failed", errors=[wrong])
        if refused := await self._touched(asked, blocked):
            return refused
        await self._tell_dependency(asked, blocked, blocking, "added")
        return json_answer(201, await self._body(blocked))

    async def _remove_blocked_by(self, asked: Asked) -> Answer:
        if asked.other not in asked.item.blocked_by or asked.other is None:
            return error(404, "Not Found")
        if refused := await self._touched(asked, asked.item):
            return refused
        await self._tell_dependency(asked, asked.item, asked.other, "removed")
        return json_answer(200, await self._body(asked.item))

    async def _tell_dependency(self, asked: Asked, blocked: Item, blocking: Item, done: str) -> None:
        told = dependency_payloads(
            await self._scene(asked, blocked),
            await self._scene(asked, blocking),
            await self._body(blocked),
            await self._body(blocking),
            done,
        )
        for event, payload in told:
            await self._desk.tell(event, payload)

    # Both

    async def _scene(self, asked: Asked, item: Item) -> Json:
        return await self._desk.scene(asked.caller, item.repository.full_name)

    async def _touched(self, asked: Asked, item: Item) -> Answer | None:
        """The change moves `updated_at`. emulate's refusal, if the caller may not change the issue."""
        answer = await self._desk.ask("PATCH", _path(item), asked.caller.token, {})
        return answer if answer.status >= 400 else None

    async def _body(self, item: Item) -> Json:
        body: Json = await self._desk.get(_path(item)) or item.body
        return body

    async def _listed(self, asked: Asked, items: Sequence[Item]) -> Answer:
        return listed(self._desk.front(), asked.url, [await self._body(item) for item in items])


def _path(item: Item) -> str:
    return f"/repos/{item.repository.full_name}/issues/{item.number}"


def _no_sub_issue(parent: Item, child: Item, *, replace: bool) -> str:
    """Why it cannot be one, if it cannot."""
    if child.is_pull:
        return "Sub issue may only be an issue"
    if child in parent.sub_issues:
        return "Issue may not contain duplicate sub-issues and Sub issue may only have one parent"
    if child.parent is not None and not replace:
        return "Sub issue may only have one parent"
    if child is parent or child in _above(parent):
        return "Sub issue may not create a circular dependency"
    if len(parent.sub_issues) >= MOST_SUB_ISSUES:
        return f"Parent cannot have more than {MOST_SUB_ISSUES} sub-issues"
    if len(_above(parent)) + _levels(child) > MOST_LEVELS:
        return f"Sub issue may not be nested more than {MOST_LEVELS} levels deep"
    return ""


def _no_blocker(blocked: Item, blocking: Item) -> str:
    """Why it cannot block, if it cannot."""
    if blocking.is_pull:
        return "Target issue may only be an issue"
    if blocking in blocked.blocked_by:
        return "Target issue has already been taken"
    if blocking is blocked or blocked in blocking.blocked_by:
        return "Target issue may not create a circular dependency"
    return ""


def _above(item: Item) -> list[Item]:
    """Its parent, that one's parent, and so on."""
    found: list[Item] = []
    parent = item.parent
    while parent is not None and parent not in found:
        found.append(parent)
        parent = parent.parent
    return found


def _levels(item: Item) -> int:
    """How many levels hang below a parent with it."""
    return 1 + max((_levels(child) for child in item.sub_issues), default=0)
