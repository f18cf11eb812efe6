"""`GET /charts/{token}.png`: pictures for GitHub's image proxy and whoever it shows them to."""

from aiohttp import web

from storage.chart_files import ChartFiles
from storage.database import Database
from storage.lookups import tenant_of_chart


class ChartRoute:
    """Serves pictures. A picture never changes under its name, so it may be kept for ever."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
            return await ChartFiles(tenant).png(token)
