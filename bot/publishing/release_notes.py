"""The App's part of a release's text, between two invisible markers. The text around it is never changed."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.github.client import GitHubRefusedError, Installation
from bot.github.markers import Mark, Markers, as_comment
from bot.publishing.truncation import truncate
from storage.post_states import DesiredPost

_TAKEN_OUT = 410


@dataclass(frozen=True, slots=True)
class MarkedPart:
    """The part of a release's text that a mark stands for."""

    markers: Markers
    mark: Mark

    @property
    def name(self) -> str:
        """The text of the part's markers."""
        return self.markers.text(self.mark)

    def with_current_markers(self, text: str) -> str:
        """Replace markers of the part that were created with an older key by current ones."""
        for name in self.markers.candidates(self.mark)[1:]:
            for old, new in zip(_part_markers(name), _part_markers(self.name), strict=True):
                text = text.replace(old, new)
        return text


async def write_into_release(
    installation: Installation,
    path: str,
    desired: DesiredPost,
    marked: MarkedPart,
    keep_pace: Callable[[], Awaitable[None]],
) -> int:
    """Put a post into its release, or edit it there, after awaiting `keep_pace`. Returns the release's id.

    Raises GitHubRefusedError if a person has removed the App's part. GitHub's API replaces the whole text: an
    edit by a person between reading and writing it would be lost; both are a moment apart.
    """
    before = str((await installation.get(path)).get("body") or "")
    was_there = desired.external_id is not None
    after = replace_part(
        marked.with_current_markers(before), marked.name, truncate(desired.post.body), was_there=was_there
    )
    if after is None:
        raise GitHubRefusedError(_TAKEN_OUT, "somebody has taken the summary out of the release")
    if after != before:
        await keep_pace()
        await installation.patch(path, {"body": after})
    return int(desired.post.data["release"])


def replace_part(text: str, name: str, part: str, *, was_there: bool) -> str | None:
    """Put the App's part in its place in a text, or at the end; None if a person removed it (`was_there`)."""
    begin, end = _part_markers(name)
    whole_part = f"{begin}\n\n{part}\n\n{end}"
    # A quotation may hold a copy of the marker.
    at_line_starts = re.finditer(f"^{re.escape(begin)}", text, re.MULTILINE)
    offset = max((copy.start() for copy in at_line_starts), default=0)
    head, has_begin, rest = text[offset:].partition(begin)
    head = text[:offset] + head
    _, has_end, tail = rest.partition(end)
    if has_begin and has_end:
        return f"{head}{whole_part}{tail}"
    if was_there or has_begin:
        return None
    return f"{text}\n\n{whole_part}" if text.strip() else whole_part


def _part_markers(name: str) -> tuple[str, str]:
    """The markers at the beginning and the end of a part."""
    return as_comment(name), as_comment(f"/{name}")
