"""`GET /charts/{token}.png`: chart pictures for GitHub's image proxy and the people it serves.

A picture is served as long as its repository may link one: while the App is installed and can see the
repository, and while that is public or its settings say `charts: image`. A change takes effect here
immediately, and in the caches of others within `CACHE_DURATION`. bot/sync/visibility_check.py finds changes
that GitHub did not announce.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from aiohttp import web

from bot.publishing.pictures import ChartRenderer
from charts.packing import read_form, unpack
from charts.placeholder import load_placeholder
from charts.themes import Theme
from storage.chart_files import ChartFile, ChartFiles
from storage.database import Database, Tenant
from storage.lookups import tenant_of_chart
from storage.projects import Projects

# How long GitHub's image proxy and browsers may show a picture without asking again.
CACHE_DURATION = timedelta(minutes=10)
_SECONDS = int(CACHE_DURATION.total_seconds())
_CACHE_CONTROL = f"public, max-age={_SECONDS}, s-maxage={_SECONDS}, must-revalidate"
_NOT_CACHED = {"Cache-Control": "no-store"}
# The worker that stored a picture this long ago may be drawing it. The route looks ten times whether it is
# drawn, and then draws it itself.
_NEW_FOR = timedelta(seconds=10)
_LOOKS_FOR_WORKER = 10
_SECONDS_BETWEEN_LOOKS = 0.05
# A chart that could not be drawn is not drawn again for this long, however often it is asked for.
_RETRY_AFTER = timedelta(minutes=5)
# Record a picture's use at most daily, to save writes.
_RECORD_USE_EVERY = timedelta(days=1)


class ChartRoute:
    """Serves chart pictures. A token's picture never changes, but whether it may be seen does.

    A picture that is not drawn yet, or whose bytes were dropped, is drawn when it is asked for, once for all
    requests that wait for it; a dark picture is never drawn before. GitHub's proxy remembers errors, so none
    says that a picture is not drawn yet.
    In place of a chart that cannot be drawn, people see a picture that says so, which no cache keeps.
    """

    def __init__(self, database: Database, renderer: ChartRenderer, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._renderer = renderer
        self._clock = clock
        self._drawings: dict[str, asyncio.Task[bytes | None]] = {}
        self._failed_at: dict[str, datetime] = {}
        self._placeholders = {theme: load_placeholder(theme) for theme in Theme}
        self._log = structlog.get_logger(__name__)

    async def get(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        async with self._database.unscoped() as connection:
            organization_id = await tenant_of_chart(connection, token)
        if organization_id is None:
            raise _not_found()
        picture = await self._load_visible(organization_id, token)
        png = picture.png
        if png is None:
            png = await self._draw_once(organization_id, token, picture)
            # The drawing took a while, in which the repository may have become private.
            await self._load_visible(organization_id, token)
        headers = {"ETag": f'"{token}"', "Cache-Control": _CACHE_CONTROL}
        if any(match.value in {token, "*"} for match in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        if png is None:
            # With an error status, GitHub's proxy would show a broken image.
            placeholder = self._placeholders[read_form(picture.inputs or b"").theme]
            return web.Response(body=placeholder, content_type="image/png", headers=_NOT_CACHED)
        return web.Response(body=png, content_type="image/png", headers=headers)

    async def _load_visible(self, organization_id: int, token: str) -> ChartFile:
        """Load a picture, drawn or not. Raises HTTPNotFound if it is gone or may not be seen now."""
        async with self._database.tenant(organization_id) as tenant:
            picture = await ChartFiles(tenant).get(token)
            if picture is None or not await _is_visible(tenant, picture):
                raise _not_found()
            if picture.png is not None and self._clock() - picture.used_at > _RECORD_USE_EVERY:
                await ChartFiles(tenant).record_use(token)
        return picture

    async def _draw_once(self, organization_id: int, token: str, picture: ChartFile) -> bytes | None:
        """Draw a picture for all requests that wait for it. None if it could not be drawn, now or lately.

        Raises HTTPNotFound if nothing is stored that it could be drawn from.
        """
        if picture.inputs is None:
            raise _not_found()
        failed_at = self._failed_at.get(token)
        if failed_at is not None and self._clock() - failed_at < _RETRY_AFTER:
            return None
        drawing = self._drawings.get(token)
        if drawing is None:
            is_new = self._clock() - picture.stored_at < _NEW_FOR
            drawing = asyncio.create_task(self._draw(organization_id, token, picture.inputs, is_new=is_new))
            self._drawings[token] = drawing
            drawing.add_done_callback(lambda _: self._drawings.pop(token))
        # A reader who leaves does not end the drawing, for which others may wait.
        return await asyncio.shield(drawing)

    async def _draw(self, organization_id: int, token: str, inputs: bytes, *, is_new: bool) -> bytes | None:
        form = read_form(inputs)
        is_drawn_by_worker = is_new and form.theme is Theme.LIGHT
        if is_drawn_by_worker and (png := await self._wait_for_worker(organization_id, token)):
            return png
        try:
            png = await self._renderer.draw(*unpack(inputs))
        except Exception:  # noqa: BLE001 - whatever it is, the next drawing would fail with it, too
            self._log.exception("chart not drawn", organization=organization_id, chart=form.kind)
            self._remember_failure(token)
            return None
        async with self._database.tenant(organization_id) as tenant:
            await ChartFiles(tenant).set_image(token, png)
        return png

    def _remember_failure(self, token: str) -> None:
        now = self._clock()
        recent = {other: at for other, at in self._failed_at.items() if now - at < _RETRY_AFTER}
        self._failed_at = {**recent, token: now}

    async def _wait_for_worker(self, organization_id: int, token: str) -> bytes | None:
        """Wait for the worker that linked a new picture and is drawing it. None if it takes too long."""
        for _ in range(_LOOKS_FOR_WORKER):
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            async with self._database.tenant(organization_id) as tenant:
                picture = await ChartFiles(tenant).get(token)
            if picture is not None and picture.png is not None:
                return picture.png
        return None


async def _is_visible(tenant: Tenant, picture: ChartFile) -> bool:
    """Whether the picture's repository may link it now."""
    if not picture.is_visible:
        return False
    project = await Projects(tenant).get(picture.project_id)
    return project is not None and project.may_link_images


def _not_found() -> web.HTTPNotFound:
    return web.HTTPNotFound(text="no such chart", headers=_NOT_CACHED)
