"""What GitHub makes of milestones, labels and pull requests before it stores them, and emulate does not."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from yarl import URL

from github_standin.answers import Answer, error
from github_standin.callers import Caller
from github_standin.environment import StandInEnvironment, sent_object

Json = dict[str, Any]
MILESTONE = re.compile(r"^(/repos/[^/]+/[^/]+)/milestones(?:/(\d+))?$")
LABEL = re.compile(r"^(/repos/[^/]+/[^/]+)/labels(?:/([^/]+))?$")
PULLS = re.compile(r"^(/repos/([^/]+)/[^/]+)/pulls$")
ISSUE = re.compile(r"^/repos/[^/]+/[^/]+/issues(?:/\d+)?$")
# GitHub keeps a due date as the midnight that begins it there, whatever time was sent.
WHERE_DAYS_BEGIN = ZoneInfo("America/Los_Angeles")


class Planning:
    """Refuses what GitHub refuses, and stores what GitHub would store."""

    def __init__(self, desk: StandInEnvironment) -> None:
        self._desk = desk

    async def checked(
        self, caller: Caller, method: str, url: URL, body: bytes | None
    ) -> Answer | bytes | None:
        """GitHub's refusal, or the body for emulate."""
        if method not in ("POST", "PATCH") or body is None:
            return body
        sent = sent_object(body)
        if match := MILESTONE.match(url.path):
            return await self._milestone(caller, match, sent) or json.dumps(_floored(sent)).encode()
        if match := LABEL.match(url.path):
            return await self._label(caller, match, sent) or body
        if (match := PULLS.match(url.path)) and caller.kind == "installation":
            return await self._pull(caller, match, sent) or body
        return body

    async def _milestone(self, caller: Caller, match: re.Match[str], sent: Json) -> Answer | None:
        known = await self._all(f"{match[1]}/milestones?state=all", caller) if "title" in sent else []
        same = (one for one in known if one["title"] == str(sent["title"]).strip())
        return already_exists("Milestone", "title") if any(_others(same, match[2])) else None

    async def _label(self, caller: Caller, match: re.Match[str], sent: Json) -> Answer | None:
        """Labels that differ in case only are the same."""
        name = sent.get("new_name") if match[2] else sent.get("name")
        known = await self._all(f"{match[1]}/labels?", caller) if name else []
        same = [one["name"] for one in known if one["name"].lower() == str(name).strip().lower()]
        return already_exists("Label", "name") if any(one != match[2] for one in same) else None

    async def _pull(self, caller: Caller, match: re.Match[str], sent: Json) -> Answer | None:
        """emulate makes a missing branch and a second pull request."""
        owner, _, branch = str(sent.get("head", "")).rpartition(":")
        head = f"{owner or match[2]}:{branch}"
        if await self._desk.get(f"{match[1]}/branches/{branch}", caller) is None:
            return invalid("PullRequest", "head")
        if await self._desk.get(f"{match[1]}/pulls?head={head}&base={sent.get('base', '')}", caller):
            text = f"A pull request already exists for {head}."
            wrong = {"resource": "PullRequest", "code": "custom", "message": text}
            return error(422, "Validation Failed", errors=[wrong])
        return None

    async def _all(self, path: str, caller: Caller) -> list[Json]:
        """All pages of a list."""
        found: list[Json] = []
        while page := await self._desk.get(f"{path}&per_page=100&page={len(found) // 100 + 1}", caller):
            found += page
            if len(page) < 100:
                break
        return found


def already_exists(resource: str, field: str) -> Answer:
    """GitHub's words for a name that is taken."""
    wrong = {"resource": resource, "code": "already_exists", "field": field}
    return error(422, "Validation Failed", errors=[wrong])


def invalid(resource: str, field: str, **more: Any) -> Answer:
    """GitHub's words for a value that it does not take."""
    wrong = {**more, "resource": resource, "field": field, "code": "invalid"}
    return error(422, "Validation Failed", errors=[wrong])


def explained(caller: Caller, method: str, path: str, body: bytes | None, answer: Answer) -> Answer:
    """emulate does not say that it was the milestone, or a permission that the App lacks."""
    if answer.status == 403 and caller.kind == "installation" and b'"Forbidden"' in answer.body:
        return error(403, "Resource not accessible by integration")
    if answer.status == 422 and method in ("POST", "PATCH") and ISSUE.match(path):
        milestone = sent_object(body).get("milestone")
        if isinstance(milestone, int):
            return invalid("Issue", "milestone", value=milestone)
    return answer


def due_on(stamp: str) -> str:
    """A due date as GitHub stores it: the midnight in California that the instant falls behind."""
    local = datetime.fromisoformat(stamp).astimezone(WHERE_DAYS_BEGIN)
    midnight = datetime(local.year, local.month, local.day, tzinfo=WHERE_DAYS_BEGIN)
    return midnight.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _floored(sent: Json) -> Json:
    if not isinstance(sent.get("due_on"), str):
        return sent
    return {**sent, "due_on": due_on(sent["due_on"])}


def _others(milestones: Any, number: str | None) -> Any:
    return (one for one in milestones if str(one["number"]) != number)
