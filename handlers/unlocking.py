"""Unlocked conversations of issues and pull requests, in which the App can write again."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, WritingAllowed


class _Thread(msgspec.Struct):
    number: int


class _Payload(msgspec.Struct):
    issue: _Thread | None = None
    pull_request: _Thread | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def handle_unlocked(delivery: Delivery) -> Iterator[WritingAllowed]:
    """Report that posts refused in the thread may be tried again."""
    payload = delivery.read(_PAYLOAD)
    if thread := payload.issue or payload.pull_request:
        yield WritingAllowed(thread.number)
