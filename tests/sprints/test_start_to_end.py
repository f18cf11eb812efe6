"""docs/metrics.md, "From start to end": where a sprint begins and ends, and what it commits to."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sprints.facts import ScopeCause
from sprints.milestone import Phase
from sprints.model import MilestoneEvent
from tests.support.builders import SPRINT, Box, Card, at

BERLIN = ZoneInfo("Europe/Berlin")
AUCKLAND = ZoneInfo("Pacific/Auckland")
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
KATHMANDU = ZoneInfo("Asia/Kathmandu")


def start_day(description: str, **shown: Any) -> str:
    sprint = Box("11-10 09:00", description=description, **shown).sprint()
    return f"{sprint.start:%m-%d %H:%M}"


# The start line


@pytest.mark.parametrize(
    "description",
    [
        "Start: 2026-11-16",
        "start:2026-11-16",
        "START:   2026-11-16   ",
        "  \tStart: 2026-11-16\t",
        "Goal: pay by card\r\nStart: 2026-11-16\r\nMore text\r\n",
        "Start: 2026-11-16\rMore text",
        "Start: soon\n\nStart: 2026-11-16",
        "Start: 2026-11-16\nStart: 2026-11-20",
    ],
)
def test_the_first_matching_line_states_the_start(description: str) -> None:
    assert start_day(description) == "11-16 00:00"


@pytest.mark.parametrize(
    "description",
    [
        "",
        "We start: 2026-11-16",
        "Start: 2026-11-16.",
        "Start: 16.11.2026",
        "Start: 2026-11-1",
        "Start 2026-11-16",
        "- Start: 2026-11-16",
        "Start:\n2026-11-16",
        "Restart: 2026-11-16",
    ],
)
def test_without_a_line_that_matches_it_starts_when_the_milestone_was_made(description: str) -> None:
    assert start_day(description) == "11-10 09:00"
    assert Box(description=description).sprint().ignored_starts == ()


def test_a_date_that_does_not_exist_is_ignored_and_named() -> None:
    sprint = Box(description="Start: 2026-02-30").sprint()

    assert sprint.start == at("11-10 09:00")
    assert sprint.ignored_starts == ("“Start: 2026-02-30” is not a date in the calendar",)


def test_the_first_line_decides_even_if_its_date_does_not_exist() -> None:
    assert start_day("Start: 2026-11-31\nStart: 2026-11-16") == "11-10 09:00"


def test_a_start_after_the_due_date_is_ignored_and_named() -> None:
    sprint = Box(description="Start: 2026-11-28", due="2026-11-27").sprint()

    assert sprint.start == at("11-10 09:00")
    assert sprint.ignored_starts == ("“Start: 2026-11-28” lies after the due date, 2026-11-27",)


def test_a_sprint_may_start_on_its_due_date() -> None:
    sprint = Box(description="Start: 2026-11-27", due="2026-11-27").sprint()

    assert (sprint.start, sprint.end) == (at("11-27"), at("11-28"))


def test_the_latest_statement_holds() -> None:
    box = Box(start="11-16", due="2026-11-27").edited("11-12", start="11-18")

    assert box.sprint().start == at("11-18")
    assert box.sprint(as_of="11-12").start == at("11-16")


def test_a_later_line_that_must_be_ignored_leaves_the_earlier_statement() -> None:
    box = Box(start="11-16", due="2026-11-27").edited("11-12", description="Start: 2026-11-31")

    assert box.sprint().start == at("11-16")
    assert len(box.sprint().ignored_starts) == 1


def test_a_good_line_clears_the_warning() -> None:
    box = Box(description="Start: 2026-11-31").edited("11-12", start="11-16")

    assert box.sprint().ignored_starts == ()


def test_taking_the_line_out_states_nothing() -> None:
    assert Box(start="11-16").edited("11-12", description=None).sprint().start == at("11-16")


def test_a_running_sprint_may_still_move_its_start() -> None:
    box = Box(start="11-16", due="2026-11-27").edited("11-20", start="11-17")

    assert box.sprint().start == at("11-17")


def test_a_statement_after_the_end_comes_too_late() -> None:
    box = Box(start="11-16", due="2026-11-27").edited("11-28 00:00", start="11-18")

    assert box.sprint().start == at("11-16")


def test_a_statement_after_an_early_closing_comes_too_late() -> None:
    box = Box(start="11-16", due="2026-11-27").closed("11-20").edited("11-21", start="11-18")

    assert box.sprint().start == at("11-16")


def test_a_milestone_made_after_its_due_date_may_state_its_start() -> None:
    assert Box("12-01", start="11-16", due="2026-11-27").sprint().start == at("11-16")


# A milestone made on or after its start


def test_made_before_its_start_commits_at_the_start() -> None:
    assert Box("11-15 23:59:59", start="11-16").sprint().committed_at == at("11-16")


@pytest.mark.parametrize("created", ["11-16 00:00", "11-16 09:00", "11-16 23:59:59"])
def test_made_on_the_day_of_its_start_commits_at_the_end_of_that_day(created: str) -> None:
    assert Box(created, start="11-16").sprint().committed_at == at("11-17")


def test_made_later_commits_at_the_end_of_the_day_on_which_it_was_made() -> None:
    box = Box("11-18 09:00", start="11-16", due="2026-11-27")
    in_time = Card(1).opened("11-10", "points: 3").joined("11-18 10:00").estimated("11-18 11:00", 5)
    gone = Card(2).opened("11-10", "points: 2").joined("11-18 10:00").left("11-18 12:00")
    too_late = Card(3).opened("11-10", "points: 8").joined("11-19 00:00")
    facts = box.facts(in_time, gone, too_late)

    assert facts.committed.points == 5
    assert [(line.number, line.cause) for line in facts.ledger] == [(3, ScopeCause.ADDED)]


def test_made_later_its_commitment_ends_with_the_teams_day() -> None:
    sprint = Box("11-18T15:00:00+00:00", start="11-16").sprint(zone=AUCKLAND)  # 04:00 on the 19th there

    assert sprint.committed_at == datetime(2026, 11, 20, tzinfo=AUCKLAND)


def test_done_on_the_day_it_was_made_is_done() -> None:
    box = Box("11-16 09:00", start="11-16", due="2026-11-27")
    card = Card().opened("11-10", "points: 3").joined("11-16 10:00").closed("11-16 11:00")
    facts = box.facts(card)

    assert facts.committed.points == facts.done.points == 3


def test_without_a_start_line_it_commits_what_it_holds_at_the_end_of_its_first_day() -> None:
    card = Card().opened("11-10", "points: 3").joined("11-10 18:00")
    facts = Box("11-10 09:00", due="2026-11-27").facts(card)

    assert facts.committed.points == 3
    assert facts.days[0].date == date(2026, 11, 10)
    assert not facts.ledger


def test_while_its_first_day_runs_all_scope_is_the_commitment() -> None:
    card = Card().opened("11-10", "points: 3").joined("11-10 18:00")
    facts = Box("11-10 09:00", due="2026-11-27").facts(card, as_of="11-10 20:00")

    assert facts.committed == facts.scope
    assert facts.scope.points == 3


# The end


@pytest.mark.parametrize("time", ["00:00:00", "07:00:00", "08:00:00", "23:59:59"])
@pytest.mark.parametrize("zone", [UTC, BERLIN, AUCKLAND, LOS_ANGELES, KATHMANDU], ids=str)
def test_ends_with_the_local_day_of_the_utc_date_part(time: str, zone: ZoneInfo) -> None:
    sprint = Box(due_on=at(f"2026-11-27T{time}")).sprint(zone=zone)

    assert sprint.due == date(2026, 11, 27)
    assert sprint.end == datetime(2026, 11, 28, tzinfo=zone)


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        (BERLIN, "2026-10-18T22:00Z", "2026-10-30T23:00Z"),  # summer time ends on 25 October
        (LOS_ANGELES, "2026-10-19T07:00Z", "2026-10-31T07:00Z"),
        (AUCKLAND, "2026-10-18T11:00Z", "2026-10-30T11:00Z"),
        (KATHMANDU, "2026-10-18T18:15Z", "2026-10-30T18:15Z"),
    ],
    ids=str,
)
def test_days_are_the_teams_days(zone: ZoneInfo, start: str, end: str) -> None:
    box = Box("2026-10-01", description="Start: 2026-10-19", due="2026-10-30")
    facts = box.facts(zone=zone)

    assert (facts.sprint.start, facts.sprint.end) == (at(start), at(end))
    assert [day.date for day in facts.days] == [date(2026, 10, 19) + timedelta(days=n) for n in range(12)]


def test_a_day_of_25_hours_is_one_day() -> None:
    facts = Box("2026-10-01", description="Start: 2026-10-24", due="2026-10-26").facts(zone=BERLIN)
    ends = [day.at.astimezone(UTC) for day in facts.days]

    assert [(b - a) / timedelta(hours=1) for a, b in pairwise(ends)] == [25, 24]


def test_a_day_of_23_hours_is_one_day() -> None:
    facts = Box("2026-03-01", description="Start: 2026-03-28", due="2026-03-30").facts(zone=BERLIN)
    ends = [day.at.astimezone(UTC) for day in facts.days]

    assert [(b - a) / timedelta(hours=1) for a, b in pairwise(ends)] == [23, 24]


@pytest.mark.parametrize(
    ("closed", "zone", "day"),
    [
        ("2026-11-17T07:59:59Z", LOS_ANGELES, "11-16"),
        ("2026-11-17T08:00:00Z", LOS_ANGELES, "11-17"),
        ("2026-11-17T10:59:59Z", AUCKLAND, "11-17"),
        ("2026-11-17T11:00:00Z", AUCKLAND, "11-18"),
        ("2026-11-17T18:14:59Z", KATHMANDU, "11-17"),
        ("2026-11-17T18:15:00Z", KATHMANDU, "11-18"),
    ],
)
def test_work_counts_on_the_teams_day(closed: str, zone: ZoneInfo, day: str) -> None:
    card = Card().opened("11-01", "points: 5").joined("11-02").closed(closed)
    facts = Box("11-01", start="11-16", due="2026-11-27").facts(card, zone=zone)
    done_on = next(row.date for row in facts.days if row.done.points)

    assert f"{done_on:%m-%d}" == day


def test_without_a_due_date_it_has_no_end_until_it_is_closed() -> None:
    box = Box(start="11-16")

    assert box.sprint().end is None
    assert box.closed("11-25 10:00").sprint().end == at("11-25 10:00")


def test_closed_early_ends_at_that_moment() -> None:
    box = Box(start="11-16", due="2026-11-27").closed("11-25 10:00")
    card = Card().opened("11-10", "points: 5").joined("11-12").closed("11-25 10:00")

    assert box.sprint().end == at("11-25 10:00")
    assert box.facts(card).done.points == 0
    assert box.facts(card).days[-1].at == at("11-25 10:00")


def test_closed_late_ends_with_its_due_date() -> None:
    assert Box(due="2026-11-27").closed("12-02").sprint().end == at("11-28")


def test_opened_again_ends_with_its_due_date() -> None:
    box = Box(due="2026-11-27").closed("11-20").opened("11-21")

    assert box.sprint().end == at("11-28")
    assert box.sprint().closed_at is None


def test_deleted_is_closed_as_abandoned_at_that_moment() -> None:
    sprint = Box(due="2026-11-27").deleted("11-20 10:00").sprint()

    assert sprint.is_deleted
    assert sprint.end == at("11-20 10:00")


@pytest.mark.parametrize("due", [None, "2026-11-27"])
def test_deleting_a_closed_milestone_does_not_move_its_end(due: str | None) -> None:
    sprint = Box(due=due).closed("11-18 10:00").deleted("11-25").sprint()

    assert sprint.is_deleted
    assert sprint.end == at("11-18 10:00")


def test_deleted_after_its_end_keeps_its_end() -> None:
    assert Box(due="2026-11-27").deleted("12-05").sprint().end == at("11-28")


def test_a_due_date_that_moves_moves_the_end() -> None:
    box = Box(due="2026-11-27").edited("11-20", due="2026-12-04")

    assert box.sprint().end == at("12-05")
    assert box.sprint(as_of="11-20").end == at("11-28")


def test_a_due_date_that_is_taken_away_leaves_it_open_ended() -> None:
    assert Box(due="2026-11-27").edited("11-20", due=None).sprint().end is None


def test_made_after_its_due_date_is_due_before_it_starts() -> None:
    box = Box("12-01 09:00", due="2026-11-27")
    facts = box.facts(Card().opened("11-10", "points: 5", milestone=SPRINT))

    assert facts.sprint.is_due_before_start()
    assert facts.days == ()
    assert facts.total(ScopeCause.ADDED).count == 0


def test_renamed_is_still_the_same_sprint() -> None:
    sprint = Box(start="11-16").edited("11-20", title="Sprint 12b").sprint()

    assert (sprint.title, sprint.start) == ("Sprint 12b", at("11-16"))


# Where it stands


@pytest.mark.parametrize(
    ("now", "phase"),
    [
        ("11-15 23:59", Phase.PLANNED),
        ("11-16", Phase.ACTIVE),
        ("11-27 23:59", Phase.ACTIVE),
        ("11-28", Phase.ACTIVE),
        ("11-30 23:59", Phase.ACTIVE),
        ("12-01", Phase.COMPLETED),
    ],
)
def test_not_closed_three_days_after_its_end_is_completed(now: str, phase: Phase) -> None:
    assert Box(start="11-16", due="2026-11-27").sprint().phase(at(now)) is phase


def test_closed_after_its_end_is_completed() -> None:
    sprint = Box(start="11-16", due="2026-11-27").closed("11-29").sprint()

    assert sprint.phase(at("11-28 12:00")) is Phase.ACTIVE
    assert sprint.phase(at("11-29")) is Phase.COMPLETED


def test_closing_after_three_days_changes_no_number() -> None:
    card = Card().opened("11-10", "points: 5").joined("11-12").closed("11-20")
    left_open, closed = (Box(start="11-16", due="2026-11-27") for _ in range(2))
    closed.closed("12-10")

    before, after = left_open.facts(card), closed.facts(card)
    assert (before.committed, before.done, before.days) == (after.committed, after.done, after.days)


# Milestones of which we know only what items showed


def test_a_milestone_that_was_only_observed_is_a_sprint() -> None:
    box = Box("11-02 09:00", is_known=False, start="11-16", due="2026-11-27").observed("11-20")
    sprint = box.sprint()

    assert (sprint.start, sprint.end) == (at("11-16"), at("11-28"))
    assert sprint.committed_at == at("11-16")


def test_a_closed_milestone_that_was_only_observed_has_ended() -> None:
    box = Box("11-02", is_known=False, start="11-16", due="2026-11-27", closed_at=at("11-25 10:00"))

    assert box.observed("11-26").sprint().end == at("11-25 10:00")


def test_the_milestones_own_events_overrule_what_was_observed_since() -> None:
    box = Box("11-02", start="11-16", due="2026-11-27").observed("11-20", title="stale")

    assert box.sprint().title == "Sprint 12"


def test_observed_pictures_tell_of_the_time_before_the_first_own_event() -> None:
    box = Box("11-02", is_known=False, start="11-16", due="2026-11-27")
    box.observed("11-10").edited("11-18", title="Sprint 12b", due="2026-12-04")

    assert box.sprint(as_of="11-15").end == at("11-28")
    assert box.sprint().end == at("12-05")


def test_before_anything_was_known_the_first_picture_tells() -> None:
    assert Box("11-10", start="11-16").sprint(as_of="11-01").start == at("11-16")


def test_a_milestone_without_any_event_is_no_sprint() -> None:
    box = Box(is_known=False)

    with pytest.raises(ValueError, match="at least one event"):
        box.sprint()


def test_created_comes_before_everything_of_its_second() -> None:
    box = Box("11-10", title="first").edited("11-10", title="second")
    created, edited = box.events
    data = [
        MilestoneEvent(**{name: getattr(event, name) for name in _FIELDS} | {"delivery": delivery})
        for event, delivery in ((created, "z"), (edited, "a"))
    ]
    box.events = data

    assert box.sprint().title == "second"


_FIELDS = (
    *("milestone", "event", "at", "delivery", "number", "title"),
    "created_at",
    "description",
    "due_on",
)


# The goal


@pytest.mark.parametrize(
    ("description", "goal"),
    [
        ("Goal: Pay by card", "Pay by card"),
        ("goal:Pay by card  \r\nStart: 2026-11-16", "Pay by card"),
        ("Goal:\nPay by card", None),
        (None, None),
    ],
)
def test_the_goal_is_a_line_of_the_description(description: str | None, goal: str | None) -> None:
    assert Box(description=description).sprint().goal == goal


@pytest.mark.timeout(10)
def test_a_goal_full_of_spaces_takes_no_time() -> None:
    description = f"Goal: a{' ' * 60_000}b"

    assert Box(description=description).sprint().goal is not None


def test_an_estimate_in_the_commitment_may_be_a_fraction() -> None:
    card = Card().opened("11-10", "points: 0.5").joined("11-12")

    assert Box(start="11-16").facts(card).committed.points == Decimal("0.5")


def test_the_hour_that_autumn_repeats_is_an_hour() -> None:
    """00:45Z and 01:30Z are 02:45 and 02:30 on Berlin's clocks."""
    facts = Box("2026-10-25T00:45Z").closed("2026-10-25T01:30Z").facts(as_of="11-01", zone=BERLIN)
    assert not facts.sprint.is_due_before_start()
    assert [day.date.isoformat() for day in facts.days] == ["2026-10-25"]
