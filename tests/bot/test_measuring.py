"""The stored daily figures are the fold, to the digit."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.measuring import Measuring, next_turn
from bot.services import Services
from sprints.calendar import Calendar
from sprints.rules import Rules
from storage.projects import Projects
from storage.sprints import Sprints
from tests.bot.test_closed import MILESTONE, entrance, issue, play, sprint, tell
from tests.builders import at, stamp, webhook
from tests.conftest import Clock
from tests.running import Door, rows

__all__ = ["entrance"]  # a fixture


async def stored(base: Services) -> list[Any]:
    return await rows(base, "select * from daily_metrics order by date", 1)


async def assert_as_folded(base: Services) -> None:
    async with base.database.tenant(1) as tenant:
        project = await Projects(tenant).named("acme/shop")
        assert project
        facts = await Sprints(tenant, project.id, Rules()).facts(MILESTONE, base.clock())
    assert facts
    complete = [day for day in facts.days if day.at <= base.clock() and day.at.time() == datetime.min.time()]
    assert [
        (
            row.date,
            row.total_points,
            row.completed_points,
            row.remaining_points,
            row.total_issues,
            row.completed_issues,
        )
        for row in await stored(base)
    ] == [
        (day.date, day.scope.points, day.done.points, day.remaining.points, day.scope.count, day.done.count)
        for day in complete
    ]


async def test_days_are_as_folded_and_stay_when_measured_again(
    base: Services, entrance: Door, clock: Clock
) -> None:
    await play(base, entrance)
    clock.now = at("11-19 12:00")
    measuring = Measuring(base.database, clock)
    await measuring.run(1)
    first = await stored(base)
    assert [row.date.day for row in first] == [16, 17, 18]
    await assert_as_folded(base)

    await measuring.run(1)
    assert await stored(base) == first
    await rows(base, "delete from daily_metrics returning id", 1)
    await measuring.run(1)
    assert [row[3:11] for row in await stored(base)] == [row[3:11] for row in first]


async def test_a_late_event_corrects_a_running_sprint(base: Services, entrance: Door, clock: Clock) -> None:
    await play(base, entrance)
    clock.now = at("11-19 12:00")
    measuring = Measuring(base.database, clock)
    await measuring.run(1)
    done = {"state": "closed", "state_reason": "completed", "closed_at": stamp("11-17")}
    await tell(base, entrance, ("issues", webhook("closed", issue=issue(2, "11-17", "points: 3", **done))))
    await measuring.run(1)

    await assert_as_folded(base)
    assert [row.completed_points for row in await stored(base)] == [0, 3, 8]


async def test_a_closed_sprint_keeps_its_days(base: Services, entrance: Door, clock: Clock) -> None:
    await play(base, entrance)
    clock.now = at("11-25")
    measuring = Measuring(base.database, clock)
    await measuring.run(1)
    before = await stored(base)
    assert len(before) == 5
    assert len(await rows(base, "select 1 from closed_sprints", 1)) == 1
    done = {"state": "closed", "state_reason": "completed", "closed_at": stamp("11-19")}
    await tell(base, entrance, ("issues", webhook("closed", issue=issue(2, "11-19", "points: 3", **done))))
    await measuring.run(1)
    assert await stored(base) == before


async def test_a_team_s_days_add_up_and_know_whom_they_met(
    base: Services, entrance: Door, clock: Clock
) -> None:
    await play(base, entrance)
    clock.now = at("11-19 12:00")
    await Measuring(base.database, clock).run(1)
    found = await rows(
        base,
        "select date, github_username, issues_closed, points_completed from team_metrics left join users on "
        "users.id = user_id",
        1,
    )
    assert found == [(date(2026, 11, 18), "alice", 1, Decimal(5))]
    (described,) = await rows(base, "select name, start_date, end_date, status from sprints", 1)
    assert described == ("Sprint 12", date(2026, 11, 16), date(2026, 11, 20), "active")
    assert sprint()["title"] == "Sprint 12"


@given(
    st.integers(0, 366 * 86400),
    st.integers(1, 10_000),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu", "Africa/Cairo"]),
)
def test_the_next_turn_is_in_the_coming_night(second: int, organization: int, zone: str) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    turn = next_turn(moment, Calendar.of(ZoneInfo(zone)), organization)
    assert timedelta(0) < turn - moment <= timedelta(hours=26)
    assert turn.astimezone(ZoneInfo(zone)).hour in {1, 2}
