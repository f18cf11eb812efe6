"""Answers of the front before they are written to the wire, so that they can be repaired and logged."""

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
class Answer:
    """Status, body and headers; status 0 stands for a lost connection."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, *, head: bool = False) -> web.Response:
        """The aiohttp response; for status 0 its content no longer matters."""
        return web.Response(status=self.status or 500, body=b"" if head else self.body, headers=self.headers)


def json_answer(status: int, body: Any) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, json.dumps(body).encode(), {"Content-Type": JSON})


def error(status: int, message: str, **more: Any) -> Answer:
    """An error the way GitHub words it."""
    return json_answer(
        status, {"message": message, **more, "documentation_url": DOCUMENTATION, "status": str(status)}
    )


def relayed(got: aiohttp.ClientResponse, body: bytes, *, was: str, now: str) -> Answer:
    """emulate's answer with its own address replaced by the front's."""
    headers = {
        name: value.replace(was, now)
        for name, value in got.headers.items()
        if name in RELAYED_HEADERS or name.lower().startswith("x-")
    }
    return Answer(got.status, body.replace(was.encode(), now.encode()), headers)


def with_etag(request: web.Request, answer: Answer) -> Answer:
    """Add a strong ETag to a 200 answer of a GET, or turn it into 304 when the client has it already."""
    if request.method not in ("GET", "HEAD") or answer.status != 200:
        return answer
    tag = f'"{hashlib.sha256(answer.body).hexdigest()}"'
    headers = {**answer.headers, "ETag": tag, "Cache-Control": "private, max-age=60, s-maxage=60"}
    offered = request.headers.get("If-None-Match", "").split(",")
    known = {one.strip().removeprefix("W/") for one in offered}
    if tag in known:
        return Answer(304, b"", {name: value for name, value in headers.items() if name != "Content-Type"})
    return Answer(200, answer.body, headers)
