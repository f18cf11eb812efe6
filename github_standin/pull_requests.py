"""Pull requests are issues: the paths of issues, and milestones and assignees, unknown to emulate."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from yarl import URL

from github_standin.answers import Answer, json_answer
from github_standin.callers import Caller
from github_standin.environment import StandInEnvironment, sent_object, simple
from github_standin.paging import listed
from github_standin.planning import invalid

Json = dict[str, Any]
ISSUE = re.compile(r"^(/repos/([^/]+/[^/]+))/issues/(\d+)(/assignees)?$")
FILES = re.compile(r"^((/repos/[^/]+/[^/]+)/pulls/\d+)/files$")
OF_EMULATE = ("title", "body", "state")
# The REST API numbers an issue and the pull request that it is apart; the node id is the same.
ISSUE_ID_OF_PULL = 1_000_000_000
SHARED = (
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
class Held:
    """What emulate does not keep of a pull request: the milestone's path, and people as user objects."""

    milestone: str | None = None
    assignees: list[Json] = field(default_factory=list)


class Pulls:
    """Answers what emulate says 404 to, and completes pull requests wherever they stand in a body."""

    def __init__(self, desk: StandInEnvironment) -> None:
        self._desk = desk
        self._held: dict[str, Held] = {}

    async def answer(self, caller: Caller, method: str, url: URL, body: bytes | None) -> Answer | None:
        """The answer to a request for an issue that is a pull request, or None when it is none."""
        match = ISSUE.match(url.path)
        if match is None or (method, bool(match[4])) not in KNOWN:
            return None
        path = f"{match[1]}/pulls/{match[3]}"
        pull = await self._desk.get(path, caller)
        if pull is None:
            return None
        if method == "GET":
            await self.complete(pull)
            return json_answer(200, issue_of(pull))
        if match[4]:
            sent = {"assignees": _people(method, self._of(pull), sent_object(body))}
            return await self._change(caller, match, pull, sent, 201 if method == "POST" else 200)
        return await self._change(caller, match, pull, sent_object(body), 200)

    async def files(self, caller: Caller, method: str, url: URL) -> Answer | None:
        """The files that a pull request changes, where emulate invents some."""
        match = FILES.match(url.path)
        pull = await self._desk.get(match[1], caller) if match and method == "GET" else None
        if match is None or pull is None:
            return None
        span = f"{pull['base']['ref']}...{pull['head']['ref']}"
        compared = await self._desk.get(f"{match[2]}/compare/{span}", caller) or {}
        return listed(self._desk.front(), url, compared.get("files", []))

    async def complete(self, value: Any) -> None:
        """Put milestone and assignees into every pull request inside a body."""
        if not self._held:
            return
        for pull in _pulls_in(value):
            if (held := self._held.get(pull["node_id"])) is not None:
                pull["milestone"] = await self._desk.get(held.milestone) if held.milestone else None
                pull["assignees"] = list(held.assignees)
                pull["assignee"] = held.assignees[0] if held.assignees else None

    def _of(self, pull: Json) -> Held:
        return self._held.setdefault(pull["node_id"], Held())

    async def _change(
        self, caller: Caller, match: re.Match[str], pull: Json, sent: Json, status: int
    ) -> Answer:
        """Each change has a webhook; those for what emulate keeps come from there."""
        path = f"{match[1]}/pulls/{match[3]}"
        number = sent.get("milestone")
        if number is not None and await self._desk.get(f"{match[1]}/milestones/{number}") is None:
            return invalid("Issue", "milestone", value=number)
        kept = {key: sent[key] for key in OF_EMULATE if key in sent}
        refused = await self._desk.ask("PATCH", path, caller.token, kept)
        if refused.status >= 400:
            return refused
        if "labels" in sent:
            await self._set_labels(caller, match, sent["labels"])
        if "milestone" in sent:
            await self._set_milestone(caller, match, pull, number)
        if "assignees" in sent:
            await self._set_assignees(caller, match, pull, sent["assignees"])
        now = await self._desk.get(path, caller)
        await self.complete(now)
        return json_answer(status, issue_of(now))

    async def _set_labels(self, caller: Caller, match: re.Match[str], labels: list[Any]) -> None:
        names = [one["name"] if isinstance(one, dict) else one for one in labels]
        path = f"{match[1]}/issues/{match[3]}/labels"
        await self._desk.ask("PUT", path, caller.token, {"labels": names})

    async def _set_milestone(
        self, caller: Caller, match: re.Match[str], pull: Json, number: int | None
    ) -> None:
        held = self._of(pull)
        old, new = held.milestone, f"{match[1]}/milestones/{number}" if number else None
        if old == new:
            return
        was = await self._desk.get(old) if old else None
        held.milestone = new
        if was:
            await self._tell(caller, match, "demilestoned", milestone=was)
        if new:
            await self._tell(caller, match, "milestoned", milestone=await self._desk.get(new))

    async def _set_assignees(
        self, caller: Caller, match: re.Match[str], pull: Json, logins: list[str]
    ) -> None:
        """GitHub passes over people whom it cannot assign."""
        held, old = self._of(pull), self._of(pull).assignees
        found = [await self._desk.get(f"/users/{login}") for login in dict.fromkeys(logins)]
        new = held.assignees = [simple(one) for one in found if one]
        for action, people in (("unassigned", _without(old, new)), ("assigned", _without(new, old))):
            for person in people:
                await self._tell(caller, match, action, assignee=person)

    async def _tell(self, caller: Caller, match: re.Match[str], action: str, **about: Any) -> None:
        pull = await self._desk.get(f"{match[1]}/pulls/{match[3]}")
        await self.complete(pull)
        payload = {"action": action, "number": pull["number"], "pull_request": pull, **about}
        await self._desk.tell("pull_request", payload | await self._desk.scene(caller, match[2]))


# What is answered here: the method, and whether it is about assignees.
KNOWN = {("GET", False), ("PATCH", False), ("POST", True), ("DELETE", True)}


def issue_of(pull: Json) -> Json:
    """A pull request in the form of an issue."""
    url = str(pull["issue_url"])
    more = {
        "id": pull["id"] + ISSUE_ID_OF_PULL,
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
    part = {key: pull.get(key) for key in ("url", "html_url", "diff_url", "patch_url", "merged_at")}
    return {**{key: pull.get(key) for key in SHARED}, **more, "pull_request": part}


def _people(method: str, held: Held, sent: Json) -> list[str]:
    now, named = [one["login"] for one in held.assignees], sent.get("assignees", [])
    return [*now, *named] if method == "POST" else [login for login in now if login not in named]


def _without(some: Iterable[Json], others: Iterable[Json]) -> list[Json]:
    known = {one["login"] for one in others}
    return [one for one in some if one["login"] not in known]


def _pulls_in(value: Any) -> list[Json]:
    """The pull requests in a decoded body; none stands inside another."""
    if isinstance(value, list):
        return [pull for item in value for pull in _pulls_in(item)]
    if not isinstance(value, dict):
        return []
    if "diff_url" in value and "node_id" in value:
        return [value]
    return [pull for item in value.values() for pull in _pulls_in(item)]
