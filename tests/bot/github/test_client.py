"""The GitHub client: one token for many calls, ETags, and rate limits that are obeyed."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bot.github.client import API_VERSION, GitHub, GitHubRefusedError, GitHubUnavailableError, Installation
from bot.settings import GitHubSettings, Secret
from github_standin.github import StandInGitHub
from tests.support.clock import Clock
from tests.support.github_openapi import API_VERSION as DESCRIBED_VERSION


@pytest.fixture
async def installation(github: StandInGitHub, clock: Clock) -> AsyncIterator[Installation]:
    github.clear_faults()
    github.violations.clear()
    settings = GitHubSettings(str(github.app_id), Secret(github.private_key))
    async with aiohttp.ClientSession() as session:
        yield GitHub(session, settings, github.url, clock).installation(github.installation_id)


@pytest.fixture
async def path(github: StandInGitHub) -> str:
    """Something to read."""
    name = f"read-{uuid.uuid4()}"
    await github.create_repository(name=name)
    return f"/repos/acme/{name}/milestones"


def calls(github: StandInGitHub, ending: str) -> list[int]:
    return [call.status for call in github.requests if call.path.endswith(ending)]


def test_the_pinned_version_is_the_one_that_requests_are_checked_against() -> None:
    assert API_VERSION == DESCRIBED_VERSION


async def test_token_is_reused_for_many_calls(
    github: StandInGitHub, installation: Installation, path: str
) -> None:
    before = len(calls(github, "/access_tokens"))
    for _ in range(3):
        await installation.get(path)
    assert len(calls(github, "/access_tokens")) == before + 1


async def test_who_our_app_is_is_asked_once_an_hour(
    github: StandInGitHub, installation: Installation, clock: Clock
) -> None:
    before = len(calls(github, "/app"))
    clock.now = datetime.now(UTC)
    for _ in range(3):
        identity = await installation.identity()
    assert (identity.app_id, identity.bot_login) == (github.app_id, github.bot_login)
    assert len(calls(github, "/app")) == before + 1
    clock.now += timedelta(minutes=61)
    await installation.identity()
    assert len(calls(github, "/app")) == before + 2


async def test_without_keys_nothing_is_marked(installation: Installation) -> None:
    with pytest.raises(LookupError, match="needs the keys of the markers"):
        _ = installation.markers


async def test_token_is_renewed_before_it_expires(
    github: StandInGitHub, installation: Installation, path: str, clock: Clock
) -> None:
    await installation.get(path)
    before = len(calls(github, "/access_tokens"))
    clock.now = datetime.now(UTC) + timedelta(minutes=56)
    await installation.get(path)
    assert len(calls(github, "/access_tokens")) == before + 1


async def test_unchanged_post_is_not_sent_again(
    github: StandInGitHub, installation: Installation, path: str
) -> None:
    first = await installation.get(path)
    assert await installation.get(path) == first
    assert calls(github, path) == [200, 304]


async def test_each_installation_has_its_own_memory(github: StandInGitHub, clock: Clock) -> None:
    settings = GitHubSettings(str(github.app_id), Secret(github.private_key))
    async with aiohttp.ClientSession() as session:
        client = GitHub(session, settings, github.url, clock)
        assert client.installation(100) is client.installation(100)
        assert client.installation(100) is not client.installation(101)


async def test_rate_limit_pauses_all_requests(
    github: StandInGitHub, installation: Installation, path: str, clock: Clock
) -> None:
    github.fail_next("GET", path, 403, headers={"retry-after": "60"})
    clock.now = datetime.now(UTC)
    with pytest.raises(GitHubUnavailableError) as limited:
        await installation.get(path)
    assert limited.value.retry_at == clock.now + timedelta(seconds=60)
    with pytest.raises(GitHubUnavailableError):
        await installation.get(path)
    assert calls(github, path) == [403]
    clock.now += timedelta(seconds=61)
    await installation.get(path)
    assert calls(github, path) == [403, 200]


async def test_a_safe_request_is_repeated_a_few_times(
    github: StandInGitHub, installation: Installation, path: str
) -> None:
    github.fail_next("GET", path, 502, times=2)
    await installation.get(path)
    assert calls(github, path) == [502, 502, 200]


async def test_a_writing_request_is_not_repeated_by_itself(
    github: StandInGitHub, installation: Installation, path: str
) -> None:
    github.fail_next("POST", path, 502)
    with pytest.raises(GitHubUnavailableError):
        await installation.post(path, {"title": "x"})
    assert calls(github, path) == [502]


async def test_a_refusal_is_reported_with_its_status(
    github: StandInGitHub, installation: Installation
) -> None:
    with pytest.raises(GitHubRefusedError) as refusal:
        await installation.get("/repos/acme/no-such-repository")
    assert refusal.value.status == 404
