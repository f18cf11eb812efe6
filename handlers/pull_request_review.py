"""Reviews of pull requests: submitted or dismissed."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from handlers.delivery import CheckRequested, Delivery, FactRecorded
from handlers.payloads import AccountPayload, Id, Number, get_login, to_details
from sprints.model import ActivityEvent
from sprints.people import is_bot


class _Review(msgspec.Struct):
    id: Id
    state: str
    user: AccountPayload | None = None
    submitted_at: datetime | None = None


class _PullRequest(msgspec.Struct):
    """The reviewed pull request, of which a review's payload has fewer fields than its own events."""

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


def record_review(delivery: Delivery) -> Iterator[FactRecorded | CheckRequested]:
    """Record the reviewer, pull request and result on the timeline. The review's text is not stored."""
    payload = delivery.read(_PAYLOAD)
    review, pull_request = payload.review, payload.pull_request
    at = review.submitted_at if delivery.action == "submitted" else None
    yield FactRecorded(
        ActivityEvent(
            kind="review",
            subject=str(review.id),
            event=delivery.action or "",
            at=at or pull_request.updated_at,
            delivery=delivery.id,
            details=to_details(
                {
                    "pull_request": pull_request.node_id or f"PullRequest:{pull_request.id}",
                    "number": pull_request.number,
                    "author": pull_request.user.canonical_login if pull_request.user else None,
                    "reviewer": review.user.canonical_login if review.user else None,
                    "is_bot": is_bot(review.user.canonical_login) if review.user else None,
                    "state": review.state.lower(),
                }
            ),
            actor=get_login(payload.sender),
        ),
        tuple(account for account in (pull_request.user, review.user) if account),
    )
    yield CheckRequested(number=pull_request.number)
