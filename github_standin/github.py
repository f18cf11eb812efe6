"""The stand-in for GitHub: npm's emulate behind a server that adds what emulate lacks and what tests need.

The bot, the demo's page and the tests send all their requests to this server. It checks tokens, answers the
endpoints that emulate lacks, adds ETags, completes webhooks, and produces faults on request.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import cycle
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
from aiohttp import web
from yarl import URL

from github_standin import seed as people
from github_standin.actions import ActionError, Actions
from github_standin.completion import authorship, issue_summaries
from github_standin.completion.backdating import Backdating
from github_standin.emulate import HOST, Emulate
from github_standin.fault_controls import FaultControls
from github_standin.graphql.endpoint import answer_graphql
from github_standin.graphql.server import github_schema
from github_standin.history.repositories import RepositoryHistory
from github_standin.history.unannounced_changes import change_item
from github_standin.manifest import read_manifest
from github_standin.proxy.callers import Caller
from github_standin.proxy.change_feed import ChangeFeed
from github_standin.proxy.environment import StandInEnvironment
from github_standin.proxy.responses import ProxyResponse, add_etag, error_response
from github_standin.proxy.roles import Roles
from github_standin.proxy.upstream import Upstream
from github_standin.rest.api import RestApi
from github_standin.rest.pull_requests import PullRequests
from github_standin.webhooks.drain import WebhookDrain
from github_standin.webhooks.payloads import build_payloads
from github_standin.webhooks.repairs import PayloadRepairs
from github_standin.webhooks.sender import DeliveryAttempt, IncomingWebhook, WebhookSender

CheckRequest = Callable[[str, str, Mapping[str, str], Any], None]


class LoggedRequest(NamedTuple):
    """A request that was answered; `who` is a login, "app", "anonymous" or "bogus"."""

    method: str
    path: str
    status: int
    who: str


class StandInGitHub(FaultControls, Actions):
    """A running GitHub: `async with StandInGitHub() as github:`, with its API at `github.url`.

    `target` is the URL that webhooks are sent to (None drops them). `roles` maps a repository or "*" to
    login → role and may be changed at any time; `teams` maps the slug of a team to its members' logins.
    `permissions` and `events` are those of the App, by default all that `app.yml` asks for. `check_request`
    is called with every request of the App; its exceptions are collected in `violations`, together with
    GraphQL queries that GitHub would refuse. `history` is the data of GraphQL. `delay` delays each response
    to the App, in seconds. Everything happens at the time of `clock`, by default the real one.
    """

    def __init__(
        self,
        *,
        roles: Roles | None = None,
        webhook_secret: str = "stand-in-secret",  # noqa: S107 - a stand-in keeps no secrets
        events: Sequence[str] | None = None,
        permissions: Mapping[str, str] | None = None,
        check_request: CheckRequest | None = None,
        clock: Callable[[], datetime] | None = None,
        port: int = 0,
    ) -> None:
        super().__init__()
        self.url = ""
        self.webhook_secret = webhook_secret
        self.private_key = people.new_private_key()
        self.app_id = people.APP_ID
        self.app_slug = people.APP_SLUG
        self.bot_login = people.BOT_LOGIN
        self.installation_id = people.INSTALLATION_ID
        self.tokens = {login: people.user_token(login) for login in people.PEOPLE}
        self.roles: Roles = roles if roles is not None else {"*": dict(people.ROLES)}
        self.teams: dict[str, set[str]] = {}
        self.check_request = check_request
        self.violations: list[Exception] = []
        self.requests: list[LoggedRequest] = []
        self.history = RepositoryHistory()
        self._events = read_manifest().events if events is None else events
        self._permissions = read_manifest().permissions if permissions is None else permissions
        self._port = port
        self._backdating = Backdating(clock)
        self._upstream = Upstream(lambda: self.url, self._admin_token)
        self._environment = self._new_environment()
        pulls = PullRequests(self._environment)
        repairs = PayloadRepairs(self._upstream.list, self._backdating, self._environment, pulls.complete)
        self._webhooks = WebhookSender(webhook_secret, repairs.apply, self.history.observe)
        self._drain = WebhookDrain(self._upstream, self._webhooks)
        self._rest = RestApi(
            self._upstream,
            self._environment,
            pulls=pulls,
            repairs=repairs,
            sender=self._webhooks,
            callers=self._callers,
            backdating=self._backdating,
            roles=lambda: self.roles,
            teams=lambda: self.teams,
            note_write=self._drain.note_write,
        )
        self.marketplace = self._rest.marketplace
        self._helper_tokens = {login: cycle(people.helper_tokens(login)) for login in people.PEOPLE}
        self._changes = ChangeFeed()
        self._running: contextlib.AsyncExitStack | None = None

    def _new_environment(self) -> StandInEnvironment:
        return StandInEnvironment(
            request=self._upstream.request,
            send_webhook=self._queue_webhook,
            catch_up=self.catch_up,
            history=self.history,
            base_url=lambda: URL(self.url),
            token=self._admin_token,
        )

    def _admin_token(self) -> str:
        return next(self._helper_tokens[people.ADMIN])

    # Lifecycle

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the server, and then emulate, which needs the server's address for its seed and bodies."""
        async with contextlib.AsyncExitStack() as stack:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            await self._webhooks.start()
            stack.push_async_callback(self._webhooks.stop)
            runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, HOST, self._port).start()
            self.url = f"http://{HOST}:{runner.addresses[0][1]}"
            seed = people.seed(
                private_key=self.private_key,
                webhook_secret=self.webhook_secret,
                base_url=self.url,
                events=self._events,
                permissions=self._permissions,
            )
            emulate = await stack.enter_async_context(Emulate(seed, base_url=self.url))
            self._upstream.open(session, emulate.url)
            self._running = stack.pop_all()

    async def stop(self) -> None:
        """Stop everything; safe to call twice."""
        running, self._running = self._running, None
        if running is not None:
            await running.aclose()

    # Webhooks

    @property
    def target(self) -> str | None:
        """The URL that webhooks are sent to; None drops them."""
        return self._webhooks.target

    @target.setter
    def target(self, url: str | None) -> None:
        self._webhooks.target = url

    @property
    def deliveries(self) -> list[DeliveryAttempt]:
        """All deliveries to `target`, including redeliveries, oldest first."""
        return self._webhooks.deliveries

    async def redeliver(self, delivery_id: str) -> DeliveryAttempt:
        """Send a delivery again under the same id, as GitHub's button does."""
        return await self._webhooks.redeliver(delivery_id)

    def age_deliveries(self, by: timedelta) -> None:
        """Move the deliveries made so far into the past; the App's list keeps them for three days."""
        self._webhooks.age(by)

    async def send_webhook(
        self, event: str, payload: dict[str, Any], delivery_id: str | None = None
    ) -> DeliveryAttempt:
        """Deliver a payload of any event, signed with the webhook secret."""
        return await self._webhooks.send(event, payload, delivery_id)

    async def trigger(
        self, event: str, action: str = "", repo: str = "", *, as_user: str = people.ADMIN, **details: Any
    ) -> list[DeliveryAttempt]:
        """Make a change whose webhooks emulate never sends, and deliver these.

        `await github.trigger("repository", "renamed", repo, name="shop-2")`; see
        `github_standin/webhooks/payloads.py` for events and their `details`.
        """

        async def call_muted(method: str, path: str, body: Any = None, as_user: str = people.ADMIN) -> Any:
            if method == "GET":
                return await self.call(method, path)
            async with self.muted():
                return await self.call(method, path, body, as_user=as_user)

        webhooks = await build_payloads(call_muted, event, action, repo, as_user=as_user, **details)
        self._rest.extra_endpoints.apply_webhooks(webhooks)
        if self._webhooks.muted:
            await self.catch_up()
            for name, payload in webhooks:
                self.history.observe(name, payload)
            return []
        return [await self._webhooks.send(name, payload) for name, payload in webhooks]

    async def change_without_webhook(
        self, repo: str, number: int, *, at: str | None = None, in_timeline: bool = True, **fields: Any
    ) -> None:
        """Change an issue or pull request in GraphQL only, without a webhook; emulate's REST does not change.

        Fields are those of REST: `state="closed"`, `milestone=2` or None, `labels=["bug"]`, `merged=True`.
        """
        await self.catch_up()
        repository = self.history.repository(repo)
        if repository is None:
            raise ActionError(f"there is no repository {repo}")
        change_item(repository.items[number], fields, at=at, is_in_timeline=in_timeline)

    def load_history(self, deliveries: Iterable[Mapping[str, Any]]) -> None:
        """Load recorded webhooks, `{"event", "delivery", "payload"}`, without sending them to the bot."""
        self.history.load(deliveries)

    @contextlib.asynccontextmanager
    async def muted(self) -> AsyncIterator[None]:
        """Drop the webhooks of everything that is done inside the context."""
        await self._drain.drain()
        before, self._webhooks.muted = self._webhooks.muted, True
        try:
            yield
        finally:
            try:
                await self._drain.drain()
            finally:
                self._webhooks.muted = before

    async def wait_for_webhooks(self) -> None:
        """Wait until every webhook caused so far was delivered and answered."""
        await self._drain.drain()
        await self._webhooks.wait_until_delivered()

    # Helpers below the HTTP layer

    async def call(self, method: str, path: str, body: Any = None, *, as_user: str = people.ADMIN) -> Any:
        """Send a REST request as a person, without the log, faults and checks. Raises ActionError."""
        token = next(self._helper_tokens[as_user])
        caller = Caller("user", as_user, token)
        sent = None if body is None else json.dumps(body).encode()
        response = await self._answer(caller, method, URL(path, encoded=True), sent)
        if response.status >= 400:
            raise ActionError(f"{method} {path} as {as_user}: {response.status} {response.body.decode()}")
        return json.loads(response.body) if response.body else None

    def reactions(self, repo: str, comment_id: int) -> list[dict[str, Any]]:
        """The reactions on a comment, oldest first."""
        return self._rest.extra_endpoints.reactions.on(f"/repos/{repo}/issues/comments/{comment_id}")

    def reactions_to(self, repo: str, path: str) -> list[dict[str, Any]]:
        """The reactions on `issues/7` (also a pull request) or `pulls/comments/3`, oldest first."""
        return self._rest.extra_endpoints.reactions.on(f"/repos/{repo}/{path}")

    def minimized(self, repo: str, comment_id: int) -> str | None:
        """The reason for which a comment is minimized, such as `outdated`; None if it is not."""
        repository = self.history.repository(repo)
        comment = repository.comments.get(comment_id) if repository else None
        return comment.minimized if comment else None

    def backdate(self, body: Mapping[str, Any], **times: str) -> None:
        """Show past times in an object that a helper returned: `backdate(issue, created_at="…Z")`."""
        self._backdating.set(body, times)
        for field, past in times.items():
            self.history.retime(body["node_id"], body[field], past)

    # HTTP

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=32 * 1024**2)
        app.router.add_post("/_hooks", self._on_hook)
        app.router.add_post("/_drain", self._on_drain)
        app.router.add_get("/_changes", self._changes.handle)
        app.router.add_route("*", "/{path:.*}", self._on_request)
        return app

    async def _on_hook(self, request: web.Request) -> web.Response:
        signature = request.headers.get("X-Hub-Signature-256", "")
        self._webhooks.receive(
            IncomingWebhook(request.headers["X-GitHub-Event"], await request.read(), signature)
        )
        return web.Response(status=202)

    async def _on_drain(self, _request: web.Request) -> web.Response:
        self._drain.note_arrival()
        return web.Response(status=202)

    async def _on_request(self, request: web.Request) -> web.Response:
        caller = self._callers.identify(request.headers.get("Authorization", ""))
        if caller.kind in ("app", "installation") and self.delay:
            await asyncio.sleep(self.delay)
        response = await self._answer_or_fail(caller, request, await request.read())
        self.requests.append(LoggedRequest(request.method, request.path, response.status, caller.name))
        if response.status == 0 and request.transport is not None:
            request.transport.close()
        return response.to_aiohttp(head=request.method == "HEAD")

    async def _answer_or_fail(self, caller: Caller, request: web.Request, body: bytes) -> ProxyResponse:
        if caller.kind == "bogus":
            return error_response(401, "Bad credentials")
        fault = self._faults.take(request.method, request.path)
        if fault is None or fault.after_effect:
            refusal = self._check(caller, request, body)
            response = refusal or await self._answer(caller, request.method, request.rel_url, body or None)
            if fault is None:
                return add_etag(request, response)
        return ProxyResponse(
            fault.status, fault.encoded(), {"Content-Type": "application/json", **fault.headers}
        )

    def _check(self, caller: Caller, request: web.Request, body: bytes) -> ProxyResponse | None:
        if self.check_request is None or caller.kind not in ("app", "installation"):
            return None
        if request.path == "/graphql":  # GraphQL queries are validated by their own schema.
            return None
        try:
            sent = json.loads(body) if body else None
            self.check_request(request.method, request.path, dict(request.query), sent)
        except Exception as violation:  # noqa: BLE001 - the test gets whatever the check raises
            self.violations.append(violation)
            return error_response(422, f"The request is not valid for GitHub: {violation}")
        return None

    async def _answer(self, caller: Caller, method: str, url: URL, body: bytes | None) -> ProxyResponse:
        if url.path == "/graphql" and method == "POST":
            return await self._on_graphql(caller, body)
        response = await self._rest.answer(caller, method, url, body)
        if method not in ("GET", "HEAD"):
            await self._changes.notify()
        return response

    async def _on_graphql(self, caller: Caller, body: bytes | None) -> ProxyResponse:
        if caller.kind not in ("installation", "user"):
            return error_response(401, "This endpoint requires you to be authenticated.")
        await asyncio.to_thread(github_schema)
        await self.catch_up()
        response, violations = answer_graphql(
            caller,
            body,
            history=self.history,
            roles=self.roles,
            permissions=self._permissions,
            limits=self.graphql_limits,
        )
        self.violations += violations
        if body and b"mutation" in body:
            await self._changes.notify()
        return response

    async def catch_up(self) -> None:
        """Wait until the history has observed all webhooks caused so far; their delivery may go on."""
        await self._drain.catch_up()

    async def _queue_webhook(self, event: str, payload: dict[str, Any]) -> None:
        """Send a webhook of a change that an endpoint here made, behind those of earlier changes."""
        self._drain.note_write()
        await self.catch_up()
        self._rest.extra_endpoints.reactions.fill_in(payload)
        issue_summaries.fill_in(self.history, payload)
        authorship.fill_in(payload)
        self._backdating.apply(payload)
        self._webhooks.emit(event, payload)
        await self._webhooks.wait_until_observed()
