"""Files in repositories: how GitHub writes them into answers, and what it tells of a push."""

from __future__ import annotations

import re
from typing import Any

from github_standin.environment import StandInEnvironment

Json = dict[str, Any]
CONTENTS = re.compile(r"^/repos/[^/]+/[^/]+/(?:contents(?:/.*)?|readme)$")
NOTHING = "0" * 40
LINE = 60


def wrapped(path: str, body: Any) -> Any:
    """GitHub breaks base64 into lines of 60 characters."""
    if not CONTENTS.match(path) or not isinstance(body, dict) or body.get("encoding") != "base64":
        return body
    text = body["content"]
    lines = [f"{text[start : start + LINE]}\n" for start in range(0, len(text), LINE)]
    return {**body, "content": "".join(lines)}


async def full_push(desk: StandInEnvironment, payload: Json) -> Json:
    """emulate says which files changed; GitHub also who pushed, and what is at the tip now."""
    repository, sender = payload["repository"], payload["sender"]
    commits = [await _full_commit(desk, repository, sender, one) for one in payload.get("commits", ())]
    before, after, url = payload["before"], payload["after"], repository["html_url"]
    return {
        **payload,
        "created": before == NOTHING,
        "deleted": after == NOTHING,
        "forced": False,
        "base_ref": None,
        "compare": f"{url}/compare/{before[:12]}...{after[:12]}",
        "commits": commits,
        "head_commit": commits[-1] if commits else None,
        "pusher": {"name": sender["login"], "email": f"{sender['login']}@users.noreply.github.com"},
    }


async def _full_commit(desk: StandInEnvironment, repository: Json, sender: Json, commit: Json) -> Json:
    stored = await desk.get(f"/repos/{repository['full_name']}/git/commits/{commit['id']}") or {}
    author = {**commit["author"], "username": sender["login"]}
    return {
        **commit,
        "tree_id": (stored.get("tree") or {}).get("sha", NOTHING),
        "distinct": True,
        "url": f"{repository['html_url']}/commit/{commit['id']}",
        "author": author,
        "committer": author,
    }
