"""Where metrics are served: on a port of their own, on the web server with a token, or nowhere."""

import socket
from dataclasses import replace

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.cli.metrics import serving_metrics
from bot.cli.serve import web_server
from bot.services import Services
from bot.settings.metrics import MetricsSettings
from tests.support.scraping import ON_WEB_PORT, TOKEN, scrape


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
