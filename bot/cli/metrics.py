"""Opens a process's metrics where the settings say: on a port of their own, or on the web server."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from bot.metrics.page import MetricsPage, open_metrics_page
from bot.metrics.server import metrics_server
from bot.services import Services
from storage.database import Database


def metrics_page(base: Services) -> AbstractAsyncContextManager[MetricsPage]:
    """Open the page of this process. Open it once: it samples the event loop meanwhile."""
    # One connection of its own, opened by the first scrape: it takes none from requests and jobs.
    is_pooled = base.settings.has_transaction_pooler
    database = Database(base.database_url, base.clock, pool_size=1, is_pooled=is_pooled)
    return open_metrics_page(base.instruments, database)


@asynccontextmanager
async def serving_metrics(base: Services, port: int | None) -> AsyncIterator[int | None]:
    """Serve the metrics of this process on `port` in the background; without a port, do nothing.

    Yields the port. None if there is none, or if it cannot be used.
    """
    if port is None:
        yield None
        return
    async with (
        metrics_page(base) as page,
        metrics_server(page, base.settings.metrics, port) as used_port,
    ):
        yield used_port
