"""The REST API: emulate's responses, corrected and completed, and the endpoints that emulate lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

from yarl import URL

from github_standin import seed as people
from github_standin.completion import authorship, issue_summaries
from github_standin.completion.backdating import Backdating
from github_standin.proxy.callers import Caller, Callers
from github_standin.proxy.environment import StandInEnvironment
from github_standin.proxy.responses import ProxyResponse, error_response
from github_standin.proxy.roles import Roles
from github_standin.proxy.upstream import Upstream
from github_standin.rest.extra_endpoints import ExtraEndpoints
from github_standin.rest.files import wrap_base64
from github_standin.rest.hook_deliveries import HookDeliveries
from github_standin.rest.issue_lists import IssueLists
from github_standin.rest.issue_relations import IssueRelations
from github_standin.rest.marketplace import MarketplaceListing
from github_standin.rest.pull_requests import PullRequests
from github_standin.rest.recorded_repositories import RecordedRepositories
from github_standin.rest.teams import membership_response
from github_standin.rest.validation import WriteValidator, explain_refusal
from github_standin.webhooks.repairs import PayloadRepairs
from github_standin.webhooks.sender import WebhookSender

COMMENT = re.compile(r"^/repos/[^/]+/[^/]+/(?:issues|pulls)/comments/(\d+)$")
TOKEN_REQUEST = re.compile(r"^/app/installations/\d+/access_tokens$")


class RestApi:
    """Asks each module of this folder in turn, and then emulate; the first that has the path answers.

    `note_write` is called after a write to emulate, whose webhooks may be on their way.
    """

    def __init__(
        self,
        upstream: Upstream,
        environment: StandInEnvironment,
        *,
        pulls: PullRequests,
        repairs: PayloadRepairs,
        sender: WebhookSender,
        callers: Callers,
        backdating: Backdating,
        roles: Callable[[], Roles],
        teams: Callable[[], dict[str, set[str]]],
        note_write: Callable[[], None],
    ) -> None:
        self.extra_endpoints = ExtraEndpoints(environment, roles)
        self.marketplace = MarketplaceListing(self._is_app, environment.base_url)
        self._upstream = upstream
        self._base_url = environment.base_url
        self._history = environment.history
        self._pulls = pulls
        self._repairs = repairs
        self._callers = callers
        self._backdating = backdating
        self._teams = teams
        self._note_write = note_write
        self._issue_lists = IssueLists(environment, pulls)
        self._issue_relations = IssueRelations(environment)
        self._validator = WriteValidator(environment)
        self._hook_deliveries = HookDeliveries(sender, self._is_app, environment.base_url)
        self._recorded = RecordedRepositories(environment.history, self._is_app, environment.base_url)

    async def answer(self, caller: Caller, method: str, url: URL, body: bytes | None) -> ProxyResponse:
        """Answer a request as GitHub would."""
        response = (
            await self._hook_deliveries.answer(caller, method, url)
            or await self.marketplace.answer(caller, method, url)
            or await self._recorded.answer(caller, method, url)
            or await self.extra_endpoints.answer(caller, method, url, body)
            or membership_response(caller, method, url.path, self._teams(), self._base_url)
        )
        if response is None:
            response = await self._complete(url.path, await self._answer_objects(caller, method, url, body))
        return response

    async def _answer_objects(
        self, caller: Caller, method: str, url: URL, body: bytes | None
    ) -> ProxyResponse:
        """Answer requests for repositories and their contents, mostly from emulate."""
        response = await self._issue_relations.answer(caller, method, url, body) or await self._pulls.files(
            caller, method, url
        )
        if response is None:
            response = await self._forward(caller, method, url, body)
            response = await self._issue_lists.complete(caller, method, url, response)
            if method != "GET" and not TOKEN_REQUEST.match(url.path):
                self._note_write()
        if response.status == 404:
            response = await self._pulls.answer(caller, method, url, body) or response
        if method == "GET" and response.status == 200:
            response = self._recorded.remove_former_items(url, response)
        return explain_refusal(caller, method, url.path, body, response)

    async def _forward(self, caller: Caller, method: str, url: URL, body: bytes | None) -> ProxyResponse:
        validated = await self._validator.validate(caller, method, url, body)
        if isinstance(validated, ProxyResponse):
            return validated
        edited = await self._expect_edit(caller, method, url.path, validated)
        async with self._backdating.writing() if method != "GET" else nullcontext():
            response = await self._upstream.send(method, str(url), caller.token, validated)
        if edited is not None and response.status >= 400:
            self._repairs.forget_edit(edited)
        if TOKEN_REQUEST.match(url.path) and response.status == 201:
            self._callers.remember_installation_token(json.loads(response.body))
        if method == "POST" and response.status == 201 and url.path == f"/orgs/{people.ORG}/repos":
            self.extra_endpoints.remember_repository(json.loads(response.body)["full_name"])
        if _reveals_repository(caller, method, url.path, response):
            return error_response(404, "Not Found")
        return response

    async def _complete(self, path: str, response: ProxyResponse) -> ProxyResponse:
        """Add to a body what emulate does not store, and replace its timestamps."""
        keys = (b'"reactions"', b'"diff_url"', b'"encoding"', b'"check_suite"')
        is_incomplete = any(key in response.body for key in keys)
        if response.status not in (200, 201) or not response.body or not (self._backdating or is_incomplete):
            return response
        value = wrap_base64(path, json.loads(response.body))
        await self._pulls.complete(value)
        self.extra_endpoints.reactions.fill_in(value)
        issue_summaries.fill_in(self._history, value)
        authorship.fill_in(value)
        self._backdating.apply(value)
        return replace(response, body=json.dumps(value).encode())

    async def _expect_edit(self, caller: Caller, method: str, path: str, body: bytes | None) -> int | None:
        """Read a comment before it is edited, so that the webhook can contain its old text."""
        match = COMMENT.match(path)
        if method != "PATCH" or match is None or body is None:
            return None
        before = await self._upstream.request("GET", path, caller.token)
        if before.status != 200:
            return None
        old, new = json.loads(before.body)["body"], json.loads(body).get("body")
        self._repairs.expect_edit(int(match[1]), old, new)
        return int(match[1])

    async def _is_app(self, caller: Caller) -> bool:
        """Whether emulate accepts the caller's JWT."""
        if caller.kind != "app":
            return False
        return (await self._upstream.request("GET", "/app", caller.token)).status == 200


def _reveals_repository(caller: Caller, method: str, path: str, response: ProxyResponse) -> bool:
    """Whether emulate reveals by 401 or 403 that a private repository exists, where GitHub answers 404."""
    is_read = method in ("GET", "HEAD") and path.startswith("/repos/")
    is_refused = response.status in (401, 403) and b"rate limit" not in response.body
    return is_read and is_refused and caller.kind in ("user", "anonymous")
