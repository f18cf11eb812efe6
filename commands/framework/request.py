"""A request to run commands, independent of webhooks and HTTP."""

from dataclasses import dataclass
from enum import StrEnum


class ThreadKind(StrEnum):
    """The kind of text that holds the commands, as the path of GitHub's API for its reactions."""

    COMMENT = "issues/comments"
    REVIEW_COMMENT = "pulls/comments"
    REVIEW = "pulls/reviews"
    BODY = "issues"

    @property
    def takes_reactions(self) -> bool:
        """Whether GitHub's REST API supports reactions to it; for the summary of a review it does not."""
        return self is not ThreadKind.REVIEW


@dataclass(frozen=True, slots=True)
class Author:
    """The author of a text; `app_id` is the id of the GitHub App that wrote it, if one did."""

    login: str
    is_bot: bool = False
    app_id: int | None = None


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A line of a comment that begins with a slash. `line` counts from 1 within the comment."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Request:
    """The commands of one comment, or the boxes that a person ticked in a comment of the bot.

    `thread` is the number of the issue or pull request, `milestone` the number of its milestone, `author` the
    login of the person who opened it, `delivery` the GUID of GitHub's delivery. `comment_id` is the id of the
    comment, or the thread's number if `place` is the body. `lines` are the command lines that the sender
    typed, without lines of other people. `ticked` are the ids of changes that the sender confirmed in a
    comment of `text_author`. A request that `is_unreadable` took too long to parse: its lines only look like
    commands.
    """

    delivery: str
    thread: int
    comment_id: int
    sender: str
    milestone: int | None
    lines: tuple[CommandLine, ...]
    place: ThreadKind = ThreadKind.COMMENT
    author: str | None = None
    is_bot: bool = False
    is_pull_request: bool = False
    ticked: tuple[int, ...] = ()
    is_unreadable: bool = False
    text_author: Author | None = None
