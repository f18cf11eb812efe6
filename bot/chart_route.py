"""`GET /charts/{token}.png`: pictures for GitHub's image proxy and whoever it shows them to."""

from collections.abc import Callable
from datetime import datetime, timedelta

from aiohttp import web

from bot.pictures import Drawing
from charts.packing import unpacked
from storage.chart_files import ChartFiles
from storage.database import Database
from storage.lookups import tenant_of_chart

# How exactly we know when a picture was looked at last; each note of it is a write.
_NOTED_EVERY = timedelta(days=1)


class ChartRoute:
    """Serves pictures. A picture never changes under its name, so it may be kept for ever."""

    def __init__(self, database: Database, drawing: Drawing, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._drawing = drawing
        self._clock = clock

    async def get(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        etag = f'"{token}"'
        png = await self._png(token)
        if png is None:
            raise web.HTTPNotFound(text="no such chart")
        headers = {"ETag": etag, "Cache-Control": "public, max-age=31536000, immutable"}
        if any(match.value in {token, "*"} for match in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=png, content_type="image/png", headers=headers)

    async def _png(self, token: str) -> bytes | None:
        async with self._database.nobody() as connection:
            organization_id = await tenant_of_chart(connection, token)
        if organization_id is None:
            return None
        async with self._database.tenant(organization_id) as tenant:
            picture = await ChartFiles(tenant).get(token)
            if picture is not None and picture.png is not None:
                if self._clock() - picture.used_at > _NOTED_EVERY:
                    await ChartFiles(tenant).note_use(token)
                return picture.png
        if picture is None or picture.inputs is None:
            return None
        png = await self._drawing.draw(*unpacked(picture.inputs))
        async with self._database.tenant(organization_id) as tenant:
            await ChartFiles(tenant).restore(token, png)
        return png
