"""Comments on issues and pull requests: where people talk to us."""

from collections.abc import Iterator

import msgspec

from commands.parser import added_commands
from commands.request import Request
from handlers.delivery import Asked, Delivery, Recorded
from handlers.items import ItemPayload, record_item
from handlers.payloads import Account, Comment, Issue, Repository


class _Payload(ItemPayload, kw_only=True):
    issue: Issue
    comment: Comment
    repository: Repository
    sender: Account


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_comment(delivery: Delivery) -> Iterator[Recorded]:
    """A comment changes no number, but it shows its issue, of which we may never have heard before."""
    payload = delivery.read(_PAYLOAD)
    yield from record_item(delivery, payload.issue, ItemPayload(sender=payload.sender), event="commented")


def find_commands(delivery: Delivery) -> Iterator[Asked]:
    """Asks for an answer if a person's comment, or what an edit added to it, holds commands."""
    request = request_of(delivery)
    if request.lines:
        yield Asked(request.thread)


def request_of(delivery: Delivery) -> Request:
    """What a comment asks of us. What a bot sent asks nothing."""
    payload = delivery.read(_PAYLOAD)
    text = payload.comment.body or ""
    before = ""
    if delivery.action == "edited":
        was = payload.changes.body if payload.changes else None
        # An edit of something else than the text adds no command.
        before = (was.from_ or "") if was else text
    is_bot = payload.sender.type == "Bot"
    milestone, author = payload.issue.milestone, payload.comment.user
    return Request(
        delivery=delivery.id,
        thread=payload.issue.number,
        comment_id=payload.comment.id,
        sender=payload.sender.login,
        milestone=milestone.number if milestone else None,
        lines=() if is_bot else tuple(added_commands(text, before)),
        edited_author=author.login if author and delivery.action == "edited" else None,
    )
