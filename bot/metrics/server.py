"""The metrics of a process on a port of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from bot.metrics.page import MetricsPage
from bot.metrics.route import PATH, MetricsRoute
from bot.settings.metrics import MetricsSettings

_SHUTDOWN_SECONDS = 1


@asynccontextmanager
async def metrics_server(
    page: MetricsPage, settings: MetricsSettings, port: int
) -> AsyncIterator[int | None]:
    """Serve the page in the background. Yields the port, which the system chooses if `port` is 0.

    Yields None where nothing can listen there: the process then does its work without showing its metrics.
    """
    app = web.Application()
    app.router.add_get(PATH, MetricsRoute(page, settings.token).get)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        yield await _listen(runner, settings.host, port)
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> int | None:
    log = structlog.get_logger(__name__)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as problem:
        log.warning(
            "metrics are not served: this address cannot be used; set another METRICS_PORT for this process",
            host=host,
            port=port,
            reason=problem.strerror,
        )
        return None
    port = int(runner.addresses[0][1])
    log.info("serving metrics", host=host, port=port)
    return port
