"""Reviews of pull requests: submitted or dismissed."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from handlers.delivery import CheckWanted, Delivery, Recorded
from handlers.payloads import AccountPayload, Id, Number, plain
from sprints.model import ActivityEvent
from sprints.people import is_bot


class _Review(msgspec.Struct):
    id: Id
    state: str
    user: AccountPayload | None = None
    submitted_at: datetime | None = None


class _PullRequest(msgspec.Struct):
    """A review's payload shows less of its pull request than the pull request's own events."""

    number: Number
    updated_at: datetime
    id: Id = 0
    node_id: str = ""
    user: AccountPayload | None = None


class _Payload(msgspec.Struct):
    review: _Review
    pull_request: _PullRequest
    sender: AccountPayload | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_review(delivery: Delivery) -> Iterator[Recorded | CheckWanted]:
    """Puts who reviewed what, with which result, on the timeline. No text of it is kept."""
    payload = delivery.read(_PAYLOAD)
    review, reviewed = payload.review, payload.pull_request
    at = review.submitted_at if delivery.action == "submitted" else None
    yield Recorded(
        ActivityEvent(
            kind="review",
            subject=str(review.id),
            event=delivery.action or "",
            at=at or reviewed.updated_at,
            delivery=delivery.id,
            details=plain(
                {
                    "pull_request": reviewed.node_id or f"PullRequest:{reviewed.id}",
                    "number": reviewed.number,
                    "author": reviewed.user.known_as if reviewed.user else None,
                    "reviewer": review.user.known_as if review.user else None,
                    "is_bot": is_bot(review.user.known_as) if review.user else None,
                    "state": review.state.lower(),
                }
            ),
            actor=payload.sender.known_as if payload.sender else None,
        ),
        tuple(account for account in (reviewed.user, review.user) if account),
    )
    yield CheckWanted(number=reviewed.number)
