"""Validates and normalises milestones, labels and pull requests as GitHub does before it stores them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from yarl import URL

from github_standin.proxy.callers import Caller
from github_standin.proxy.environment import StandInEnvironment, parse_object
from github_standin.proxy.responses import ProxyResponse, error_response

Json = dict[str, Any]
MILESTONE = re.compile(r"^(/repos/[^/]+/[^/]+)/milestones(?:/(\d+))?$")
LABEL = re.compile(r"^(/repos/[^/]+/[^/]+)/labels(?:/([^/]+))?$")
PULLS = re.compile(r"^(/repos/([^/]+)/[^/]+)/pulls$")
ISSUE = re.compile(r"^/repos/[^/]+/[^/]+/issues(?:/\d+)?$")
# GitHub stores a due date as the midnight at which that day begins in California, whatever time was sent.
DUE_DATE_ZONE = ZoneInfo("America/Los_Angeles")


class WriteValidator:
    """Refuses writes that GitHub refuses, and changes others into what GitHub would store."""

    def __init__(self, environment: StandInEnvironment) -> None:
        self._environment = environment

    async def validate(
        self, caller: Caller, method: str, url: URL, body: bytes | None
    ) -> ProxyResponse | bytes | None:
        """Return GitHub's refusal, or the body to send to emulate."""
        if method not in ("POST", "PATCH") or body is None:
            return body
        sent = parse_object(body)
        if match := MILESTONE.match(url.path):
            refusal = await self._check_milestone(caller, match, sent)
            return refusal or json.dumps(_normalise_due_on(sent)).encode()
        if match := LABEL.match(url.path):
            return await self._check_label(caller, match, sent) or body
        if (match := PULLS.match(url.path)) and caller.kind == "installation":
            return await self._check_pull(caller, match, sent) or body
        return body

    async def _check_milestone(
        self, caller: Caller, match: re.Match[str], sent: Json
    ) -> ProxyResponse | None:
        """Refuse the title of another milestone."""
        if "title" not in sent:
            return None
        title = str(sent["title"]).strip()
        existing = await self._environment.get_all(f"{match[1]}/milestones?state=all", caller)
        others = (milestone for milestone in existing if str(milestone["number"]) != match[2])
        is_taken = any(milestone["title"] == title for milestone in others)
        return already_exists_response("Milestone", "title") if is_taken else None

    async def _check_label(self, caller: Caller, match: re.Match[str], sent: Json) -> ProxyResponse | None:
        """Refuse the name of another label; names that differ only in case are the same."""
        name = sent.get("new_name") if match[2] else sent.get("name")
        if not name:
            return None
        existing = await self._environment.get_all(f"{match[1]}/labels?", caller)
        names = [label["name"] for label in existing if label["name"].lower() == str(name).strip().lower()]
        is_taken = any(other != match[2] for other in names)
        return already_exists_response("Label", "name") if is_taken else None

    async def _check_pull(self, caller: Caller, match: re.Match[str], sent: Json) -> ProxyResponse | None:
        """Refuse a missing branch, which emulate would create, and a second pull request of a branch."""
        owner, _, branch = str(sent.get("head", "")).rpartition(":")
        head = f"{owner or match[2]}:{branch}"
        if await self._environment.get(f"{match[1]}/branches/{branch}", caller) is None:
            return invalid_response("PullRequest", "head")
        if await self._environment.get(f"{match[1]}/pulls?head={head}&base={sent.get('base', '')}", caller):
            text = f"A pull request already exists for {head}."
            problem = {"resource": "PullRequest", "code": "custom", "message": text}
            return error_response(422, "Validation Failed", errors=[problem])
        return None


def already_exists_response(resource: str, field: str) -> ProxyResponse:
    """Build GitHub's error for a name that is taken."""
    problem = {"resource": resource, "code": "already_exists", "field": field}
    return error_response(422, "Validation Failed", errors=[problem])


def invalid_response(resource: str, field: str, **more: Any) -> ProxyResponse:
    """Build GitHub's error for an invalid value."""
    problem = {**more, "resource": resource, "field": field, "code": "invalid"}
    return error_response(422, "Validation Failed", errors=[problem])


def explain_refusal(
    caller: Caller, method: str, path: str, body: bytes | None, response: ProxyResponse
) -> ProxyResponse:
    """Replace emulate's refusal by GitHub's for an unknown milestone or a permission that the App lacks."""
    if response.status == 403 and caller.kind == "installation" and b'"Forbidden"' in response.body:
        return error_response(403, "Resource not accessible by integration")
    if response.status == 422 and method in ("POST", "PATCH") and ISSUE.match(path):
        milestone = parse_object(body).get("milestone")
        if isinstance(milestone, int):
            return invalid_response("Issue", "milestone", value=milestone)
    return response


def floor_due_on(stamp: str) -> str:
    """Convert a due date to what GitHub stores: the preceding midnight in California."""
    local = datetime.fromisoformat(stamp).astimezone(DUE_DATE_ZONE)
    midnight = datetime(local.year, local.month, local.day, tzinfo=DUE_DATE_ZONE)
    return midnight.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _normalise_due_on(sent: Json) -> Json:
    if not isinstance(sent.get("due_on"), str):
        return sent
    return {**sent, "due_on": floor_due_on(sent["due_on"])}
