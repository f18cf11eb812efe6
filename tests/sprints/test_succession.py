"""The sprint after the last one: its days, its title, and when the cadence makes it."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprints.cadence import Cadence, parse_period
from sprints.calendar import Calendar
from sprints.milestone import Sprint
from sprints.sprint_titles import find_next_title
from sprints.succession import Succession, TimeBox
from tests.support.builders import Box, at

NOW = at("11-20 12:00")  # A Friday.
FORTNIGHT = Cadence(14)
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


def sprint(
    number: int, start: str | None, due: str | None, title: str = "", now: datetime = NOW, made: str = "11-01"
) -> Sprint:
    return Box(
        made,
        milestone=500 + number,
        number=number,
        description=f"Start: 2026-{start}" if start else "",
        due=due and f"2026-{due}",
        title=title or f"Sprint {number}",
    ).sprint(now)


def box(first: str, due: str) -> TimeBox:
    return TimeBox(date.fromisoformat(f"2026-{first}"), date.fromisoformat(f"2026-{due}"))


def succession(*sprints: Sprint, now: datetime = NOW, cadence: Cadence | None = None) -> Succession:
    return Succession(sprints, now, Calendar(), cadence)


# Fridays to Thursdays, then Mondays to Fridays.
OVER = sprint(23, "10-30", "11-12")
RUNNING = sprint(24, "11-13", "11-26")
WEEKS = [sprint(11, "10-19", "10-30"), sprint(12, "11-02", "11-13"), sprint(13, "11-16", "11-27")]


def test_the_next_sprint_follows_the_running_one_with_the_usual_length() -> None:
    assert succession(OVER, RUNNING).propose_time_box() == box("11-27", "12-10")
    assert succession(*WEEKS).propose_time_box() == box("11-30", "12-11")


def test_after_an_ended_one_it_begins_today_and_ends_on_the_usual_weekday() -> None:
    wednesday = at("12-02 09:00")
    assert succession(*WEEKS, now=wednesday).propose_time_box() == box("12-02", "12-11")


def test_a_cadence_decides_the_length_and_the_weekday() -> None:
    weekly = Cadence(7, starts=2)
    assert succession(*WEEKS, cadence=weekly).propose_time_box() == box("12-02", "12-08")


def test_without_a_past_it_lasts_two_weeks_of_working_days() -> None:
    monday = at("11-16 09:00")
    assert succession(now=monday).propose_time_box() == box("11-16", "11-27")
    assert succession(now=monday).propose_title(date(2026, 11, 16)) == "Sprint 1"


def test_holidays_move_its_days_to_working_days() -> None:
    calendar = Calendar(holidays={date(2026, 11, 30), date(2026, 12, 11)})
    assert Succession(WEEKS, NOW, calendar).propose_time_box() == box("12-01", "12-10")


def test_what_was_typed_stays() -> None:
    typed = succession(OVER, RUNNING).propose_time_box(date(2026, 11, 30), date(2026, 12, 4))
    assert typed == box("11-30", "12-04")
    assert succession(OVER, RUNNING).propose_time_box(due=date(2026, 11, 24)) == box("11-20", "11-24")


def test_a_milestone_for_later_is_no_sprint_of_the_series() -> None:
    release = sprint(5, None, "12-30", "v2.0")
    following = succession(OVER, RUNNING, release)
    assert following.last_begun == RUNNING
    assert following.list_overlapping(box("11-23", "11-27")) == [RUNNING]


def test_the_milestone_of_the_next_title_waits_even_without_dates() -> None:
    shelf = sprint(25, None, None)
    assert succession(OVER, RUNNING, shelf).waiting == shelf
    assert succession(OVER, RUNNING, sprint(26, None, None)).waiting is None


def test_the_planned_one_that_begins_first_waits() -> None:
    first, second = sprint(25, "11-27", "12-10"), sprint(26, "12-11", "12-24")
    assert succession(OVER, second, RUNNING, first).waiting == first


def test_sprints_that_state_no_start_follow_by_their_due_dates() -> None:
    running, later = sprint(24, None, "11-26"), sprint(25, None, "12-10")
    following = succession(later, running)
    assert following.last_begun == running
    assert following.waiting == later


@pytest.mark.parametrize(
    ("title", "following"),
    [
        ("Sprint 24", "Sprint 25"),
        ("Sprint 9", "Sprint 10"),
        ("Sprint 09", "Sprint 10"),
        ("Sprint 007", "Sprint 008"),
        ("SPRINT-99", "SPRINT-100"),
        ("Sprint 24 – Payments 2", "Sprint 25"),
        ("Q4 Sprint 3", "Q4 Sprint 4"),
        ("Checkout (24)", "Checkout (25)"),
        ("2026 Sprint 24", "2026 Sprint 25"),
        ("24", "25"),
        ("2026-W47", "2026-W49"),
        ("KW 47", "KW 49"),
        ("Payments", None),
        ("2026-11-16", None),
        ("Autumn 2026", None),
    ],
)
def test_titles_count_on(title: str, following: str | None) -> None:
    assert find_next_title(title, date(2026, 11, 16), date(2026, 11, 30), ()) == following


def test_titles_by_week_follow_the_year() -> None:
    assert find_next_title("2026-W52", date(2026, 12, 21), date(2027, 1, 4), ()) == "2027-W01"


def test_a_title_in_use_is_skipped() -> None:
    taken = {"sprint 25", "Sprint 26"}
    assert find_next_title("Sprint 24", date(2026, 11, 16), date(2026, 11, 30), taken) == "Sprint 27"


@given(st.text(max_size=40), DAYS, DAYS, st.sets(st.text(max_size=10), max_size=3))
def test_the_next_title_is_another_one_and_free(
    title: str, first: date, following: date, taken: set[str]
) -> None:
    next_title = find_next_title(title, first, following, {title, *taken})
    assert next_title is None or next_title.casefold() not in {text.casefold() for text in (title, *taken)}


@given(
    lengths=st.lists(st.integers(1, 40), max_size=4),
    age=st.integers(0, 60),
    days=st.none() | st.integers(7, 56),
    starts=st.none() | st.integers(0, 6),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
    holidays=st.sets(st.dates(date(2026, 10, 1), date(2027, 3, 1)), max_size=20),
)
def test_proposed_days_are_working_days_in_order(
    lengths: list[int],
    age: int,
    days: int | None,
    starts: int | None,
    weekdays: set[int],
    holidays: set[date],
) -> None:
    calendar, today = Calendar(weekdays=weekdays, holidays=holidays), NOW.date()
    first, sprints = today - timedelta(days=age), list[Sprint]()
    for number, length in enumerate(lengths, 1):
        due = first + timedelta(days=length - 1)
        milestone = Box("01-01", milestone=number, number=number, description=f"Start: {first}", due=f"{due}")
        sprints.append(milestone.sprint(NOW))
        first = due + timedelta(days=1)
    cadence = Cadence(days, starts) if days else None
    following = Succession(sprints, NOW, calendar, cadence)

    proposed = following.propose_time_box()

    assert today <= proposed.first <= proposed.due
    assert calendar.is_working_day(proposed.first)
    assert calendar.is_working_day(proposed.due) or proposed.first == proposed.due
    last = following.last_begun
    if last and not last.has_ended(NOW) and last.due:
        assert proposed.first > last.due


# The cadence


def test_the_next_one_is_made_while_one_runs() -> None:
    made = succession(OVER, RUNNING, cadence=FORTNIGHT).plan_ahead()
    assert made == ("Sprint 25", box("11-27", "12-10"))


def test_nothing_is_made_without_a_cadence_or_a_first_sprint() -> None:
    assert succession(OVER, RUNNING).plan_ahead() is None
    assert succession(cadence=FORTNIGHT).plan_ahead() is None
    assert succession(sprint(5, "11-16", None), cadence=FORTNIGHT).plan_ahead() is None


@pytest.mark.parametrize(
    "there",
    [
        sprint(25, "11-27", "12-10"),
        sprint(25, None, "12-10"),
        sprint(25, None, None),
        sprint(7, "12-01", "12-05", "Hardening"),
        sprint(26, "12-14", "12-24"),
    ],
    ids=["planned", "due only", "named only", "overlapping", "later"],
)
def test_a_next_one_that_a_person_made_is_enough(there: Sprint) -> None:
    assert succession(OVER, RUNNING, there, cadence=FORTNIGHT).plan_ahead() is None


def test_a_release_is_no_next_sprint() -> None:
    release = sprint(5, None, "12-30", "v2.0")
    assert succession(OVER, RUNNING, release, cadence=FORTNIGHT).plan_ahead() is not None


def test_the_days_of_a_deleted_one_stay_free() -> None:
    deleted = Box("11-14", milestone=525, number=25, start="11-27", due="2026-12-10", title="Sprint 25")

    def plan(when: str) -> tuple[str, TimeBox] | None:
        now = at(when)
        sprints = [sprint(24, "11-13", "11-26", now=now), deleted.deleted("11-20 12:00").sprint(now)]
        return Succession(sprints, now, Calendar(), FORTNIGHT, planned_ahead={525}).plan_ahead()

    assert plan("11-21 02:00") is None
    assert plan("11-26 02:00") is None
    assert plan("11-27 02:00") == ("Sprint 25", box("12-11", "12-24"))


def test_after_a_break_it_begins_with_the_next_working_day() -> None:
    now = at("12-08 02:00")
    made = succession(sprint(24, "11-13", "11-26", now=now), now=now, cadence=FORTNIGHT).plan_ahead()
    assert made == ("Sprint 25", box("12-09", "12-24"))


def test_a_year_of_cadence_has_no_gap_no_double_and_no_drift() -> None:
    now, sprints = at("01-05 02:00"), [sprint(1, "01-05", "01-16", now=at("01-05 02:00"), made="01-01")]
    boxes = list[TimeBox]()
    for _ in range(330):
        made = Succession(sprints, now, Calendar(), Cadence(14, starts=0)).plan_ahead()
        if made is not None:
            title, days = made
            number = len(sprints) + 1
            assert title == f"Sprint {number}"
            boxes.append(days)
            sprints.append(
                Box(
                    now,
                    milestone=number,
                    number=number,
                    description=f"Start: {days.first}",
                    due=f"{days.due}",
                    title=title,
                ).sprint(now)
            )
        now += timedelta(days=1)
    assert len(boxes) == 24
    assert {(days.first.weekday(), days.due.weekday()) for days in boxes} == {(0, 4)}
    assert {(later.first - days.first).days for days, later in pairwise(boxes)} == {14}


@given(st.text(max_size=20))
def test_a_period_is_within_its_bounds(text: str) -> None:
    days = parse_period(text)
    assert days is None or 7 <= days <= 56


@pytest.mark.parametrize(
    ("text", "days"),
    [("2 weeks", 14), ("1 week", 7), ("8 weeks", 56), ("10 days", 10), ("9 weeks", None), ("6 days", None)],
)
def test_periods(text: str, days: int | None) -> None:
    assert parse_period(text) == days
