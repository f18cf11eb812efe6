"""Reports on a sprint: one sticky comment, alerts, and a summary."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bot.jobs.sprint_reports import next_turns
from sprints.calendar import Calendar
from sprints.gaps import GapCause
from sprints.milestone import GRACE_AFTER_END
from sprints.settings_parser import parse_settings
from storage.gaps import Gaps
from storage.job_types import MeasureJob
from storage.jobs import Jobs
from storage.tables import projects
from tests.support.builders import at
from tests.support.changes import query_database
from tests.support.clock import Clock
from tests.support.flow_cards import FlowCard
from tests.support.past import NOW, record_events, usual_past
from tests.support.reporting import ReportingHarness, close_sprint, make_joining_card
from tests.support.running import Bot, query_as_administrator, without_titles
from tests.support.sprints import make_sprint, use_private_repository

CHANCES = re.compile(r"more than 9 in 10|less than 1 in 10|\d in 10", re.IGNORECASE)


# The living comment


async def test_it_stands_where_the_settings_say_and_shows_the_sprint(
    tracked_sprint: ReportingHarness,
) -> None:
    (text,) = await tracked_sprint.advance()

    assert text.startswith("### Sprint 24 · day 3 of 5")
    assert "**6 of 12 points done** (50 %)" in text
    assert "in 10" in text
    assert "<picture>" in text
    assert "/charts/" in text
    assert "As of 18 Nov 2026, 12:00 UTC" in text
    assert "@" not in text


async def test_in_a_private_repository_nothing_leaves_github(reporting: ReportingHarness) -> None:
    await use_private_repository(reporting.bot)
    reporting.thread = await make_sprint(reporting.bot)
    await reporting.set_settings(tracking=reporting.thread)
    (text,) = await reporting.advance(datetime.now(UTC))

    assert "```mermaid" in text
    assert "http" not in text


async def test_nothing_is_posted_where_nobody_ever_asked(reporting: ReportingHarness) -> None:
    reporting.thread = await make_sprint(reporting.bot)
    assert await reporting.advance(datetime.now(UTC)) == []
    assert reporting.writes == 0


async def test_it_is_edited_when_facts_change_and_never_if_equal(tracked_sprint: ReportingHarness) -> None:
    await tracked_sprint.set_settings(alerts="off")
    await tracked_sprint.advance()
    writes = tracked_sprint.writes
    for hour in (13, 14, 18):
        await tracked_sprint.advance(f"2026-11-18 {hour}:00")
    assert tracked_sprint.writes == writes

    await record_events(tracked_sprint.bot, *make_joining_card(1).events)
    (text,) = await tracked_sprint.advance("2026-11-18 19:00")
    assert tracked_sprint.writes == writes + 1
    assert "**Scope since the start:** +1 point, 1 change\n- Wed 18 Nov · #2000 added, +1 point" in text


async def test_because_time_has_passed_it_is_edited_once_a_day(tracked_sprint: ReportingHarness) -> None:
    await tracked_sprint.set_settings(alerts="off")
    await tracked_sprint.advance()
    writes = tracked_sprint.writes
    for hour in (1, 8, 9, 20):
        await tracked_sprint.advance(f"2026-11-19 {hour:02}:00")
    assert tracked_sprint.writes == writes + 1


async def test_a_scope_change_tells_what_it_did_to_the_forecast_and_keeps_to_it(
    tracked_sprint: ReportingHarness,
) -> None:
    await tracked_sprint.advance()
    await record_events(tracked_sprint.bot, *make_joining_card(8).events)
    (text, *_) = await tracked_sprint.advance("2026-11-18 13:00")
    (line,) = [entry for entry in text.splitlines() if "#2000" in entry and "added" in entry]
    assert re.search(
        r"added, \+8 points · chance (\d|more than 9) in 10 → \*\*(\d|less than 1) in 10\*\*$", line
    )

    await record_events(tracked_sprint.bot, *make_joining_card(1, 2001, "11-18 15:00").events)
    (text, *_) = await tracked_sprint.advance("2026-11-18 16:00")
    assert line in text.splitlines()


async def test_a_line_contradicts_neither_the_line_before_it_nor_the_headline(
    tracked_sprint: ReportingHarness,
) -> None:
    events = [
        *make_joining_card(2, 2000, "11-18 12:30:01").events,
        *make_joining_card(3, 2001, "11-18 12:30:02").events,
    ]
    await record_events(tracked_sprint.bot, *events)
    (text, *_) = await tracked_sprint.advance("2026-11-18 12:30:03")
    lines = {
        number: next(line for line in text.splitlines() if f"#{number}" in line and "added" in line)
        for number in (2000, 2001)
    }
    first, second = (CHANCES.findall(lines[number]) for number in (2000, 2001))
    # Before and after the change.
    assert first[-1] == second[0], lines
    assert second[-1] == CHANCES.findall(text)[0].lower(), text


async def test_several_events_within_minutes_are_one_job(bot: Bot, clock: Clock) -> None:
    await make_sprint(bot)
    jobs = await waiting_for(bot, "redraw")
    assert len(jobs) == 1
    assert timedelta(minutes=2) < jobs[0].wait <= timedelta(minutes=3)


async def waiting_for(bot: Bot, task: str) -> list[Any]:
    """The jobs that wait for their time to run a task."""
    query = (
        "select scheduled_at - now() as wait from procrastinate_jobs "
        "where task_name = 'run_later' and args ->> 'task' = :task and status = 'todo'"
    )
    return query_as_administrator(bot.base, query, task=task)


async def test_the_thread_in_which_a_sprint_was_begun_is_where_it_is_followed(
    reporting: ReportingHarness,
) -> None:
    issue = await reporting.bot.github.create_issue(reporting.bot.repo, "Planning")
    reporting.thread = issue["number"]
    due = datetime.now(UTC).date() + timedelta(days=11)
    await reporting.bot.say(reporting.thread, f'/sprint start "Sprint 25" due:{due}')
    reporting.clock.now = datetime.now(UTC) + timedelta(minutes=5)
    messages = await reporting.advance()

    assert len(messages) == 2
    assert messages[1].startswith("### Sprint 25 · day 1 of 12")


async def test_a_sprint_that_is_renamed_before_it_begins_is_followed(reporting: ReportingHarness) -> None:
    issue = await reporting.bot.github.create_issue(reporting.bot.repo, "Planning")
    reporting.thread = issue["number"]
    start = datetime.now(UTC).date() + timedelta(days=1)
    due = start + timedelta(days=11)
    await reporting.bot.say(reporting.thread, f'/sprint start "Sprint 25" due:{due} start:{start}')
    await reporting.bot.github.update_milestone(reporting.bot.repo, 1, title="Payments")
    messages = await reporting.advance(
        datetime.combine(start, datetime.min.time(), UTC) + timedelta(hours=12)
    )

    assert messages[-1].startswith("### Payments · day 1 of 12")


async def test_disabled_check_is_absent(reporting: ReportingHarness) -> None:
    issue = await reporting.bot.github.create_issue(reporting.bot.repo, "Planning")
    reporting.thread = issue["number"]
    due = datetime.now(UTC).date() + timedelta(days=11)
    await reporting.bot.say(reporting.thread, f'/sprint start "Sprint 25" due:{due}')
    await reporting.set_settings(tracking="off")
    reporting.clock.now = datetime.now(UTC) + timedelta(minutes=5)

    assert len(await reporting.advance()) == 1


async def test_an_issue_of_its_own_is_opened_once_and_closed_when_all_is_over(
    reporting: ReportingHarness,
) -> None:
    await make_sprint(reporting.bot, start=-4, due=9)
    await reporting.set_settings(tracking="issue", summaries="off")
    now = datetime.now(UTC)
    await reporting.advance(now)
    await reporting.advance(now + timedelta(days=1))

    (issue,) = await reporting.issues("Sprint 12: progress")
    assert issue["state"] == "open"
    assert issue["body"].startswith("### Sprint 12 · day 6 of 14")
    await reporting.advance(now + timedelta(days=9) + GRACE_AFTER_END + timedelta(days=1))
    (issue,) = await reporting.issues("Sprint 12: progress")
    assert (issue["state"], issue["state_reason"]) == ("closed", "not_planned")


async def test_who_deletes_it_hears_no_more_of_this_sprint(tracked_sprint: ReportingHarness) -> None:
    await tracked_sprint.advance()
    (comment,) = [
        comment
        for comment in await tracked_sprint.bot.github.comments(
            tracked_sprint.bot.repo, tracked_sprint.thread
        )
        if comment["user"]["type"] == "Bot"
    ]
    await tracked_sprint.bot.github.delete_comment(tracked_sprint.bot.repo, comment["id"])
    await record_events(tracked_sprint.bot, *make_joining_card(8).events)

    assert await tracked_sprint.advance("2026-11-18 13:00") == []
    assert await tracked_sprint.advance("2026-11-19 13:00") == []


async def test_one_forecast_a_day_is_kept_to_be_graded(tracked_sprint: ReportingHarness) -> None:
    await tracked_sprint.advance()
    await record_events(tracked_sprint.bot, *make_joining_card(1).events)
    await tracked_sprint.advance("2026-11-18 15:00")
    await tracked_sprint.advance("2026-11-19 15:00")

    database = await query_database(
        tracked_sprint.bot, "select shown_in, made_at::date from forecasts order by id"
    )
    assert [tuple(entry) for entry in database] == [
        ("living", date(2026, 11, 18)),
        ("living", date(2026, 11, 19)),
    ]


# Alerts


async def test_scope_that_grew_is_a_comment_of_its_own_once(tracked_sprint: ReportingHarness) -> None:
    await tracked_sprint.set_settings(alerts={"half_way": False, "days_left": "off"})
    await tracked_sprint.advance()
    await record_events(tracked_sprint.bot, *make_joining_card(3).events)
    assert len(await tracked_sprint.advance("2026-11-18 13:00")) == 1  # Nobody is disturbed at lunch.
    _, alert = await tracked_sprint.advance("2026-11-19 09:00")

    assert alert.startswith(
        "**Sprint 24:** the scope has grown by 25 %, from 12 to 15 points. Latest changes: #2000 (+3 points)."
    )
    for day, hour in (("19", "11"), ("20", "09")):
        assert len(await tracked_sprint.advance(f"2026-11-{day} {hour}:00")) == 2


async def test_what_is_crossed_at_once_is_reported_at_once(tracked_sprint: ReportingHarness) -> None:
    await tracked_sprint.advance()
    await record_events(tracked_sprint.bot, *make_joining_card(3).events)
    _, alert = await tracked_sprint.advance("2026-11-19 09:00")

    assert "the scope has grown by 25 %" in alert
    assert "\n\n2 working days left, including today" in alert


async def test_what_was_blocked_for_three_working_days(tracked_sprint: ReportingHarness) -> None:
    await tracked_sprint.set_settings(alerts={"blocked": 1, "half_way": False, "days_left": False})
    card = make_joining_card(1)
    assert isinstance(card, FlowCard)
    await record_events(tracked_sprint.bot, *card.blocked("11-18 12:40", reason="no key").events)
    (text,) = await tracked_sprint.advance("2026-11-18 13:00")
    assert "**Blocked**\n- #2000 since today: no key" in text

    _, alert = await tracked_sprint.advance("2026-11-19 09:00")
    assert alert.startswith("**Sprint 24:** #2000 has been blocked for 1 working day: no key.")


async def test_half_way_the_last_two_days_and_a_lost_chance_are_all_that_a_sprint_hears(
    tracked_sprint: ReportingHarness,
) -> None:
    """With the tracking comment and the summary these are five notifications; four if it were finished.

    One item is open on the last morning. The first post is of the sprint that ended in the week before the
    bot came.
    """
    await tracked_sprint.set_settings(summaries="tracking")
    _, cards = usual_past()
    (late,) = [card for card in cards if card.id == "item-1042"]
    await record_events(tracked_sprint.bot, *late.closed("11-18 14:00").events)
    for day in range(18, 27):
        for hour in (1, 9, 13, 15):
            messages = await tracked_sprint.advance(f"2026-11-{day} {hour:02}:00")

    earlier, living, half_way, last_days, lost, summary = messages
    assert earlier.startswith("This milestone was due on 13 Nov 2026")
    assert living.startswith("### Sprint 24 · ended")
    assert "half of the working days are over, and 3 are left. **6 of 12 points done** (50 %)." in half_way
    assert (
        "2 working days left, including today. **9 of 12 points done** (75 %). Still open: #1043."
        in last_days
    )
    assert "now the chance is 1 in 10" in lost
    assert summary.startswith("This milestone was due on 20 Nov 2026 and nobody has closed it")


async def test_alerts_can_be_switched_off(tracked_sprint: ReportingHarness) -> None:
    await tracked_sprint.set_settings(alerts="off")
    await tracked_sprint.advance()
    await record_events(tracked_sprint.bot, *make_joining_card(8).events)

    assert len(await tracked_sprint.advance("2026-11-19 09:00")) == 1


@pytest.mark.parametrize(
    "silence",
    [{"quiet": {"1": "on"}}, {"quiet": {"1": "2026-11-19"}}, {"paused": True}],
    ids=["quiet", "until a day", "paused"],
)
async def test_where_it_is_quiet_nothing_new_is_stated_and_a_line_is_reported_later(
    tracked_sprint: ReportingHarness, silence: dict[str, Any]
) -> None:
    assert tracked_sprint.thread == 1
    await tracked_sprint.set_settings(alerts={"half_way": False, "days_left": False})
    await tracked_sprint.advance()
    await tracked_sprint.set_settings(**silence)
    await record_events(tracked_sprint.bot, *make_joining_card(8).events)
    assert len(await tracked_sprint.advance("2026-11-18 13:00")) == 1

    await tracked_sprint.set_settings(**dict.fromkeys(silence))
    assert len(await tracked_sprint.advance("2026-11-20 09:00")) == 2


async def test_standup_is_posted_once_a_day_where_requested(
    tracked_sprint: ReportingHarness,
) -> None:
    await tracked_sprint.set_settings(alerts="off", standup="09:30")
    assert len(await tracked_sprint.advance("2026-11-19 09:00")) == 1
    _, digest = await tracked_sprint.advance("2026-11-19 09:30")
    assert digest.startswith("### Since Wed 18 Nov")
    await record_events(tracked_sprint.bot, *make_joining_card(1, 2001, "11-19 09:40").events)
    assert (await tracked_sprint.advance("2026-11-19 10:00"))[1:] == [digest]
    assert len(await tracked_sprint.advance("2026-11-19 15:00")) == 2
    assert len(await tracked_sprint.advance("2026-11-20 10:00")) == 3
    assert len(await tracked_sprint.advance("2026-11-21 10:00")) == 3


# A team that will move: until then its old zone is in force.
MOVING = [{"zone": "Europe/Berlin"}, {"from": "2026-12-01", "zone": "Asia/Tokyo"}]


async def test_until_a_zone_begins_the_one_before_it_rules_the_standup(
    tracked_sprint: ReportingHarness,
) -> None:
    await tracked_sprint.set_settings(alerts="off", standup="09:30", timezone=MOVING)
    assert len(await tracked_sprint.advance("2026-11-19 08:29")) == 1
    _, digest = await tracked_sprint.advance("2026-11-19 08:31")
    assert "As of 19 Nov 2026, 09:31 CET" in digest


async def test_until_a_zone_begins_the_one_before_it_rules_quiet_hours(
    tracked_sprint: ReportingHarness,
) -> None:
    hours = {"from": "09:00", "until": "11:00"}  # In Berlin 08:00 to 10:00 UTC, in Tokyo 00:00 to 02:00.
    await tracked_sprint.set_settings(
        alerts={"half_way": False, "days_left": False}, timezone=MOVING, quiet_hours=hours
    )
    await tracked_sprint.advance()
    await record_events(tracked_sprint.bot, *make_joining_card(8).events)
    assert len(await tracked_sprint.advance("2026-11-19 08:30")) == 1
    assert len(await tracked_sprint.advance("2026-11-19 10:01")) == 2


# The summary


async def test_a_closed_milestone_is_summed_up_in_an_issue_that_is_nobody_s_work(
    reporting: ReportingHarness,
) -> None:
    closed = await close_sprint(reporting)
    for hours in (0, 1, 2):
        await reporting.advance(closed + timedelta(hours=hours))

    (issue,) = await reporting.issues("Summary: Sprint 12")
    assert (issue["state"], issue["state_reason"]) == ("closed", "not_planned")
    assert issue["body"].startswith("### Sprint 12 · summary")
    assert "provisional until a day after the closing" in issue["body"]


async def test_once_the_snapshot_is_taken_it_is_reported_by_them(reporting: ReportingHarness) -> None:
    closed = await close_sprint(reporting)
    await reporting.advance(closed)
    await reporting.advance(closed + timedelta(days=3))
    writes = reporting.writes
    (issue,) = await reporting.issues("Summary: Sprint 12")
    assert "Frozen on" in issue["body"]
    assert "provisional" not in issue["body"]
    await reporting.advance(closed + timedelta(days=4))
    assert reporting.writes == writes


async def test_when_the_goal_is_judged_the_summary_says_so(reporting: ReportingHarness) -> None:
    closed = await close_sprint(reporting)
    await reporting.advance(closed)
    reporting.clock.now = closed
    await reporting.bot.say(reporting.thread, '/sprint goal met milestone:"Sprint 12"')
    await reporting.advance(closed + timedelta(hours=1))
    (issue,) = await reporting.issues("Summary: Sprint 12")
    assert "**Goal met:** Pay by card" in issue["body"]


async def test_it_says_the_words_of_summary(reporting: ReportingHarness) -> None:
    closed = await close_sprint(reporting)
    await reporting.advance(closed)
    reporting.clock.now = closed
    await reporting.bot.say(reporting.thread, "/summary")
    (issue,) = await reporting.issues("Summary: Sprint 12")
    (answer,) = await reporting.read_thread()

    assert without_titles(issue["body"]).partition("<sub>")[0] == answer.partition("<sub>")[0]


async def test_where_the_sprint_was_followed_the_summary_is_reported_too(reporting: ReportingHarness) -> None:
    await make_sprint(reporting.bot)
    issue = await reporting.bot.github.create_issue(reporting.bot.repo, "Sprints")
    reporting.thread = issue["number"]
    await reporting.set_settings(tracking=reporting.thread)
    now = datetime.now(UTC)
    await reporting.advance(now)
    await reporting.bot.github.update_milestone(reporting.bot.repo, 1, state="closed")
    await reporting.bot.rest()
    _, summary = await reporting.advance(now + timedelta(minutes=3))

    assert summary.startswith("### Sprint 12 · summary")
    assert await reporting.issues("Summary: Sprint 12") == []


async def test_a_milestone_that_nobody_closes_is_stated_to_be_over_once(reporting: ReportingHarness) -> None:
    await make_sprint(reporting.bot, due=2)
    now = datetime.now(UTC)
    await reporting.advance(now + timedelta(days=4))
    assert await reporting.issues("Summary: Sprint 12") == []
    for days in (6, 7, 8):
        await reporting.advance(now + timedelta(days=days))

    (issue,) = await reporting.issues("Summary: Sprint 12")
    assert 'nobody has closed it: `/sprint close for:"Sprint 12"`' in issue["body"]


async def test_switched_off_nothing_is_summed_up(reporting: ReportingHarness) -> None:
    closed = await close_sprint(reporting, summaries="off")
    await reporting.advance(closed)
    assert await reporting.issues("Summary: Sprint 12") == []


async def test_sprint_ended_before_installation_gets_no_summary(reporting: ReportingHarness) -> None:
    await make_sprint(reporting.bot, start=-30, due=-10)
    await reporting.advance(datetime.now(UTC))
    assert await reporting.issues("Summary: Sprint 12") == []


@pytest.mark.parametrize(("days", "is_told"), [(2, True), (9, False)])
async def test_what_ended_without_a_webhook_is_summed_up_only_while_it_is_news(
    reporting: ReportingHarness, days: int, *, is_told: bool
) -> None:
    closed = await close_sprint(reporting)
    heard_again = closed + timedelta(days=days)
    tenant_id, project_id = await reporting.ids()
    async with reporting.bot.base.database.tenant(tenant_id) as tenant:
        await Gaps(tenant).add(GapCause.SUSPENDED, closed - timedelta(days=1), heard_again)
        read = update(projects).where(projects.c.id == project_id).values(synced_from=heard_again)
        await tenant.connection.execute(read)
    await reporting.advance(heard_again + timedelta(hours=1))
    assert bool(await reporting.issues("Summary: Sprint 12")) is is_told


async def test_a_milestone_that_is_no_time_box_is_left_alone(reporting: ReportingHarness) -> None:
    await make_sprint(reporting.bot, start=None, due=None)
    await reporting.set_settings(tracking="issue")
    await reporting.bot.github.update_milestone(reporting.bot.repo, 1, state="closed")
    await reporting.bot.rest()
    await reporting.advance(datetime.now(UTC) + timedelta(days=1))

    assert await reporting.issues("Summary: Sprint 12") == await reporting.issues("Sprint 12: progress") == []


# The clock


@pytest.mark.parametrize(
    ("now", "expected"), [("11-18 07:59", "11-18 08:00"), ("11-18 08:05", "11-19 08:00")]
)
def test_the_next_morning(now: str, expected: str) -> None:
    for organization_id in range(1, 30):
        (turn,) = next_turns(at(now), Calendar(), parse_settings({}), organization_id).values()
        assert at(expected) <= turn < at(expected) + timedelta(minutes=5)
        # When it has come, the next one is a day later, at the same second.
        (after,) = next_turns(turn, Calendar(), parse_settings({}), organization_id).values()
        assert after == turn + timedelta(days=1)


def test_the_turns_of_a_zone_are_spread_over_five_minutes() -> None:
    turns = [next_standup("11-18", Calendar(), organization_id) for organization_id in range(1, 1_001)]
    assert all(at("11-18 09:30") <= turn < at("11-18 09:35") for turn in turns)
    minutes = Counter(turn.minute for turn in turns)
    assert len(minutes) == 5
    assert max(minutes.values()) < 250


def test_the_turns_of_a_team_that_will_move_are_in_the_zone_of_their_day() -> None:
    calendar = parse_settings({"timezone": MOVING}).rules.calendar
    assert timedelta() <= next_standup("11-18 08:00", calendar) - at("11-18 08:30") < timedelta(minutes=5)
    # The day on which it moves is 8 hours shorter.
    assert timedelta() <= next_standup("11-30 08:35", calendar) - at("12-01 00:30") < timedelta(minutes=5)


def next_standup(now: str, calendar: Calendar, organization_id: int = 1) -> datetime:
    return next_turns(at(now), calendar, parse_settings({"standup": "09:30"}), organization_id)["standup"]


async def test_posts_are_refreshed_every_night(tracked_sprint: ReportingHarness) -> None:
    await tracked_sprint.set_settings(alerts="off")
    tenant, _ = await tracked_sprint.ids()
    async with tracked_sprint.bot.base.database.unscoped() as connection:
        await Jobs().defer(connection, MeasureJob(organization_id=tenant))
    await tracked_sprint.bot.rest()

    (text,) = await tracked_sprint.read_thread()
    assert text.startswith("### Sprint 24 · day 3 of 5")
    assert tracked_sprint.clock.now == NOW


async def test_a_sprint_that_needed_nothing_to_be_begun_is_followed_where_it_was(
    reporting: ReportingHarness,
) -> None:
    first = await make_sprint(reporting.bot)
    reporting.thread = first
    due = datetime.now(UTC).date() + timedelta(days=9)
    start = datetime.now(UTC).date() - timedelta(days=4)
    await reporting.bot.say(first, f'/sprint start "Sprint 12" due:{due} start:{start}')
    messages = await reporting.advance(datetime.now(UTC) + timedelta(minutes=5))

    assert messages[-1].startswith("### Sprint 12 · day 5 of 14")
