"""Our check suites: somebody wants all checks of a commit run again."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import CheckWanted, Delivery, MergeGroupQueued
from handlers.merge_group import is_queue_branch, pull_request_of
from handlers.payloads import clean


class _CheckSuite(msgspec.Struct):
    head_sha: str
    head_branch: str | None = None


class _Payload(msgspec.Struct):
    check_suite: _CheckSuite


_PAYLOAD = msgspec.json.Decoder(_Payload)


def follow_check_suite(delivery: Delivery) -> Iterator[CheckWanted | MergeGroupQueued]:
    """Asks for the check of the commit once more."""
    suite = delivery.read(_PAYLOAD).check_suite
    if is_queue_branch(suite.head_branch):
        yield MergeGroupQueued(clean(suite.head_sha), pull_request_of(suite.head_branch), is_rerun=True)
    else:
        yield CheckWanted(head=clean(suite.head_sha), is_rerun=True)
