"""Where metrics are served: on a port of their own, on the web server with a token, or nowhere."""

import asyncio
import os
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.cli.metrics import serving_metrics
from bot.cli.serve import web_server
from bot.services import Services
from bot.settings import Settings
from bot.settings.metrics import MetricsSettings
from github_standin.github import StandInGitHub
from tests.support.cli import ROOT
from tests.support.running import SECRET, WebhookClient, wait_until
from tests.support.scraping import ON_WEB_PORT, TOKEN, scrape
from tests.support.serving import running_serve, serve_environment
from tests.support.webhooks import ISSUE_OPENED


def with_metrics(base: Services, metrics: MetricsSettings) -> Services:
    return replace(base, settings=replace(base.settings, metrics=metrics))


async def status_of(url: str, **headers: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status


@pytest.mark.parametrize(
    "metrics",
    [MetricsSettings(), MetricsSettings(port=9100), replace(ON_WEB_PORT, port=9100)],
    ids=["nowhere", "on a port of their own", "there with a token"],
)
async def test_the_web_server_has_no_such_address(base: Services, metrics: MetricsSettings) -> None:
    async with web_server(with_metrics(base, metrics), "127.0.0.1", 0) as port:
        url = f"http://127.0.0.1:{port}/metrics"
        assert await status_of(url, Authorization=f"Bearer {TOKEN}") == 404


async def test_on_their_own_port_there_is_nothing_else(base: Services) -> None:
    async with serving_metrics(base_without_token(base), 0) as port, aiohttp.ClientSession() as session:
        metrics = await scrape(session, f"http://127.0.0.1:{port}", token="none is needed")
        assert metrics.get("agile_event_loop_lag_seconds") is not None
        assert await status_of(f"http://127.0.0.1:{port}/healthz") == 404


def base_without_token(base: Services) -> Services:
    return with_metrics(base, MetricsSettings())


async def test_a_token_is_asked_for_on_their_own_port_too(base: Services) -> None:
    async with serving_metrics(with_metrics(base, ON_WEB_PORT), 0) as port:
        url = f"http://127.0.0.1:{port}/metrics"
        assert await status_of(url) == 401
        assert await status_of(url, Authorization=f"Bearer {TOKEN}") == 200


async def test_a_port_in_use_is_logged_and_stops_nothing(base: Services) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupied, capture_logs() as logs:
        port = occupied.getsockname()[1]
        async with serving_metrics(base_without_token(base), port) as used_port:
            assert used_port is None
    (line,) = logs
    assert line["log_level"] == "warning"
    assert line["event"].startswith("metrics are not served: this address cannot be used")
    assert line["port"] == port
    assert "ddress already in use" in line["reason"]


async def test_without_a_port_nothing_listens(base: Services) -> None:
    async with serving_metrics(base, None) as port:
        assert port is None


async def test_a_worker_serves_its_own_metrics(
    settings: Settings, github: StandInGitHub, tmp_path: Path
) -> None:
    """The real command, as an operator starts it."""
    assert settings.database_url is not None
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": settings.database_url.reveal(),
        "GITHUB_API_URL": github.url,
        "GITHUB_APP_ID": str(github.app_id),
        "GITHUB_APP_PRIVATE_KEY": github.private_key,
        "GITHUB_WEBHOOK_SECRET": SECRET,
        "METRICS_PORT": str(port),
        "METRICS_TOKEN": TOKEN,
    }
    command = (sys.executable, "-W", "error", "-m", "bot", "work")
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        async for line in process.stderr:
            if b'"working"' in line:  # It listens for signals from now on.
                break
        assert await status_of(f"http://127.0.0.1:{port}/metrics") == 401
        async with aiohttp.ClientSession() as session:
            metrics = await scrape(session, f"http://127.0.0.1:{port}")
    finally:
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    assert metrics.get("agile_database_pool_size", pool="queue") == 4
    assert metrics.get("agile_database_up") == 1


def two_free_ports() -> int:
    """Find a port that is free together with the next one. Returns the first."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            try:
                socket.create_server(("127.0.0.1", port + 1)).close()
            except (OSError, OverflowError):
                continue
            return port


async def test_both_processes_of_serve_show_what_they_did(
    settings: Settings, github: StandInGitHub, tmp_path: Path
) -> None:
    """The web server stores a delivery, and the worker records it."""
    port = two_free_ports()
    environment = serve_environment(settings, github) | {"METRICS_PORT": str(port)}
    async with running_serve(tmp_path, environment) as serving, aiohttp.ClientSession() as session:
        await WebhookClient(session, serving.url).deliver("issues", ISSUE_OPENED)

        async def is_recorded() -> bool:
            worker = await scrape(session, f"http://127.0.0.1:{port + 1}")
            return worker.get("agile_deliveries_processed_total", outcome="recorded") == 1

        await wait_until(is_recorded)
        web = await scrape(session, f"http://127.0.0.1:{port}")
        assert await status_of(f"{serving.url}/metrics") == 404
    assert web.by("agile_deliveries_total", "event", "outcome") == {("issues", "stored"): 1}
    assert web.by("agile_deliveries_processed_total", "outcome") == {}
    assert web.get("agile_database_pool_size", pool="queue") is None
    assert web.get("agile_database_up") == 1
