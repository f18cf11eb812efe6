"""Webhooks that emulate never makes, with what GitHub would write into them.

Where emulate can do the thing itself, it is done there first, unheard, so that REST and the webhook agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from github_standin import seed as people
from github_standin.manifest import read_manifest

Json = dict[str, Any]
Told = tuple[str, Json]
Call = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Scene:
    """Who does what where; `call` is a REST request of theirs that makes no webhook."""

    call: Call
    user: str
    repo: str
    action: str
    details: Json
    number: int

    async def base(self) -> Json:
        """What stands in every payload of a repository."""
        return {
            "action": self.action,
            "repository": await self.call("GET", f"/repos/{self.repo}"),
            "organization": await self.call("GET", f"/orgs/{people.ORG}"),
            "sender": await self.sender(),
            "installation": {"id": people.INSTALLATION_ID, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u"},
        }

    async def sender(self) -> Json:
        """Who did it."""
        user: Json = await self.call("GET", f"/users/{self.user}")
        return user

    async def issue(self, number: int, repo: str = "") -> Json:
        """An issue as REST tells it now."""
        issue: Json = await self.call("GET", f"/repos/{repo or self.repo}/issues/{number}")
        return issue

    async def thin(self, names: Iterable[str]) -> list[Json]:
        """Repositories as installations list them."""
        bodies = [await self.call("GET", f"/repos/{name}") for name in names]
        keys = ("id", "node_id", "name", "full_name", "private")
        return [{key: body[key] for key in keys} for body in bodies]


Tell = Callable[[Scene], Awaitable[list[Told]]]
_numbers = count(70_001)


async def tell(call: Call, event: str, action: str, repo: str, *, as_user: str, **details: Any) -> list[Told]:
    """The payloads of what happened, in the order in which GitHub sends them."""
    scene = Scene(call, as_user, repo, action, details, next(_numbers))
    return await TELLERS[event](scene)


async def _installation(scene: Scene) -> list[Told]:
    payload = await _installed(scene)
    if scene.action in ("created", "deleted", "new_permissions_accepted"):
        payload["repositories"] = await scene.thin(scene.details.get("repositories", ()))
    if scene.action in ("suspend", "unsuspend"):
        is_suspended = scene.action == "suspend"
        payload["installation"]["suspended_at"] = _now() if is_suspended else None
        payload["installation"]["suspended_by"] = payload["sender"] if is_suspended else None
    payload["installation"]["permissions"] |= scene.details.get("permissions", {})
    payload["installation"]["events"] += scene.details.get("events", ())
    return [("installation", payload)]


async def _installation_repositories(scene: Scene) -> list[Told]:
    payload = await _installed(scene)
    repositories = await scene.thin(scene.details.get("repositories") or [scene.repo])
    payload |= {
        "repository_selection": scene.details.get("repository_selection", "selected"),
        "repositories_added": repositories if scene.action == "added" else [],
        "repositories_removed": repositories if scene.action == "removed" else [],
        "requester": None,
    }
    return [("installation_repositories", payload)]


async def _installed(scene: Scene) -> Json:
    account = await scene.call("GET", f"/orgs/{people.ORG}")
    installation = {
        "id": people.INSTALLATION_ID,
        "account": {**account, "type": "Organization"},
        "repository_selection": scene.details.get("repository_selection", "all"),
        "html_url": f"https://github.com/organizations/{people.ORG}/settings/installations/{people.INSTALLATION_ID}",
        "app_id": people.APP_ID,
        "app_slug": people.APP_SLUG,
        "target_id": account["id"],
        "target_type": "Organization",
        "permissions": dict(read_manifest().permissions),
        "events": list(read_manifest().events),
        "created_at": _now(),
        "updated_at": _now(),
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": None,
    }
    return {"action": scene.action, "installation": installation, "sender": await scene.sender()}


async def _repository(scene: Scene) -> list[Told]:
    """`renamed` takes `name`, `transferred` takes `owner`."""
    payload, path = await scene.base(), f"/repos/{scene.repo}"
    owner, _, name = scene.repo.partition("/")
    if scene.action == "renamed":
        await scene.call("PATCH", path, {"name": scene.details["name"]})
        payload["repository"] = await scene.call("GET", f"/repos/{owner}/{scene.details['name']}")
        payload["changes"] = {"repository": {"name": {"from": name}}}
    elif scene.action == "transferred":
        before = payload["repository"]["owner"]
        kind = "organization" if before.get("type") == "Organization" else "user"
        await scene.call("POST", f"{path}/transfer", {"new_owner": scene.details["owner"]})
        new = await scene.call("GET", f"/users/{scene.details['owner']}")
        full_name = f"{scene.details['owner']}/{name}"
        payload["repository"] = {**payload["repository"], "owner": new, "full_name": full_name}
        payload["changes"] = {"owner": {"from": {kind: before}}}
    elif scene.action in ("archived", "unarchived"):
        changed = {"archived": scene.action == "archived"}
        payload["repository"] = await scene.call("PATCH", path, changed)
    elif scene.action in ("privatized", "publicized"):
        changed = {"private": scene.action == "privatized"}
        payload["repository"] = await scene.call("PATCH", path, changed)
    return [("repository", payload)]


async def _issues(scene: Scene) -> list[Told]:
    """All take `number`; `transferred` takes `to`, a repository, and `typed` takes `type`, a name.

    Whoever transfers an issue, it stays that of its author.
    """
    payload, number = await scene.base(), scene.details["number"]
    payload["issue"] = await scene.issue(number)
    if scene.action in ("typed", "untyped"):
        kind = {"id": 1, "node_id": "IT_1", "name": scene.details.get("type", "Bug"), "description": None}
        payload["type"] = kind
        payload["issue"] |= {"type": kind if scene.action == "typed" else None, "updated_at": _now()}
    if scene.action == "transferred":
        return await _transferred(scene, payload)
    return [("issues", payload)]


async def _transferred(scene: Scene, payload: Json) -> list[Told]:
    target, old = scene.details["to"], payload["issue"]
    same = {"title": old["title"], "body": old["body"]}
    author = old["user"]["login"]
    new = await scene.call("POST", f"/repos/{target}/issues", same, as_user=author)
    repository = await scene.call("GET", f"/repos/{target}")
    left = {**payload, "changes": {"new_issue": new, "new_repository": repository}}
    changes = {"old_issue": old, "old_repository": payload["repository"]}
    arrived = {**payload, "action": "opened", "issue": new, "repository": repository, "changes": changes}
    return [("issues", left), ("issues", arrived)]


async def _sub_issues(scene: Scene) -> list[Told]:
    """`added` and `removed` take `parent` and `child`, and GitHub tells either side."""
    base = await scene.base()
    child = {**await scene.issue(scene.details["child"]), "updated_at": _now()}
    parent = await scene.issue(scene.details["parent"])
    return family_payloads(base, base, parent, child, scene.action)


def family_payloads(of_parent: Json, of_child: Json, parent: Json, child: Json, done: str) -> list[Told]:
    """Both sides of a sub-issue added or removed, each with what stands in its repository's webhooks.

    The parent itself does not change; the child does, and both payloads tell of it at the same time.
    """
    both = {"parent_issue_id": parent["id"], "parent_issue": parent, "sub_issue_id": child["id"]}
    both |= {"sub_issue": child}
    for_child = {"parent_issue_repo": of_parent["repository"], "action": f"parent_issue_{done}"}
    for_parent = {"sub_issue_repo": of_child["repository"], "action": f"sub_issue_{done}"}
    return [("sub_issues", of_child | both | for_child), ("sub_issues", of_parent | both | for_parent)]


async def _issue_dependencies(scene: Scene) -> list[Told]:
    """`added` and `removed` take `blocked` and `blocking`, and GitHub tells either side."""
    base = await scene.base()
    blocked = await scene.issue(scene.details["blocked"])
    blocking = await scene.issue(scene.details["blocking"])
    return dependency_payloads(base, base, blocked, blocking, scene.action)


def dependency_payloads(
    of_blocked: Json, of_blocking: Json, blocked: Json, blocking: Json, done: str
) -> list[Told]:
    """Both sides of a dependency, each with what stands in its repository's webhooks."""
    both = {"blocked_issue_id": blocked["id"], "blocked_issue": blocked}
    both |= {"blocking_issue_id": blocking["id"], "blocking_issue": blocking}
    for_blocked = {"blocking_issue_repo": of_blocking["repository"], "action": f"blocked_by_{done}"}
    for_blocking = {"blocked_issue_repo": of_blocked["repository"], "action": f"blocking_{done}"}
    return [
        ("issue_dependencies", of_blocked | both | for_blocked),
        ("issue_dependencies", of_blocking | both | for_blocking),
    ]


async def _label(scene: Scene) -> list[Told]:
    """Both take `name`; `edited` takes `new_name`, `color` or `description`."""
    payload, path = await scene.base(), f"/repos/{scene.repo}/labels/{scene.details['name']}"
    before = payload["label"] = await scene.call("GET", path)
    if scene.action == "edited":
        sent = {key: value for key, value in scene.details.items() if key != "name"}
        after = payload["label"] = await scene.call("PATCH", path, sent)
        keys = ("name", "color", "description")
        payload["changes"] = {key: {"from": before[key]} for key in keys if before[key] != after[key]}
    elif scene.action == "deleted":
        await scene.call("DELETE", path)
    return [("label", payload)]


async def _push(scene: Scene) -> list[Told]:
    """Takes `messages`, one for each commit, and `branch`."""
    payload = await scene.base()
    del payload["action"]
    messages: Sequence[str] = scene.details.get("messages", ("Change something",))
    who = {"name": scene.user, "email": f"{scene.user}@users.noreply.github.com", "username": scene.user}
    url = payload["repository"]["html_url"]
    commits = [
        {
            "id": _sha(f"{scene.number} {place}"),
            "tree_id": _sha(f"tree {scene.number} {place}"),
            "distinct": True,
            "message": message,
            "timestamp": _now(),
            "url": f"{url}/commit/{_sha(f'{scene.number} {place}')}",
            "author": who,
            "committer": who,
            "added": [],
            "removed": [],
            "modified": ["README.md"],
        }
        for place, message in enumerate(messages)
    ]
    before, after = _sha(f"before {scene.number}"), commits[-1]["id"]
    payload |= {
        "ref": f"refs/heads/{scene.details.get('branch', payload['repository']['default_branch'])}",
        "before": before,
        "after": after,
        "created": False,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"{url}/compare/{before[:12]}...{str(after)[:12]}",
        "commits": commits,
        "head_commit": commits[-1],
        "pusher": {"name": scene.user, "email": who["email"]},
    }
    return [("push", payload)]


async def _release(scene: Scene) -> list[Told]:
    """Takes `tag` and `name`."""
    payload = await scene.base()
    tag = scene.details.get("tag", "v1.0")
    repository = payload["repository"]
    payload["release"] = {
        "id": scene.number,
        "node_id": f"RE_{scene.number}",
        "url": f"{repository['url']}/releases/{scene.number}",
        "html_url": f"{repository['html_url']}/releases/tag/{tag}",
        "tag_name": tag,
        "target_commitish": repository["default_branch"],
        "name": scene.details.get("name", tag),
        "body": scene.details.get("body", ""),
        "draft": False,
        "prerelease": scene.details.get("prerelease", False),
        "created_at": _now(),
        "published_at": _now(),
        "author": payload["sender"],
        "assets": [],
    }
    return [("release", payload)]


async def _deployment_status(scene: Scene) -> list[Told]:
    """Takes `state` and `environment`."""
    payload = await scene.base()
    environment = scene.details.get("environment", "production")
    common = {"creator": payload["sender"], "created_at": _now(), "updated_at": _now(), "description": ""}
    common |= {"environment": environment, "repository_url": payload["repository"]["url"]}
    url = f"{payload['repository']['url']}/deployments/{scene.number}"
    payload["deployment"] = common | {
        "id": scene.number,
        "node_id": f"DE_{scene.number}",
        "url": url,
        "sha": scene.details.get("sha", _sha(f"{scene.number}")),
        "ref": payload["repository"]["default_branch"],
        "task": "deploy",
        "payload": {},
        "original_environment": environment,
        "statuses_url": f"{url}/statuses",
    }
    payload["deployment_status"] = common | {
        "id": scene.number,
        "node_id": f"DES_{scene.number}",
        "url": f"{url}/statuses/{scene.number}",
        "state": scene.details.get("state", "success"),
        "target_url": "",
        "deployment_url": url,
    }
    return [("deployment_status", payload)]


async def _pull_request_review(scene: Scene) -> list[Told]:
    """Takes `number`, `state` (approved, changes_requested or commented) and `body`.

    `edited` also takes `author`, who wrote the review, and `before`, what its text was.
    """
    payload = await scene.base()
    pull = payload["pull_request"] = await scene.call(
        "GET", f"/repos/{scene.repo}/pulls/{scene.details['number']}"
    )
    payload["review"] = {
        "id": scene.number,
        "node_id": f"PRR_{scene.number}",
        "user": await scene.call("GET", f"/users/{scene.details.get('author', scene.user)}"),
        "body": scene.details.get("body"),
        "commit_id": pull["head"]["sha"],
        "submitted_at": _now(),
        "state": scene.details.get("state", "approved"),
        "html_url": f"{pull['html_url']}#pullrequestreview-{scene.number}",
        "pull_request_url": pull["url"],
        "author_association": "MEMBER",
    }
    if scene.action == "edited":
        payload["changes"] = {"body": {"from": scene.details.get("before", "")}}
    return [("pull_request_review", payload)]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


TELLERS: dict[str, Tell] = {
    "installation": _installation,
    "installation_repositories": _installation_repositories,
    "repository": _repository,
    "issues": _issues,
    "sub_issues": _sub_issues,
    "issue_dependencies": _issue_dependencies,
    "label": _label,
    "push": _push,
    "release": _release,
    "deployment_status": _deployment_status,
    "pull_request_review": _pull_request_review,
}
