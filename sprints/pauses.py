"""Work that was put aside: paused from `/pause` until `/start`, or until the item was closed.

Only commands count. A label that changes or a pull request that is opened during a pause is as often the work
of an automation, and a pause that ended by itself would silently add work to the limit.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sprints.model import ItemEvent
from sprints.spans import TimeSpan

STARTED, PAUSED, UNSTARTED = "started", "paused", "unstarted"


@dataclass(frozen=True, slots=True)
class WorkCommand:
    """A `/start` (STARTED) or `/pause` (PAUSED) of an item, with the reason that was given, if any.

    `since` is the moment since which a `/start` counts, if it was given another one than its own.
    """

    event: str
    at: datetime
    reason: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A span in which work was paused, with the reason, if any."""

    span: TimeSpan
    reason: str | None = None


def select_commands(ordered: Iterable[ItemEvent]) -> list[WorkCommand]:
    """Select the `/start` and `/pause` commands of an item, without starts that were undone."""
    commands = list[WorkCommand]()
    for event in ordered:
        if event.event in {STARTED, PAUSED}:
            since = datetime.fromisoformat(event.named) if event.named and event.event == STARTED else None
            commands.append(WorkCommand(event.event, event.at, event.reason, since))
        elif event.event == UNSTARTED:
            last = max(
                (n for n, command in enumerate(commands) if command.event == STARTED), default=len(commands)
            )
            commands[last : last + 1] = []
    return commands


def find_resumptions(commands: Sequence[WorkCommand], began: Collection[datetime]) -> list[WorkCommand]:
    """Select the starts that resume work which had started before it was paused.

    `began` are the times at which other signals say that work began. A resuming start is no new start: a
    cycle time goes on through a pause.
    """
    resuming, has_begun = list[WorkCommand](), False
    paused: WorkCommand | None = None
    for command in commands:
        if command.event == PAUSED:
            paused = paused or command
            continue
        if paused and (has_begun or any(at <= paused.at for at in began)):
            resuming.append(command)
        has_begun, paused = True, None
    return resuming


def find_pauses(commands: Iterable[WorkCommand], was_open: Sequence[TimeSpan]) -> tuple[Pause, ...]:
    """List the pauses of one item, the oldest first, from its `/start` and `/pause` commands."""
    pauses = list[Pause]()
    paused: WorkCommand | None = None
    for command in commands:
        if command.event == PAUSED:
            paused = paused or command
            continue
        if paused:
            pauses += _limit_to_open(paused, command.at, was_open)
        paused = None
    return (*pauses, *_limit_to_open(paused, None, was_open)) if paused else tuple(pauses)


def _limit_to_open(paused: WorkCommand, until: datetime | None, was_open: Sequence[TimeSpan]) -> list[Pause]:
    """Limit a pause to the time in which the item stayed open: a reopened item is not paused."""
    for span in was_open:
        if span.since <= paused.at and (span.until is None or paused.at < span.until):
            span_open = TimeSpan(paused.at, until).common(span)
            return [Pause(span_open, paused.reason)] if span_open else []
    return []
