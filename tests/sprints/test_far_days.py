"""Days that nobody plans for: they cost no time, stop nothing, and the card says that they count as none."""

import time
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.cards.status import after_chart, before_chart
from sprints.burndown import burndown_of
from sprints.calendar import FIRST_DAY, LAST_DAY, MOST_SPRINT_DAYS, Calendar
from sprints.facts import Facts, facts_of
from sprints.milestone import readable_moment, sprint_of
from sprints.model import MilestoneEvent
from sprints.plain import plain
from sprints.rules import MOST_DAYS_OFF, days_off, rules_of

CREATED = datetime(2026, 11, 16, 9, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
# For what takes microseconds a day; seven thousand years took from three to seventy seconds.
MOST_CPU_SECONDS = 1.0
ZONES = st.sampled_from(["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin", "Asia/Kathmandu"])
ANY_DAY = st.dates() | st.sampled_from([date.min, date.max, date(2999, 1, 1), date(9026, 12, 1)])
OFFSETS = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))


def created(description: str, due_on: datetime | None, at: datetime = CREATED) -> MilestoneEvent:
    return MilestoneEvent(1, "created", at, "d1", 1, "Sprint 1", at, description, due_on)


def facts(description: str, due_on: datetime | None, calendar: Calendar | None = None) -> Facts:
    return facts_of(sprint_of([created(description, due_on)], NOW, calendar or Calendar()), {}, NOW)


def status_text(found: Facts) -> str:
    burndown = burndown_of(found)
    return f"{before_chart(found, burndown)}\n{after_chart(found, burndown)}"


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@given(ANY_DAY, ANY_DAY, ZONES, OFFSETS)
def test_any_days_give_numbers_in_no_time(start: date, due: date, zone: str, offset: timezone) -> None:
    begun = time.thread_time()

    due_on = noon(due).replace(hour=23, minute=59, tzinfo=offset)
    found = facts(f"Start: {start.isoformat()}", due_on, Calendar.of(ZoneInfo(zone)))
    burndown, text, card = burndown_of(found), plain(found), status_text(found)

    assert time.thread_time() - begun < MOST_CPU_SECONDS
    assert len(burndown.days) <= MOST_SPRINT_DAYS
    assert text["title"] == "Sprint 1"
    if found.sprint.due:
        assert (found.sprint.due - found.sprint.first_day).days < MOST_SPRINT_DAYS
    else:
        assert "counts as none: a sprint has at most two years" in card


@pytest.mark.parametrize(
    ("due", "why"),
    [
        (date(1, 1, 1), "The due date, 0001-01-01, lies outside the years 2000 to 2100"),
        (date(1999, 12, 31), "The due date, 1999-12-31, lies outside the years 2000 to 2100"),
        (date(9999, 12, 31), "The due date, 9999-12-31, lies outside the years 2000 to 2100"),
        (date(2028, 11, 16), "The due date, 2028-11-16, lies more than two years after the start"),
    ],
)
def test_a_due_date_that_nobody_can_plan_for_counts_as_none_and_the_card_says_so(due: date, why: str) -> None:
    found = facts("", noon(due))

    assert (found.sprint.due, found.sprint.end, found.sprint.ignored_due) == (None, None, why)
    assert f"{why}, so it counts as none: a sprint has at most two years." in status_text(found)


def test_two_years_are_a_sprint() -> None:
    assert facts("", noon(date(2028, 11, 15))).sprint.due == date(2028, 11, 15)


def test_a_sprint_whose_due_date_counts_as_none_ends_when_its_milestone_is_closed() -> None:
    opened = created("", noon(date(9999, 12, 31)))
    closed_at = CREATED + timedelta(days=3)
    closed = MilestoneEvent(
        1, "closed", closed_at, "d2", 1, "Sprint 1", CREATED, "", opened.due_on, closed_at
    )

    assert sprint_of([opened, closed], NOW, Calendar()).end == closed_at


@pytest.mark.parametrize(
    ("start", "why"),
    [
        ("0001-01-02", "“Start: 0001-01-02” lies outside the years 2000 to 2100"),
        ("9999-12-31", "“Start: 9999-12-31” lies outside the years 2000 to 2100"),
        ("2001-01-01", "“Start: 2001-01-01” lies more than two years before the milestone was made"),
    ],
)
def test_a_start_that_nobody_can_follow_is_ignored_with_its_reason(start: str, why: str) -> None:
    sprint = facts(f"Start: {start}", None).sprint

    assert sprint.ignored_starts == (why,)
    assert sprint.start == CREATED


def test_a_move_to_a_day_far_away_and_back_is_a_move_to_none_and_back() -> None:
    events = [
        created("", noon(date(2026, 11, 27))),
        MilestoneEvent(1, "edited", CREATED + timedelta(days=1), "d2", 1, "S", CREATED, "", noon(date.max)),
        MilestoneEvent(
            1, "edited", CREATED + timedelta(days=2), "d3", 1, "S", CREATED, "", noon(date(2026, 11, 30))
        ),
    ]

    moves = sprint_of(events, NOW, Calendar()).due_moves

    assert [(move.before, move.after) for move in moves] == [
        (date(2026, 11, 27), None),
        (None, date(2026, 11, 30)),
    ]


@pytest.mark.parametrize("text", ["", "soon", "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "-1", None])
def test_a_time_that_cannot_be_read_is_none(text: str | None) -> None:
    assert readable_moment(text) is None


# Days off


def test_days_off_far_away_are_passed_over() -> None:
    settings: dict[str, object] = {
        "holidays": ["0001-01-01", "9999-12-31", "2026-12-25"],
        "days_off": [
            {"from": "0001-01-01", "to": "0001-02-01"},
            {"from": "9999-12-31"},
            {"from": "2026-01-01", "to": "9999-01-01"},
            {"from": LAST_DAY.isoformat()},
            {"from": FIRST_DAY.isoformat()},
        ],
    }

    assert rules_of(settings).calendar.holidays == {date(2026, 12, 25), FIRST_DAY, LAST_DAY}


def test_the_same_days_off_again_and_again_cost_no_more_than_once() -> None:
    last = date(2026, 1, 1) + timedelta(days=MOST_DAYS_OFF - 1)
    stretch = {"from": "2026-01-01", "to": last.isoformat()}
    settings: dict[str, object] = {"days_off": [stretch | {"name": str(n)} for n in range(500)]}
    begun = time.thread_time()

    assert len(days_off(settings)) == 500
    for _ in range(20):
        assert len(rules_of(settings).calendar.holidays) == MOST_DAYS_OFF
    assert time.thread_time() - begun < MOST_CPU_SECONDS
