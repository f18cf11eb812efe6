"""What the stand-in's own endpoints work with: emulate, the history, and the sending of webhooks."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from yarl import URL

from github_standin import seed as people
from github_standin.history.repositories import RepositoryHistory
from github_standin.proxy.callers import Caller
from github_standin.proxy.responses import ProxyResponse

Json = dict[str, Any]

# The installation as webhooks name it.
INSTALLATION = {"id": people.INSTALLATION_ID, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uMTAw"}
_ORGANIZATION_KEYS = (
    "login",
    "id",
    "node_id",
    "url",
    "repos_url",
    "events_url",
    "hooks_url",
    "issues_url",
    "members_url",
    "public_members_url",
    "avatar_url",
    "description",
)
_PROFILE_KEYS = {
    "name",
    "company",
    "blog",
    "location",
    "email",
    "hireable",
    "bio",
    "twitter_username",
    "public_repos",
    "public_gists",
    "followers",
    "following",
    "created_at",
    "updated_at",
}


@dataclass(frozen=True)
class StandInEnvironment:
    """Access to emulate, to the history and to webhooks, for endpoints.

    `request` sends a request to emulate. `send_webhook` queues a webhook behind those that emulate sent
    before. `catch_up` waits until the history has seen all of these. `base_url` is the stand-in's address.
    """

    request: Callable[..., Awaitable[ProxyResponse]]
    send_webhook: Callable[[str, Json], Awaitable[None]]
    catch_up: Callable[[], Awaitable[None]]
    history: RepositoryHistory
    base_url: Callable[[], URL]
    token: Callable[[], str]

    async def get(self, path: str, caller: Caller | None = None) -> Any:
        """Read a path from emulate; None when it does not exist. The default caller owns the organisation."""
        response = await self.request("GET", path, caller.token if caller else self.token())
        return json.loads(response.body) if response.status == 200 else None

    async def get_all(self, path: str, caller: Caller | None = None) -> list[Json]:
        """Read all pages of a list from emulate; `path` has a query already."""
        elements: list[Json] = []
        while page := await self.get(f"{path}&per_page=100&page={len(elements) // 100 + 1}", caller):
            elements += page
            if len(page) < 100:
                break
        return elements

    async def user(self, caller: Caller) -> Json:
        """The caller as a user object. emulate creates the bot's user only when it first writes something."""
        user: Json | None = await self.get(f"/users/{caller.name}", caller)
        if user:
            return simple_user(user)
        return {"login": caller.name, "id": people.APP_ID, "node_id": "BOT_stand_in", "type": "Bot"}

    async def webhook_base(self, caller: Caller, repo: str) -> Json:
        """The keys that every webhook of a repository has: repository, sender, installation, organization."""
        repository = await self.get(f"/repos/{repo}")
        sender = await self.user(caller)
        return add_organization({"repository": repository, "sender": sender, "installation": INSTALLATION})


def simple_user(user: Json) -> Json:
    """Reduce a user to GitHub's “simple user”, which is nested in other objects and has no profile."""
    return {key: value for key, value in user.items() if key not in _PROFILE_KEYS}


def add_organization(payload: Json) -> Json:
    """Add the organisation that owns the payload's repository, as GitHub does."""
    owner = (payload.get("repository") or {}).get("owner") or {}
    if "organization" in payload or owner.get("type") != "Organization":
        return payload
    return {**payload, "organization": {key: owner.get(key) for key in _ORGANIZATION_KEYS}}


def parse_object(body: bytes | None) -> Json:
    """Decode a request's body; empty when it is not a JSON object."""
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
