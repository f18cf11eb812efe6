"""What tests stand on: one PostgreSQL and one stand-in GitHub for the session, a database for each test."""

import asyncio
import gc
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import hypothesis
import pytest
import uvloop
from hypothesis import HealthCheck

from bot.publishing.pictures import ChartRenderer
from bot.services import Services, open_services
from bot.settings import Secret, Settings
from github_standin.github import StandInGitHub
from storage import schema
from storage.embedded import APPLICATION, EmbeddedServer, running_server
from tests.support.clock import Clock
from tests.support.emptying import empty
from tests.support.github_openapi import load_checker
from tests.support.running import Bot, running_bot
from tests.support.watchdog import WATCHDOG, watched

# Modules that define fixtures for tests of several folders.
pytest_plugins = (
    "tests.support.billing",
    "tests.support.changes",
    "tests.support.marketplace",
    "tests.support.publishing",
    "tests.support.reporting",
    "tests.support.stripe.selling",
    "tests.support.webhooks",
)
_DATABASE = "tests"


def pytest_configure() -> None:
    """How long an example takes says much of the machine and little of the code."""
    slow = [HealthCheck.too_slow]
    hypothesis.settings.register_profile("any machine", deadline=None, suppress_health_check=slow)
    hypothesis.settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that `serve` and `work` run on."""
    return {"uvloop": partial(watched, uvloop.new_event_loop)}


@pytest.fixture(autouse=True)
def the_event_loop_is_not_held() -> Iterator[None]:
    """Fails a test in which a callback of the product used more than 100 ms of CPU time."""
    WATCHDOG.take()
    yield
    offences = WATCHDOG.take()
    assert not offences, "\n".join(map(str, offences))


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """A PostgreSQL of the tests' own, with a migrated database."""
    with (
        tempfile.TemporaryDirectory(prefix="ag", dir="/tmp", ignore_cleanup_errors=True) as folder,
        running_server(Path(folder), durable=False) as running,
    ):
        running.create_database(_DATABASE)
        schema.migrate(running.address("agile_owner", _DATABASE), APPLICATION)
        yield running


@pytest.fixture
def database_name(server: EmbeddedServer) -> Iterator[str]:
    """A migrated database, empty again after each test."""
    yield _DATABASE
    empty(server.address("postgres", _DATABASE))


@pytest.fixture(scope="session")
async def github() -> AsyncIterator[StandInGitHub]:
    """The stand-in GitHub. Every request of the App that the real one would refuse is refused."""
    async with StandInGitHub(check_request=load_checker()) as running:
        yield running


# What an account has granted that accepted neither to write files nor what came later.
FEW_PERMISSIONS = {
    "checks": "write",
    "contents": "read",
    "issues": "write",
    "members": "read",
    "metadata": "read",
    "pull_requests": "write",
}


@pytest.fixture(scope="session")
def drawing() -> Iterator[ChartRenderer]:
    """The drawing process, which takes a second to start."""
    shared = ChartRenderer()
    yield shared
    shared.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(server: EmbeddedServer, database_name: str, tmp_path: Path) -> Settings:
    """Settings without GitHub."""
    return Settings(
        data_dir=tmp_path,
        database_url=Secret(server.address(APPLICATION, database_name)),
        webhook_secrets=(Secret("stand-in-secret"), Secret("the-next-secret")),
    )


@pytest.fixture
async def base(settings: Settings, clock: Clock) -> AsyncIterator[Services]:
    """The database and what goes with it, without anything running."""
    async with open_services(settings, clock) as result:
        yield result


@pytest.fixture
async def bot(
    github: StandInGitHub, settings: Settings, clock: Clock, drawing: ChartRenderer
) -> AsyncIterator[Bot]:
    """The whole bot at work, installed on the stand-in GitHub, and a fresh repository."""
    async with running_bot(github, settings, clock, drawing) as running:
        yield running
    assert not github.violations, github.violations


@pytest.fixture
async def restricted_bot(settings: Settings, clock: Clock, drawing: ChartRenderer) -> AsyncIterator[Bot]:
    """The same on a GitHub where the App has few permissions."""
    async with (
        StandInGitHub(check_request=load_checker(), permissions=FEW_PERMISSIONS) as github,
        running_bot(github, settings, clock, drawing) as running,
    ):
        yield running
        assert not github.violations, github.violations
