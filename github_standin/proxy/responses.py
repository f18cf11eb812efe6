"""Responses of the stand-in before they are written to the wire, so that they can be completed and logged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

JSON = "application/json; charset=utf-8"
RELAYED_HEADERS = ("Content-Type", "Link", "Location")
DOCUMENTATION = "https://docs.github.com/rest"


@dataclass(frozen=True)
class ProxyResponse:
    """Status, body and headers of a response; status 0 stands for a lost connection."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_aiohttp(self, *, head: bool = False) -> web.Response:
        """Convert to aiohttp's response; for status 0 its content is never sent."""
        return web.Response(status=self.status or 500, body=b"" if head else self.body, headers=self.headers)


def json_response(status: int, body: Any) -> ProxyResponse:
    """Build a response with a JSON body."""
    return ProxyResponse(status, json.dumps(body).encode(), {"Content-Type": JSON})


def error_response(status: int, message: str, **more: Any) -> ProxyResponse:
    """Build an error response in GitHub's form."""
    return json_response(
        status, {"message": message, **more, "documentation_url": DOCUMENTATION, "status": str(status)}
    )


def relay_response(
    response: aiohttp.ClientResponse, body: bytes, *, emulate_url: str, public_url: str
) -> ProxyResponse:
    """Copy emulate's response, with its own address replaced by the stand-in's."""
    headers = {
        name: value.replace(emulate_url, public_url)
        for name, value in response.headers.items()
        if name in RELAYED_HEADERS or name.lower().startswith("x-")
    }
    return ProxyResponse(response.status, body.replace(emulate_url.encode(), public_url.encode()), headers)


def add_etag(request: web.Request, response: ProxyResponse) -> ProxyResponse:
    """Add a strong ETag to a 200 response of a GET, or answer 304 when the client has that version."""
    if request.method not in ("GET", "HEAD") or response.status != 200:
        return response
    etag = f'"{hashlib.sha256(response.body).hexdigest()}"'
    headers = {**response.headers, "ETag": etag, "Cache-Control": "private, max-age=60, s-maxage=60"}
    if_none_match = request.headers.get("If-None-Match", "").split(",")
    if etag in {value.strip().removeprefix("W/") for value in if_none_match}:
        return ProxyResponse(
            304, b"", {name: value for name, value in headers.items() if name != "Content-Type"}
        )
    return ProxyResponse(200, response.body, headers)
