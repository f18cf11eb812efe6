"""`serve`: run a web server, by default with a worker in a second process, until a signal to stop."""

import argparse
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from aiohttp import web

from bot.cli.daemon import (
    run_until_stopped,
    spare_startup_objects,
    wait_for_stop_signal,
    warn_of_unknown_names,
)
from bot.cli.metrics import metrics_page, serving_metrics
from bot.cli.worker_process import worker_process
from bot.services import Services, open_services
from bot.settings import Settings
from bot.webhooks.application import make_app

# Requests are small; those in progress at the stop signal have this time to finish.
_SHUTDOWN_SECONDS = 5
# The time that a connection may stay idle, or take for the headers of a request.
_IDLE_SECONDS = 75


def serve(settings: Settings, options: argparse.Namespace) -> int:
    """Run the web server, by default with a worker in a second process."""
    run_until_stopped(_serve(settings, with_worker=not options.no_worker))
    return 0


async def _serve(settings: Settings, *, with_worker: bool) -> None:
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(open_services(settings, has_worker=False))
        await stack.enter_async_context(serving_metrics(base, settings.metrics.port))
        await stack.enter_async_context(web_server(base, settings.host, settings.port))
        warn_of_unknown_names(settings)
        structlog.get_logger(__name__).info("serving", host=settings.host, port=settings.port)
        if with_worker:
            # The bundled server is this process's; the worker uses it by its address.
            environment = {**os.environ, "DATABASE_URL": base.database_url}
            await stack.enter_async_context(worker_process(environment))
        spare_startup_objects()
        await wait_for_stop_signal()


@asynccontextmanager
async def web_server(base: Services, host: str, port: int) -> AsyncIterator[int]:
    """Run the web server in the background. Yields its port, which the system chooses if `port` is 0."""
    async with AsyncExitStack() as stack:
        on_web_port = base.settings.metrics.is_on_web_port
        metrics = await stack.enter_async_context(metrics_page(base)) if on_web_port else None
        runner = web.AppRunner(
            make_app(base, metrics),
            access_log=None,
            shutdown_timeout=_SHUTDOWN_SECONDS,
            keepalive_timeout=_IDLE_SECONDS,
            # Compressed bodies are refused, so that a small body cannot become a large one.
            auto_decompress=False,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield int(runner.addresses[0][1])
