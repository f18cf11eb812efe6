"""The release of a milestone: the one with the milestone's title as tag or name."""

from collections.abc import Iterable
from dataclasses import dataclass

from sprints.model import ActivityEvent


@dataclass(frozen=True, slots=True)
class Release:
    """A published release. `id` is GitHub's."""

    id: int
    tag: str


def find_release(title: str, published: Iterable[ActivityEvent]) -> Release | None:
    """Find the release whose tag or name is the milestone's title.

    A leading `v` and case make no difference. A tag is preferred to a name, and among several the
    one published first.
    """
    wanted_names = {_without_v(title)} - {""}
    oldest_first = sorted(published, key=lambda event: (event.at, event.subject))
    for key in ("tag", "name"):
        for event in oldest_first:
            if _without_v(event.details.get(key)) in wanted_names and event.subject.isdecimal():
                return Release(int(event.subject), str(event.details.get("tag") or title))
    return None


def _without_v(name: object) -> str:
    """Remove the `v` of a version (`v1.4`), but not of other words, and ignore case."""
    text = name.strip().casefold() if isinstance(name, str) else ""
    return text[1:] if text[:1] == "v" and text[1:2].isdigit() else text
