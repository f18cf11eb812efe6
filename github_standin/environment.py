"""What an endpoint of the front's own needs: emulate beneath it, the history, and webhooks to send."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from yarl import URL

from github_standin import seed as people
from github_standin.answers import Answer
from github_standin.callers import Caller
from github_standin.history import History

Json = dict[str, Any]

INSTALLATION = {"id": people.INSTALLATION_ID, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uMTAw"}
OF_AN_ORGANIZATION = (
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
PROFILE = {
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
    """`ask` sends a request to emulate; `tell` sends a webhook behind those that emulate made before."""

    ask: Callable[..., Awaitable[Answer]]
    tell: Callable[[str, Json], Awaitable[None]]
    catch_up: Callable[[], Awaitable[None]]
    history: History
    front: Callable[[], URL]
    token: Callable[[], str]

    async def get(self, path: str, caller: Caller | None = None) -> Any:
        """What emulate knows under a path, or None. Without a caller, an owner of the organisation asks."""
        answer = await self.ask("GET", path, caller.token if caller else self.token())
        return json.loads(answer.body) if answer.status == 200 else None

    async def user(self, caller: Caller) -> Json:
        """The caller as a user object. emulate makes the bot's user only when it first writes something."""
        known: Json | None = await self.get(f"/users/{caller.name}", caller)
        return (
            simple(known)
            if known
            else {"login": caller.name, "id": people.APP_ID, "node_id": "BOT_stand_in", "type": "Bot"}
        )

    async def scene(self, caller: Caller, repo: str) -> Json:
        """What stands in every webhook of a repository."""
        repository = await self.get(f"/repos/{repo}")
        scene = {"repository": repository, "sender": await self.user(caller), "installation": INSTALLATION}
        return with_organization(scene)


def simple(user: Json) -> Json:
    """A person as they stand inside other objects, without their profile."""
    return {key: value for key, value in user.items() if key not in PROFILE}


def with_organization(payload: Json) -> Json:
    """GitHub names the organisation that owns the repository beside it."""
    owner = (payload.get("repository") or {}).get("owner") or {}
    if "organization" in payload or owner.get("type") != "Organization":
        return payload
    return {**payload, "organization": {key: owner.get(key) for key in OF_AN_ORGANIZATION}}


def sent_object(body: bytes | None) -> Json:
    """The request's body, if it is an object."""
    try:
        sent = json.loads(body or b"{}")
    except ValueError:
        return {}
    return sent if isinstance(sent, dict) else {}
