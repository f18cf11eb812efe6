"""Our check suites: somebody wants all checks of a commit run again."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import CheckWanted, Delivery
from handlers.payloads import clean


class _CheckSuite(msgspec.Struct):
    head_sha: str


class _Payload(msgspec.Struct):
    check_suite: _CheckSuite


_PAYLOAD = msgspec.json.Decoder(_Payload)


def follow_check_suite(delivery: Delivery) -> Iterator[CheckWanted]:
    """Asks for the check of the commit once more."""
    payload = delivery.read(_PAYLOAD)
    yield CheckWanted(head=clean(payload.check_suite.head_sha), is_rerun=True)
