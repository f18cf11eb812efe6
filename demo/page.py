"""The demo's page: an issue thread like GitHub's on loopback, kept up to date by server-sent events.

It uses only the stand-in's REST API, with the tokens of the person as whom it is viewed.
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

from demo.suggestions import NO_SUGGESTIONS, Suggestions
from demo.task_boxes import set_box
from demo.thread import NoSuchIssueError, Reader
from demo.viewers import Viewer
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
    "Referrer-Policy": "same-origin",  # With none, browsers do not say that a form is this page's own.
    "X-Content-Type-Options": "nosniff",
}

_VIEWER = "viewer"  # the cookie with the login of the person as whom a browser views the page

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class DemoPage:
    """`async with DemoPage(github_url, viewers, repo=…, number=…, suggestions=…) as page: page.url`.

    The first of the `viewers` is the one as whom it begins.
    """

    def __init__(
        self,
        github_url: str,
        viewers: Sequence[Viewer],
        *,
        repo: str,
        number: int,
        suggestions: Suggestions = NO_SUGGESTIONS,
        port: int = 0,
    ) -> None:
        self.url = ""
        self._github_url = github_url
        self._viewers = {viewer.login: viewer for viewer in viewers}
        self._home = f"/{repo}/issues/{number}"
        self._suggestions = suggestions
        self._port = port
        self._running: contextlib.AsyncExitStack | None = None
        self._readers: dict[str, Reader] = {}

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
            self._readers = {
                viewer.login: Reader(session, self._github_url, viewer.tokens)
                for viewer in self._viewers.values()
            }
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
        app.router.add_post(f"{issue}/comments/{{comment:\\d+}}", self._on_edit)
        app.router.add_post(f"{issue}/comments/{{comment:\\d+}}/boxes", self._on_box)
        app.router.add_post(f"{issue}/state", self._on_state)
        app.router.add_post(f"{issue}/viewer", self._on_viewer)
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
        except aiohttp.ClientResponseError as error:
            reason = "The person who is signed in may not do that." if error.status == 403 else error.message
            text = error_page("The stand-in for GitHub refused", f"{reason} ({error.status})")
            response = web.Response(status=error.status, text=text, content_type="text/html")
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
        viewer = self._viewer_of(request)
        thread = await self._reader_of(request).thread(*_issue_of(request))
        text = page(thread, viewer, self._suggestions, tuple(self._viewers.values()))
        return web.Response(text=text, content_type="text/html")

    async def _on_live(self, request: web.Request) -> web.StreamResponse:
        """Stream the thread's state each time that it changes."""
        issue, viewer, reader = _issue_of(request), self._viewer_of(request), self._reader_of(request)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", **SECURITY})
        first = await reader.thread(*issue)
        await stream.prepare(request)
        sent, version = "", -1
        with contextlib.suppress(
            ConnectionError, aiohttp.ClientError, NoSuchIssueError, asyncio.CancelledError
        ):
            text = json.dumps(pieces(first, viewer))
            while True:
                await stream.write(f"data: {text}\n\n".encode() if text != sent else b": still here\n\n")
                sent = text
                version = await reader.changed_since(version)
                text = json.dumps(pieces(await reader.thread(*issue), viewer))
        return stream

    async def _on_comment(self, request: web.Request) -> web.StreamResponse:
        repo, number = _issue_of(request)
        body = _text((await request.post()).get("body")).replace("\r\n", "\n").strip()
        if not body:
            return web.Response(status=422, text="A comment needs some text.\n")
        await self._reader_of(request).comment(repo, number, body)
        return _back(request, repo, number)

    async def _on_edit(self, request: web.Request) -> web.StreamResponse:
        repo, number = _issue_of(request)
        body = _text((await request.post()).get("body")).replace("\r\n", "\n").strip()
        if not body:
            return web.Response(status=422, text="A comment needs some text.\n")
        await self._reader_of(request).edit(repo, int(request.match_info["comment"]), body)
        return _back(request, repo, number)

    async def _on_box(self, request: web.Request) -> web.StreamResponse:
        """Tick or untick a box of a comment, which edits its text, as on GitHub."""
        repo, number = _issue_of(request)
        form, comment = await request.post(), int(request.match_info["comment"])
        position, reader = _text(form.get("position")), self._reader_of(request)
        if not position.isdecimal():
            return web.Response(status=422, text="The position of a box is a number.\n")
        body = await reader.body_of(repo, comment)
        changed = set_box(body, int(position), is_ticked=_text(form.get("ticked")) == "yes")
        if changed is None:
            return web.Response(status=409, text="The comment has changed, and this box is gone.\n")
        await reader.edit(repo, comment, changed)
        return _back(request, repo, number)

    async def _on_viewer(self, request: web.Request) -> web.StreamResponse:
        """Continue as another person."""
        repo, number = _issue_of(request)
        login = _text((await request.post()).get("viewer"))
        if login not in self._viewers:
            return web.Response(status=422, text=f"Choose one of {', '.join(self._viewers)}.\n")
        response = _back(request, repo, number)
        response.set_cookie(_VIEWER, login, httponly=True, samesite="Strict")
        return response

    def _viewer_of(self, request: web.Request) -> Viewer:
        """The person whom the browser has chosen."""
        first = next(iter(self._viewers.values()))
        return self._viewers.get(request.cookies.get(_VIEWER, ""), first)

    def _reader_of(self, request: web.Request) -> Reader:
        return self._readers[self._viewer_of(request).login]

    async def _on_state(self, request: web.Request) -> web.StreamResponse:
        repo, number = _issue_of(request)
        state = _text((await request.post()).get("state"))
        if state not in ("open", "closed"):
            return web.Response(status=422, text="The state is open or closed.\n")
        await self._reader_of(request).set_state(repo, number, state)
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
