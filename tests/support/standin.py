"""One stand-in for all tests of this folder; each test makes a repository of its own."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from itertools import count
from typing import Any

import aiohttp
import jwt
import pytest
import pytest_asyncio
from aiohttp import web

from github_standin.github import StandInGitHub
from tests.support.github_openapi import Check, load_checker

_numbers = count(1)


class WebhookRecorder:
    """Where a bot would listen: keeps what arrives and answers 202."""

    def __init__(self) -> None:
        self.arrived: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def on_post(self, request: web.Request) -> web.Response:
        """Keep one delivery."""
        self.arrived.append((dict(request.headers), await request.read()))
        return web.Response(status=202)

    def heard(self, event: str = "") -> list[dict[str, Any]]:
        """The payloads of one event, or of all, oldest first."""
        result = [(headers["X-GitHub-Event"], json.loads(body)) for headers, body in self.arrived]
        return [payload for name, payload in result if event in ("", name)]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_github() -> AsyncIterator[StandInGitHub]:
    """emulate takes a third of a second to start: once is enough."""
    async with StandInGitHub() as github:
        yield github


@pytest_asyncio.fixture(loop_scope="session")
async def github(shared_github: StandInGitHub) -> AsyncIterator[StandInGitHub]:
    """The stand-in with nobody listening, no faults planned, and its own lists empty."""
    yield shared_github
    shared_github.clear_faults()
    shared_github.target = None
    shared_github.check_request = None
    shared_github.deliveries.clear()
    shared_github.requests.clear()
    shared_github.violations.clear()


@pytest_asyncio.fixture(loop_scope="session")
async def repo(github: StandInGitHub) -> str:
    """The full name of a fresh public repository."""
    name: str = (await github.create_repository("acme", f"repo-{next(_numbers)}"))["full_name"]
    return name


@pytest_asyncio.fixture(loop_scope="session")
async def inbox(github: StandInGitHub, repo: str) -> AsyncIterator[WebhookRecorder]:
    """A listening bot; the repository's own creation is already past."""
    await github.wait_for_webhooks()
    inbox = WebhookRecorder()
    app = web.Application()
    app.router.add_post("/webhooks/github", inbox.on_post)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    github.target = inbox.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks/github"
    yield inbox
    await github.wait_for_webhooks()
    await runner.cleanup()


class Client:
    """Speaks to the front as a bot or a person would."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def __call__(
        self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Status, decoded body and headers."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        async with self._session.request(method, self._base + path, json=body, headers=headers) as answer:
            text = await answer.text()
            is_json = "json" in answer.headers.get("Content-Type", "") and text
            return answer.status, await answer.json() if is_json else text, answer.headers.copy()


@pytest_asyncio.fixture(loop_scope="session")
async def ask(github: StandInGitHub) -> AsyncIterator[Client]:
    """Requests by HTTP."""
    async with aiohttp.ClientSession() as session:
        yield Client(session, github.url)


@pytest.fixture
def alice(github: StandInGitHub) -> str:
    """Alice's token."""
    return github.tokens["alice"]


@pytest.fixture(scope="session")
def openapi() -> Check:
    """GitHub's description; loading takes a second."""
    return load_checker()


class App:
    """The App with an installation token; each of its requests is checked against GitHub's description."""

    def __init__(self, ask: Client, token: str) -> None:
        self._ask = ask
        self.token = token

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and decoded body."""
        status, answer, _ = await self._ask(method, path, body, token=self.token)
        return status, answer


@pytest_asyncio.fixture(loop_scope="session")
async def app(github: StandInGitHub, ask: Client, openapi: Check) -> AsyncIterator[App]:
    """The App; a request that GitHub would not understand fails the test."""
    github.check_request = openapi
    yield App(ask, await installation_token(github, ask))
    assert github.violations == []


@pytest.fixture
def chromium() -> str:
    """The browser; CI insists on it."""
    result = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if result is None:
        message = "no Chromium on this machine: the page was not tried in a browser"
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(message)
        pytest.skip(message)
    return result


def app_jwt(github: StandInGitHub) -> str:
    now = int(time.time())
    return jwt.encode(
        {"iat": now - 5, "exp": now + 300, "iss": str(github.app_id)}, github.private_key, algorithm="RS256"
    )


async def installation_token(github: StandInGitHub, ask: Client) -> str:
    path = f"/app/installations/{github.installation_id}/access_tokens"
    status, body, _ = await ask("POST", path, token=app_jwt(github))
    assert status == 201
    token: str = body["token"]
    return token
