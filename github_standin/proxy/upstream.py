"""The HTTP client for emulate."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aiohttp
from yarl import URL

from github_standin.proxy.responses import ProxyResponse, relay_response


class Upstream:
    """Sends requests to emulate and relays its responses with the stand-in's address in place of emulate's.

    `public_url` is the stand-in's address; `token` gives a token of an admin.
    """

    def __init__(self, public_url: Callable[[], str], token: Callable[[], str]) -> None:
        self._public_url = public_url
        self._token = token
        self._url = ""
        self._session: aiohttp.ClientSession

    def open(self, session: aiohttp.ClientSession, url: str) -> None:
        """Use this session for an emulate that listens at `url`."""
        self._session, self._url = session, url

    async def request(self, method: str, path: str, token: str, body: Any = None) -> ProxyResponse:
        """Send a request with a JSON value as its body."""
        return await self.send(method, path, token, None if body is None else json.dumps(body).encode())

    async def list(self, path: str) -> list[dict[str, Any]]:
        """Read a list as an admin; empty when it does not exist."""
        response = await self.request("GET", path, self._token())
        return json.loads(response.body) if response.status == 200 else []

    async def send(self, method: str, path: str, token: str, body: bytes | None) -> ProxyResponse:
        """Send a request with an encoded body."""
        headers = {"Accept": "application/vnd.github+json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is None and method in ("POST", "PUT", "PATCH"):
            body = b"{}"  # emulate refuses an empty body where GitHub accepts one
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = URL(self._url + path, encoded=True)
        request = self._session.request(method, url, data=body, headers=headers, allow_redirects=False)
        async with request as response:
            return relay_response(
                response, await response.read(), emulate_url=self._url, public_url=self._public_url()
            )
