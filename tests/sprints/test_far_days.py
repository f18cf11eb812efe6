"""Days that nobody plans for: they cost no time, stop nothing, and the card says that they count as none."""

import re
import time
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.messages.status import status_details, status_head
from sprints.burndown import build_burndown
from sprints.calendar import FIRST_DAY, LAST_DAY, MOST_SPRINT_DAYS, Calendar
from sprints.fact_folding import compute_facts
from sprints.facts import Facts
from sprints.milestone import derive_sprint, parse_github_time
from sprints.model import MilestoneEvent
from sprints.plain import convert_facts
from sprints.rules import MOST_DAYS_OFF
from sprints.settings_parser import parse_settings

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
    return compute_facts(derive_sprint([created(description, due_on)], NOW, calendar or Calendar()), {}, NOW)


def status_text(result: Facts) -> str:
    burndown = build_burndown(result)
    return f"{status_head(result, burndown)}\n{status_details(result, burndown)}"


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@given(ANY_DAY, ANY_DAY, ZONES, OFFSETS)
def test_any_days_give_numbers_in_no_time(start: date, due: date, zone: str, offset: timezone) -> None:
    begun = time.thread_time()

    due_on = noon(due).replace(hour=23, minute=59, tzinfo=offset)
    result = facts(f"Start: {start.isoformat()}", due_on, Calendar.of(ZoneInfo(zone)))
    burndown, text, card = build_burndown(result), convert_facts(result), status_text(result)

    assert time.thread_time() - begun < MOST_CPU_SECONDS
    assert len(burndown.days) <= MOST_SPRINT_DAYS
    assert text["title"] == "Sprint 1"
    if result.sprint.due:
        assert (result.sprint.due - result.sprint.first_day).days < MOST_SPRINT_DAYS
    else:
        assert "so it counts as none. Give the milestone a" in card


@pytest.mark.parametrize(
    ("due", "why"),
    [
        (date(1, 1, 1), "0001-01-01, lies outside the years 2000 to 2100, …a later due date."),
        (date(1999, 12, 31), "1999-12-31, lies outside the years 2000 to 2100, …a later due date."),
        (date(2101, 1, 1), "2101-01-01, lies outside the years 2000 to 2100, …an earlier due date."),
        (date(9999, 12, 31), "9999-12-31, lies outside the years 2000 to 2100, …an earlier due date."),
    ],
)
def test_a_due_date_that_nobody_can_plan_for_counts_as_none_and_the_card_says_what_to_do(
    due: date, why: str
) -> None:
    sentences = f"The due date, {why.replace('…', 'so it counts as none. Give the milestone ')}"
    far_facts = facts("", noon(due))

    sprint = far_facts.sprint
    assert (sprint.due, sprint.end, sprint.ignored_due) == (None, None, sentences)
    assert f"> {sentences}\n" in status_text(far_facts)


@given(st.sampled_from([date.min, date.max]), OFFSETS)
def test_the_advice_on_a_due_date_at_either_end_of_time_points_to_the_years_between(
    day: date, offset: timezone
) -> None:
    """Where the calendar ends there is no date in UTC to compare with."""
    due_on = datetime(day.year, day.month, day.day, 23 if day == date.max else 0, tzinfo=offset)

    advice = "a later due date." if day == date.min else "an earlier due date."
    assert facts("", due_on).sprint.ignored_due.endswith(advice)


@given(st.dates(LAST_DAY.replace(year=2029), LAST_DAY))
def test_a_due_date_counts_once_the_advice_is_followed(due: date) -> None:
    advice = facts("", noon(due)).sprint.ignored_due
    (last_due,) = re.findall(r"up to (\S+),", advice)
    (start_line,) = re.findall(r"`(Start: \S+)`", advice)

    assert facts("", noon(date.fromisoformat(last_due))).sprint.due == date(2028, 11, 15)
    assert facts(start_line, noon(due)).sprint.due == due


def test_a_day_more_than_two_years_counts_as_none_and_the_card_names_the_days_that_would_count() -> None:
    sprint = facts("", noon(date(2028, 11, 16))).sprint

    assert sprint.due is None
    assert sprint.ignored_due == (
        "The due date, 2028-11-16, lies more than two years after the start, so it counts as none. "
        "Give the milestone a due date up to 2028-11-15, or a line `Start: 2026-11-17` or later."
    )


def test_two_years_are_a_sprint() -> None:
    assert facts("", noon(date(2028, 11, 15))).sprint.due == date(2028, 11, 15)


def test_a_sprint_whose_due_date_counts_as_none_ends_when_its_milestone_is_closed() -> None:
    opened = created("", noon(date(9999, 12, 31)))
    closed_at = CREATED + timedelta(days=3)
    closed = MilestoneEvent(
        1, "closed", closed_at, "d2", 1, "Sprint 1", CREATED, "", opened.due_on, closed_at
    )

    assert derive_sprint([opened, closed], NOW, Calendar()).end == closed_at


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

    moves = derive_sprint(events, NOW, Calendar()).due_moves

    assert [(move.before, move.after) for move in moves] == [
        (date(2026, 11, 27), None),
        (None, date(2026, 11, 30)),
    ]


@pytest.mark.parametrize("text", ["", "soon", "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "-1", None])
def test_a_time_that_cannot_be_read_is_none(text: str | None) -> None:
    assert parse_github_time(text) is None


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

    assert parse_settings(settings).rules.calendar.holidays == {date(2026, 12, 25), FIRST_DAY, LAST_DAY}


def test_the_same_days_off_again_and_again_cost_no_more_than_once() -> None:
    last = date(2026, 1, 1) + timedelta(days=MOST_DAYS_OFF - 1)
    stretch = {"from": "2026-01-01", "to": last.isoformat()}
    settings: dict[str, object] = {"days_off": [stretch | {"name": str(n)} for n in range(500)]}
    begun = time.thread_time()

    assert len(parse_settings(settings).days_off) == 500
    for _ in range(20):
        assert len(parse_settings(settings).rules.calendar.holidays) == MOST_DAYS_OFF
    assert time.thread_time() - begun < MOST_CPU_SECONDS
