"""Merge groups: a merge queue waits for the required checks of the commit that it has made."""

import re
from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, MergeGroupQueued
from handlers.payloads import clean

# GitHub's own branches of a merge queue.
QUEUE_BRANCH = "gh-readonly-queue/"
# `gh-readonly-queue/main/pr-104-929f82…`: the pull request that the group was made for.
_PULL_REQUEST = re.compile(r"/pr-(\d{1,9})-[0-9a-f]+$")


class _MergeGroup(msgspec.Struct):
    head_sha: str
    head_ref: str | None = None


class _Payload(msgspec.Struct):
    merge_group: _MergeGroup


_PAYLOAD = msgspec.json.Decoder(_Payload)


def follow_merge_group(delivery: Delivery) -> Iterator[MergeGroupQueued]:
    """Asks for the check of the group's commit."""
    group = delivery.read(_PAYLOAD).merge_group
    yield MergeGroupQueued(clean(group.head_sha), pull_request_of(group.head_ref))


def is_queue_branch(branch: str | None) -> bool:
    """Whether GitHub has made a branch for a merge queue."""
    return (branch or "").startswith(QUEUE_BRANCH)


def pull_request_of(ref: str | None) -> int | None:
    """The number of the pull request that a queue's branch names; None if it names none."""
    match = _PULL_REQUEST.search(ref or "")
    return int(match[1]) if match else None
