"""Where people talk to us: comments, review comments, and the text with which something is opened."""

import re
from collections.abc import Callable, Iterator

import msgspec

from commands.parser import added_commands
from commands.request import Place, Request
from handlers.delivery import Asked, Delivery
from handlers.payloads import Account, Changes, Comment, Milestone

# The box under a preview of ours. Ticked or not, the id of the change follows it.
_BOX = re.compile(
    r"^- \[(?P<tick>[ xX])\] .*<!-- agile-github-suite:change:(?P<change>\d{1,18}) -->", re.MULTILINE
)


# In every comment of ours. Even if a team lists this App among the bots that it hears, we talk to nobody.
_OWN = "<!-- agile-github-suite:"


class _Thread(msgspec.Struct):
    """An issue or pull request, as far as a command needs it."""

    number: int
    milestone: Milestone | None = None
    user: Account | None = None
    body: str | None = None
    pull_request: dict[str, object] | None = None


class _CommentPayload(msgspec.Struct):
    issue: _Thread
    comment: Comment
    sender: Account
    changes: Changes | None = None


class _ReviewPayload(msgspec.Struct):
    pull_request: _Thread
    comment: Comment
    sender: Account
    changes: Changes | None = None


class _IssuePayload(msgspec.Struct):
    issue: _Thread
    sender: Account


class _PullRequestPayload(msgspec.Struct):
    pull_request: _Thread
    sender: Account


_COMMENT = msgspec.json.Decoder(_CommentPayload)
_REVIEW = msgspec.json.Decoder(_ReviewPayload)
_ISSUE = msgspec.json.Decoder(_IssuePayload)
_PULL_REQUEST = msgspec.json.Decoder(_PullRequestPayload)


def find_commands(delivery: Delivery) -> Iterator[Asked]:
    """Asks for an answer if what somebody wrote, or added by an edit, holds commands or ticks a box."""
    request = request_of(delivery)
    if request.lines or request.ticked:
        yield Asked(request.thread)


def request_of(delivery: Delivery) -> Request:
    """What an event asks of us."""
    return _READERS[delivery.event](delivery)


def _of_comment(delivery: Delivery) -> Request:
    payload = delivery.read(_COMMENT)
    is_pull_request = payload.issue.pull_request is not None
    return _said(delivery, payload, payload.issue, Place.COMMENT, is_pull_request=is_pull_request)


def _of_review_comment(delivery: Delivery) -> Request:
    payload = delivery.read(_REVIEW)
    return _said(delivery, payload, payload.pull_request, Place.REVIEW_COMMENT, is_pull_request=True)


def _of_issue(delivery: Delivery) -> Request:
    payload = delivery.read(_ISSUE)
    return _opened(delivery, payload.issue, payload.sender, is_pull_request=False)


def _of_pull_request(delivery: Delivery) -> Request:
    payload = delivery.read(_PULL_REQUEST)
    return _opened(delivery, payload.pull_request, payload.sender, is_pull_request=True)


_READERS: dict[str, Callable[[Delivery], Request]] = {
    "issue_comment": _of_comment,
    "pull_request_review_comment": _of_review_comment,
    "issues": _of_issue,
    "pull_request": _of_pull_request,
}


def _said(
    delivery: Delivery,
    payload: _CommentPayload | _ReviewPayload,
    thread: _Thread,
    place: Place,
    *,
    is_pull_request: bool,
) -> Request:
    text, before = payload.comment.body or "", ""
    if delivery.action == "edited":
        was = payload.changes.body if payload.changes else None
        # An edit of something else than the text adds no command.
        before = (was.from_ or "") if was else text
    author, is_bot = payload.comment.user, payload.sender.type == "Bot"
    # Who edits a bot's comment ticks a box in it; what else it says is the bot's.
    is_of_bot = author is not None and author.type == "Bot" and not is_bot
    return Request(
        delivery=delivery.id,
        thread=thread.number,
        comment_id=payload.comment.id,
        sender=payload.sender.login,
        milestone=thread.milestone.number if thread.milestone else None,
        lines=() if is_of_bot or (is_bot and _OWN in text) else tuple(added_commands(text, before)),
        edited_author=author.login if author and delivery.action == "edited" else None,
        place=place,
        author=thread.user.login if thread.user else None,
        is_bot=is_bot,
        is_pull_request=is_pull_request,
        ticked=tuple(sorted(_ticked(text) - _ticked(before))) if is_of_bot else (),
    )


def _opened(delivery: Delivery, thread: _Thread, sender: Account, *, is_pull_request: bool) -> Request:
    return Request(
        delivery=delivery.id,
        thread=thread.number,
        comment_id=thread.number,
        sender=sender.login,
        milestone=thread.milestone.number if thread.milestone else None,
        lines=tuple(added_commands(thread.body or "", "")),
        place=Place.BODY,
        author=thread.user.login if thread.user else None,
        is_bot=sender.type == "Bot",
        is_pull_request=is_pull_request,
    )


def _ticked(text: str) -> set[int]:
    return {int(box["change"]) for box in _BOX.finditer(text) if box["tick"] != " "}
