"""Work that is blocked by other work, or by something that has no issue.

An item is blocked while it has an open blocking issue, and while a person marked it (`/blocked`). Both hold
only while the item itself is open.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sprints.model import ItemEvent
from sprints.numbering import Number
from sprints.spans import TimeSpan, add_up_spans, merge_spans

BLOCKED, UNBLOCKED = "blocked", "unblocked"


@dataclass(frozen=True, slots=True)
class BlockedSpan:
    """A span in which one thing blocked an item.

    `by` is the node id of the blocking issue, None where a person only gave a reason; `number` its number, if
    it is an issue of the same repository. `reason` is the last one given while the block lasted.
    """

    span: TimeSpan
    by: str | None = None
    number: Number | None = None
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still blocks the item."""
        return self.span.until is None


@dataclass(frozen=True, slots=True)
class Blocker:
    """An issue that may block others: when it `was_open`, and its number if it is of the same repository."""

    was_open: tuple[TimeSpan, ...]
    number: Number | None = None


@dataclass(slots=True)
class _OpenBlock:
    """A block that has not ended at a point of the item's events."""

    since: datetime
    reason: str | None


def was_ever_blocked(ordered: Iterable[ItemEvent]) -> bool:
    """Return whether an item was ever blocked."""
    return any(event.event == BLOCKED for event in ordered)


def find_blocks(ordered: Iterable[ItemEvent], was_open: Sequence[TimeSpan]) -> tuple[BlockedSpan, ...]:
    """List all blocks of one item while it was open, the oldest first, whether its blockers were open or not.

    `ordered` are the item's events, `was_open` the spans in which it was open. An end without a recorded
    beginning does not count, because the duration is unknown.
    """
    running = dict[str | None, _OpenBlock]()
    blocks = list[BlockedSpan]()
    for event in ordered:
        if event.event == BLOCKED:
            block = running.setdefault(event.named, _OpenBlock(event.at, None))
            block.reason = event.reason or block.reason
        elif event.event == UNBLOCKED and (ended := running.pop(event.named, None)):
            blocks += _blocks_within(event.named, ended, event.at, was_open)
    for by, block in running.items():
        blocks += _blocks_within(by, block, None, was_open)
    return _in_order(blocks)


def limit_to_blockers(
    blocks: Iterable[BlockedSpan], blockers: Mapping[str, Blocker]
) -> tuple[BlockedSpan, ...]:
    """Limit the blocks of an item to the time in which the blocking issues were open.

    A blocking issue that is not in `blockers` counts as open, because its closing was not recorded.
    """
    limited = list[BlockedSpan]()
    for block in blocks:
        blocker = blockers.get(block.by or "")
        if blocker is None:
            limited.append(block)
            continue
        common = (block.span.common(span) for span in blocker.was_open)
        limited += [replace(block, span=span, number=blocker.number) for span in common if span]
    return _in_order(limited)


def merge_blocks(blocks: Iterable[BlockedSpan]) -> tuple[TimeSpan, ...]:
    """Merge the spans in which an item was blocked by anything."""
    return merge_spans(block.span for block in blocks)


def add_up_blocked_time(
    blocks: Iterable[BlockedSpan], now: datetime, since: datetime | None = None
) -> timedelta:
    """Add up how long an item was blocked, until `now` and from `since` on. It is part of the cycle time."""
    return add_up_spans((block.span for block in blocks), now, since)


def _blocks_within(
    by: str | None, block: _OpenBlock, until: datetime | None, was_open: Sequence[TimeSpan]
) -> list[BlockedSpan]:
    """Limit a block to the time in which the item itself was open."""
    if until is not None and until <= block.since:
        return []
    common = (TimeSpan(block.since, until).common(span) for span in was_open)
    return [BlockedSpan(span, by, reason=block.reason) for span in common if span]


def _in_order(blocks: Iterable[BlockedSpan]) -> tuple[BlockedSpan, ...]:
    return tuple(sorted(blocks, key=lambda block: (block.span.since, block.by or "")))
