"""What somebody asked of us, freed from webhooks and HTTP."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A line of a comment that begins with a slash. `line` counts from 1 within the comment."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Request:
    """The commands of one comment.

    `thread` is the number of the issue or pull request, `milestone` the number of the milestone that it is
    in, `delivery` GitHub's GUID. `edited_author` is who wrote the comment, if an edit of it is what asks.
    """

    delivery: str
    thread: int
    comment_id: int
    sender: str
    milestone: int | None
    lines: tuple[CommandLine, ...]
    edited_author: str | None = None
