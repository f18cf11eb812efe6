"""Merge groups: a merge queue waits for the required checks of a commit that it has created."""

import re
from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, MergeGroupQueued
from handlers.payloads import clean

# The prefix of the branches that GitHub creates for a merge queue.
QUEUE_BRANCH = "gh-readonly-queue/"
# `gh-readonly-queue/main/pr-104-929f82…` names the pull request that the group was created for.
_PULL_REQUEST = re.compile(r"/pr-(\d{1,9})-[0-9a-f]+$")


class _MergeGroup(msgspec.Struct):
    head_sha: str
    head_ref: str | None = None


class _Payload(msgspec.Struct):
    merge_group: _MergeGroup


_PAYLOAD = msgspec.json.Decoder(_Payload)


def handle_merge_group(delivery: Delivery) -> Iterator[MergeGroupQueued]:
    """Request the check of the group's commit."""
    group = delivery.read(_PAYLOAD).merge_group
    yield MergeGroupQueued(clean(group.head_sha), parse_pull_request_number(group.head_ref))


def is_queue_branch(branch: str | None) -> bool:
    """Whether a branch belongs to a merge queue."""
    return (branch or "").startswith(QUEUE_BRANCH)


def parse_pull_request_number(ref: str | None) -> int | None:
    """Read the pull request's number from the name of a queue's branch; None if it has none."""
    match = _PULL_REQUEST.search(ref or "")
    return int(match[1]) if match else None
