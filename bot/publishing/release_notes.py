"""Our part of a release's text, between two invisible markers. All around it stays as people wrote it."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.github.client import GitHubRefusedError, Installation
from bot.github.markers import Mark, Markers, as_comment
from bot.publishing.outbox import truncate
from storage.posts import DesiredPost

_TAKEN_OUT = 410


@dataclass(frozen=True, slots=True)
class MarkedPart:
    """The part of a release's text that a mark stands for."""

    markers: Markers
    mark: Mark

    @property
    def name(self) -> str:
        """What our markers of the part are called."""
        return self.markers.text(self.mark)

    def with_current_markers(self, text: str) -> str:
        """The text with those of the part's markers that an older key has made as we make them now."""
        for name in self.markers.candidates(self.mark)[1:]:
            for old, new in zip(_part_markers(name), _part_markers(self.name), strict=True):
                text = text.replace(old, new)
        return text


async def write_into_release(
    installation: Installation,
    path: str,
    wanted: DesiredPost,
    marked: MarkedPart,
    keep_pace: Callable[[], Awaitable[None]],
) -> int:
    """Puts a post into its release, or edits it there; `keep_pace` is waited for before. Returns its id.

    Raises GitHubRefusedError where a person has taken our part out. GitHub has no way to edit a part: what
    somebody writes between our reading and our writing would be lost, and both are a moment apart.
    """
    before = str((await installation.get(path)).get("body") or "")
    was_there = wanted.external_id is not None
    after = replace_part(
        marked.with_current_markers(before), marked.name, truncate(wanted.post.body), was_there=was_there
    )
    if after is None:
        raise GitHubRefusedError(_TAKEN_OUT, "somebody has taken the summary out of the release")
    if after != before:
        await keep_pace()
        await installation.patch(path, {"body": after})
    return int(wanted.post.data["release"])


def replace_part(text: str, name: str, part: str, *, was_there: bool) -> str | None:
    """The text with our part in its place, or else at its end. None if it `was_there` and is not any more."""
    begin, end = _part_markers(name)
    ours = f"{begin}\n\n{part}\n\n{end}"
    # A copy of it may stand in a quotation.
    at_line_starts = re.finditer(f"^{re.escape(begin)}", text, re.MULTILINE)
    place = max((copy.start() for copy in at_line_starts), default=0)
    head, has_begin, rest = text[place:].partition(begin)
    head = text[:place] + head
    _, has_end, tail = rest.partition(end)
    if has_begin and has_end:
        return f"{head}{ours}{tail}"
    if was_there or has_begin:
        return None
    return f"{text}\n\n{ours}" if text.strip() else ours


def _part_markers(name: str) -> tuple[str, str]:
    """What begins and what ends a part."""
    return as_comment(name), as_comment(f"/{name}")
