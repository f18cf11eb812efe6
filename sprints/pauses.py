"""Work that was put aside: paused from `/pause` until `/start`, or until the item was closed.

Only what people said counts. A label that moves or a pull request that is opened while work rests is as
often the work of an automation, and a pause that ends by itself would put work into the limit unseen.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sprints.model import ItemEvent
from sprints.spans import Span

STARTED, PAUSED, UNSTARTED = "started", "paused", "unstarted"


@dataclass(frozen=True, slots=True)
class Pause:
    """Work rested in `span`, for a reason if somebody gave one."""

    span: Span
    reason: str | None = None


def statements(ordered: Iterable[ItemEvent]) -> list[ItemEvent]:
    """What was said of an item with `/start` and `/pause`, without each start that was taken back."""
    said = list[ItemEvent]()
    for event in ordered:
        if event.event in {STARTED, PAUSED}:
            said.append(event)
        elif event.event == UNSTARTED:
            last = max((n for n, one in enumerate(said) if one.event == STARTED), default=len(said))
            said[last : last + 1] = []
    return said


def resumptions(said: Sequence[ItemEvent], began: Collection[datetime]) -> list[ItemEvent]:
    """The starts by which work went on that had begun before it was paused.

    `began` is when other signs say that it had begun. These starts begin nothing: a cycle time goes on
    through a pause.
    """
    found, has_begun = list[ItemEvent](), False
    paused: ItemEvent | None = None
    for event in said:
        if event.event == PAUSED:
            paused = paused or event
            continue
        if paused and (has_begun or any(at <= paused.at for at in began)):
            found.append(event)
        has_begun, paused = True, None
    return found


def pauses_of(said: Iterable[ItemEvent], was_open: Sequence[Span]) -> tuple[Pause, ...]:
    """The pauses of one item, the oldest first; `said` are the statements on it."""
    found = list[Pause]()
    paused: ItemEvent | None = None
    for event in said:
        if event.event == PAUSED:
            paused = paused or event
            continue
        if paused:
            found += _clipped(paused, event.at, was_open)
        paused = None
    return (*found, *_clipped(paused, None, was_open)) if paused else tuple(found)


def _clipped(paused: ItemEvent, until: datetime | None, was_open: Sequence[Span]) -> list[Pause]:
    """The pause as far as the item stayed open: what was finished does not rest when it is opened again."""
    for span in was_open:
        if span.since <= paused.at and (span.until is None or paused.at < span.until):
            rest = Span(paused.at, until).common(span)
            return [Pause(rest, paused.reason)] if rest else []
    return []
