"""Requests for reviews: who is asked to review a pull request, and who is not asked any more."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from handlers.delivery import Delivery, FactRecorded
from handlers.payloads import AccountPayload, Id, Number, get_login, to_details
from sprints.model import ActivityEvent
from sprints.reviews import REVIEW_REQUEST


class _PullRequest(msgspec.Struct):
    number: Number
    updated_at: datetime
    id: Id = 0
    node_id: str = ""


class _Payload(msgspec.Struct):
    pull_request: _PullRequest
    requested_reviewer: AccountPayload | None = None
    sender: AccountPayload | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_review_request(delivery: Delivery) -> Iterator[FactRecorded]:
    """Record who is asked for a review. A request to a team asks nobody in particular."""
    payload = delivery.read(_PAYLOAD)
    pull_request, reviewer = payload.pull_request, payload.requested_reviewer
    if reviewer is None:
        return
    item = pull_request.node_id or f"PullRequest:{pull_request.id}"
    yield FactRecorded(
        ActivityEvent(
            kind=REVIEW_REQUEST,
            subject=f"{item}:{reviewer.id}",
            event=delivery.action or "",
            at=pull_request.updated_at,
            delivery=delivery.id,
            details=to_details(
                {
                    "pull_request": item,
                    "number": pull_request.number,
                    "reviewer": reviewer.canonical_login,
                }
            ),
            actor=get_login(payload.sender),
        ),
        (reviewer,),
    )
