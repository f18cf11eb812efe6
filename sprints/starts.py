"""When work on an item began, and how we know.

The first kind of signal that occurred at all decides, in the order of `StartSignal`; of that kind the
earliest one. Such a hierarchy is that of gh-velocity (https://github.com/dvhthomas/gh-velocity).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sprints.links import links_since
from sprints.model import ItemEvent
from sprints.numbering import Number
from sprints.pauses import STARTED, resumptions, statements

# The category of an issue's status that says that work has begun.
_STARTED = "started"


class StartSignal(StrEnum):
    """What tells that work has begun, the most deliberate first."""

    COMMAND = "command"
    STATUS = "status"
    LABEL = "label"
    PULL_REQUEST = "pull_request"
    ASSIGNED = "assigned"


_RANK = {signal: rank for rank, signal in enumerate(StartSignal)}


@dataclass(frozen=True, slots=True)
class Start:
    """Work had begun at `at`. Unless that `is_dated` it began at some time before, which nobody told us."""

    at: datetime
    signal: StartSignal
    is_dated: bool = True


def start_of(
    ordered: Sequence[ItemEvent], started_labels: Collection[str], linked_at: datetime | None = None
) -> Start | None:
    """How one item was started, from all its events in order, or None if nothing says so.

    `started_labels` are in lower case. `linked_at` is when a pull request was there to close it. A command
    that only ended a pause is no start.
    """
    signs = [sign for event in ordered for sign in _told(event, started_labels)]
    # Corrections show what we missed, but not when it happened.
    for event in (*ordered[:1], *(event for event in ordered[1:] if event.event == "corrected")):
        signs += _shown(event, started_labels)
    if linked_at:
        signs.append(Start(linked_at, StartSignal.PULL_REQUEST))
    said = statements(ordered)
    resumed = resumptions(said, [sign.at for sign in signs])
    signs += [
        Start(event.at, StartSignal.COMMAND)
        for event in said
        if event.event == STARTED and event not in resumed
    ]
    return min(signs, key=lambda sign: (_RANK[sign.signal], sign.at, sign.is_dated), default=None)


def links_of(pull_requests: Iterable[Sequence[ItemEvent]]) -> dict[Number, datetime]:
    """By issue number, when the first pull request appeared that was to close it.

    Each pull request is given by its events in order.
    """
    found: dict[Number, datetime] = {}
    for ordered in pull_requests:
        for number, at in links_since(ordered).items():
            found[number] = min(at, found.get(number, at))
    return found


def _told(event: ItemEvent, started_labels: Collection[str]) -> Iterator[Start]:
    """What the event itself says, but for commands (see pauses.py)."""
    match event.event:
        case "status_changed" if (event.named or event.snapshot.status) == _STARTED:
            yield Start(event.at, StartSignal.STATUS)
        case "labeled" if (event.label or "").lower() in started_labels:
            yield Start(event.at, StartSignal.LABEL)
        case "assigned":
            yield Start(event.at, StartSignal.ASSIGNED)
        case _:
            pass


def _shown(event: ItemEvent, started_labels: Collection[str]) -> Iterator[Start]:
    """What its picture says of the time before, where we know nothing better.

    Of an item that was opened here, the picture is that of its first moment. One that came by a transfer
    brought along what others did at other times.
    """
    is_dated = event.event == "opened" and event.named is None
    labels, people = set(event.snapshot.labels), set(event.snapshot.assignees)
    match event.event:
        case "labeled":
            labels -= {event.label}
        case "unlabeled":
            labels |= {event.label} if event.label else set()
        case "assigned":
            people -= {event.named}
        case "unassigned":
            people |= {event.named} if event.named else set()
        case _:
            pass
    if event.snapshot.status == _STARTED and event.event != "status_changed":
        yield Start(event.at, StartSignal.STATUS, is_dated)
    if any(label.lower() in started_labels for label in labels):
        yield Start(event.at, StartSignal.LABEL, is_dated)
    if people:
        yield Start(event.at, StartSignal.ASSIGNED, is_dated)
