"""REST as GitHub answers it: emulate's answers, put right and completed, and those that it lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

from yarl import URL

from github_standin import authorship, summaries
from github_standin import seed as people
from github_standin.answers import Answer, error
from github_standin.attempts import Attempts
from github_standin.backdating import Backdating
from github_standin.callers import Caller, Callers
from github_standin.environment import StandInEnvironment
from github_standin.extra_endpoints import Extras
from github_standin.files import wrapped
from github_standin.history_rest import HistoryRest
from github_standin.issue_lists import IssueLists
from github_standin.marketplace import Marketplace
from github_standin.payload_repairs import PayloadRepairs
from github_standin.planning import Planning, explained
from github_standin.pull_requests import Pulls
from github_standin.relations import Relations
from github_standin.roles import Roles
from github_standin.teams import membership
from github_standin.upstream import Upstream
from github_standin.webhook_sender import WebhookSender

COMMENT = re.compile(r"^/repos/[^/]+/[^/]+/(?:issues|pulls)/comments/(\d+)$")
TOKEN_MINT = re.compile(r"^/app/installations/\d+/access_tokens$")


class Rest:
    """Each part that emulate lacks has a module; the first that knows an address answers. `wrote` is called
    when a webhook may be on its way.
    """

    def __init__(
        self,
        upstream: Upstream,
        desk: StandInEnvironment,
        *,
        pulls: Pulls,
        repairs: PayloadRepairs,
        hooks: WebhookSender,
        callers: Callers,
        backdating: Backdating,
        roles: Callable[[], Roles],
        teams: Callable[[], dict[str, set[str]]],
        wrote: Callable[[], None],
    ) -> None:
        self.extras = Extras(desk, roles)
        self.marketplace = Marketplace(self._is_app, desk.front)
        self._upstream = upstream
        self._front = desk.front
        self._history = desk.history
        self._pulls = pulls
        self._repairs = repairs
        self._callers = callers
        self._backdating = backdating
        self._teams = teams
        self._wrote = wrote
        self._issue_lists = IssueLists(desk, pulls)
        self._relations = Relations(desk)
        self._planning = Planning(desk)
        self._attempts = Attempts(hooks, self._is_app, desk.front)
        self._recorded = HistoryRest(desk.history, self._is_app, desk.front)

    async def answer(self, caller: Caller, method: str, url: URL, body: bytes | None) -> Answer:
        """What GitHub would say, or as near to it as is known."""
        answer = (
            await self._attempts.answer(caller, method, url)
            or await self.marketplace.answer(caller, method, url)
            or await self._recorded.answer(caller, method, url)
            or await self.extras.answer(caller, method, url, body)
            or membership(caller, method, url.path, self._teams(), self._front)
        )
        if answer is None:
            answer = await self._completed(url.path, await self._on_objects(caller, method, url, body))
        return answer

    async def _on_objects(self, caller: Caller, method: str, url: URL, body: bytes | None) -> Answer:
        """Repositories and what is in them: emulate's answer, unless it lacks them."""
        answer = await self._relations.answer(caller, method, url, body) or await self._pulls.files(
            caller, method, url
        )
        if answer is None:
            answer = await self._forward(caller, method, url, body)
            answer = await self._issue_lists.completed(caller, method, url, answer)
            if method != "GET" and not TOKEN_MINT.match(url.path):
                self._wrote()
        if answer.status == 404:
            answer = await self._pulls.answer(caller, method, url, body) or answer
        if method == "GET" and answer.status == 200:
            answer = self._recorded.without_gone(url, answer)
        return explained(caller, method, url.path, body, answer)

    async def _forward(self, caller: Caller, method: str, url: URL, body: bytes | None) -> Answer:
        checked = await self._planning.checked(caller, method, url, body)
        if isinstance(checked, Answer):
            return checked
        edited = await self._announce_edit(caller, method, url.path, checked)
        answer = await self._upstream.send(method, str(url), caller.token, checked)
        if edited is not None and answer.status >= 400:
            self._repairs.forget_edit(edited)
        if TOKEN_MINT.match(url.path) and answer.status == 201:
            self._callers.remember_installation_token(json.loads(answer.body))
        if method == "POST" and answer.status == 201 and url.path == f"/orgs/{people.ORG}/repos":
            self.extras.remember_repository(json.loads(answer.body)["full_name"])
        if _hides_a_repository(caller, method, url.path, answer):
            return error(404, "Not Found")
        return answer

    async def _completed(self, path: str, answer: Answer) -> Answer:
        """The answer with what emulate does not know, and with the demo's past times."""
        signs = (b'"reactions"', b'"diff_url"', b'"encoding"', b'"check_suite"')
        is_thin = any(sign in answer.body for sign in signs)
        if answer.status not in (200, 201) or not answer.body or not (self._backdating or is_thin):
            return answer
        value = wrapped(path, json.loads(answer.body))
        await self._pulls.complete(value)
        self.extras.reactions.fill_in(value)
        summaries.fill_in(self._history, value)
        authorship.fill_in(value)
        self._backdating.apply(value)
        return replace(answer, body=json.dumps(value).encode())

    async def _announce_edit(self, caller: Caller, method: str, path: str, body: bytes | None) -> int | None:
        """Read a comment before it is edited, so that the webhook can tell what it said."""
        match = COMMENT.match(path)
        if method != "PATCH" or match is None or body is None:
            return None
        before = await self._upstream.ask("GET", path, caller.token)
        if before.status != 200:
            return None
        old, new = json.loads(before.body)["body"], json.loads(body).get("body")
        self._repairs.expect_edit(int(match[1]), old, new)
        return int(match[1])

    async def _is_app(self, caller: Caller) -> bool:
        """Whether emulate takes the JWT."""
        return caller.kind == "app" and (await self._upstream.ask("GET", "/app", caller.token)).status == 200


def _hides_a_repository(caller: Caller, method: str, path: str, answer: Answer) -> bool:
    """emulate admits with 401 or 403 that a private repository exists; GitHub says 404."""
    reading = method in ("GET", "HEAD") and path.startswith("/repos/")
    refused = answer.status in (401, 403) and b"rate limit" not in answer.body
    return reading and refused and caller.kind in ("user", "anonymous")
