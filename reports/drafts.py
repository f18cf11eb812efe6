"""What should be said of a sprint now: what is to be written anew, and what stays as it is wanted already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from commands.framework.outcome import Picture
from storage.forecasts import ForecastRecord
from storage.posts import Post


@dataclass(frozen=True, slots=True)
class Draft:
    """A post whose pictures have not been drawn, and the forecasts that it shows."""

    post: Post
    parts: Sequence[str | Picture]
    foretold: tuple[ForecastRecord, ...] = ()

    @property
    def key(self) -> str:
        return self.post.key

    @property
    def text(self) -> str | None:
        """The whole text, if it has no pictures."""
        if any(isinstance(part, Picture) for part in self.parts):
            return None
        return "\n\n".join(str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Kept:
    """A post that is wanted already as it should be. `remember` is to be kept with it, without sending it."""

    key: str
    remember: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CurrentDrafts:
    """What should be said in one repository at a moment, by key; `has_failed` if not of all sprints."""

    at: datetime
    by_key: Mapping[str, Draft | Kept]
    has_failed: bool


# What was worked out during one sending, by repository.
DraftsNow = dict[int, CurrentDrafts]


def keys_of(drafts: Iterable[Draft | Kept]) -> set[str]:
    """The keys of all that should be said."""
    return {draft.key for draft in drafts}
