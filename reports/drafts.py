"""Drafts of the posts about sprints: posts to write anew, and posts that stay unchanged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from commands.framework.outcome import Picture
from storage.forecasts import ForecastRecord
from storage.post_states import Post


@dataclass(frozen=True, slots=True)
class Draft:
    """A post whose pictures have not been drawn yet, with the forecasts that it shows."""

    post: Post
    parts: Sequence[str | Picture]
    forecasts: tuple[ForecastRecord, ...] = ()

    @property
    def key(self) -> str:
        return self.post.key

    @property
    def text(self) -> str | None:
        """The whole text in Markdown; None if it has pictures, which must be drawn first."""
        if any(isinstance(part, Picture) for part in self.parts):
            return None
        return "\n\n".join(str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class UnchangedPost:
    """A post whose desired content is current. `remember` is added to its data without sending the post."""

    key: str
    remember: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CurrentDrafts:
    """Drafts of one repository at a moment, by key. `has_failed` if those of some sprint are missing."""

    at: datetime
    by_key: Mapping[str, Draft | UnchangedPost]
    has_failed: bool


# The drafts that were made during one sending, by the repository's id.
DraftCache = dict[int, CurrentDrafts]


def list_keys(drafts: Iterable[Draft | UnchangedPost]) -> set[str]:
    """Collect the keys of drafts."""
    return {draft.key for draft in drafts}
