"""What somebody asked of us, freed from webhooks and HTTP."""

from dataclasses import dataclass
from enum import StrEnum


class ThreadKind(StrEnum):
    """Where the commands stand, as GitHub's API calls it: what a reaction goes to."""

    COMMENT = "issues/comments"
    REVIEW_COMMENT = "pulls/comments"
    REVIEW = "pulls/reviews"
    BODY = "issues"

    @property
    def takes_reactions(self) -> bool:
        """Whether GitHub's REST API can react to it. To the summary of a review it cannot."""
        return self is not ThreadKind.REVIEW


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a text: a login, whether that is a bot's, and the id of the App that wrote it, if one did."""

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
    """The commands of one comment, or the boxes that somebody ticked in a comment of ours.

    `thread` is the number of the issue or pull request, `milestone` the number of the milestone that it is
    in, `author` who opened it, `delivery` GitHub's GUID. `comment_id` is that of the comment, or the
    thread's number where the commands stand in its `place`, the body. `lines` are what the sender typed;
    nobody else's words are among them. `ticked` are the ids of changes that somebody agreed to, in a comment
    of `text_author`, which is who wrote the text that asks. A request that `is_unreadable` took too long to
    read: its lines only look like commands.
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
