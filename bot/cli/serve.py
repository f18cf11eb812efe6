"""`serve` and `work`: run a web server, a worker or both, until a signal to stop."""

import argparse
import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from aiohttp import web

from bot.cli.metrics import metrics_page, serving_metrics
from bot.jobs.worker import worker
from bot.services import Services, open_services
from bot.settings import Settings
from bot.webhooks.application import make_app

# Requests are small; those in progress at the stop signal have this time to finish.
_SHUTDOWN_SECONDS = 5
# The time that a connection may stay idle, or take for the headers of a request.
_IDLE_SECONDS = 75


def serve(settings: Settings, options: argparse.Namespace) -> int:
    """Run the web server, by default with a worker in the same process."""
    _run(_serve(settings, with_worker=not options.no_worker))
    return 0


def work(settings: Settings, _: argparse.Namespace) -> int:
    """Run a worker."""
    _run(_work(settings))
    return 0


def _run(main: Coroutine[None, None, None]) -> None:
    """Run on uvloop, which halves the cost of a request, if it is installed: not on Windows."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


async def _serve(settings: Settings, *, with_worker: bool) -> None:
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(open_services(settings))
        await stack.enter_async_context(serving_metrics(base, settings.metrics.port))
        if with_worker:
            await stack.enter_async_context(worker(base))
        await stack.enter_async_context(web_server(base, settings.host, settings.port))
        _warn_of_unknown_names(settings)
        structlog.get_logger(__name__).info("serving", host=settings.host, port=settings.port)
        await wait_for_stop_signal()


async def _work(settings: Settings) -> None:
    async with (
        open_services(settings) as base,
        serving_metrics(base, settings.metrics.port),
        worker(base),
    ):
        _warn_of_unknown_names(settings)
        structlog.get_logger(__name__).info("working")
        await wait_for_stop_signal()


def _warn_of_unknown_names(settings: Settings) -> None:
    """Log settings with unknown names: a misspelt one would otherwise be ignored silently."""
    for sentence in settings.billing.unknown_names:
        structlog.get_logger(__name__).warning("setting not known", problem=sentence)


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


async def wait_for_stop_signal() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no such handlers; Ctrl-C still works.
            loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
