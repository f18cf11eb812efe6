"""The start of work on an item, and its signal.

The start is the earliest signal of the first kind, in the order of `StartSignal`, that occurred at all.
gh-velocity has such a hierarchy (https://github.com/dvhthomas/gh-velocity).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sprints.model import ItemEvent
from sprints.pauses import STARTED, WorkCommand, find_resumptions, select_commands

# The category of an issue's status that means that work has started.
_STARTED = "started"


class StartSignal(StrEnum):
    """The signals that work has started, the most deliberate first."""

    COMMAND = "command"
    STATUS = "status"
    LABEL = "label"
    PULL_REQUEST = "pull_request"
    ASSIGNED = "assigned"


_RANK = {signal: rank for rank, signal in enumerate(StartSignal)}


@dataclass(frozen=True, slots=True)
class Start:
    """The start of work at `at`, or at an unknown time before, unless it `is_dated`."""

    at: datetime
    signal: StartSignal
    is_dated: bool = True


@dataclass(frozen=True, slots=True)
class StartSignals:
    """The signs that an item's own events give of its start.

    `starts` are the earliest of each signal but commands; `commands` are its `/start` and `/pause` commands.
    """

    starts: tuple[Start, ...] = ()
    commands: tuple[WorkCommand, ...] = ()

    def find_start(self, linked_at: datetime | None = None) -> Start | None:
        """Find the start of the item; None without any signal.

        `linked_at` is when the first pull request that closes it appeared. A command that only ended a pause
        is no start. A command with a moment of its own goes before all others, and the last such before
        earlier ones.
        """
        dated = [command.since for command in self.commands if command.since]
        if dated:
            return Start(dated[-1], StartSignal.COMMAND)
        starts = list(self.starts)
        if linked_at:
            starts.append(Start(linked_at, StartSignal.PULL_REQUEST))
        resuming = find_resumptions(self.commands, [start.at for start in starts])
        starts += [
            Start(command.at, StartSignal.COMMAND)
            for command in self.commands
            if command.event == STARTED and command not in resuming
        ]
        return min(starts, key=_precedence, default=None)


def find_signals(ordered: Sequence[ItemEvent], started_labels: Collection[str]) -> StartSignals:
    """Find the signs of one item's start, from all its events in order; `started_labels` in lower case."""
    starts = [start for event in ordered for start in _starts_by_event(event, started_labels)]
    # Corrections show missed changes, but not when they happened.
    for event in (*ordered[:1], *(event for event in ordered[1:] if event.event == "corrected")):
        starts += _starts_in_snapshot(event, started_labels)
    earliest = dict[StartSignal, Start]()
    for start in sorted(starts, key=_precedence):
        earliest.setdefault(start.signal, start)
    return StartSignals(tuple(earliest.values()), tuple(select_commands(ordered)))


def _starts_by_event(event: ItemEvent, started_labels: Collection[str]) -> Iterator[Start]:
    """Yield the starts that an event itself signals, except for commands (see pauses.py)."""
    match event.event:
        case "status_changed" if (event.named or event.snapshot.status) == _STARTED:
            yield Start(event.at, StartSignal.STATUS)
        case "labeled" if (event.label or "").lower() in started_labels:
            yield Start(event.at, StartSignal.LABEL)
        case "assigned":
            yield Start(event.at, StartSignal.ASSIGNED)
        case _:
            pass


def _starts_in_snapshot(event: ItemEvent, started_labels: Collection[str]) -> Iterator[Start]:
    """Yield the starts before an event that its snapshot shows.

    The snapshot of an item that was opened here is that of its first moment. An item that was transferred
    here brings along assignees and labels of unknown times.
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


def _precedence(start: Start) -> tuple[int, datetime, bool]:
    return _RANK[start.signal], start.at, start.is_dated
