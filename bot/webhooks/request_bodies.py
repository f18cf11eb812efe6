"""Reads request bodies from the internet: refused early, bounded in size and time, and bounded together.

Whoever connects is a stranger until the signature over the whole body has been checked. So what the headers
give away is refused before the body, and what has arrived of all bodies stays below a limit.
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

# GitHub sends no larger ones.
MOST_BYTES = 25 * 1024 * 1024
_FORM = "application/x-www-form-urlencoded"
# A request that names no type counts as application/octet-stream.
_JSON = frozenset({"application/json", "application/octet-stream"})
_MOST_FORM_FIELDS = 20
# Below this, a thread costs more than the work.
_LARGE = 256 * 1024


class Bodies:
    """All bodies that are being read or worked on. Counted is what has arrived, not what was announced."""

    def __init__(self, most_together: int, seconds: float) -> None:
        self._most_together = most_together
        self._seconds = seconds
        self._arrived = 0

    @asynccontextmanager
    async def read(self, request: web.Request) -> AsyncIterator[bytearray]:
        """The whole body, which counts and lasts until the context ends. Raises web.HTTPException.

        What `check_before_reading` refuses is not to come here.
        """
        body = bytearray()
        try:
            await self._fill(body, request)
            yield body
        finally:
            self._arrived -= len(body)
            # Given back at once: an exception's traceback, which lives as long as the answer, refers to it.
            with contextlib.suppress(BufferError):  # A thread reads it still, because we were cancelled.
                body.clear()

    async def _fill(self, body: bytearray, request: web.Request) -> None:
        try:
            if request.content.is_eof():  # It has come with its headers, as most do: no alarm is needed.
                self._add(body, request.content.read_nowait(), request)
                return
            async with asyncio.timeout(self._seconds):
                async for chunk in request.content.iter_any():
                    self._add(body, chunk, request)
        except TimeoutError:
            raise self._busy(f"the body did not arrive within {self._seconds:g} seconds") from None
        except (web.RequestPayloadError, HttpProcessingError, OSError):
            # An upload that was aborted is no failure of ours, and nobody reads the answer.
            raise refusal(web.HTTPBadRequest, "the body ended before it was complete") from None

    def _add(self, body: bytearray, chunk: bytes, request: web.Request) -> None:
        if len(body) + len(chunk) > MOST_BYTES:
            raise size_refusal(request)
        if self._arrived + len(chunk) > self._most_together:
            raise self._busy("too many large bodies are arriving at once")
        body += chunk
        self._arrived += len(chunk)

    def _busy(self, reason: str) -> web.HTTPException:
        structlog.get_logger(__name__).warning("body refused", reason=reason, bytes_arrived=self._arrived)
        message = f"{reason}; redeliver this later"
        return refusal(web.HTTPServiceUnavailable, message, retry_after=max(1, round(self._seconds)))


def check_before_reading(request: web.Request) -> None:
    """Refuses what the headers show to be unreadable. Raises web.HTTPException."""
    if (request.content_length or 0) > MOST_BYTES:
        raise size_refusal(request)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise refusal(web.HTTPUnsupportedMediaType, "the body is compressed; send it as it is")
    kind = request.content_type
    if kind not in _JSON and kind != _FORM and not kind.endswith("+json"):
        raise refusal(web.HTTPUnsupportedMediaType, f"the content type must be application/json or {_FORM}")


def extract_json(request: web.Request, body: bytearray) -> bytes:
    """The JSON that a body carries: the body itself, or a form's field `payload`. Raises MalformedError."""
    if request.content_type != _FORM:
        return bytes(body)
    fields = [field.partition(b"=") for field in body.split(b"&", _MOST_FORM_FIELDS)]
    payloads = [value for name, _, value in fields if name == b"payload"]
    if len(payloads) != 1 or b"&" in payloads[0]:
        raise MalformedError("the form must have one field named payload, which holds JSON")
    return unquote_to_bytes(bytes(payloads[0]).replace(b"+", b" "))


def read_json(request: web.Request, body: bytearray, shape: msgspec.json.Decoder[T]) -> T:
    """What a body's JSON says. Raises MalformedError."""
    return decode(shape, extract_json(request, body))


async def run_aside(size: int, work: Callable[..., T], *arguments: Any) -> T:
    """Does work on so many bytes: in a thread if they are many, so that the event loop does not wait."""
    return work(*arguments) if size < _LARGE else await asyncio.to_thread(work, *arguments)


def size_refusal(request: web.Request) -> web.HTTPException:
    """Refuses a body that is larger than any of GitHub's."""
    message = f"the body is larger than {MOST_BYTES // 1024 // 1024} MB"
    return web.HTTPRequestEntityTooLarge(
        MOST_BYTES, request.content_length or MOST_BYTES, text=_text(message), content_type="application/json"
    )


def refusal(
    kind: type[web.HTTPException], message: str, *, retry_after: int | None = None
) -> web.HTTPException:
    """A refusal in the words that the sender reads."""
    headers = None if retry_after is None else {"Retry-After": str(retry_after)}
    return kind(text=_text(message), content_type="application/json", headers=headers)


def answer(status: int, message: str) -> web.Response:
    """What the sender reads."""
    return web.Response(status=status, text=_text(message), content_type="application/json")


def _text(message: str) -> str:
    return json.dumps({"message": message})
