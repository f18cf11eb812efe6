"""Check suites of the App: a re-run of all checks of a commit was requested."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import CheckRequested, Delivery, MergeGroupQueued
from handlers.merge_group import is_queue_branch, parse_pull_request_number
from handlers.payloads import clean


class _CheckSuite(msgspec.Struct):
    head_sha: str
    head_branch: str | None = None


class _Payload(msgspec.Struct):
    check_suite: _CheckSuite


_PAYLOAD = msgspec.json.Decoder(_Payload)


def handle_check_suite(delivery: Delivery) -> Iterator[CheckRequested | MergeGroupQueued]:
    """Request a re-run of the commit's check."""
    suite = delivery.read(_PAYLOAD).check_suite
    if is_queue_branch(suite.head_branch):
        yield MergeGroupQueued(
            clean(suite.head_sha), parse_pull_request_number(suite.head_branch), is_rerun=True
        )
    else:
        yield CheckRequested(head=clean(suite.head_sha), is_rerun=True)
