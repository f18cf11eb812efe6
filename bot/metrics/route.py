"""`GET /metrics`: the page for Prometheus, for those who know the token, if there is one."""

import hmac

from aiohttp import web
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from bot.metrics.page import MetricsPage
from bot.settings.secret import Secret

PATH = "/metrics"
_HEADERS = {"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Cache-Control": "no-store"}


class MetricsRoute:
    """Answers with the page; with a token, only requests whose `Authorization` is `Bearer TOKEN`."""

    def __init__(self, page: MetricsPage, token: Secret | None) -> None:
        self._page = page
        self._expected = None if token is None else f"Bearer {token.reveal()}".encode()

    async def get(self, request: web.Request) -> web.Response:
        """Answer 200 with the metrics, or 401 without the token."""
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        # In constant time: the time of the answer must not tell how much of a guess is right.
        if self._expected is not None and not hmac.compare_digest(given, self._expected):
            raise web.HTTPUnauthorized(
                text="the token is missing or wrong", headers={"WWW-Authenticate": "Bearer"}
            )
        return web.Response(body=await self._page.render(), headers=_HEADERS)
