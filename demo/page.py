"""The demo's page: an issue thread like GitHub's on loopback, kept up to date by server-sent events.

It uses only the stand-in's REST API, with one person's token.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from demo.thread import NoSuchIssueError, Reader
from demo.views import error_page, page, pieces
from github_standin.emulate import HOST, NODE_MODULES, DemoNotInstalledError

STATIC = Path(__file__).resolve().parent / "static"
MARKDOWN_CSS = NODE_MODULES / "github-markdown-css" / "github-markdown.css"

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
        "img-src 'self' http: https: data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class DemoPage:
    """`async with DemoPage(github_url, token, repo=…, number=…, suggestions=…) as page: page.url`."""

    def __init__(
        self,
        github_url: str,
        token: str,
        *,
        repo: str,
        number: int,
        suggestions: Sequence[tuple[str, str]] = (),
        viewer: str = "alice",
        port: int = 0,
    ) -> None:
        self.url = ""
        self._github_url = github_url
        self._token = token
        self._home = f"/{repo}/issues/{number}"
        self._suggestions = suggestions
        self._viewer = viewer
        self._port = port
        self._running: contextlib.AsyncExitStack | None = None
        self._reader: Reader

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen on loopback."""
        if not MARKDOWN_CSS.is_file():
            raise DemoNotInstalledError("The demo's npm packages are missing: run `make setup`.")
        async with contextlib.AsyncExitStack() as stack:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            self._reader = Reader(session, self._github_url, self._token)
            runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.2)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, HOST, self._port).start()
            self.url = f"http://{HOST}:{runner.addresses[0][1]}"
            self._running = stack.pop_all()

    async def stop(self) -> None:
        """Stop listening; safe to call twice."""
        running, self._running = self._running, None
        if running is not None:
            await running.aclose()

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        issue = r"/{owner}/{name}/issues/{number:\d+}"
        app.router.add_get("/", self._on_home)
        app.router.add_get("/static/markdown.css", self._on_markdown_css)
        app.router.add_static("/static", STATIC)
        app.router.add_get(issue, self._on_issue)
        app.router.add_get(f"{issue}/live", self._on_live)
        app.router.add_post(f"{issue}/comments", self._on_comment)
        app.router.add_post(f"{issue}/state", self._on_state)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse requests from other pages in the browser, and turn errors into pages."""
        origin = request.headers.get("Origin")
        port = self.url.rpartition(":")[2]
        own = {f"{HOST}:{port}", f"localhost:{port}"}
        if request.host not in own or (origin is not None and origin.partition("://")[2] not in own):
            return web.Response(status=403, text="This page answers to its own address only.\n")
        try:
            response = await handler(request)
        except NoSuchIssueError:
            text = error_page("Not found", "There is no such issue in this demo.")
            response = web.Response(status=404, text=text, content_type="text/html")
        except aiohttp.ClientError as error:
            text = error_page("The stand-in did not answer", str(error))
            response = web.Response(status=502, text=text, content_type="text/html")
        if not response.prepared:
            response.headers.update(SECURITY)
        return response

    async def _on_home(self, _request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(self._home)

    async def _on_markdown_css(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(MARKDOWN_CSS)

    async def _on_issue(self, request: web.Request) -> web.StreamResponse:
        thread = await self._reader.thread(*_issue_of(request))
        text = page(thread, self._viewer, self._suggestions)
        return web.Response(text=text, content_type="text/html")

    async def _on_live(self, request: web.Request) -> web.StreamResponse:
        """Stream the thread's state each time that it changes."""
        issue = _issue_of(request)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", **SECURITY})
        first = await self._reader.thread(*issue)
        await stream.prepare(request)
        sent, version = "", -1
        with contextlib.suppress(
            ConnectionError, aiohttp.ClientError, NoSuchIssueError, asyncio.CancelledError
        ):
            text = json.dumps(pieces(first))
            while True:
                await stream.write(f"data: {text}\n\n".encode() if text != sent else b": still here\n\n")
                sent = text
                version = await self._reader.changed_since(version)
                text = json.dumps(pieces(await self._reader.thread(*issue)))
        return stream

    async def _on_comment(self, request: web.Request) -> web.StreamResponse:
        repo, number = _issue_of(request)
        body = _text((await request.post()).get("body")).replace("\r\n", "\n").strip()
        if not body:
            return web.Response(status=422, text="A comment needs some text.\n")
        await self._reader.comment(repo, number, body)
        return _back(request, repo, number)

    async def _on_state(self, request: web.Request) -> web.StreamResponse:
        repo, number = _issue_of(request)
        state = _text((await request.post()).get("state"))
        if state not in ("open", "closed"):
            return web.Response(status=422, text="The state is open or closed.\n")
        await self._reader.set_state(repo, number, state)
        return _back(request, repo, number)


def _issue_of(request: web.Request) -> tuple[str, int]:
    match = request.match_info
    return f"{match['owner']}/{match['name']}", int(match["number"])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _back(request: web.Request, repo: str, number: int) -> web.Response:
    """Redirect to the thread; the page's script needs no content."""
    if request.headers.get("X-Requested-By") == "page":
        return web.Response(status=204)
    return web.Response(status=303, headers={"Location": f"/{repo}/issues/{number}"})
