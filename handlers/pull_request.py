"""Pull requests: opened, pushed to, ready, edited, closed (merged or not), moved, labeled, assigned."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import CheckWanted, Delivery, Recorded
from handlers.items import ItemDelivery, record_item
from handlers.payloads import PullRequestPayload, clean, plain
from handlers.references import MOST_MENTIONS, mentioned_numbers
from sprints.model import ActivityEvent
from sprints.people import is_bot


class _Payload(ItemDelivery, kw_only=True):
    pull_request: PullRequestPayload
    before: str | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_pull_request(delivery: Delivery) -> Iterator[Recorded | CheckWanted]:
    """Puts the event on the timeline, and what is at its head now."""
    payload = delivery.read(_PAYLOAD)
    shown = payload.pull_request
    # A push changes nothing about the item: only what is at its head.
    if delivery.action != "synchronize":
        yield from record_item(delivery, shown, payload)
    if shown.head and shown.head.sha:
        yield Recorded(head_of(shown, delivery.action or "", delivery.id, payload.actor, payload.before))
        yield CheckWanted(number=shown.number)


def head_of(
    shown: PullRequestPayload, event: str, delivery: str, actor: str | None = None, before: str | None = None
) -> ActivityEvent:
    """What a pull request proposes at its head commit; `before` is the commit that was its head until now.

    The commit is what the fact is known by, because the checks of a fork's commit name no pull request. No
    text of it is kept, only the numbers of the issues that it names, and of those that it says it closes:
    GitHub follows that only towards the default branch.
    """
    head, base, author = shown.head, shown.base, shown.user
    references = shown.references
    mentions = dict.fromkeys((*mentioned_numbers(shown.title), *references.mentions))
    details = {
        "pull_request": shown.key,
        "number": shown.number,
        "created_at": shown.created_at.isoformat(),
        "state": shown.snapshot().state.value,
        "branch": head.ref if head else None,
        "base": base.ref if base else None,
        "is_to_default_branch": shown.is_to_default_branch,
        "is_from_fork": shown.is_from_fork,
        "is_draft": shown.draft,
        "additions": shown.additions,
        "deletions": shown.deletions,
        "files": shown.changed_files,
        "closes": list(references.closes),
        "mentions": list(mentions)[:MOST_MENTIONS],
        "milestone": shown.milestone.id if shown.milestone else None,
        "author": author.known_as if author else None,
        "is_of_bot": author is not None and is_bot(author.known_as),
    }
    return ActivityEvent(
        kind="head",
        subject=clean(head.sha) if head else "",
        event=event,
        at=shown.updated_at,
        delivery=delivery,
        details=plain(details),
        before={"head": clean(before)} if before else None,
        actor=actor,
    )
