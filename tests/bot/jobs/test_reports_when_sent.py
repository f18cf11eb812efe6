"""Reports are decided when they are sent, and the actual end of a sprint is announced once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.github.client import GitHubUnavailableError
from reports.ended_sprint import EndedSprint
from storage.database import Tenant
from storage.post_states import Post, PostKind
from storage.posts import Posts
from storage.projects import Project
from tests.support.builders import at
from tests.support.flow_cards import FlowCard
from tests.support.past import record_events
from tests.support.reporting import CURRENT_MILESTONE, ReportingHarness, close_sprint, make_joining_card
from tests.support.running import query_as_administrator, rows
from tests.support.sprints import make_sprint

ALERTS = {"half_way": False, "days_left": "off", "forecast": "off"}


async def held_alert(reporting: ReportingHarness, when: str) -> None:
    """An alert that is wanted, while GitHub takes no new comment."""
    await reporting.set_settings(alerts=ALERTS)
    await reporting.advance("2026-11-18 12:30")
    await record_events(reporting.bot, *make_joining_card(3).events)
    reporting.bot.github.fail_next("POST", f"/issues/{reporting.thread}/comments", 502, times=50)
    with pytest.raises(GitHubUnavailableError):
        await reporting.advance(when)
    reporting.bot.github.clear_faults()
    assert len(await reporting.read_thread()) == 1


async def send(reporting: ReportingHarness, when: str) -> list[str]:
    """What waits is sent, and nothing else happens before."""
    reporting.clock.now = at(when)
    await reporting.bot.rest()
    tenant, _ = await reporting.ids()
    await reporting.posting.send(tenant)
    await reporting.bot.rest()
    return await reporting.read_thread()


async def test_an_alert_that_had_to_wait_is_reported_while_it_is_true(
    tracked_sprint: ReportingHarness,
) -> None:
    await held_alert(tracked_sprint, "2026-11-19 09:00")
    _, alert = await send(tracked_sprint, "2026-11-19 09:30")
    assert alert.startswith("**Sprint 24:** the scope has grown by 25 %, from 12 to 15 points.")


async def test_it_tells_the_numbers_of_when_it_is_sent(tracked_sprint: ReportingHarness) -> None:
    await held_alert(tracked_sprint, "2026-11-19 09:00")
    await record_events(tracked_sprint.bot, *make_joining_card(1, 2001, "11-19 09:10").events)
    _, alert = await send(tracked_sprint, "2026-11-19 09:30")
    assert "grown by 33 %, from 12 to 16 points" in alert


async def test_what_was_taken_out_meanwhile_is_reported_to_nobody(tracked_sprint: ReportingHarness) -> None:
    await held_alert(tracked_sprint, "2026-11-19 09:00")
    await record_events(tracked_sprint.bot, *FlowCard(2000).left("11-19 09:10", CURRENT_MILESTONE).events)
    assert len(await send(tracked_sprint, "2026-11-19 09:30")) == 1
    assert len(await tracked_sprint.advance("2026-11-20 09:00")) == 1


async def test_of_a_sprint_that_has_ended_nobody_is_alerted(tracked_sprint: ReportingHarness) -> None:
    await held_alert(tracked_sprint, "2026-11-20 09:00")
    assert len(await send(tracked_sprint, "2026-11-21 09:00")) == 1
    assert len(await tracked_sprint.advance("2026-11-23 09:00")) == 1


async def test_standup_is_not_posted_in_the_afternoon(tracked_sprint: ReportingHarness) -> None:
    await tracked_sprint.set_settings(alerts="off", standup="09:30")
    await tracked_sprint.advance("2026-11-19 09:00")
    tracked_sprint.bot.github.fail_next("POST", f"/issues/{tracked_sprint.thread}/comments", 502, times=50)
    with pytest.raises(GitHubUnavailableError):
        await tracked_sprint.advance("2026-11-19 09:30")
    tracked_sprint.bot.github.clear_faults()
    assert len(await send(tracked_sprint, "2026-11-19 15:00")) == 1


async def test_what_quiet_hours_hold_back_is_dropped_if_it_is_not_so_any_more(
    tracked_sprint: ReportingHarness,
) -> None:
    """The tracking comment of a sprint whose team takes it back at night."""
    await tracked_sprint.set_settings(quiet_hours={"from": "20:00", "until": "08:00"})
    await tracked_sprint.advance("2026-11-18 22:00")
    await tracked_sprint.set_settings(tracking="off")
    assert await send(tracked_sprint, "2026-11-19 08:01") == []


async def test_alerts_wait_for_the_end_of_quiet_hours_that_last_into_the_morning(
    tracked_sprint: ReportingHarness,
) -> None:
    await tracked_sprint.set_settings(alerts=ALERTS, quiet_hours={"from": "18:00", "until": "09:30"})
    await tracked_sprint.advance("2026-11-18 12:30")
    await record_events(tracked_sprint.bot, *make_joining_card(3).events)
    counts = [len(await tracked_sprint.advance(f"2026-11-19 {time}")) for time in ("08:30", "09:29", "09:31")]
    assert counts == [1, 1, 2]


async def test_where_it_is_not_known_what_to_say_it_is_asked_once_each_turn(
    reporting: ReportingHarness,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The summary waits for the end of quiet hours, and cannot be worked out any more."""
    closed = await close_sprint(reporting, quiet_hours={"from": "00:00", "until": "23:59:59"})
    await reporting.advance(closed)
    await reporting.set_settings(quiet_hours=None)
    attempts = list[datetime]()

    async def fail(_: EndedSprint) -> None:
        attempts.append(reporting.clock.now or closed)
        raise ValueError("cannot be worked out")

    with monkeypatch.context() as patch:
        patch.setattr(EndedSprint, "drafts", fail)
        for minutes in range(0, 12, 2):
            await reporting.advance(closed + timedelta(hours=1, minutes=minutes))

    # Each of six steps redraws once and sends once.
    assert len(attempts) <= 12
    assert await reporting.issues("Summary: Sprint 12") == []
    await reporting.advance(closed + timedelta(hours=2))
    assert len(await reporting.issues("Summary: Sprint 12")) == 1


async def test_the_last_days_are_reported_of_where_quiet_hours_begin_before_eight(
    tracked_sprint: ReportingHarness,
) -> None:
    """The team's morning begins with the end of its quiet hours."""
    await tracked_sprint.advance("2026-11-18 12:30")
    await tracked_sprint.set_settings(quiet_hours={"from": "07:30", "until": "06:00"})
    counts = [len(await tracked_sprint.advance(f"2026-11-19 {time}")) for time in ("05:30", "06:30", "09:00")]
    assert counts == [1, 2, 2]
    assert "2 working days" in (await tracked_sprint.read_thread())[1]


# Noise


@pytest.mark.timeout(600)
async def test_a_sprint_that_grows_every_day_is_announced_in_growing_steps(
    tracked_sprint: ReportingHarness,
) -> None:
    """12 points were committed; three items come in a day, day and night, for eleven days."""
    await tracked_sprint.set_settings(alerts=ALERTS, quiet_hours=None)
    await tracked_sprint.bot.github.wait_for_webhooks()
    data = list[tuple[datetime, str]]()
    number = 3000
    for day in range(11):
        for hour in (2, 9, 13):
            now = at("2026-11-18") + timedelta(days=day, hours=hour, minutes=14)
            if now < at("2026-11-18 12:30"):
                continue
            number += 1
            await record_events(tracked_sprint.bot, *make_joining_card(4, number, now.isoformat()).events)
            if day == 0 and hour == 13:
                await extend(tracked_sprint)
            messages = await tracked_sprint.advance(now + timedelta(minutes=4))
            data += [(now, text) for text in messages[1 + len(data) :]]

    assert 2 <= len(data) <= 5
    days = [moment.date() for moment, _ in data]
    assert len(set(days)) == len(days)
    assert all(day.weekday() < 5 for day in days)
    assert all(8 <= moment.hour < 12 for moment, _ in data)
    assert any("more than doubled" in text or "tripled" in text for _, text in data)
    assert not any("%" in text.partition(".")[0] for _, text in data[1:])


async def extend(reporting: ReportingHarness) -> None:
    """The sprint gets another week."""
    from tests.support.builders import Box  # noqa: PLC0415

    box = Box(
        "11-13", milestone=CURRENT_MILESTONE, number=24, title="Sprint 24", start="11-16", due="2026-11-20"
    )
    box.edited("11-18 13:00", due="2026-11-30")
    await record_events(reporting.bot, *box.events[1:])


async def test_what_should_be_said_is_computed_once_for_all_that_waits(
    tracked_sprint: ReportingHarness,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worked_out = list[int]()
    drafting = tracked_sprint.reports._drafting

    def counted(tenant: Tenant, project: Project, now: datetime, *, is_complete: bool) -> Any:
        worked_out.append(project.id)
        return drafting(tenant, project, now, is_complete=is_complete)

    await tracked_sprint.advance()
    monkeypatch.setattr(tracked_sprint.reports, "_drafting", counted)
    number, project = await tracked_sprint.ids()
    async with tracked_sprint.bot.base.database.tenant(number) as tenant:
        for n in range(20):
            post = Post(f"alert:{CURRENT_MILESTONE}:old-{n}", PostKind.COMMENT, "Old", tracked_sprint.thread)
            await Posts(tenant).set_desired(project, post, tracked_sprint.clock())
    await tracked_sprint.posting.send(number)

    assert worked_out == [project]
    assert len(await tracked_sprint.read_thread()) == 1


# It goes on


async def test_a_summary_of_a_sprint_that_was_opened_again_says_so(reporting: ReportingHarness) -> None:
    closed = await close_sprint(reporting)
    await reporting.advance(closed)
    (issue,) = await reporting.issues("Summary: Sprint 12")
    await reporting.bot.github.update_issue(
        reporting.bot.repo, issue["number"], body=f"{issue['body']}\n\nThe demo was great."
    )
    await reporting.bot.github.update_milestone(reporting.bot.repo, 1, state="open")
    await reporting.advance(closed + timedelta(hours=1))
    (issue,) = await reporting.issues("Summary: Sprint 12")

    assert issue["body"].startswith("**Sprint 12 continues**, so this is not its summary yet.")
    assert issue["body"].endswith("\n\nThe demo was great.")
    assert "points" not in issue["body"]
    assert await reporting.read_thread(issue["number"]) == []


async def test_actual_end_is_announced_once(reporting: ReportingHarness) -> None:
    closed = await close_sprint(reporting)
    await reporting.advance(closed)
    await reporting.bot.github.update_milestone(reporting.bot.repo, 1, state="open")
    await reporting.advance(closed + timedelta(hours=1))
    await reporting.bot.github.update_milestone(reporting.bot.repo, 1, state="closed")
    for hours in (2, 3, 80, 81):
        await reporting.advance(closed + timedelta(hours=hours))
    (issue,) = await reporting.issues("Summary: Sprint 12")

    assert issue["body"].startswith("### Sprint 12 · summary")
    (notice,) = await reporting.read_thread(issue["number"])
    assert notice.startswith("**Sprint 12 is over now.**")


async def test_the_notice_of_an_end_that_was_none_says_so_and_each_real_end_is_reported_once(
    reporting: ReportingHarness,
) -> None:
    moment = await close_sprint(reporting)
    await reporting.advance(moment)
    (issue,) = await reporting.issues("Summary: Sprint 12")
    for ends in range(1, 4):
        for state in ("open", "closed"):
            await reporting.bot.github.update_milestone(reporting.bot.repo, 1, state=state)
            moment += timedelta(hours=1)
            await reporting.advance(moment)
            await reporting.advance(moment + timedelta(minutes=5))
            notices = await reporting.read_thread(issue["number"])
            is_over = [notice.startswith("**Sprint 12 is over now.**") for notice in notices]
            assert is_over == [False] * (ends - 1) + [True] * (state == "closed")
    assert all(notice.startswith("**Sprint 12 continued after this.**") for notice in notices[:-1])


@pytest.mark.parametrize("is_pending", [False, True])
async def test_an_upgrade_leaves_a_frozen_summary_as_people_made_it(
    reporting: ReportingHarness, *, is_pending: bool
) -> None:
    """The row as versions left it that kept neither a basis nor what GitHub took."""
    closed = await close_sprint(reporting)
    await reporting.advance(closed)
    await reporting.advance(closed + timedelta(days=3))
    (issue,) = await reporting.issues("Summary: Sprint 12")
    assert "provisional" not in issue["body"]
    body = f"Ours, above.\n\n{issue['body']}"
    await reporting.bot.github.update_issue(
        reporting.bot.repo, issue["number"], body=body, title="Retro 12", state="open"
    )
    later = ", wanted_at = wanted_at + interval '1 day'" if is_pending else ""
    query_as_administrator(
        reporting.bot.base,
        f"update posts set sent_as = null, sent = 'another', data = data - 'basis'{later} "
        "where key like 'summary:%'",
    )
    writes = reporting.writes
    for hours in (74, 75, 100):
        await reporting.advance(closed + timedelta(hours=hours))
    (issue,) = await reporting.issues("Retro 12")

    assert (issue["body"], issue["state"], reporting.writes) == (body, "open", writes)
    ((key,),) = await rows(reporting.bot.base, "select key from posts where key like 'summary:%'", 1)
    await reporting.set_settings(goals={key.rpartition(":")[2]: "met"})
    await reporting.advance(closed + timedelta(hours=101))
    (issue,) = await reporting.issues("Retro 12")
    assert issue["body"].startswith("Ours, above.\n\n### Sprint 12")
    assert (issue["body"].count("### Sprint 12"), issue["state"]) == (1, "open")
    assert reporting.writes == writes + 1


async def test_a_summary_that_nobody_has_seen_yet_is_dropped_when_the_sprint_goes_on(
    reporting: ReportingHarness,
) -> None:
    closed = await close_sprint(reporting, quiet_hours={"from": "00:00", "until": "23:59:59"})
    await reporting.advance(closed)
    await reporting.bot.github.update_milestone(reporting.bot.repo, 1, state="open")
    await reporting.bot.rest()
    await reporting.set_settings(quiet_hours=None)
    await reporting.advance(closed + timedelta(hours=1))
    assert await reporting.issues("Summary: Sprint 12") == []


async def test_a_later_due_date_after_the_summary_lets_the_sprint_go_on(reporting: ReportingHarness) -> None:
    await make_sprint(reporting.bot, due=2)
    now = datetime.now(UTC)
    await reporting.advance(now + timedelta(days=6))
    assert len(await reporting.issues("Summary: Sprint 12")) == 1
    due = (now + timedelta(days=12)).strftime("%Y-%m-%dT12:00:00Z")
    await reporting.bot.github.update_milestone(reporting.bot.repo, 1, due_on=due)
    await reporting.advance(now + timedelta(days=7))

    (issue,) = await reporting.issues("Summary: Sprint 12")
    assert issue["body"].startswith("**Sprint 12 continues**, so this is not its summary yet. It is due on ")


async def test_the_tracking_comment_of_a_deleted_milestone_is_brought_to_its_end(
    reporting: ReportingHarness,
) -> None:
    await make_sprint(reporting.bot)
    issue = await reporting.bot.github.create_issue(reporting.bot.repo, "Sprints")
    reporting.thread = issue["number"]
    await reporting.set_settings(tracking=reporting.thread, alerts="off")
    now = datetime.now(UTC)
    (text,) = await reporting.advance(now)
    assert text.startswith("### Sprint 12 · day")
    await reporting.bot.github.call("DELETE", f"/repos/{reporting.bot.repo}/milestones/1")
    (text,) = await reporting.advance(now + timedelta(minutes=5))
    assert text.startswith("### Sprint 12 · abandoned")


async def test_where_its_thread_is_gone_the_summary_gets_an_issue_of_its_own(
    reporting: ReportingHarness,
) -> None:
    await make_sprint(reporting.bot)
    issue = await reporting.bot.github.create_issue(reporting.bot.repo, "Sprints")
    reporting.thread = issue["number"]
    await reporting.set_settings(tracking=reporting.thread, alerts="off")
    now = datetime.now(UTC)
    await reporting.advance(now)
    await reporting.bot.github.update_milestone(reporting.bot.repo, 1, state="closed")
    await reporting.bot.rest()
    reporting.bot.github.fail_next("GET", rf"/issues/{reporting.thread}$", 410, times=2)
    await reporting.advance(now + timedelta(minutes=3))

    (summary,) = await reporting.issues("Summary: Sprint 12")
    assert (summary["state"], summary["state_reason"]) == ("closed", "not_planned")
