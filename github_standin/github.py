"""The stand-in for GitHub: emulate behind a thin front that adds what emulate lacks and what tests need.

Everything the bot, the page and the tests send goes to the front. It refuses bogus tokens, answers reactions
and permissions, adds ETags, repairs webhooks, and can have bad days on purpose.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import cycle
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
from aiohttp import web
from yarl import URL

from github_standin import authorship, graphql_server, summaries
from github_standin import seed as people
from github_standin.actions import ActionError, Actions
from github_standin.answers import Answer, error, json_answer, with_etag
from github_standin.backdating import Backdating
from github_standin.callers import Caller, Callers
from github_standin.emulate import HOST, Emulate
from github_standin.environment import StandInEnvironment
from github_standin.faults import Fault, Faults
from github_standin.history import History
from github_standin.manifest import read_manifest
from github_standin.objects import StandInRepository
from github_standin.payload_repairs import PayloadRepairs
from github_standin.pull_requests import Pulls
from github_standin.rate_limit import RateLimit
from github_standin.rest import Rest
from github_standin.roles import Roles, role_of
from github_standin.settling import Settling
from github_standin.silent_changes import change
from github_standin.upstream import Upstream
from github_standin.webhook_sender import Arrival, Delivery, WebhookSender
from github_standin.webhooks import tell

CheckRequest = Callable[[str, str, Mapping[str, str], Any], None]

LONG_POLL_SECONDS = 20.0


class Logged(NamedTuple):
    """One request that the front answered; `who` is a login, "app", "anonymous" or "bogus"."""

    method: str
    path: str
    status: int
    who: str


class StandInGitHub(Actions):
    """`async with StandInGitHub() as github:` then point the bot at `github.url`.

    `target` is where webhooks go (None drops them). `roles` maps a repository or "*" to login → role and may
    be changed at any time; `teams` maps the slug of a team to its members' logins. `permissions` and `events`
    are those of the App; without them it has all that `app.yml` asks for. `check_request` sees every request
    of the App; what it raises is in `violations`, and so are GraphQL queries that GitHub would refuse.
    `history` is what GraphQL tells of. What happens here happens at the time of `clock`, the real one without
    it.
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
        self.requests: list[Logged] = []
        self.delay = 0.0
        self.history = History()
        self.graphql_limits = RateLimit()
        self._events = read_manifest().events if events is None else events
        self._permissions = read_manifest().permissions if permissions is None else permissions
        self._port = port
        self._callers = Callers()
        self._faults = Faults()
        self._backdating = Backdating(clock)
        self._upstream = Upstream(lambda: self.url, self._admin_token)
        self._desk = self._new_desk()
        pulls = Pulls(self._desk)
        repairs = PayloadRepairs(self._upstream.list, self._backdating, self._desk, pulls)
        self._hooks = WebhookSender(webhook_secret, repairs.apply, self.history.observe)
        self._settling = Settling(self._upstream, self._hooks)
        self._rest = Rest(
            self._upstream,
            self._desk,
            pulls=pulls,
            repairs=repairs,
            hooks=self._hooks,
            callers=self._callers,
            backdating=self._backdating,
            roles=lambda: self.roles,
            teams=lambda: self.teams,
            wrote=self._settling.wrote,
        )
        self.marketplace = self._rest.marketplace
        self._helper_tokens = {login: cycle(people.helper_tokens(login)) for login in people.PEOPLE}
        self._changed = asyncio.Condition()
        self._version = 0
        self._running: contextlib.AsyncExitStack | None = None

    def _new_desk(self) -> StandInEnvironment:
        return StandInEnvironment(
            ask=self._upstream.ask,
            tell=self._tell_of,
            catch_up=self.catch_up,
            history=self.history,
            front=lambda: URL(self.url),
            token=self._admin_token,
        )

    def _admin_token(self) -> str:
        return next(self._helper_tokens[people.ADMIN])

    # Life

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Open the front first: emulate's seed and its bodies carry the front's address."""
        async with contextlib.AsyncExitStack() as stack:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            await self._hooks.start()
            stack.push_async_callback(self._hooks.stop)
            runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, HOST, self._port).start()
            self.url = f"http://{HOST}:{runner.addresses[0][1]}"
            seed = people.seed(
                private_key=self.private_key,
                webhook_secret=self.webhook_secret,
                front=self.url,
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
        """Where webhooks are delivered; None drops them."""
        return self._hooks.target

    @target.setter
    def target(self, url: str | None) -> None:
        self._hooks.target = url

    @property
    def deliveries(self) -> list[Delivery]:
        """What was sent to `target`, redeliveries too, oldest first."""
        return self._hooks.deliveries

    async def redeliver(self, delivery_id: str) -> Delivery:
        """Send a delivery again under the same id, as GitHub's button does."""
        return await self._hooks.redeliver(delivery_id)

    def age_deliveries(self, by: timedelta) -> None:
        """Let the deliveries made so far be older; after three days the App's list forgets them."""
        self._hooks.age(by)

    async def send_hook(
        self, event: str, payload: dict[str, Any], delivery_id: str | None = None
    ) -> Delivery:
        """Deliver a payload that emulate never makes, signed with the webhook secret."""
        return await self._hooks.send(event, payload, delivery_id)

    async def tell(
        self, event: str, action: str = "", repo: str = "", *, as_user: str = people.ADMIN, **details: Any
    ) -> list[Delivery]:
        """Webhooks that emulate never makes, as `github_standin/webhooks.py` writes them; see there for
        `details`.

        `await github.tell("repository", "renamed", repo, name="shop-2")`
        """

        async def unheard(method: str, path: str, body: Any = None, as_user: str = people.ADMIN) -> Any:
            if method == "GET":
                return await self.call(method, path)
            async with self.muted():
                return await self.call(method, path, body, as_user=as_user)

        told = await tell(unheard, event, action, repo, as_user=as_user, **details)
        self._rest.extras.follow(told)
        if self._hooks.muted:
            await self.catch_up()
            for name, payload in told:
                self.history.observe(name, payload)
            return []
        return [await self._hooks.send(event, payload) for event, payload in told]

    async def change_silently(
        self, repo: str, number: int, *, at: str | None = None, in_timeline: bool = True, **fields: Any
    ) -> None:
        """Change an issue or pull request for GraphQL only: no webhook, and REST of emulate stays as it was.

        Fields are REST's: `state="closed"`, `milestone=2` or None, `labels=["bug"]`, `merged=True`.
        """
        await self.catch_up()
        repository = self.history.repository(repo)
        if repository is None:
            raise ActionError(f"there is no repository {repo}")
        change(repository.items[number], fields, at=at, is_in_timeline=in_timeline)

    def load_history(self, deliveries: Iterable[Mapping[str, Any]]) -> None:
        """Let recorded webhooks have happened: `{"event", "delivery", "payload"}`. The bot hears nothing."""
        self.history.load(deliveries)

    @contextlib.asynccontextmanager
    async def muted(self) -> AsyncIterator[None]:
        """Nothing that is done inside reaches `target`."""
        await self._settling.drain()
        before, self._hooks.muted = self._hooks.muted, True
        try:
            yield
        finally:
            try:
                await self._settling.drain()
            finally:
                self._hooks.muted = before

    async def settle(self) -> None:
        """Wait until every webhook caused so far was delivered and answered."""
        await self._settling.drain()
        await self._hooks.settle()

    # Bad days

    def fail_next(
        self,
        method: str,
        path_regex: str,
        status: int,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        times: int = 1,
        after_effect: bool = False,
    ) -> None:
        """Answer the next matching requests with a fault ("*" = any method, status 0 = connection lost).

        With `after_effect` the request is carried out first, so that only its answer is lost.
        """
        fault = Fault(method, re.compile(path_regex), status, headers or {}, body, times, after_effect)
        self._faults.plan(fault)

    def clear_faults(self) -> None:
        """Forget planned faults and the delay, and fill up GraphQL's rate limit."""
        self._faults.clear()
        self.delay = 0.0
        self.graphql_limits = RateLimit()

    @property
    def graphql_remaining(self) -> int:
        """The points that are left for GraphQL; every query takes some."""
        return self.graphql_limits.remaining

    @graphql_remaining.setter
    def graphql_remaining(self, points: int) -> None:
        self.graphql_limits.remaining = points

    def revoke_installation_tokens(self) -> None:
        """Every installation token minted so far answers 401 from now on, as after an hour."""
        self._callers.revoke_installation_tokens()

    # Helpers under the HTTP layer

    async def call(self, method: str, path: str, body: Any = None, *, as_user: str = people.ADMIN) -> Any:
        """One REST request as a person, past the log and the faults."""
        token = next(self._helper_tokens[as_user])
        caller = Caller("user", as_user, token)
        sent = None if body is None else json.dumps(body).encode()
        answer = await self._answered(caller, method, URL(path, encoded=True), sent)
        if answer.status >= 400:
            raise ActionError(f"{method} {path} as {as_user}: {answer.status} {answer.body.decode()}")
        return json.loads(answer.body) if answer.body else None

    def reactions(self, repo: str, comment_id: int) -> list[dict[str, Any]]:
        """The reactions on a comment, oldest first."""
        return self._rest.extras.reactions.of(f"/repos/{repo}/issues/comments/{comment_id}")

    def reactions_to(self, repo: str, path: str) -> list[dict[str, Any]]:
        """The reactions on anything: `issues/7` (also a pull request), `pulls/comments/3`; oldest first."""
        return self._rest.extras.reactions.of(f"/repos/{repo}/{path}")

    def backdate(self, made: Mapping[str, Any], **times: str) -> None:
        """Show past instants in an object that a helper returned: `backdate(issue, created_at="…Z")`."""
        self._backdating.set(made, times)
        for field, past in times.items():
            self.history.retime(made["node_id"], made[field], past)

    # HTTP

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=32 * 1024**2)
        app.router.add_post("/_hooks", self._on_hook)
        app.router.add_post("/_drain", self._on_drain)
        app.router.add_get("/_changes", self._on_changes)
        app.router.add_route("*", "/{path:.*}", self._on_request)
        return app

    async def _on_hook(self, request: web.Request) -> web.Response:
        signature = request.headers.get("X-Hub-Signature-256", "")
        self._hooks.receive(Arrival(request.headers["X-GitHub-Event"], await request.read(), signature))
        return web.Response(status=202)

    async def _on_drain(self, _request: web.Request) -> web.Response:
        self._settling.arrive()
        return web.Response(status=202)

    async def _on_changes(self, request: web.Request) -> web.Response:
        """Long poll for the demo page: answers as soon as anything was written after version `since`."""
        since = int(request.query.get("since", "-1"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONG_POLL_SECONDS), self._changed:
                await self._changed.wait_for(lambda: self._version != since)
        return web.json_response({"version": self._version})

    async def _on_request(self, request: web.Request) -> web.Response:
        caller = self._callers.identify(request.headers.get("Authorization", ""))
        if caller.kind in ("app", "installation") and self.delay:
            await asyncio.sleep(self.delay)
        answer = await self._guarded(caller, request, await request.read())
        self.requests.append(Logged(request.method, request.path, answer.status, caller.name))
        if answer.status == 0 and request.transport is not None:
            request.transport.close()
        return answer.response(head=request.method == "HEAD")

    async def _guarded(self, caller: Caller, request: web.Request, body: bytes) -> Answer:
        if caller.kind == "bogus":
            return error(401, "Bad credentials")
        fault = self._faults.take(request.method, request.path)
        if fault is None or fault.after_effect:
            refusal = self._refusal(caller, request, body)
            answer = refusal or await self._answered(caller, request.method, request.rel_url, body or None)
            if fault is None:
                return with_etag(request, answer)
        return Answer(fault.status, fault.encoded(), {"Content-Type": "application/json", **fault.headers})

    def _refusal(self, caller: Caller, request: web.Request, body: bytes) -> Answer | None:
        if self.check_request is None or caller.kind not in ("app", "installation"):
            return None
        if request.path == "/graphql":  # is checked by its own schema
            return None
        try:
            sent = json.loads(body) if body else None
            self.check_request(request.method, request.path, dict(request.query), sent)
        except Exception as violation:  # noqa: BLE001 - whatever the check raises is what the test wants to see
            self.violations.append(violation)
            return error(422, f"The request is not valid for GitHub: {violation}")
        return None

    async def _answered(self, caller: Caller, method: str, url: URL, body: bytes | None) -> Answer:
        if url.path == "/graphql" and method == "POST":
            return await self._on_graphql(caller, body)
        answer = await self._rest.answer(caller, method, url, body)
        if method not in ("GET", "HEAD"):
            async with self._changed:
                self._version += 1
                self._changed.notify_all()
        return answer

    async def _on_graphql(self, caller: Caller, body: bytes | None) -> Answer:
        if caller.kind not in ("installation", "user"):
            return error(401, "This endpoint requires you to be authenticated.")
        await asyncio.to_thread(graphql_server.github_schema)
        await self.catch_up()
        try:
            sent = json.loads(body or b"{}")
        except ValueError:
            return error(400, "Problems parsing JSON")
        answered = graphql_server.answer(
            sent,
            history=self.history,
            can_see=lambda repository: self._can_see(caller, repository),
            viewer=caller.name,
            limits=self.graphql_limits,
            who=f"installation ID {self.installation_id}" if caller.kind == "installation" else caller.name,
        )
        self.violations += answered.violations
        answer = json_answer(200, answered.body)
        return replace(answer, headers={**answer.headers, **self.graphql_limits.headers()})

    async def catch_up(self) -> None:
        """Wait until the history knows what was done so far; what goes to the bot may still be on its way."""
        await self._settling.catch_up()

    def _can_see(self, caller: Caller, repository: StandInRepository) -> bool:
        is_public = not repository.body.get("private")
        return is_public or caller.kind == "installation" or bool(self._role(caller, repository))

    def _role(self, caller: Caller, repository: StandInRepository) -> str | None:
        return role_of(self.roles, repository.full_name, caller.name)

    async def _tell_of(self, event: str, payload: dict[str, Any]) -> None:
        """A webhook for what the front did itself, behind those for what was done before."""
        self._settling.wrote()
        await self.catch_up()
        self._rest.extras.reactions.fill_in(payload)
        summaries.fill_in(self.history, payload)
        authorship.fill_in(payload)
        self._backdating.apply(payload)
        self._hooks.emit(event, payload)
        await self._hooks.read()
