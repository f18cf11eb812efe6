"""What happened to milestones unheard: their changes are nowhere told, only how they are now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from handlers.payloads import clean
from sprints.calendar import Calendar
from sprints.milestone import readable_moment, sprint_of
from sprints.model import MilestoneEvent, Source, in_order

_STEP = timedelta(seconds=1)


def find_missing_changes(
    known: Mapping[int, Sequence[MilestoneEvent]],
    shown: Sequence[Mapping[str, Any]],
    calendar: Calendar,
    asked_at: datetime,
) -> list[MilestoneEvent]:
    """The facts that are missing for our history to end where GitHub is now.

    `known` are all events by milestone, `shown` all milestones as REST showed them when it was `asked_at`.
    Each change is dated when GitHub last changed the milestone; a deletion, of which nothing is left, now.
    """
    now = {milestone["id"]: milestone for milestone in shown}
    return [
        fact
        for milestone, events in known.items()
        for fact in _missing_changes(in_order(events), now.get(milestone), calendar, asked_at)
    ]


def _missing_changes(
    events: Sequence[MilestoneEvent],
    shown: Mapping[str, Any] | None,
    calendar: Calendar,
    asked_at: datetime,
) -> Iterator[MilestoneEvent]:
    latest = replace(
        events[-1], delivery="backfill", before=None, actor=None, source=Source.BACKFILL
    )  # fmt: skip
    if shown is None:
        # One that was made since is only not on the list.
        if events[-1].at < asked_at and all(event.event != "deleted" for event in events):
            yield replace(latest, event="deleted", at=asked_at)
        return
    fact = _to_event(latest, shown)
    moment = max(fact.at, asked_at) + _STEP
    if sprint_of(events, moment, calendar) != sprint_of([*events, fact], moment, calendar):
        yield fact


def _to_event(latest: MilestoneEvent, shown: Mapping[str, Any]) -> MilestoneEvent:
    closed_at = datetime.fromisoformat(shown["closed_at"]) if shown.get("closed_at") else None
    event = "edited"
    if (closed_at is None) != (latest.closed_at is None):
        event = "opened" if closed_at is None else "closed"
    changed_at = closed_at if event == "closed" and closed_at else datetime.fromisoformat(shown["updated_at"])
    return replace(
        latest,
        event=event,
        at=changed_at if changed_at > latest.at else latest.at + _STEP,
        title=clean(shown["title"]),
        description=clean(shown["description"]) if shown.get("description") else None,
        due_on=readable_moment(shown.get("due_on")),
        closed_at=closed_at,
    )
