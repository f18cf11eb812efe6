"""`serve`: one command, and two processes that begin, work and end together."""

import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import psutil
import pytest

from bot.services import Services
from bot.settings import Settings
from github_standin.github import StandInGitHub
from storage.embedded import EmbeddedServer
from tests.support.running import SECRET, WebhookClient, rows, wait_until
from tests.support.serving import Serving, github_environment, has_ended, running_serve, serve_environment
from tests.support.webhooks import INSTALLATION_CREATED, ISSUE_OPENED


@pytest.fixture
async def serving(settings: Settings, github: StandInGitHub, tmp_path: Path) -> AsyncIterator[Serving]:
    """A `serve` on the tests' database."""
    async with running_serve(tmp_path, serve_environment(settings, github)) as running:
        yield running


async def wait_until_ended(*processes: psutil.Process) -> None:
    async def have_ended() -> bool:
        return all(map(has_ended, processes))

    await wait_until(have_ended)


async def wait_for_drawing(worker: psutil.Process) -> psutil.Process:
    """Wait for the process in which a worker draws pictures, and return it."""

    def find() -> list[psutil.Process]:
        return [child for child in worker.children() if "spawn_main" in " ".join(child.cmdline())]

    async def has_started() -> bool:
        return bool(find())

    await wait_until(has_started)
    return find()[0]


async def test_a_comment_is_answered(serving: Serving, github: StandInGitHub) -> None:
    github.clear_faults()
    github.age_deliveries(timedelta(days=4))
    repository = await github.create_repository(name="served")
    github.target = f"{serving.url}/webhooks/github"
    try:
        issue = await github.create_issue(repository["full_name"], title="Pay by card")
        await github.comment(repository["full_name"], issue["number"], "/sprint list", as_user="alice")

        async def is_answered() -> bool:
            comments = await github.comments(repository["full_name"], issue["number"])
            return any(comment["user"]["type"] == "Bot" for comment in comments)

        await wait_until(is_answered)
        await github.wait_for_webhooks()
    finally:
        github.target = None


async def test_webhooks_are_answered_while_the_worker_is_held(serving: Serving, base: Services) -> None:
    """By a signal instead of a job that computes for long, and recorded once it goes on."""
    worker = serving.worker()
    assert SECRET not in " ".join(worker.cmdline())
    worker.suspend()
    async with aiohttp.ClientSession() as session:
        client = WebhookClient(session, serving.url)
        assert await client.deliver("installation", INSTALLATION_CREATED) == (202, "stored")
        assert await client.deliver("issues", ISSUE_OPENED) == (202, "stored")
    (tenant,) = (await rows(base, "select * from all_tenants()"))[0]
    assert not await rows(base, "select from timeline", tenant)
    worker.resume()

    async def is_recorded() -> bool:
        return bool(await rows(base, "select from timeline", tenant))

    await wait_until(is_recorded)


async def test_a_worker_that_dies_is_started_again_and_ctrl_c_ends_all(serving: Serving) -> None:
    first = serving.worker()
    drawing = await wait_for_drawing(first)
    first.kill()
    await serving.wait_for_log("working", 2)
    (line,) = serving.log_lines("the worker ended and will be restarted")
    assert (line["status"], line["pause_seconds"], line["process"]) == (-signal.SIGKILL, 1, "web")
    assert {line["process"] for line in serving.log_lines("working")} == {"worker"}
    assert serving.worker().pid != first.pid
    await wait_until_ended(drawing)

    processes = psutil.Process(serving.process.pid).children(recursive=True)
    assert await serving.interrupt() == 0
    await wait_until_ended(*processes)
    assert len(serving.log_lines("the worker ended and will be restarted")) == 1
    assert "Traceback" not in serving.log_text


async def test_no_process_outlives_a_killed_serve(serving: Serving) -> None:
    await wait_for_drawing(serving.worker())
    processes = psutil.Process(serving.process.pid).children(recursive=True)
    assert serving.worker() in processes
    os.kill(serving.process.pid, signal.SIGKILL)
    await wait_until_ended(*processes)


async def test_a_worker_that_cannot_start_is_tried_again_while_webhooks_are_stored(
    settings: Settings, github: StandInGitHub, server: EmbeddedServer, tmp_path: Path
) -> None:
    environment = serve_environment(settings, github)
    environment["DATABASE_DIRECT_URL"] = server.address("agile_app", "agile")
    async with running_serve(tmp_path, environment, ready="serving") as serving:
        event = "the worker ended and will be restarted"
        await serving.wait_for_log(event, 2)
        assert [(line["status"], line["pause_seconds"]) for line in serving.log_lines(event)] == [
            (1, 1),
            (1, 2),
        ]
        assert "the database of DATABASE_DIRECT_URL is empty" in serving.log_text
        async with aiohttp.ClientSession() as session:
            client = WebhookClient(session, serving.url)
            assert await client.deliver("installation", INSTALLATION_CREATED) == (202, "stored")
        assert await serving.interrupt() == 0


async def test_both_use_the_bundled_postgresql_which_ends_last(github: StandInGitHub, tmp_path: Path) -> None:
    environment = {"DATA_DIR": str(tmp_path), **github_environment(github)}
    running = tmp_path / "postgres" / "postmaster.pid"
    async with running_serve(tmp_path, environment) as serving:
        assert running.exists()
        assert await serving.interrupt() == 0
    assert not running.exists()
    assert "Traceback" not in serving.log_text


async def test_at_rest_neither_alembic_nor_stripe_is_loaded_and_a_misspelt_setting_is_logged_once(
    settings: Settings, github: StandInGitHub, tmp_path: Path
) -> None:
    environment = serve_environment(settings, github) | {"STRIPE_PRO_PRICE": "price_1"}
    async with running_serve(tmp_path, environment | {"PYTHONPROFILEIMPORTTIME": "1"}) as serving:
        loaded = {line.rpartition("|")[2].strip() for line in serving.log_text.splitlines() if "|" in line}
        assert {"sqlalchemy", "bot.jobs.worker", "bot.webhooks.application"} <= loaded
        assert not loaded & {"alembic", "stripe"}
        assert len(serving.log_lines("unknown setting")) == 1
