"""`/orgs/{org}/teams/{slug}/memberships/{user}` from a dictionary that tests fill."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from yarl import URL

from github_standin.answers import Answer, error, json_answer
from github_standin.callers import Caller
from github_standin.seed import ORG

MEMBERSHIP = re.compile(r"^/orgs/([^/]+)/teams/([^/]+)/memberships/([^/]+)$")
Members = Mapping[str, set[str]]


def membership(
    caller: Caller, method: str, path: str, teams: Members, front: Callable[[], URL]
) -> Answer | None:
    """The answer, or None when it is about something else."""
    match = MEMBERSHIP.match(path)
    if match is None or method != "GET":
        return None
    if caller.kind not in ("installation", "user"):
        return error(401, "Requires authentication")
    organization, slug, login = match.groups()
    if organization != ORG or login.lower() not in {one.lower() for one in teams.get(slug, ())}:
        return error(404, "Not Found")
    url = str(front().with_path(f"/orgs/{organization}/teams/{slug}/memberships/{login}"))
    return json_answer(200, {"state": "active", "role": "member", "url": url})
