"""Which release of a repository is a milestone's: the one that is called like it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sprints.model import ActivityEvent


@dataclass(frozen=True, slots=True)
class Release:
    """A release that was published. `id` is GitHub's."""

    id: int
    tag: str


def release_of(title: str, published: Iterable[ActivityEvent]) -> Release | None:
    """The release whose tag or name is the milestone's title, with or without a `v` before it.

    Upper or lower case makes no difference. A tag goes before a name, and of several the first published.
    """
    wanted = {_bare(title)} - {""}
    found = sorted(published, key=lambda one: (one.at, one.subject))
    for key in ("tag", "name"):
        for one in found:
            if _bare(one.details.get(key)) in wanted and one.subject.isdecimal():
                return Release(int(one.subject), str(one.details.get("tag") or title))
    return None


def _bare(name: object) -> str:
    """`v1.4` and `1.4` are the same; of other words the `v` is a letter."""
    text = name.strip().casefold() if isinstance(name, str) else ""
    return text[1:] if text[:1] == "v" and text[1:2].isdigit() else text
