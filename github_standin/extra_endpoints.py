"""Endpoints that emulate lacks or answers wrongly: reactions, permissions, an installation's repositories."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from yarl import URL

from github_standin import seed as people
from github_standin.answers import Answer, error, json_answer
from github_standin.callers import Caller
from github_standin.environment import StandInEnvironment
from github_standin.paging import linked, page_number
from github_standin.reactions import CONTENTS, Reactions
from github_standin.roles import Roles, permission_answer, role_of

REACTIONS = re.compile(
    r"^(/repos/[^/]+/[^/]+/(?:issues/(?:comments/)?|pulls/comments/)\d+)/reactions(?:/(\d+))?$"
)
ISSUE = re.compile(r"^(/repos/[^/]+/[^/]+)/issues/(\d+)$")
COLLABORATOR = re.compile(r"^/repos/([^/]+/[^/]+)/collaborators/([^/]+?)(/permission)?$")


class Extras:
    """Answers what is not left to emulate."""

    def __init__(self, desk: StandInEnvironment, roles: Callable[[], Roles]) -> None:
        self.reactions = Reactions()
        self._repositories: list[str] = []
        self._desk = desk
        self._front = desk.front
        self._history = desk.history
        self._ask = desk.ask
        self._roles = roles

    async def answer(self, caller: Caller, method: str, url: URL, body: bytes | None) -> Answer | None:
        """The answer, or None when emulate shall give it."""
        if match := REACTIONS.match(url.path):
            return await self._on_reactions(caller, method, match, body)
        if (match := COLLABORATOR.match(url.path)) and method == "GET":
            return await self._on_collaborator(caller, match[1], match[2], bool(match[3]))
        if url.path == f"/app/installations/{people.INSTALLATION_ID}" and method == "GET":
            return await self._on_installation(caller, url)
        if url.path == "/installation/repositories" and method == "GET":
            return await self._on_repositories(caller, url)
        return None

    def remember_repository(self, full_name: str) -> None:
        """emulate has no call that lists an organisation's repositories."""
        self._repositories.append(full_name)

    def follow(self, told: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Keep the installation's list as webhooks say that it is."""
        for event, payload in told:
            action, name = payload.get("action"), (payload.get("repository") or {}).get("full_name", "")
            if event == "installation_repositories":
                gone = {one["full_name"] for one in payload["repositories_removed"]}
                added = [one["full_name"] for one in payload["repositories_added"]]
                kept = [one for one in self._repositories if one not in gone and one not in added]
                self._repositories = kept + added
            elif event == "repository" and action == "deleted":
                self._repositories = [one for one in self._repositories if one != name]
            elif event == "repository" and action == "renamed":
                old = f"{name.partition('/')[0]}/{payload['changes']['repository']['name']['from']}"
                self._repositories = [name if one == old else one for one in self._repositories]

    async def _on_installation(self, caller: Caller, url: URL) -> Answer:
        """emulate gives an organization's installation the page of a person's."""
        answer = await self._ask("GET", url.path, caller.token)
        if answer.status != 200:
            return answer
        path = f"/organizations/{people.ORG}/settings/installations/{people.INSTALLATION_ID}"
        return json_answer(200, json.loads(answer.body) | {"html_url": f"https://github.com{path}"})

    async def _on_reactions(
        self, caller: Caller, method: str, match: re.Match[str], body: bytes | None
    ) -> Answer:
        subject, reaction_id = match[1], match[2]
        if not await self._exists(caller, subject):
            return error(404, "Not Found")
        if method == "GET" and reaction_id is None:
            return json_answer(200, self.reactions.of(subject))
        if caller.kind == "anonymous":
            return error(401, "Requires authentication")
        if method == "DELETE" and reaction_id is not None:
            found = self.reactions.remove(subject, int(reaction_id))
            return Answer(204) if found else error(404, "Not Found")
        if method == "POST" and reaction_id is None:
            return await self._react(caller, subject, body)
        return error(404, "Not Found")

    async def _exists(self, caller: Caller, subject: str) -> bool:
        """A pull request is an issue, for GitHub."""
        pull = ISSUE.sub(r"\1/pulls/\2", subject)
        for path in dict.fromkeys((subject, pull)):
            if (await self._ask("GET", path, caller.token)).status == 200:
                return True
        return False

    async def _react(self, caller: Caller, subject: str, body: bytes | None) -> Answer:
        sent = json.loads(body or b"{}")
        content = sent.get("content") if isinstance(sent, dict) else None
        if content not in CONTENTS:
            wrong = {"resource": "Reaction", "code": "invalid", "field": "content"}
            return error(422, "Validation Failed", errors=[wrong])
        reaction, new = self.reactions.add(subject, await self._desk.user(caller), content)
        return json_answer(201 if new else 200, reaction)

    async def _on_collaborator(self, caller: Caller, repo: str, login: str, permission: bool) -> Answer:
        if caller.kind in ("anonymous", "app"):
            return error(401, "Requires authentication")
        about = await self._ask("GET", f"/repos/{repo}", caller.token)
        user = await self._ask("GET", f"/users/{login}", caller.token)
        if about.status != 200 or user.status != 200:
            return error(404, "Not Found")
        role = role_of(self._roles(), repo, login)
        if not permission:
            return Answer(204) if role else error(404, "Not Found")
        if role is None and json.loads(about.body)["private"]:
            return error(404, "Not Found")
        return json_answer(200, permission_answer(json.loads(user.body), role or "read"))

    async def _on_repositories(self, caller: Caller, url: URL) -> Answer:
        if caller.kind != "installation":
            return error(401, "Requires authentication")
        page, size = page_number(url)
        recorded = [repository.body for repository in self._history.repositories if repository.recorded]
        everything: list[Any] = [*self._repositories, *recorded]
        shown = []
        for one in everything[(page - 1) * size : page * size]:
            answer = await self._ask("GET", f"/repos/{one}", caller.token) if isinstance(one, str) else None
            if answer is None:
                shown.append(one)
            elif answer.status == 200:  # It may have been deleted or renamed meanwhile.
                shown.append(json.loads(answer.body))
        body = {"total_count": len(everything), "repository_selection": "all", "repositories": shown}
        return linked(self._front(), url, len(everything), json_answer(200, body))
