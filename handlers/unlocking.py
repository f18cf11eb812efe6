"""Issues and pull requests whose conversation is unlocked: what could not be written there can be now."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, WritingAllowed


class _Thread(msgspec.Struct):
    number: int


class _Payload(msgspec.Struct):
    issue: _Thread | None = None
    pull_request: _Thread | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def follow_unlocking(delivery: Delivery) -> Iterator[WritingAllowed]:
    """What GitHub refused in the thread may be tried again."""
    payload = delivery.read(_PAYLOAD)
    if thread := payload.issue or payload.pull_request:
        yield WritingAllowed(thread.number)
