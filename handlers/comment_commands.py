"""Commands in comments, review comments, reviews, and the texts of issues and pull requests.

Text is a request only if its author sent the event and the event wrote it, so no text runs with
another person's rights: commands are ignored in a transferred issue, in an edit of another person's text, and
in text of a deleted account. The one exception is a box ticked in a comment of the App, which needs the
rights of the person who ticked it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from commands.framework.boxes import find_ticked_boxes
from commands.framework.parser import find_added_lines
from commands.framework.request import Author, CommandLine, Request, ThreadKind
from handlers.delivery import CommandsFound, Delivery
from handlers.payloads import Id, Number

# GitHub shows what deleted accounts wrote under this login, so two “ghosts” need not be the same person.
_GHOST = "ghost"
_EDITED = "edited"
# GitHub writes this into an issue that was created from a person's comment or discussion, with its text.
_COPIED_FROM = "originally posted by"
_WRITTEN = frozenset({"created", "opened", "submitted"})


class _Account(msgspec.Struct):
    """An account, read leniently: without an id it matches no account, but the delivery still counts."""

    id: Id | None = None
    login: str = ""
    type: str = "User"

    @property
    def is_bot(self) -> bool:
        return self.type == "Bot"


class _App(msgspec.Struct):
    id: Id | None = None


class _Milestone(msgspec.Struct):
    number: Number


class _Text(msgspec.Struct):
    """A comment or review: its id, its Markdown, its author, and the App that posted it, if any."""

    id: Id
    body: str | None = None
    user: _Account | None = None
    performed_via_github_app: _App | None = None


class _Thread(msgspec.Struct):
    """An issue or pull request, as far as a command needs it. `text` is its description as a text."""

    number: Number
    milestone: _Milestone | None = None
    user: _Account | None = None
    body: str | None = None
    pull_request: dict[str, object] | None = None
    performed_via_github_app: _App | None = None

    @property
    def text(self) -> _Text:
        return _Text(self.number, self.body, self.user, self.performed_via_github_app)


class _Event(msgspec.Struct, kw_only=True):
    """The fields that these events share. `changes` holds what an edit replaced, or a transfer's origin."""

    sender: _Account | None = None
    # Of any shape: an opened issue with changes was transferred, and its text was not typed here.
    changes: Any = None


class _CommentPayload(_Event, kw_only=True):
    issue: _Thread
    comment: _Text


class _ReviewCommentPayload(_Event, kw_only=True):
    pull_request: _Thread
    comment: _Text


class _ReviewPayload(_Event, kw_only=True):
    pull_request: _Thread
    review: _Text


class _IssuePayload(_Event, kw_only=True):
    issue: _Thread


class _PullRequestPayload(_Event, kw_only=True):
    pull_request: _Thread


_COMMENT = msgspec.json.Decoder(_CommentPayload)
_REVIEW_COMMENT = msgspec.json.Decoder(_ReviewCommentPayload)
_REVIEW = msgspec.json.Decoder(_ReviewPayload)
_ISSUE = msgspec.json.Decoder(_IssuePayload)
_PULL_REQUEST = msgspec.json.Decoder(_PullRequestPayload)


def find_commands(delivery: Delivery) -> Iterator[CommandsFound]:
    """Request an answer if the written text, or what an edit added, holds commands or ticks a box."""
    request = read_request(delivery)
    if request.lines or request.ticked:
        yield CommandsFound(request.thread)


def read_request(delivery: Delivery) -> Request:
    """Read the commands and ticked boxes of an event."""
    return _READERS[delivery.event](delivery)


def _read_comment(delivery: Delivery) -> Request:
    payload = delivery.read(_COMMENT)
    is_pull_request = payload.issue.pull_request is not None
    return _build_request(
        delivery, payload, payload.issue, payload.comment, ThreadKind.COMMENT, is_pull_request=is_pull_request
    )


def _read_review_comment(delivery: Delivery) -> Request:
    payload = delivery.read(_REVIEW_COMMENT)
    return _build_request(
        delivery,
        payload,
        payload.pull_request,
        payload.comment,
        ThreadKind.REVIEW_COMMENT,
        is_pull_request=True,
    )


def _read_review(delivery: Delivery) -> Request:
    payload = delivery.read(_REVIEW)
    return _build_request(
        delivery, payload, payload.pull_request, payload.review, ThreadKind.REVIEW, is_pull_request=True
    )


def _read_issue(delivery: Delivery) -> Request:
    payload = delivery.read(_ISSUE)
    thread = payload.issue
    return _build_request(delivery, payload, thread, thread.text, ThreadKind.BODY, is_pull_request=False)


def _read_pull_request(delivery: Delivery) -> Request:
    payload = delivery.read(_PULL_REQUEST)
    thread = payload.pull_request
    return _build_request(delivery, payload, thread, thread.text, ThreadKind.BODY, is_pull_request=True)


_READERS: dict[str, Callable[[Delivery], Request]] = {
    "issue_comment": _read_comment,
    "pull_request_review_comment": _read_review_comment,
    "pull_request_review": _read_review,
    "issues": _read_issue,
    "pull_request": _read_pull_request,
}


def _build_request(
    delivery: Delivery,
    event: _Event,
    thread: _Thread,
    text: _Text,
    kind: ThreadKind,
    *,
    is_pull_request: bool,
) -> Request:
    sender, author = event.sender or _Account(), text.user
    app = text.performed_via_github_app
    before = _text_before(delivery, event.changes)
    return Request(
        delivery=delivery.id,
        thread=thread.number,
        comment_id=text.id,
        sender=sender.login,
        milestone=thread.milestone.number if thread.milestone else None,
        lines=_typed_commands(text, sender, before),
        place=kind,
        author=thread.user.login if thread.user else None,
        is_bot=sender.is_bot,
        is_pull_request=is_pull_request,
        ticked=_newly_ticked_boxes(delivery, text, sender, before),
        text_author=Author(author.login, author.is_bot, app.id if app else None) if author else None,
    )


def _text_before(delivery: Delivery, changes: Any) -> str | None:
    """The text that the event replaced; empty if the text is new, None if the event wrote no text.

    An issue that is `opened` with changes was transferred; an edit of a title or a base changes no text.
    """
    if delivery.action in _WRITTEN:
        return None if changes else ""
    if delivery.action != _EDITED:
        return None
    change = changes.get("body") if isinstance(changes, Mapping) else None
    if not isinstance(change, Mapping) or "from" not in change:
        return None
    return str(change["from"] or "")


def _typed_commands(text: _Text, sender: _Account, before: str | None) -> tuple[CommandLine, ...]:
    """The commands that the event added to the sender's own text."""
    if before is None or not text.body or not _is_same_account(text.user, sender):
        return ()
    if not before and _COPIED_FROM in text.body.lower():
        return ()
    return tuple(find_added_lines(text.body, before))


def _newly_ticked_boxes(
    delivery: Delivery, text: _Text, sender: _Account, before: str | None
) -> tuple[int, ...]:
    """The boxes that a person ticked in a bot's comment.

    `bot/jobs/command_answers.py` checks whether that bot is the App.
    """
    is_by_bot = text.user is not None and text.user.is_bot
    if delivery.action != _EDITED or before is None or not is_by_bot or sender.is_bot or not sender.login:
        return ()
    return tuple(sorted(find_ticked_boxes(text.body or "") - find_ticked_boxes(before)))


def _is_same_account(author: _Account | None, sender: _Account) -> bool:
    """Whether both are the same account, by id: another person can take an abandoned login."""
    if author is None or author.id is None or author.login.lower() == _GHOST:
        return False
    return author.id == sender.id
