"""Webhooks that emulate never sends, with GitHub's payloads.

Where emulate can make the change itself, it is made there first, without a webhook, so that REST agrees.
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
Webhook = tuple[str, Json]
Call = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class WebhookContext:
    """A webhook to build: its sender `user`, repository, action and event-specific `details`.

    `call` sends a REST request as a person without causing a webhook; `number` is unique for each webhook.
    """

    call: Call
    user: str
    repo: str
    action: str
    details: Json
    number: int

    async def base(self) -> Json:
        """The keys that every payload of a repository has."""
        return {
            "action": self.action,
            "repository": await self.call("GET", f"/repos/{self.repo}"),
            "organization": await self.call("GET", f"/orgs/{people.ORG}"),
            "sender": await self.sender(),
            "installation": {"id": people.INSTALLATION_ID, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u"},
        }

    async def sender(self) -> Json:
        """The sender as a user object."""
        user: Json = await self.call("GET", f"/users/{self.user}")
        return user

    async def issue(self, number: int, repo: str = "") -> Json:
        """An issue in its current state."""
        issue: Json = await self.call("GET", f"/repos/{repo or self.repo}/issues/{number}")
        return issue

    async def repository_stubs(self, names: Iterable[str]) -> list[Json]:
        """Repositories in the short form of installation webhooks."""
        bodies = [await self.call("GET", f"/repos/{name}") for name in names]
        keys = ("id", "node_id", "name", "full_name", "private")
        return [{key: body[key] for key in keys} for body in bodies]


BuildPayloads = Callable[[WebhookContext], Awaitable[list[Webhook]]]
_numbers = count(70_001)


async def build_payloads(
    call: Call, event: str, action: str, repo: str, *, as_user: str, **details: Any
) -> list[Webhook]:
    """Make a change and build its webhooks, in the order in which GitHub sends them.

    `details` depend on event and action; see the docstrings of PAYLOAD_BUILDERS' functions.
    """
    context = WebhookContext(call, as_user, repo, action, details, next(_numbers))
    return await PAYLOAD_BUILDERS[event](context)


async def _installation(context: WebhookContext) -> list[Webhook]:
    payload = await _installation_base(context)
    if context.action in ("created", "deleted", "new_permissions_accepted"):
        payload["repositories"] = await context.repository_stubs(context.details.get("repositories", ()))
    if context.action in ("suspend", "unsuspend"):
        is_suspended = context.action == "suspend"
        payload["installation"]["suspended_at"] = _now() if is_suspended else None
        payload["installation"]["suspended_by"] = payload["sender"] if is_suspended else None
    payload["installation"]["permissions"] |= context.details.get("permissions", {})
    payload["installation"]["events"] += context.details.get("events", ())
    return [("installation", payload)]


async def _installation_repositories(context: WebhookContext) -> list[Webhook]:
    payload = await _installation_base(context)
    repositories = await context.repository_stubs(context.details.get("repositories") or [context.repo])
    payload |= {
        "repository_selection": context.details.get("repository_selection", "selected"),
        "repositories_added": repositories if context.action == "added" else [],
        "repositories_removed": repositories if context.action == "removed" else [],
        "requester": None,
    }
    return [("installation_repositories", payload)]


async def _installation_base(context: WebhookContext) -> Json:
    account = await context.call("GET", f"/orgs/{people.ORG}")
    installation = {
        "id": people.INSTALLATION_ID,
        "account": {**account, "type": "Organization"},
        "repository_selection": context.details.get("repository_selection", "all"),
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
    return {"action": context.action, "installation": installation, "sender": await context.sender()}


async def _repository(context: WebhookContext) -> list[Webhook]:
    """`renamed` takes `name`, `transferred` takes `owner`."""
    payload, path = await context.base(), f"/repos/{context.repo}"
    owner, _, name = context.repo.partition("/")
    if context.action == "renamed":
        await context.call("PATCH", path, {"name": context.details["name"]})
        payload["repository"] = await context.call("GET", f"/repos/{owner}/{context.details['name']}")
        payload["changes"] = {"repository": {"name": {"from": name}}}
    elif context.action == "transferred":
        before = payload["repository"]["owner"]
        kind = "organization" if before.get("type") == "Organization" else "user"
        await context.call("POST", f"{path}/transfer", {"new_owner": context.details["owner"]})
        new = await context.call("GET", f"/users/{context.details['owner']}")
        full_name = f"{context.details['owner']}/{name}"
        payload["repository"] = {**payload["repository"], "owner": new, "full_name": full_name}
        payload["changes"] = {"owner": {"from": {kind: before}}}
    elif context.action in ("archived", "unarchived"):
        changes = {"archived": context.action == "archived"}
        payload["repository"] = await context.call("PATCH", path, changes)
    elif context.action in ("privatized", "publicized"):
        changes = {"private": context.action == "privatized"}
        payload["repository"] = await context.call("PATCH", path, changes)
    return [("repository", payload)]


async def _issues(context: WebhookContext) -> list[Webhook]:
    """All actions take `number`; `transferred` takes `to`, a repository, and `typed` takes `type`, a name.

    A transferred issue keeps its author.
    """
    payload, number = await context.base(), context.details["number"]
    payload["issue"] = await context.issue(number)
    if context.action in ("typed", "untyped"):
        kind = {"id": 1, "node_id": "IT_1", "name": context.details.get("type", "Bug"), "description": None}
        payload["type"] = kind
        payload["issue"] |= {"type": kind if context.action == "typed" else None, "updated_at": _now()}
    if context.action == "transferred":
        return await _transferred(context, payload)
    return [("issues", payload)]


async def _transferred(context: WebhookContext, payload: Json) -> list[Webhook]:
    target, old = context.details["to"], payload["issue"]
    content = {"title": old["title"], "body": old["body"]}
    author = old["user"]["login"]
    new = await context.call("POST", f"/repos/{target}/issues", content, as_user=author)
    repository = await context.call("GET", f"/repos/{target}")
    transferred = {**payload, "changes": {"new_issue": new, "new_repository": repository}}
    changes = {"old_issue": old, "old_repository": payload["repository"]}
    opened = {**payload, "action": "opened", "issue": new, "repository": repository, "changes": changes}
    return [("issues", transferred), ("issues", opened)]


async def _sub_issues(context: WebhookContext) -> list[Webhook]:
    """`added` and `removed` take `parent` and `child`, both numbers; GitHub sends a webhook for each."""
    base = await context.base()
    child = {**await context.issue(context.details["child"]), "updated_at": _now()}
    parent = await context.issue(context.details["parent"])
    return sub_issue_payloads(base, base, parent, child, context.action)


def sub_issue_payloads(
    of_parent: Json, of_child: Json, parent: Json, child: Json, done: str
) -> list[Webhook]:
    """Build both webhooks of a sub-issue that was added or removed.

    `of_parent` and `of_child` hold the common keys of the two repositories' webhooks; `done` is "added" or
    "removed". Only the child changes, so both webhooks have the child's time.
    """
    both = {"parent_issue_id": parent["id"], "parent_issue": parent, "sub_issue_id": child["id"]}
    both |= {"sub_issue": child}
    for_child = {"parent_issue_repo": of_parent["repository"], "action": f"parent_issue_{done}"}
    for_parent = {"sub_issue_repo": of_child["repository"], "action": f"sub_issue_{done}"}
    return [("sub_issues", of_child | both | for_child), ("sub_issues", of_parent | both | for_parent)]


async def _issue_dependencies(context: WebhookContext) -> list[Webhook]:
    """`added` and `removed` take `blocked` and `blocking`, both numbers; GitHub sends a webhook for each."""
    base = await context.base()
    blocked = await context.issue(context.details["blocked"])
    blocking = await context.issue(context.details["blocking"])
    return dependency_payloads(base, base, blocked, blocking, context.action)


def dependency_payloads(
    of_blocked: Json, of_blocking: Json, blocked: Json, blocking: Json, done: str
) -> list[Webhook]:
    """Build both webhooks of a dependency that was added or removed; see `sub_issue_payloads`."""
    both = {"blocked_issue_id": blocked["id"], "blocked_issue": blocked}
    both |= {"blocking_issue_id": blocking["id"], "blocking_issue": blocking}
    for_blocked = {"blocking_issue_repo": of_blocking["repository"], "action": f"blocked_by_{done}"}
    for_blocking = {"blocked_issue_repo": of_blocked["repository"], "action": f"blocking_{done}"}
    return [
        ("issue_dependencies", of_blocked | both | for_blocked),
        ("issue_dependencies", of_blocking | both | for_blocking),
    ]


async def _label(context: WebhookContext) -> list[Webhook]:
    """All actions take `name`; `edited` also takes `new_name`, `color` or `description`."""
    payload, path = await context.base(), f"/repos/{context.repo}/labels/{context.details['name']}"
    before = payload["label"] = await context.call("GET", path)
    if context.action == "edited":
        changes = {key: value for key, value in context.details.items() if key != "name"}
        after = payload["label"] = await context.call("PATCH", path, changes)
        keys = ("name", "color", "description")
        payload["changes"] = {key: {"from": before[key]} for key in keys if before[key] != after[key]}
    elif context.action == "deleted":
        await context.call("DELETE", path)
    return [("label", payload)]


async def _push(context: WebhookContext) -> list[Webhook]:
    """Takes `messages`, one for each commit, and `branch`."""
    payload = await context.base()
    del payload["action"]
    messages: Sequence[str] = context.details.get("messages", ("Change something",))
    author = {
        "name": context.user,
        "email": f"{context.user}@users.noreply.github.com",
        "username": context.user,
    }
    url = payload["repository"]["html_url"]
    commits = [
        {
            "id": _sha(f"{context.number} {index}"),
            "tree_id": _sha(f"tree {context.number} {index}"),
            "distinct": True,
            "message": message,
            "timestamp": _now(),
            "url": f"{url}/commit/{_sha(f'{context.number} {index}')}",
            "author": author,
            "committer": author,
            "added": [],
            "removed": [],
            "modified": ["README.md"],
        }
        for index, message in enumerate(messages)
    ]
    before, after = _sha(f"before {context.number}"), commits[-1]["id"]
    payload |= {
        "ref": f"refs/heads/{context.details.get('branch', payload['repository']['default_branch'])}",
        "before": before,
        "after": after,
        "created": False,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"{url}/compare/{before[:12]}...{str(after)[:12]}",
        "commits": commits,
        "head_commit": commits[-1],
        "pusher": {"name": context.user, "email": author["email"]},
    }
    return [("push", payload)]


async def _release(context: WebhookContext) -> list[Webhook]:
    """Takes `tag` and `name`."""
    payload = await context.base()
    tag = context.details.get("tag", "v1.0")
    repository = payload["repository"]
    payload["release"] = {
        "id": context.number,
        "node_id": f"RE_{context.number}",
        "url": f"{repository['url']}/releases/{context.number}",
        "html_url": f"{repository['html_url']}/releases/tag/{tag}",
        "tag_name": tag,
        "target_commitish": repository["default_branch"],
        "name": context.details.get("name", tag),
        "body": context.details.get("body", ""),
        "draft": False,
        "prerelease": context.details.get("prerelease", False),
        "created_at": _now(),
        "published_at": _now(),
        "author": payload["sender"],
        "assets": [],
    }
    return [("release", payload)]


async def _deployment_status(context: WebhookContext) -> list[Webhook]:
    """Takes `state` and `environment`."""
    payload = await context.base()
    environment = context.details.get("environment", "production")
    common = {"creator": payload["sender"], "created_at": _now(), "updated_at": _now(), "description": ""}
    common |= {"environment": environment, "repository_url": payload["repository"]["url"]}
    url = f"{payload['repository']['url']}/deployments/{context.number}"
    payload["deployment"] = common | {
        "id": context.number,
        "node_id": f"DE_{context.number}",
        "url": url,
        "sha": context.details.get("sha", _sha(f"{context.number}")),
        "ref": payload["repository"]["default_branch"],
        "task": "deploy",
        "payload": {},
        "original_environment": environment,
        "statuses_url": f"{url}/statuses",
    }
    payload["deployment_status"] = common | {
        "id": context.number,
        "node_id": f"DES_{context.number}",
        "url": f"{url}/statuses/{context.number}",
        "state": context.details.get("state", "success"),
        "target_url": "",
        "deployment_url": url,
    }
    return [("deployment_status", payload)]


async def _pull_request_review(context: WebhookContext) -> list[Webhook]:
    """Takes `number`, `state` (approved, changes_requested or commented) and `body`.

    `edited` also takes `author`, the review's author, and `before`, its old text.
    """
    payload = await context.base()
    pull = payload["pull_request"] = await context.call(
        "GET", f"/repos/{context.repo}/pulls/{context.details['number']}"
    )
    payload["review"] = {
        "id": context.number,
        "node_id": f"PRR_{context.number}",
        "user": await context.call("GET", f"/users/{context.details.get('author', context.user)}"),
        "body": context.details.get("body"),
        "commit_id": pull["head"]["sha"],
        "submitted_at": _now(),
        "state": context.details.get("state", "approved"),
        "html_url": f"{pull['html_url']}#pullrequestreview-{context.number}",
        "pull_request_url": pull["url"],
        "author_association": "MEMBER",
    }
    if context.action == "edited":
        payload["changes"] = {"body": {"from": context.details.get("before", "")}}
    return [("pull_request_review", payload)]


async def _pull_request(context: WebhookContext) -> list[Webhook]:
    """`review_requested` and `review_request_removed`; takes `number` and `reviewer`, or else `team`."""
    payload = await context.base()
    number = context.details["number"]
    pull = await context.call("GET", f"/repos/{context.repo}/pulls/{number}")
    payload |= {"number": number, "pull_request": pull | {"updated_at": _now()}}
    if team := context.details.get("team"):
        payload["requested_team"] = {"id": context.number, "name": team, "slug": team}
    else:
        payload["requested_reviewer"] = await context.call("GET", f"/users/{context.details['reviewer']}")
    return [("pull_request", payload)]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


PAYLOAD_BUILDERS: dict[str, BuildPayloads] = {
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
    "pull_request": _pull_request,
    "pull_request_review": _pull_request_review,
}
