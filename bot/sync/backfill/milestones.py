"""Missed changes of milestones, of which GitHub has no history: only their present state."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from handlers.payloads import clean
from sprints.calendar import Calendar
from sprints.milestone import derive_sprint, parse_github_time
from sprints.model import EventSource, MilestoneEvent, sort_events

_STEP = timedelta(seconds=1)


def find_missing_changes(
    recorded: Mapping[int, Sequence[MilestoneEvent]],
    present: Sequence[Mapping[str, Any]],
    calendar: Calendar,
    asked_at: datetime,
) -> list[MilestoneEvent]:
    """Build the events that are missing between the recorded history and GitHub's present state.

    `recorded` holds all events by milestone, `present` all milestones as REST returned them at `asked_at`.
    Each change is dated at the milestone's last update on GitHub, and a deletion at `asked_at`.
    """
    by_id = {milestone["id"]: milestone for milestone in present}
    return [
        fact
        for milestone, events in recorded.items()
        for fact in _missing_changes(sort_events(events), by_id.get(milestone), calendar, asked_at)
    ]


def _missing_changes(
    events: Sequence[MilestoneEvent],
    present: Mapping[str, Any] | None,
    calendar: Calendar,
    asked_at: datetime,
) -> Iterator[MilestoneEvent]:
    latest = replace(
        events[-1], delivery="backfill", before=None, actor=None, source=EventSource.BACKFILL
    )  # fmt: skip
    if present is None:
        # A milestone that was created later is missing in the list, too.
        if events[-1].at < asked_at and all(event.event != "deleted" for event in events):
            yield replace(latest, event="deleted", at=asked_at)
        return
    fact = _to_event(latest, present)
    moment = max(fact.at, asked_at) + _STEP
    if derive_sprint(events, moment, calendar) != derive_sprint([*events, fact], moment, calendar):
        yield fact


def _to_event(latest: MilestoneEvent, present: Mapping[str, Any]) -> MilestoneEvent:
    closed_at = datetime.fromisoformat(present["closed_at"]) if present.get("closed_at") else None
    event = "edited"
    if (closed_at is None) != (latest.closed_at is None):
        event = "opened" if closed_at is None else "closed"
    changed_at = (
        closed_at if event == "closed" and closed_at else datetime.fromisoformat(present["updated_at"])
    )
    return replace(
        latest,
        event=event,
        at=changed_at if changed_at > latest.at else latest.at + _STEP,
        title=clean(present["title"]),
        description=clean(present["description"]) if present.get("description") else None,
        due_on=parse_github_time(present.get("due_on")),
        closed_at=closed_at,
    )
