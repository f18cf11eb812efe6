"""`work`: run a worker until a signal to stop."""

import argparse
import asyncio

import structlog

from bot.cli.daemon import (
    run_until_stopped,
    spare_startup_objects,
    wait_for_stop_signal,
    warn_of_unknown_names,
)
from bot.cli.metrics import serving_metrics
from bot.cli.worker_process import stop_with_parent
from bot.jobs.worker import worker
from bot.services import open_services
from bot.settings import Settings


def work(settings: Settings, options: argparse.Namespace) -> int:
    """Run a worker."""
    run_until_stopped(_work(settings, is_child=options.until_stdin_closes))
    return 0


async def _work(settings: Settings, *, is_child: bool) -> None:
    stopped = asyncio.Event()
    if is_child:
        stop_with_parent(stopped)
    port = settings.metrics.worker_port if is_child else settings.metrics.port
    async with open_services(settings) as base, serving_metrics(base, port), worker(base):
        if not is_child:  # The parent has logged them.
            warn_of_unknown_names(settings)
        structlog.get_logger(__name__).info("working")
        spare_startup_objects()
        await wait_for_stop_signal(stopped)
