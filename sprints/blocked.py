"""Work that waits for other work, or for something that has no issue.

An item is blocked while it has an open blocking issue, and while somebody has said so (`/blocked`). Both
hold only while the item itself is open.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sprints.model import ItemEvent
from sprints.numbering import Number
from sprints.spans import Span, merged, total

BLOCKED, UNBLOCKED = "blocked", "unblocked"


@dataclass(frozen=True, slots=True)
class Block:
    """One thing held one item up in `span`.

    `by` is the node id of the blocking issue, None where somebody only said so; `number` its number, if it
    is an issue of the same repository. `reason` is what was said last while it lasted.
    """

    span: Span
    by: str | None = None
    number: Number | None = None
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still holds the item up."""
        return self.span.until is None


@dataclass(frozen=True, slots=True)
class Blocker:
    """An issue that may block others: when it `was_open`, and its number if it is of the same repository."""

    was_open: tuple[Span, ...]
    number: Number | None = None


@dataclass(slots=True)
class _Told:
    since: datetime
    reason: str | None


def is_told(ordered: Iterable[ItemEvent]) -> bool:
    """Whether anything was ever said of this item's being blocked."""
    return any(event.event == BLOCKED for event in ordered)


def blockers_of(ordered: Iterable[ItemEvent]) -> set[str]:
    """The node ids of all issues that ever blocked an item."""
    return {event.named for event in ordered if event.event == BLOCKED and event.named}


def blocks_of(
    ordered: Iterable[ItemEvent], was_open: Sequence[Span], blockers: Mapping[str, Blocker]
) -> tuple[Block, ...]:
    """All that ever held one item up, the oldest first.

    `ordered` are the item's events, `was_open` the times at which it was open. A blocking issue that is not
    among `blockers` counts as open, because nobody told us that it was closed. An end whose beginning
    nobody told counts nothing: since when it had been blocked is not known.
    """
    running = dict[str | None, _Told]()
    found = list[Block]()
    for event in ordered:
        if event.event == BLOCKED:
            told = running.setdefault(event.named, _Told(event.at, None))
            told.reason = event.reason or told.reason
        elif event.event == UNBLOCKED and (ended := running.pop(event.named, None)):
            found += _clipped(event.named, ended, event.at, was_open, blockers)
    for by, told in running.items():
        found += _clipped(by, told, None, was_open, blockers)
    return tuple(sorted(found, key=lambda one: (one.span.since, one.by or "")))


def blocked_spans(blocks: Iterable[Block]) -> tuple[Span, ...]:
    """When an item was blocked by anything: times that lie in several blocks are told once."""
    return merged(block.span for block in blocks)


def blocked_time(blocks: Iterable[Block], now: datetime, since: datetime | None = None) -> timedelta:
    """How long an item was blocked, until `now` and from `since` on. It is a part of the cycle time."""
    return total((block.span for block in blocks), now, since)


def _clipped(
    by: str | None,
    told: _Told,
    until: datetime | None,
    was_open: Sequence[Span],
    blockers: Mapping[str, Blocker],
) -> list[Block]:
    """The block as far as the item and the blocking issue were both open."""
    if until is not None and until <= told.since:
        return []
    blocker = blockers.get(by or "")
    spans = [Span(told.since, until)]
    for limits in (was_open, blocker.was_open if blocker else None):
        if limits is not None:
            spans = [both for span in spans for limit in limits if (both := span.common(limit))]
    return [Block(span, by, blocker.number if blocker else None, told.reason) for span in spans]
