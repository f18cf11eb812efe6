"""The `push` webhook, with what GitHub writes into it and emulate leaves out."""

from __future__ import annotations

from typing import Any

from github_standin.proxy.environment import StandInEnvironment

Json = dict[str, Any]
# The SHA that GitHub writes for a branch that does not exist before or after a push.
NO_COMMIT = "0" * 40


async def complete_push(environment: StandInEnvironment, payload: Json) -> Json:
    """Add the pusher, the head commit and the kind of push to emulate's payload."""
    repository, sender = payload["repository"], payload["sender"]
    commits = [
        await _complete_commit(environment, repository, sender, commit)
        for commit in payload.get("commits", ())
    ]
    before, after, url = payload["before"], payload["after"], repository["html_url"]
    return {
        **payload,
        "created": before == NO_COMMIT,
        "deleted": after == NO_COMMIT,
        "forced": False,
        "base_ref": None,
        "compare": f"{url}/compare/{before[:12]}...{after[:12]}",
        "commits": commits,
        "head_commit": commits[-1] if commits else None,
        "pusher": {"name": sender["login"], "email": f"{sender['login']}@users.noreply.github.com"},
    }


async def _complete_commit(
    environment: StandInEnvironment, repository: Json, sender: Json, commit: Json
) -> Json:
    stored = await environment.get(f"/repos/{repository['full_name']}/git/commits/{commit['id']}") or {}
    author = {**commit["author"], "username": sender["login"]}
    return {
        **commit,
        "tree_id": (stored.get("tree") or {}).get("sha", NO_COMMIT),
        "distinct": True,
        "url": f"{repository['html_url']}/commit/{commit['id']}",
        "author": author,
        "committer": author,
    }
