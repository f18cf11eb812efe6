"""Daily figures equal those computed from the events, however often and late the job runs."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import AsyncMock
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.jobs.daily_figures import DailyFigures, next_turn
from bot.services import Services
from sprints.calendar import Calendar
from sprints.facts import Facts
from sprints.flow import Flow
from sprints.flows import build_flows
from sprints.team import WorkCounts, build_team_days
from storage.closed_sprints import ClosedSprints
from storage.flows import Flows
from storage.measures import Measures
from storage.projects import Projects
from storage.recorder import Recorder, TimelineRow
from storage.sprints import Sprints
from storage.timeline import Timeline
from tests.support.builders import at
from tests.support.clock import Clock
from tests.support.flow_cards import FlowCard
from tests.support.running import WebhookClient, rows
from tests.support.webhooks import ISSUE_OPENED, only_tenant_id, record_deliveries

NOW = datetime(2026, 11, 10, 1, 30, tzinfo=UTC)
CURRENT = 70
_SPRINTS = {11: "2026-10-05", 12: "2026-10-12", 13: "2026-10-19", CURRENT: "2026-11-13"}


def milestone(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "number": number,
        "title": f"Sprint {number}",
        "description": "Goal: sell\nStart: 2026-11-02" if number == CURRENT else "",
        "created_at": "2026-10-01T08:00:00Z",
        "due_on": f"{_SPRINTS[number]}T07:00:00Z",
    }


def issue(number: int, action: str, at: str, sprint: int, **changes: Any) -> tuple[str, dict[str, Any]]:
    data = ISSUE_OPENED["issue"] | {
        "id": number,
        "node_id": f"I_{number}",
        "number": number,
        "created_at": "2026-10-02T09:00:00Z",
        "updated_at": at,
        "milestone": milestone(sprint),
        "labels": [{"name": f"points: {number}"}],
    }
    named = {"milestone": milestone(sprint)} if action == "milestoned" else {}
    return "issues", ISSUE_OPENED | named | {"action": action, "issue": data | changes}


def closing(number: int, at: str, sprint: int, **changes: Any) -> tuple[str, dict[str, Any]]:
    return issue(number, "closed", at, sprint, state="closed", closed_at=at, **changes)


def sent_by(data: tuple[str, dict[str, Any]], number: int, login: str, kind: str) -> Any:
    return data[0], data[1] | {"sender": {"id": number, "login": login, "type": kind}}


def story() -> list[tuple[str, dict[str, Any]]]:
    """Three finished sprints with a velocity of 3, and one that runs."""
    data: list[tuple[str, dict[str, Any]]] = [
        ("milestone", ISSUE_OPENED | {"action": "created", "milestone": milestone(sprint)})
        for sprint in _SPRINTS
    ]
    places = {1: 11, 3: 12, 8: 13, 2: CURRENT, 5: CURRENT, 13: CURRENT}
    for number, sprint in places.items():
        data.append(issue(number, "opened", "2026-10-02T09:00:00Z", sprint))
        data.append(issue(number, "milestoned", "2026-10-02T09:00:00Z", sprint))
    push = {
        "ref": "refs/heads/main",
        "after": "abc",
        "repository": ISSUE_OPENED["repository"] | {"default_branch": "main", "pushed_at": 1793880000},
        "commits": [{"author": {"username": entry}} for entry in ("Alice", "stranger", "nobody")],
    }
    return [
        *data,
        closing(1, "2026-10-05T10:00:00Z", 11),
        closing(3, "2026-10-12T10:00:00Z", 12),
        closing(8, "2026-10-19T10:00:00Z", 13),
        closing(5, "2026-11-04T10:00:00Z", CURRENT, assignees=[{"id": 1, "login": "alice"}]),
        sent_by(closing(2, "2026-11-05T23:59:59Z", CURRENT), 99, "a-robot[bot]", "Bot"),
        (
            "push",
            {name: value for name, value in (ISSUE_OPENED | push).items() if name not in {"action", "issue"}},
        ),
    ]


@pytest.fixture
async def organization(base: Services, webhook_client: WebhookClient, clock: Clock) -> int:
    """A tenant with a story, not measured yet."""
    await record_deliveries(base, webhook_client, story())
    clock.now = NOW
    return await only_tenant_id(base)


async def stored(base: Services, organization: int, columns: str = "*") -> dict[str, list[Any]]:
    return {
        table: await rows(base, f"select {columns} from {table} order by {key}", organization)
        for table, key in (("daily_metrics", "sprint_id, date"), ("team_metrics", "date, user_id"))
    }


async def folded(base: Services, organization: int) -> tuple[dict[int, Facts], dict[int, list[Any]]]:
    """Of each sprint the numbers now, and the days as they are stored."""
    async with base.database.tenant(organization) as tenant:
        (project,) = await Projects(tenant).active()
        sprints, measures = Sprints(tenant, project), Measures(tenant, project.id)
        ids = await measures.sprint_ids()
        facts = {milestone: await sprints.facts(milestone, NOW) for milestone in ids}
        days = {milestone: await measures.days(sprint_id) for milestone, sprint_id in ids.items()}
    return {milestone: result for milestone, result in facts.items() if result}, days


async def assert_days_are_those_of_the_fold(base: Services, organization: int) -> None:
    facts, days = await folded(base, organization)
    assert facts.keys() == days.keys() == _SPRINTS.keys()
    for entry, result in facts.items():
        data = [
            (
                day.date,
                day.scope.points,
                day.done.points,
                day.remaining.points,
                day.scope.count,
                day.done.count,
            )
            for day in result.days
            if result.sprint.calendar.midnight(day.date + timedelta(days=1)) <= NOW
        ]
        kept = [
            (
                day.date,
                day.total_points,
                day.completed_points,
                day.remaining_points,
                day.total_issues,
                day.completed_issues,
            )
            for day in days[entry]
        ]
        assert kept == data
        assert kept


async def test_days_are_those_of_the_fold(base: Services, clock: Clock, organization: int) -> None:
    await DailyFigures(base.database, clock).run(organization)

    await assert_days_are_those_of_the_fold(base, organization)
    _, days = await folded(base, organization)
    current = days[CURRENT]
    assert (current[0].date, current[-1].date) == (date(2026, 11, 2), date(2026, 11, 9))
    assert [int(day.remaining_points) for day in current] == [20, 20, 15, 13, 13, 13, 13, 13]
    # The median of 1, 3 and 8; on its own last day, the third of them has not ended before that day's end.
    assert {day.team_velocity for day in current} == {Decimal(3)}
    assert {day.team_velocity for day in days[13]} == {None}


async def test_sprints_are_described(base: Services, clock: Clock, organization: int) -> None:
    await DailyFigures(base.database, clock).run(organization)
    query = "select * from sprints where github_milestone_id = 70"
    (row,) = await rows(base, query, organization)
    assert (row.name, row.goal, row.status) == ("Sprint 70", "sell", "active")
    assert (row.start_date, row.end_date) == (date(2026, 11, 2), date(2026, 11, 13))
    assert row.description.startswith("Goal: sell")


async def test_measuring_twice_changes_nothing(base: Services, clock: Clock, organization: int) -> None:
    columns = "*, xmin::text"  # The transaction that wrote the row.
    await DailyFigures(base.database, clock).run(organization)
    once = await stored(base, organization, columns)
    await DailyFigures(base.database, clock).run(organization)
    assert await stored(base, organization, columns) == once


async def test_what_comes_late_corrects_an_open_sprint(
    base: Services, webhook_client: WebhookClient, clock: Clock, organization: int
) -> None:
    await DailyFigures(base.database, clock).run(organization)
    _, before = await folded(base, organization)
    clock.now = None
    await record_deliveries(base, webhook_client, [closing(13, "2026-11-03T10:00:00Z", CURRENT)])
    clock.now = NOW
    await DailyFigures(base.database, clock).run(organization)

    await assert_days_are_those_of_the_fold(base, organization)
    _, after = await folded(base, organization)
    assert [int(day.remaining_points) for day in after[CURRENT]] == [20, 7, 2, 0, 0, 0, 0, 0]
    assert {entry: days for entry, days in after.items() if entry != CURRENT} == {
        entry: days for entry, days in before.items() if entry != CURRENT
    }


async def test_days_that_a_sprint_no_longer_has_go(
    base: Services, webhook_client: WebhookClient, clock: Clock, organization: int
) -> None:
    await DailyFigures(base.database, clock).run(organization)
    moved = milestone(CURRENT) | {"due_on": "2026-11-06T07:00:00Z", "updated_at": "2026-11-05T08:00:00Z"}
    clock.now = None
    await record_deliveries(
        base, webhook_client, [("milestone", ISSUE_OPENED | {"action": "edited", "milestone": moved})]
    )
    clock.now = NOW
    await DailyFigures(base.database, clock).run(organization)
    _, days = await folded(base, organization)
    assert days[CURRENT][-1].date == date(2026, 11, 6)


async def test_snapshot_numbers_stay(
    base: Services, webhook_client: WebhookClient, clock: Clock, organization: int
) -> None:
    await DailyFigures(base.database, clock).run(organization)
    _, before = await folded(base, organization)
    async with base.database.tenant(organization) as tenant:
        (project,) = await Projects(tenant).active()
        sprints = Sprints(tenant, project)
        assert await sprints.closed(13, NOW)
        assert await ClosedSprints(tenant, {project.id}).latest(13)
    clock.now = None
    late = issue(21, "milestoned", "2026-10-18T10:00:00Z", 13)
    await record_deliveries(base, webhook_client, [late, closing(21, "2026-10-19T11:00:00Z", 13)])
    clock.now = NOW
    await DailyFigures(base.database, clock).run(organization)

    facts, after = await folded(base, organization)
    assert after == before
    assert facts[13].days[-1].done.points == 29  # As it would be, had nobody taken it.


async def test_a_team_s_rows_sum_to_its_totals(base: Services, clock: Clock, organization: int) -> None:
    await DailyFigures(base.database, clock).run(organization)
    (alice,) = await rows(base, "select id from users where github_username = 'alice'", organization)
    async with base.database.tenant(organization) as tenant:
        (project,) = await Projects(tenant).active()
        timeline, calendar = Timeline(tenant), project.rules.calendar
        first, last = date(2026, 10, 1), date(2026, 11, 9)
        flows = build_flows(await timeline.items(project.id), NOW, project.rules)
        pushes = await timeline.activity(project.id, "push", calendar.midnight(first), NOW)
        measures = Measures(tenant, project.id)
        days = build_team_days(flows, pushes, NOW, calendar, first, last)
        assert sum(day.total.commits for day in days) == 3
        for day in days:
            kept = await measures.team(day.date)
            works = (
                WorkCounts(row.issues_closed, row.points_completed, row.pull_requests, row.commits_count)
                for row in kept
            )
            assert sum(works, WorkCounts()) == day.total
        (of_alice,) = await measures.team(date(2026, 11, 4))
        assert (of_alice.user_id, of_alice.points_completed) == (alice.id, Decimal(5))
        with_push = await measures.team(datetime.fromtimestamp(1793880000, UTC).date())
        # The robot, the stranger and nobody are one row, without a user.
        assert [(row.user_id, row.commits_count) for row in with_push] == [(alice.id, 1), (None, 2)]
        assert with_push[-1].issues_closed == 1


async def test_what_becomes_known_of_long_ago_corrects_a_team_s_days(
    base: Services, clock: Clock, organization: int
) -> None:
    """As when a repository's past is asked for after its first nights."""
    await DailyFigures(base.database, clock).run(organization)
    long_ago = FlowCard(101).opened("2026-03-02", "points: 5").closed("2026-03-04").by("alice")
    async with base.database.tenant(organization) as tenant:
        (project,) = await Projects(tenant).active()
        await Recorder(tenant).record([TimelineRow(project.id, event) for event in long_ago.events])
    await DailyFigures(base.database, clock).run(organization)

    async with base.database.tenant(organization) as tenant:
        (row,) = await Measures(tenant, project.id).team(date(2026, 3, 4))
    assert (row.issues_closed, row.points_completed) == (1, Decimal(5))


async def test_all_can_be_measured_again(base: Services, clock: Clock, organization: int) -> None:
    """Also the days of sprints whose numbers were taken, which are those that were taken."""
    days, team = "date, to_jsonb(daily_metrics)", "date, to_jsonb(team_metrics)"

    async def read_stored() -> list[Any]:
        return [
            [(row[0], {k: v for k, v in row[1].items() if k not in {"id", "created_at"}}) for row in kept]
            for kept in (
                await rows(base, f"select {days} from daily_metrics order by sprint_id, date", organization),
                await rows(base, f"select {team} from team_metrics order by date, user_id", organization),
            )
        ]

    await DailyFigures(base.database, clock).run(organization)
    before = await read_stored()
    assert all(before)
    assert len(await rows(base, "select 1 from closed_sprints", organization)) == 3
    await rows(base, "delete from daily_metrics returning id", organization)
    await rows(base, "delete from team_metrics returning id", organization)
    await DailyFigures(base.database, clock).run(organization)
    assert await read_stored() == before


async def test_missed_nights_are_caught_up_with(base: Services, clock: Clock, organization: int) -> None:
    clock.now = datetime(2026, 10, 6, 1, 30, tzinfo=UTC)
    await DailyFigures(base.database, clock).run(organization)
    assert len((await stored(base, organization))["team_metrics"]) == 1
    clock.now = NOW  # More than two weeks later.
    await DailyFigures(base.database, clock).run(organization)
    await assert_days_are_those_of_the_fold(base, organization)
    assert {row.date.isoformat() for row in (await stored(base, organization))["team_metrics"]} == {
        "2026-10-05",
        "2026-10-12",
        "2026-10-19",
        "2026-11-04",
        "2026-11-05",
    }


async def test_a_bad_repository_stops_no_other(
    base: Services,
    webhook_client: WebhookClient,
    clock: Clock,
    organization: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = ISSUE_OPENED["repository"] | {"id": 6, "node_id": "R_6", "full_name": "acme/bad"}
    data = [
        (event, payload | {"repository": other})
        for event, payload in [
            ("milestone", ISSUE_OPENED | {"action": "created", "milestone": milestone(CURRENT) | {"id": 71}}),
            issue(90, "opened", "2026-11-02T09:00:00Z", CURRENT),
        ]
    ]
    clock.now = None
    await record_deliveries(base, webhook_client, data)
    read = Flows.done_within

    async def fail_for_one(flows: Flows, *moments: datetime) -> tuple[Flow, ...]:
        if flows.project.full_name == "acme/bad":
            raise RuntimeError("a bug")
        return await read(flows, *moments)

    monkeypatch.setattr(Flows, "done_within", fail_for_one)
    clock.now = NOW
    with capture_logs() as logs:
        await DailyFigures(base.database, clock).run(organization)

    assert [log["event"] for log in logs] == ["measuring failed"]
    assert len((await stored(base, organization))["team_metrics"]) == 6
    (row,) = await rows(base, "select next_measure_at from organizations", organization)
    assert NOW < row.next_measure_at < NOW + timedelta(days=1, hours=1)


async def test_a_tenant_that_cannot_be_measured_is_not_due_all_day(
    base: Services, clock: Clock, organization: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longest overdue come first: a hundred such tenants would keep all others from their turn."""
    monkeypatch.setattr(Projects, "active", AsyncMock(side_effect=RuntimeError))
    with pytest.raises(RuntimeError):
        await DailyFigures(base.database, clock).run(organization)

    (row,) = await rows(base, "select next_measure_at from organizations", organization)
    assert row.next_measure_at == clock() + timedelta(days=1)


_ZONES = ("UTC", "Europe/Berlin", "Europe/London", "America/New_York", "Atlantic/Azores", "Pacific/Apia")


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(_ZONES),
    st.integers(1, 2**60),
)
def test_the_next_turn_is_in_the_next_night(now: datetime, name: str, organization_id: int) -> None:
    zone = ZoneInfo(name)
    turn = next_turn(now, Calendar.of(zone), organization_id)
    # A night may be an hour longer; the spread is the same in each. Samoa once left out a day.
    assert now < turn <= now + timedelta(hours=49 if name == "Pacific/Apia" else 25)
    local = turn.astimezone(zone)
    evening, noon = (
        datetime.combine(local.date() + timedelta(days=days), datetime.min.time().replace(hour=12), zone)
        for days in (-1, 0)
    )
    if evening.utcoffset() == noon.utcoffset():
        assert local.hour == 1
    # Whoever is measured at its turn has the next one in the next night, at the same minute.
    after = next_turn(turn, Calendar.of(zone), organization_id)
    assert after - turn >= timedelta(hours=22)
    assert (after.minute, after.second) == (turn.minute, turn.second)


@pytest.mark.parametrize(
    ("now", "zone", "earliest"),
    [
        ("2026-03-28T12:00Z", "Europe/London", "2026-03-29T01:00Z"),  # 01:00 does not exist: it is 02:00.
        ("2026-10-24T12:00Z", "Europe/London", "2026-10-25T00:00Z"),  # 01:00 comes twice: the first.
        ("2026-10-24T12:00Z", "Europe/Berlin", "2026-10-24T23:00Z"),
    ],
)
def test_turns_when_clocks_change(now: str, zone: str, earliest: str) -> None:
    begin = datetime.fromisoformat(earliest)
    for organization_id in range(1, 50):
        turn = next_turn(datetime.fromisoformat(now), Calendar.of(ZoneInfo(zone)), organization_id)
        assert begin <= turn < begin + timedelta(hours=1)


async def test_the_turn_follows_the_organization_s_time_zone(
    base: Services, clock: Clock, organization: int
) -> None:
    await rows(
        base,
        """update organizations set settings = '{"timezone": "Asia/Tokyo"}' returning id""",
        organization,
    )
    await DailyFigures(base.database, clock).run(organization)
    (row,) = await rows(base, "select next_measure_at from organizations", organization)
    assert row.next_measure_at.astimezone(ZoneInfo("Asia/Tokyo")).hour == 1


async def test_a_night_reads_what_was_touched_and_what_tells_its_work(
    base: Services, organization: int
) -> None:
    """A parent, and a pull request, whose work is told by issues that nothing has happened to since."""
    parent = FlowCard(101).opened("10-02", "points: 5").closed("11-06")
    child = FlowCard(102).opened("10-02", "points: 1").child_of("10-03", parent).closed("10-04")
    fixed = FlowCard(103).opened("10-02", "points: 2").closed("10-05")
    fix = FlowCard(104).proposed("10-06", 103, author="bob").closed("11-06")
    old = FlowCard(105).opened("10-02", "points: 8").closed("10-20")
    since = at("11-01")

    async with base.database.tenant(organization) as tenant:
        (project,) = await Projects(tenant).active()
        timeline, calendar = Timeline(tenant), project.rules.calendar
        cards = [
            TimelineRow(project.id, event)
            for card in (parent, child, fixed, fix, old)
            for event in card.events
        ]
        await Recorder(tenant).record(cards)
        whole = build_flows(await timeline.items(project.id), NOW, project.rules)
        touched = await Flows(tenant, project).done_within(since, NOW, NOW)

    assert {101, 104} <= {flow.number for flow in touched}
    assert {102, 103, 105}.isdisjoint(flow.number for flow in touched)
    result = [
        build_team_days(flows, (), NOW, calendar, since.date(), NOW.date()) for flows in (whole, touched)
    ]
    assert result[0] == result[1]
    (day,) = [day for day in result[0] if day.date == date(2026, 11, 6)]
    assert day.total == WorkCounts(pull_requests=1)
