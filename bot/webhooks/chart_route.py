"""`GET /charts/{token}.png`: pictures for GitHub's image proxy and whoever it shows them to.

A picture is shown as long as its repository would link one: while the App is installed and can see it, and
while it is public or its settings say `charts: image`. What changes that takes effect here at once, and in
the caches of others within `KEPT_FOR`. What GitHub did not tell us of, bot/sync/visibility_check.py finds in
time.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from aiohttp import web

from bot.publishing.pictures import Drawing
from charts.packing import unpack
from storage.chart_files import ChartFiles, Picture
from storage.database import Database, Tenant
from storage.lookups import tenant_of_chart
from storage.projects import Projects

# How long GitHub's image proxy and browsers may show a picture without asking again.
KEPT_FOR = timedelta(minutes=10)
_SECONDS = int(KEPT_FOR.total_seconds())
_CACHE_CONTROL = f"public, max-age={_SECONDS}, s-maxage={_SECONDS}, must-revalidate"
# How exactly we know when a picture was looked at last; each note of it is a write.
_NOTED_EVERY = timedelta(days=1)


class ChartRoute:
    """Serves pictures. A picture never changes under its name, but whether it may be seen does."""

    def __init__(self, database: Database, drawing: Drawing, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._drawing = drawing
        self._clock = clock

    async def get(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        etag = f'"{token}"'
        png = await self._png(token)
        if png is None:
            raise web.HTTPNotFound(text="no such chart", headers={"Cache-Control": "no-store"})
        headers = {"ETag": etag, "Cache-Control": _CACHE_CONTROL}
        if any(match.value in {token, "*"} for match in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=png, content_type="image/png", headers=headers)

    async def _png(self, token: str) -> bytes | None:
        async with self._database.unscoped() as connection:
            organization_id = await tenant_of_chart(connection, token)
        if organization_id is None:
            return None
        async with self._database.tenant(organization_id) as tenant:
            picture = await ChartFiles(tenant).get(token)
            if picture is None or not await _may_be_seen(tenant, picture):
                return None
            if picture.png is not None:
                if self._clock() - picture.used_at > _NOTED_EVERY:
                    await ChartFiles(tenant).note_use(token)
                return picture.png
        if picture.inputs is None:
            return None
        png = await self._drawing.draw(*unpack(picture.inputs))
        async with self._database.tenant(organization_id) as tenant:
            await ChartFiles(tenant).restore(token, png)
        return png


async def _may_be_seen(tenant: Tenant, picture: Picture) -> bool:
    """Whether the picture's repository would link it now."""
    if not picture.is_in_sight:
        return False
    project = await Projects(tenant).get(picture.project_id)
    return project is not None and project.links_pictures
