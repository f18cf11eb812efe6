"""Pull requests: opened, pushed to, ready, edited, closed (merged or not), moved, labeled, assigned."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import CheckRequested, Delivery, FactRecorded
from handlers.items import ItemDelivery, record_item
from handlers.payloads import PullRequestPayload, clean, to_details
from handlers.references import MOST_MENTIONS, mentioned_numbers
from sprints.model import ActivityEvent
from sprints.people import is_bot


class _Payload(ItemDelivery, kw_only=True):
    pull_request: PullRequestPayload
    before: str | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_pull_request(delivery: Delivery) -> Iterator[FactRecorded | CheckRequested]:
    """Record the event and the pull request's head on the timeline, and request its check."""
    payload = delivery.read(_PAYLOAD)
    pull_request = payload.pull_request
    # A push changes nothing about the item, only its head.
    if delivery.action != "synchronize":
        yield from record_item(delivery, pull_request, payload)
    if pull_request.head and pull_request.head.sha:
        yield FactRecorded(
            head_event(pull_request, delivery.action or "", delivery.id, payload.actor, payload.before)
        )
        yield CheckRequested(number=pull_request.number)


def head_event(
    pull_request: PullRequestPayload,
    event: str,
    delivery: str,
    actor: str | None = None,
    before: str | None = None,
) -> ActivityEvent:
    """Build the fact about a pull request's head commit; `before` is the SHA of its head until now.

    The fact's subject is the commit, because the checks of a fork's commit name no pull request. Of its
    texts, only the numbers of mentioned issues are stored, and the numbers of issues closed by keyword, which
    GitHub follows only in a pull request to the default branch.
    """
    head, base, author = pull_request.head, pull_request.base, pull_request.user
    references = pull_request.references
    mentions = dict.fromkeys((*mentioned_numbers(pull_request.title), *references.mentions))
    details = {
        "pull_request": pull_request.key,
        "number": pull_request.number,
        "created_at": pull_request.created_at.isoformat(),
        "state": pull_request.snapshot().state.value,
        "branch": head.ref if head else None,
        "base": base.ref if base else None,
        "is_to_default_branch": pull_request.is_to_default_branch,
        "is_from_fork": pull_request.is_from_fork,
        "is_draft": pull_request.draft,
        "additions": pull_request.additions,
        "deletions": pull_request.deletions,
        "files": pull_request.changed_files,
        "closes": list(references.closes),
        "mentions": list(mentions)[:MOST_MENTIONS],
        "milestone": pull_request.milestone.id if pull_request.milestone else None,
        "author": author.canonical_login if author else None,
        "is_of_bot": author is not None and is_bot(author.canonical_login),
    }
    return ActivityEvent(
        kind="head",
        subject=clean(head.sha) if head else "",
        event=event,
        at=pull_request.updated_at,
        delivery=delivery,
        details=to_details(details),
        before={"head": clean(before)} if before else None,
        actor=actor,
    )
