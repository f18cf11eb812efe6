"""Missed events of milestones, inferred from their current state."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sync.backfill.milestones import find_missing_changes
from sprints.calendar import Calendar
from sprints.milestone import derive_sprint
from sprints.model import EventSource, MilestoneEvent
from tests.support.builders import SPRINT, at, milestone_json, stamp

CALENDAR = Calendar()
ASKED_AT = at("11-25")
KNOWN = MilestoneEvent(SPRINT, "created", at("11-10"), "1", 12, "Sprint 12", at("11-10"))


def unheard(*shown: dict[str, Any]) -> list[MilestoneEvent]:
    return find_missing_changes({SPRINT: [KNOWN]}, shown, CALENDAR, ASKED_AT)


def test_what_is_as_it_was_needs_nothing() -> None:
    """GitHub changes a milestone's time with each of its issues."""
    assert unheard(milestone_json("11-20")) == []


@pytest.mark.parametrize(
    ("changed", "event", "when"),
    [
        ({"title": "Sprint twelve"}, "edited", "11-20"),
        ({"due_on": "2026-11-27T08:00:00Z"}, "edited", "11-20"),
        ({"description": "Goal: Pay by card"}, "edited", "11-20"),
        ({"closed_at": stamp("11-18"), "state": "closed"}, "closed", "11-18"),
    ],
)
def test_what_has_changed_is_dated_by_github(changed: dict[str, Any], event: str, when: str) -> None:
    (fact,) = unheard(milestone_json("11-20", **changed))
    assert (fact.event, fact.at, fact.source) == (event, at(when), EventSource.BACKFILL)


def test_what_is_gone_was_deleted_and_what_came_since_was_not() -> None:
    (fact,) = unheard()
    assert (fact.event, fact.at) == ("deleted", ASKED_AT)
    later = MilestoneEvent(7, "created", ASKED_AT + timedelta(seconds=1), "2", 13, "New", ASKED_AT)
    assert find_missing_changes({7: [later]}, [], CALENDAR, ASKED_AT) == []


_TEXTS = st.sampled_from(["", "Goal: Pay", "Start: 2026-11-16", "Sprint 12", "Sprint twelve"])
_DUES = st.sampled_from([None, "2026-11-20T08:00:00Z", "2026-11-27T08:00:00Z"])
_ENDS = st.sampled_from([None, "11-18", "11-22"])


@given(title=_TEXTS.filter(bool), description=_TEXTS, due_on=_DUES, closed=_ENDS, asked=st.integers(0, 9))
def test_with_what_was_missing_our_history_ends_where_github_is(
    title: str, description: str, due_on: str | None, closed: str | None, asked: int
) -> None:
    """And asked again, nothing is missing."""
    fields = {"title": title, "description": description, "due_on": due_on}
    shown = milestone_json("11-22", **fields, closed_at=stamp(closed) if closed else None)
    asked_at: datetime = at("11-23") + timedelta(hours=asked)
    events = [KNOWN, *find_missing_changes({SPRINT: [KNOWN]}, [shown], CALENDAR, asked_at)]

    sprint = derive_sprint(events, asked_at + timedelta(days=1), CALENDAR)
    assert (sprint.title, sprint.closed_at) == (title, at(closed) if closed else None)
    assert (sprint.due is None) is (due_on is None)
    assert find_missing_changes({SPRINT: events}, [shown], CALENDAR, asked_at) == []
