"""emulate, as the front asks it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aiohttp
from yarl import URL

from github_standin.answers import Answer, relayed


class Upstream:
    """Sends requests to emulate, and relays its answers with the front's address in place of its own."""

    def __init__(self, front: Callable[[], str], token: Callable[[], str]) -> None:
        self._front = front
        self._token = token
        self._url = ""
        self._session: aiohttp.ClientSession

    def open(self, session: aiohttp.ClientSession, url: str) -> None:
        """Now emulate listens at `url`."""
        self._session, self._url = session, url

    async def ask(self, method: str, path: str, token: str, body: Any = None) -> Answer:
        """One request, its body as a value."""
        return await self.send(method, path, token, None if body is None else json.dumps(body).encode())

    async def list(self, path: str) -> list[dict[str, Any]]:
        """What an admin sees; nothing where there is nothing."""
        answer = await self.ask("GET", path, self._token())
        return json.loads(answer.body) if answer.status == 200 else []

    async def send(self, method: str, path: str, token: str, body: bytes | None) -> Answer:
        """One request, its body as bytes."""
        headers = {"Accept": "application/vnd.github+json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is None and method in ("POST", "PUT", "PATCH"):
            body = b"{}"  # emulate refuses an empty body where GitHub takes one
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = URL(self._url + path, encoded=True)
        request = self._session.request(method, url, data=body, headers=headers, allow_redirects=False)
        async with request as got:
            return relayed(got, await got.read(), was=self._url, now=self._front())
