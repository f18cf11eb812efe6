"""Pushes to the default branch: how many commits of whom."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from handlers.delivery import Delivery, Recorded
from handlers.payloads import Account, Repository, clean, moment, plain
from sprints.model import ActivityEvent


class _Author(msgspec.Struct):
    username: str | None = None


class _Commit(msgspec.Struct):
    author: _Author | None = None


class _Payload(msgspec.Struct):
    ref: str
    after: str
    repository: Repository
    commits: list[_Commit] = []
    sender: Account | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_push(delivery: Delivery) -> Iterator[Recorded]:
    """Counts commits where GitHub itself counts them, on the default branch. No text of them is kept."""
    payload = delivery.read(_PAYLOAD)
    repository = payload.repository
    if payload.ref != f"refs/heads/{repository.default_branch}" or not payload.commits:
        return
    # A commit whose author is not known to GitHub counts for nobody in particular.
    authors = Counter(clean((one.author and one.author.username) or "") for one in payload.commits)
    yield Recorded(
        ActivityEvent(
            kind="push",
            subject=clean(payload.after),
            event="pushed",
            at=moment(repository.pushed_at) or delivery.received_at,
            delivery=delivery.id,
            details=plain({"ref": payload.ref, "commits": dict(sorted(authors.items()))}),
            actor=clean(payload.sender.login) if payload.sender else None,
        )
    )
