"""What happened since the last working day, and what waits."""

from datetime import date

import pytest
from hypothesis import given

from sprints.calendar import Calendar
from sprints.reviews import list_review_waits
from sprints.standup import Standup, build_standup, find_last_working_day
from tests.support.builders import at
from tests.support.flow_cards import FlowCard, Repository, calendar, flows, repositories
from tests.support.sprints_strategies import NOWS

MONDAY = "11-23 10:00"


def standup(*cards: FlowCard, now: str = MONDAY) -> Standup:
    result = list(flows(*cards, as_of=now).values())
    waits = list_review_waits(result, (), at(now))
    return build_standup(result, waits, at(now), calendar())


@pytest.mark.parametrize(
    ("today", "expected"),
    [("2026-11-24", "2026-11-23"), ("2026-11-23", "2026-11-20"), ("2026-11-22", "2026-11-20")],
)
def test_the_last_working_day_lies_before_today(today: str, expected: str) -> None:
    assert find_last_working_day(calendar(), date.fromisoformat(today)) == date.fromisoformat(expected)


def test_days_off_are_passed_over_and_a_team_that_never_works_has_yesterday() -> None:
    off = Calendar(holidays={date(2026, 11, 20)})
    assert find_last_working_day(off, date(2026, 11, 23)) == date(2026, 11, 19)
    assert find_last_working_day(Calendar(weekdays=()), date(2026, 11, 23)) == date(2026, 11, 22)


def test_it_begins_with_the_last_working_day_and_tells_the_weekend() -> None:
    cards = [
        FlowCard(1).opened("11-01").closed("11-19 23:59"),
        FlowCard(2).opened("11-01").closed("11-20 00:00"),
        FlowCard(3).opened("11-01").closed("11-22 12:00"),
        FlowCard(4).opened("11-01").started("11-20 08:00"),
        FlowCard(5).opened("11-01").started("11-19 08:00"),
    ]
    result = standup(*cards)

    assert [flow.number for flow in result.done] == [2, 3]
    assert [flow.number for flow in result.started] == [4]


def test_what_was_started_and_done_is_reported_once() -> None:
    result = standup(FlowCard().opened("11-01").started("11-20 08:00").closed("11-20 12:00"))
    assert ([flow.number for flow in result.done], result.started) == ([1], ())


def test_what_others_tell_is_reported_by_them() -> None:
    issue = FlowCard(1).opened("11-01").closed("11-20 12:00")
    pull = FlowCard(2).proposed("11-19", 1).closed("11-20 12:00")
    assert [flow.number for flow in standup(issue, pull).done] == [1]


def test_what_is_held_up_is_reported_however_long_ago_that_began() -> None:
    other = FlowCard(9).opened("11-01")
    cards = [
        FlowCard(1).opened("11-01").blocked("11-12", reason="no keys"),
        FlowCard(2).opened("11-01").blocked("11-10", other),
        FlowCard(3).opened("11-01").started("11-02").paused("11-10"),
        FlowCard(4).opened("11-01").started("11-02").paused("11-21"),
        FlowCard(5).proposed("11-12"),
    ]
    result = standup(*cards, other)

    assert [flow.number for flow in result.blocked] == [2, 1]
    assert [flow.number for flow in result.paused] == [4]
    assert [wait.flow.number for wait in result.waiting] == [5]


@given(repositories(), NOWS)
def test_lists_hold_what_their_names_say(repository: Repository, now: object) -> None:
    as_of = at(now)  # type: ignore[arg-type]
    result = build_standup(repository.flows(as_of), (), as_of, repository.rules.calendar)

    assert all(flow.done_at and flow.done_at < as_of for flow in result.done)
    assert all(flow.is_in_progress for flow in result.started)
    assert not {flow.item for flow in result.done} & {flow.item for flow in result.started}
    assert result.since < repository.rules.calendar.day_of(as_of)
