"""Read request bodies from the internet within limits of size, time and total memory.

A sender is unknown until the signature over the whole body has been checked. So requests that their headers
show to be unacceptable are refused before their body is read, and all bodies in memory share one limit.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from handlers.payloads import MalformedError, decode

T = TypeVar("T")

# GitHub sends no larger bodies.
MAX_BODY_BYTES = 25 * 1024 * 1024
_FORM = "application/x-www-form-urlencoded"
# A request that names no type counts as application/octet-stream.
_JSON = frozenset({"application/json", "application/octet-stream"})
_MOST_FORM_FIELDS = 20
# Below this size, starting a thread costs more than the work.
_LARGE_BYTES = 256 * 1024
_DATABASE_RETRY_SECONDS = 30


class RequestBodies:
    """Limits the memory of all bodies that are being read or handled, by bytes received, not announced."""

    def __init__(self, max_total_bytes: int, timeout_seconds: float) -> None:
        self._max_total_bytes = max_total_bytes
        self._timeout_seconds = timeout_seconds
        self._received_bytes = 0

    @asynccontextmanager
    async def read(self, request: web.Request) -> AsyncIterator[bytearray]:
        """Read the whole body, which counts towards the limit, and is valid, until the context ends.

        Call `check_headers` first. Raises web.HTTPException.
        """
        body = bytearray()
        try:
            await self._fill(body, request)
            yield body
        finally:
            self._received_bytes -= len(body)
            # Freed immediately: a traceback, which lives as long as the response, refers to the body.
            with contextlib.suppress(BufferError):  # A thread still reads the body after we were cancelled.
                body.clear()

    async def _fill(self, body: bytearray, request: web.Request) -> None:
        try:
            if request.content.is_eof():  # Most bodies arrive with their headers, and need no timeout.
                self._add(body, request.content.read_nowait(), request)
                return
            async with asyncio.timeout(self._timeout_seconds):
                async for chunk in request.content.iter_any():
                    self._add(body, chunk, request)
        except TimeoutError:
            raise self._make_busy_refusal(
                f"the body did not arrive within {self._timeout_seconds:g} seconds"
            ) from None
        except (web.RequestPayloadError, HttpProcessingError, OSError):
            # An aborted upload is not a failure of the server, and no client reads the response.
            raise make_refusal(web.HTTPBadRequest, "the body ended before it was complete") from None

    def _add(self, body: bytearray, chunk: bytes, request: web.Request) -> None:
        if len(body) + len(chunk) > MAX_BODY_BYTES:
            raise _make_size_refusal(request)
        if self._received_bytes + len(chunk) > self._max_total_bytes:
            raise self._make_busy_refusal("too many large bodies are arriving at once")
        body += chunk
        self._received_bytes += len(chunk)

    def _make_busy_refusal(self, reason: str) -> web.HTTPException:
        structlog.get_logger(__name__).warning(
            "body refused", reason=reason, bytes_arrived=self._received_bytes
        )
        message = f"{reason}; redeliver this later"
        return make_refusal(
            web.HTTPServiceUnavailable, message, retry_after=max(1, round(self._timeout_seconds))
        )


def check_headers(request: web.Request) -> None:
    """Refuse a body that is too large, compressed, or not JSON by its headers. Raises web.HTTPException."""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise _make_size_refusal(request)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise make_refusal(web.HTTPUnsupportedMediaType, "the body is compressed; send it uncompressed")
    content_type = request.content_type
    if content_type not in _JSON and content_type != _FORM and not content_type.endswith("+json"):
        raise make_refusal(
            web.HTTPUnsupportedMediaType, f"the content type must be application/json or {_FORM}"
        )


def extract_json(request: web.Request, body: bytearray) -> bytes:
    """Return the JSON of a body: the body itself, or a form's field `payload`. Raises MalformedError."""
    if request.content_type != _FORM:
        return bytes(body)
    fields = [field.partition(b"=") for field in body.split(b"&", _MOST_FORM_FIELDS)]
    payloads = [value for name, _, value in fields if name == b"payload"]
    if len(payloads) != 1 or b"&" in payloads[0]:
        raise MalformedError("the form must have one field named payload, which contains JSON")
    return unquote_to_bytes(bytes(payloads[0]).replace(b"+", b" "))


def decode_json(request: web.Request, body: bytearray, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode the JSON of a body. Raises MalformedError."""
    return decode(decoder, extract_json(request, body))


async def run_in_thread_if_large(size: int, work: Callable[..., T], *arguments: Any) -> T:
    """Call `work(*arguments)` on `size` bytes: in a thread if they are many, so as not to block the loop."""
    return work(*arguments) if size < _LARGE_BYTES else await asyncio.to_thread(work, *arguments)


def _make_size_refusal(request: web.Request) -> web.HTTPException:
    """Build the refusal (413) of a body that is larger than any of GitHub's."""
    message = f"the body is larger than {MAX_BODY_BYTES // 1024 // 1024} MB"
    return web.HTTPRequestEntityTooLarge(
        MAX_BODY_BYTES,
        request.content_length or MAX_BODY_BYTES,
        text=_encode_message(message),
        content_type="application/json",
    )


def make_refusal(
    error: type[web.HTTPException], message: str, *, retry_after: int | None = None
) -> web.HTTPException:
    """Build an error response with a message for the sender; `retry_after` is in seconds."""
    headers = None if retry_after is None else {"Retry-After": str(retry_after)}
    return error(text=_encode_message(message), content_type="application/json", headers=headers)


def make_database_away_refusal() -> web.HTTPException:
    """Build the refusal (503) of a delivery that cannot be stored now, so that its sender tries again."""
    return make_refusal(
        web.HTTPServiceUnavailable,
        "the database is unavailable; redeliver this later",
        retry_after=_DATABASE_RETRY_SECONDS,
    )


def make_response(status: int, message: str) -> web.Response:
    """Build a response with a message for the sender."""
    return web.Response(status=status, text=_encode_message(message), content_type="application/json")


def _encode_message(message: str) -> str:
    return json.dumps({"message": message})
