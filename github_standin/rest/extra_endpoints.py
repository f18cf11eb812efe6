"""Smaller endpoints that emulate lacks: reactions, collaborators, the installation and its repositories."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from yarl import URL

from github_standin import seed as people
from github_standin.proxy.callers import Caller
from github_standin.proxy.environment import StandInEnvironment, parse_object
from github_standin.proxy.responses import ProxyResponse, error_response, json_response
from github_standin.proxy.roles import Roles, find_role, permission_body
from github_standin.rest.paging import add_page_links, parse_page
from github_standin.rest.reactions import CONTENTS, Reactions
from github_standin.rest.validation import invalid_response

REACTIONS = re.compile(
    r"^(/repos/[^/]+/[^/]+/(?:issues/(?:comments/)?|pulls/comments/)\d+)/reactions(?:/(\d+))?$"
)
ISSUE = re.compile(r"^(/repos/[^/]+/[^/]+)/issues/(\d+)$")
COLLABORATOR = re.compile(r"^/repos/([^/]+/[^/]+)/collaborators/([^/]+?)(/permission)?$")


class ExtraEndpoints:
    """Answers requests for reactions, collaborators, the installation and its repositories."""

    def __init__(self, environment: StandInEnvironment, roles: Callable[[], Roles]) -> None:
        self.reactions = Reactions()
        self._repositories: list[str] = []
        self._environment = environment
        self._base_url = environment.base_url
        self._history = environment.history
        self._request = environment.request
        self._roles = roles

    async def answer(self, caller: Caller, method: str, url: URL, body: bytes | None) -> ProxyResponse | None:
        """Answer a request; None when the path belongs to another module or to emulate."""
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
        """Add a repository to the installation's list, which emulate does not have."""
        self._repositories.append(full_name)

    def apply_webhooks(self, webhooks: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Update the installation's list of repositories by events and payloads."""
        for event, payload in webhooks:
            action, name = payload.get("action"), (payload.get("repository") or {}).get("full_name", "")
            if event == "installation_repositories":
                removed = {repository["full_name"] for repository in payload["repositories_removed"]}
                added = [repository["full_name"] for repository in payload["repositories_added"]]
                others = [repo for repo in self._repositories if repo not in removed and repo not in added]
                self._repositories = others + added
            elif event == "repository" and action == "deleted":
                self._repositories = [repo for repo in self._repositories if repo != name]
            elif event == "repository" and action == "renamed":
                old = f"{name.partition('/')[0]}/{payload['changes']['repository']['name']['from']}"
                self._repositories = [name if repo == old else repo for repo in self._repositories]

    async def _on_installation(self, caller: Caller, url: URL) -> ProxyResponse:
        """Correct the address of the installation's settings: emulate gives that of a person."""
        response = await self._request("GET", url.path, caller.token)
        if response.status != 200:
            return response
        path = f"/organizations/{people.ORG}/settings/installations/{people.INSTALLATION_ID}"
        return json_response(200, json.loads(response.body) | {"html_url": f"https://github.com{path}"})

    async def _on_reactions(
        self, caller: Caller, method: str, match: re.Match[str], body: bytes | None
    ) -> ProxyResponse:
        subject, reaction_id = match[1], match[2]
        if not await self._exists(caller, subject):
            return error_response(404, "Not Found")
        if method == "GET" and reaction_id is None:
            return json_response(200, self.reactions.on(subject))
        if caller.kind == "anonymous":
            return error_response(401, "Requires authentication")
        if method == "DELETE" and reaction_id is not None:
            is_removed = self.reactions.remove(subject, int(reaction_id))
            return ProxyResponse(204) if is_removed else error_response(404, "Not Found")
        if method == "POST" and reaction_id is None:
            return await self._add_reaction(caller, subject, body)
        return error_response(404, "Not Found")

    async def _exists(self, caller: Caller, subject: str) -> bool:
        """Whether an issue, pull request or comment exists; GitHub has pull requests under `/issues`, too."""
        pull = ISSUE.sub(r"\1/pulls/\2", subject)
        for path in dict.fromkeys((subject, pull)):
            if (await self._request("GET", path, caller.token)).status == 200:
                return True
        return False

    async def _add_reaction(self, caller: Caller, subject: str, body: bytes | None) -> ProxyResponse:
        content = parse_object(body).get("content")
        if content not in CONTENTS:
            return invalid_response("Reaction", "content")
        reaction, is_new = self.reactions.add(subject, await self._environment.user(caller), content)
        return json_response(201 if is_new else 200, reaction)

    async def _on_collaborator(
        self, caller: Caller, repo: str, login: str, permission: bool
    ) -> ProxyResponse:
        if caller.kind in ("anonymous", "app"):
            return error_response(401, "Requires authentication")
        repository = await self._request("GET", f"/repos/{repo}", caller.token)
        user = await self._request("GET", f"/users/{login}", caller.token)
        if repository.status != 200 or user.status != 200:
            return error_response(404, "Not Found")
        role = find_role(self._roles(), repo, login)
        if not permission:
            return ProxyResponse(204) if role else error_response(404, "Not Found")
        if role is None and json.loads(repository.body)["private"]:
            return error_response(404, "Not Found")
        return json_response(200, permission_body(json.loads(user.body), role or "read"))

    async def _on_repositories(self, caller: Caller, url: URL) -> ProxyResponse:
        if caller.kind != "installation":
            return error_response(401, "Requires authentication")
        page, size = parse_page(url)
        recorded = [repository.body for repository in self._history.repositories if repository.recorded]
        everything: list[Any] = [*self._repositories, *recorded]
        repositories = []
        for entry in everything[(page - 1) * size : page * size]:
            if not isinstance(entry, str):
                repositories.append(entry)
                continue
            response = await self._request("GET", f"/repos/{entry}", caller.token)
            if response.status == 200:  # It may have been deleted or renamed since it was listed.
                repositories.append(json.loads(response.body))
        body = {"total_count": len(everything), "repository_selection": "all", "repositories": repositories}
        return add_page_links(self._base_url(), url, len(everything), json_response(200, body))
