"""A sprint as it would be if items joined or left it, or if its milestone were edited."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sprints.calendar import Calendar
from sprints.fact_folding import compute_facts
from sprints.facts import Facts
from sprints.milestone import Sprint, derive_sprint
from sprints.model import ItemEvent, LabelEvent, MilestoneEvent, sort_events
from sprints.rules import Rules

# A delivery that sorts after all others of the same moment.
_LAST = "~"
_JUST_AFTER = timedelta(microseconds=1)

Events = Mapping[str, Sequence[ItemEvent]]


def move_items(
    sprint: Sprint, events: Events, joining: Events, leaving: Iterable[str], now: datetime
) -> dict[str, list[ItemEvent]]:
    """Return the events of a sprint's items as if some had joined it now, and others (by node id) had left.

    `joining` are all events of the items that join.
    """
    moved = {item: list(item_events) for item, item_events in {**events, **joining}.items()}
    for item in joining:
        moved[item].append(_event(moved[item], "milestoned", sprint.milestone, now))
    for item in leaving:
        moved[item].append(_event(moved[item], "demilestoned", sprint.milestone, now))
    return moved


def compute_trial(
    sprint: Sprint, events: Events, now: datetime, rules: Rules, labels: Iterable[LabelEvent] = ()
) -> Facts:
    """Compute a sprint's numbers after all events up to and at `now`."""
    latest = max((event.at for item_events in events.values() for event in item_events), default=now)
    return compute_facts(sprint, events, max(now, latest) + _JUST_AFTER, rules.estimates, labels)


def edit_milestone(
    events: Sequence[MilestoneEvent], now: datetime, calendar: Calendar, description: str, due: datetime
) -> Sprint:
    """Derive the sprint that a milestone would be with another description and due date from now on."""
    latest = sort_events(events)[-1]
    at = max(now, latest.at)
    before = {"description": latest.description, "due_on": latest.due_on and latest.due_on.isoformat()}
    edit = replace(
        latest, event="edited", at=at, delivery=_LAST, description=description, due_on=due, before=before
    )
    return derive_sprint([*events, edit], at + _JUST_AFTER, calendar)


def _event(events: Sequence[ItemEvent], event: str, milestone: int, now: datetime) -> ItemEvent:
    latest = sort_events(events)[-1]
    snapshot = replace(latest.snapshot, milestone=milestone if event == "milestoned" else None)
    at = max(now, latest.at)
    return ItemEvent(latest.item, event, at, _LAST, snapshot, milestone=milestone)
