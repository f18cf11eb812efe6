"""The endpoint `/orgs/{org}/teams/{slug}/memberships/{user}`, from a dictionary that tests fill."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from yarl import URL

from github_standin.proxy.callers import Caller
from github_standin.proxy.responses import ProxyResponse, error_response, json_response
from github_standin.seed import ORG

MEMBERSHIP = re.compile(r"^/orgs/([^/]+)/teams/([^/]+)/memberships/([^/]+)$")
Members = Mapping[str, set[str]]


def membership_response(
    caller: Caller, method: str, path: str, teams: Members, base_url: Callable[[], URL]
) -> ProxyResponse | None:
    """Answer a request; None when the path belongs to another module."""
    match = MEMBERSHIP.match(path)
    if match is None or method != "GET":
        return None
    if caller.kind not in ("installation", "user"):
        return error_response(401, "Requires authentication")
    organization, slug, login = match.groups()
    if organization != ORG or login.lower() not in {member.lower() for member in teams.get(slug, ())}:
        return error_response(404, "Not Found")
    url = str(base_url().with_path(f"/orgs/{organization}/teams/{slug}/memberships/{login}"))
    return json_response(200, {"state": "active", "role": "member", "url": url})
