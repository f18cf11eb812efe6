"""A post as GitHub should show it, and what became of it there."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

# The prefix of the keys of billing posts (storage/billing_posts.py), which reports on sprints do not touch.
BILLING = "billing:"


class PostKind(StrEnum):
    """The kind of object that a post is on GitHub."""

    COMMENT = "comment"
    ISSUE = "issue"
    CHECK = "check"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Post:
    """The content of a post that GitHub should show.

    `key` identifies the post within its repository for ever: another content under the same key edits it.
    `thread` is the number of the issue or pull request that a comment belongs to. `data` holds the rest: the
    `title` and `state` of an issue, the fields of a check, GitHub's id of the `release` that a post is part
    of; for a comment or an issue also facts to keep with it, under `beside` the key of a post without which
    it is not posted, and under `otherwise` the title and state of the issue that replaces a comment whose
    thread was deleted.
    """

    key: str
    kind: PostKind
    body: str
    thread: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """A SHA-256 digest of body and data, equal for posts with the same content."""
        content = [self.body, msgspec.json.encode(self.data, order="deterministic").decode()]
        return hashlib.sha256("\n".join(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class DesiredPost:
    """A post whose desired state GitHub does not have yet.

    `attempts` includes the present one. Nothing of the post was sent before `first_wanted_at`. `sent_as` is
    the version that GitHub accepted last: `body`, and for an issue `title` and `state`; None if unknown.
    `attempted` are the texts of later attempts whose outcome is unknown.
    """

    id: int
    project_id: int
    post: Post
    attempts: int
    external_id: int | None
    wanted_at: datetime
    first_wanted_at: datetime
    sent_as: Mapping[str, Any] | None = None
    attempted: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PostStatus:
    """The desired content of a post, and its actual content on GitHub.

    `external_id` and `sent_at` are None until the post was sent. The post `is_pending` while GitHub does not
    have the desired content; `attempts` counts attempts to send it whose outcome is unknown.
    """

    post: Post
    external_id: int | None
    is_gone: bool
    sent_at: datetime | None = None
    is_pending: bool = False
    attempts: int = 0

    @property
    def is_unsent(self) -> bool:
        """Whether no version of the post can have been read yet."""
        return self.external_id is None and self.attempts == 0


@dataclass(frozen=True, slots=True)
class RecentWrites:
    """The number of writes that GitHub accepted within the last hour, and the time of the last one."""

    in_an_hour: int
    last_at: datetime
