"""What is said unasked of a sprint: one living comment, an alert where a line was crossed, and a summary."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bot.jobs.sprint_reports import SprintReports, next_turns
from bot.publishing.pictures import Drawing, Pictures
from bot.publishing.posts import PostPublisher
from bot.services import github_of
from sprints.calendar import Calendar
from sprints.gaps import GapCause
from sprints.milestone import GRACE_AFTER_END
from sprints.rules import rules_of
from storage.gaps import Gaps
from storage.jobs import Jobs
from storage.lookups import all_tenants
from storage.projects import Projects
from storage.tables import projects
from tests.bot.publishing.test_change_applier import in_database
from tests.commands.sprint.test_status import make_sprint, private_repository
from tests.conftest import Clock
from tests.support.builders import Card, at
from tests.support.flow_cards import FlowCard
from tests.support.past import NOW, record, tell_past, usual_past
from tests.support.running import Bot, rows

CURRENT = 7024
CHANCES = re.compile(r"certain|more than 9 in 10|less than 1 in 10|\d in 10", re.IGNORECASE)


@dataclass
class Room:
    """The bot, and what works out and sends what it says unasked, by a clock of the test's own."""

    bot: Bot
    clock: Clock
    reports: SprintReports
    posting: PostPublisher
    thread: int = 1

    async def settle(self, **settings: Any) -> None:
        tenant, project = await self.ids()
        async with self.bot.base.database.tenant(tenant) as one:
            for key, value in settings.items():
                await Projects(one).set_command_setting(project, key, value)

    async def ids(self) -> tuple[int, int]:
        async with self.bot.base.database.unscoped() as connection:
            (tenant,) = await all_tenants(connection)
        async with self.bot.base.database.tenant(tenant) as one:
            project = await Projects(one).by_name(self.bot.repo)
        assert project is not None
        return tenant, project.id

    async def go(self, to: str | datetime | None = None) -> list[str]:
        """Time passes, everything is redrawn and sent; what stands in the thread afterwards."""
        if to is not None:
            self.clock.now = at(to)
        # While an event is on its way, nothing new is said.
        await self.bot.rest()
        tenant, project = await self.ids()
        await self.reports.redraw(tenant, project)
        await self.bot.rest()
        await self.posting.send(tenant)
        # The bot's own job may have begun to send the same.
        await self.bot.rest()
        return await self.said()

    async def said(self, thread: int | None = None) -> list[str]:
        answers = await self.bot.answers(thread or self.thread)
        return [text.partition("\n\n<!-- agile-github-suite")[0] for text in answers]

    async def issues(self, title: str) -> list[dict[str, Any]]:
        found = await self.bot.github.call("GET", f"/repos/{self.bot.repo}/issues?state=all")
        return [one for one in found if one["title"] == title]

    @property
    def writes(self) -> int:
        told = self.bot.github.requests
        return sum(one[0] in {"POST", "PATCH"} and f"{self.bot.repo}/" in one[1] for one in told)


@pytest.fixture
async def room(bot: Bot, clock: Clock, drawing: Drawing) -> AsyncIterator[Room]:
    base = bot.base
    async with github_of(base) as github:
        pictures = Pictures(base.database, drawing, base.settings.public_url)
        reports = SprintReports(base.database, pictures, Jobs(base.queue), clock)
        yield Room(
            bot,
            clock,
            reports,
            PostPublisher(base.database, github, clock, reports.as_of_now, pause_seconds=0),
        )


@pytest.fixture
async def tracked(room: Room) -> Room:
    """A week's sprint with 12 points that began on Monday, followed in a thread; it is Wednesday noon."""
    room.thread = await tell_past(room.bot, room.clock)
    await room.settle(tracking=room.thread, summaries="off")
    return room


def joining(points: int, number: int = 2000, when: str = "11-18 12:30") -> Card:
    card = FlowCard(number, "Late wish", actor="bob").opened("11-10", f"points: {points}")
    return card.joined(when, CURRENT)


# The living comment


async def test_it_stands_where_the_settings_say_and_shows_the_sprint(tracked: Room) -> None:
    (text,) = await tracked.go()

    assert text.startswith("### Sprint 24 · day 3 of 5")
    assert "**6 of 12 points done** (50 %)" in text
    assert "in 10" in text
    assert "![" in text
    assert "/charts/" in text
    assert "As of 18 Nov 2026, 12:00 UTC" in text
    assert "@" not in text


async def test_in_a_private_repository_nothing_leaves_github(room: Room) -> None:
    await private_repository(room.bot)
    room.thread = await make_sprint(room.bot)
    await room.settle(tracking=room.thread)
    (text,) = await room.go(datetime.now(UTC))

    assert "```mermaid" in text
    assert "http" not in text


async def test_nothing_is_posted_where_nobody_ever_asked(room: Room) -> None:
    room.thread = await make_sprint(room.bot)
    assert await room.go(datetime.now(UTC)) == []
    assert room.writes == 0


async def test_it_is_edited_when_facts_change_and_never_if_equal(tracked: Room) -> None:
    await tracked.settle(alerts="off")
    await tracked.go()
    writes = tracked.writes
    for hour in (13, 14, 18):
        await tracked.go(f"2026-11-18 {hour}:00")
    assert tracked.writes == writes

    await record(tracked.bot, *joining(1).events)
    (text,) = await tracked.go("2026-11-18 19:00")
    assert tracked.writes == writes + 1
    assert "**Scope since the start:** +1 point, 1 change\n- Wed 18 Nov · #2000 came in, +1 point" in text


async def test_because_time_has_passed_it_is_edited_once_a_day(tracked: Room) -> None:
    await tracked.settle(alerts="off")
    await tracked.go()
    writes = tracked.writes
    for hour in (1, 8, 9, 20):
        await tracked.go(f"2026-11-19 {hour:02}:00")
    assert tracked.writes == writes + 1


async def test_a_scope_change_tells_what_it_did_to_the_forecast_and_keeps_to_it(tracked: Room) -> None:
    await tracked.go()
    await record(tracked.bot, *joining(8).events)
    (text, *_) = await tracked.go("2026-11-18 13:00")
    (line,) = [one for one in text.splitlines() if "#2000" in one and "came in" in one]
    assert re.search(
        r"came in, \+8 points · chance (\d|more than 9) in 10 → \*\*(\d|less than 1) in 10\*\*$", line
    )

    await record(tracked.bot, *joining(1, 2001, "11-18 15:00").events)
    (text, *_) = await tracked.go("2026-11-18 16:00")
    assert line in text.splitlines()


async def test_a_line_contradicts_neither_the_line_before_it_nor_the_headline(tracked: Room) -> None:
    events = [*joining(2, 2000, "11-18 12:30:01").events, *joining(3, 2001, "11-18 12:30:02").events]
    await record(tracked.bot, *events)
    (text, *_) = await tracked.go("2026-11-18 12:30:03")
    lines = {
        number: next(line for line in text.splitlines() if f"#{number} came" in line)
        for number in (2000, 2001)
    }
    first, second = (CHANCES.findall(lines[number]) for number in (2000, 2001))
    # Before and after the change.
    assert first[-1] == second[0], lines
    assert second[-1] == CHANCES.findall(text)[0].lower(), text


async def test_several_events_within_minutes_are_one_job(bot: Bot, clock: Clock) -> None:
    await make_sprint(bot)
    jobs = await in_jobs(bot, "redraw_later")
    assert len(jobs) == 1
    assert timedelta(minutes=2) < jobs[0].wait <= timedelta(minutes=3)


async def in_jobs(bot: Bot, task: str) -> list[Any]:
    query = (
        "select scheduled_at - now() as wait from procrastinate_jobs "
        f"where task_name = '{task}' and status = 'todo'"
    )
    return await rows(bot.base, query)


async def test_the_thread_in_which_a_sprint_was_begun_is_where_it_is_followed(room: Room) -> None:
    issue = await room.bot.github.create_issue(room.bot.repo, "Planning")
    room.thread = issue["number"]
    due = datetime.now(UTC).date() + timedelta(days=11)
    await room.bot.say(room.thread, f'/sprint start "Sprint 25" due:{due}')
    room.clock.now = datetime.now(UTC) + timedelta(minutes=5)
    said = await room.go()

    assert len(said) == 2
    assert said[1].startswith("### Sprint 25 · day 1 of 12")


async def test_a_sprint_that_is_renamed_before_it_begins_is_followed(room: Room) -> None:
    issue = await room.bot.github.create_issue(room.bot.repo, "Planning")
    room.thread = issue["number"]
    start = datetime.now(UTC).date() + timedelta(days=1)
    due = start + timedelta(days=11)
    await room.bot.say(room.thread, f'/sprint start "Sprint 25" due:{due} start:{start}')
    await room.bot.github.update_milestone(room.bot.repo, 1, title="Payments")
    said = await room.go(datetime.combine(start, datetime.min.time(), UTC) + timedelta(hours=12))

    assert said[-1].startswith("### Payments · day 1 of 12")


async def test_switched_off_it_is_nowhere(room: Room) -> None:
    issue = await room.bot.github.create_issue(room.bot.repo, "Planning")
    room.thread = issue["number"]
    due = datetime.now(UTC).date() + timedelta(days=11)
    await room.bot.say(room.thread, f'/sprint start "Sprint 25" due:{due}')
    await room.settle(tracking="off")
    room.clock.now = datetime.now(UTC) + timedelta(minutes=5)

    assert len(await room.go()) == 1


async def test_an_issue_of_its_own_is_opened_once_and_closed_when_all_is_over(room: Room) -> None:
    await make_sprint(room.bot, start=-4, due=9)
    await room.settle(tracking="issue", summaries="off")
    now = datetime.now(UTC)
    await room.go(now)
    await room.go(now + timedelta(days=1))

    (issue,) = await room.issues("Sprint 12: progress")
    assert issue["state"] == "open"
    assert issue["body"].startswith("### Sprint 12 · day 6 of 14")
    await room.go(now + timedelta(days=9) + GRACE_AFTER_END + timedelta(days=1))
    (issue,) = await room.issues("Sprint 12: progress")
    assert (issue["state"], issue["state_reason"]) == ("closed", "not_planned")


async def test_who_deletes_it_hears_no_more_of_this_sprint(tracked: Room) -> None:
    await tracked.go()
    (comment,) = [
        one
        for one in await tracked.bot.github.comments(tracked.bot.repo, tracked.thread)
        if one["user"]["type"] == "Bot"
    ]
    await tracked.bot.github.delete_comment(tracked.bot.repo, comment["id"])
    await record(tracked.bot, *joining(8).events)

    assert await tracked.go("2026-11-18 13:00") == []
    assert await tracked.go("2026-11-19 13:00") == []


async def test_one_forecast_a_day_is_kept_to_be_graded(tracked: Room) -> None:
    await tracked.go()
    await record(tracked.bot, *joining(1).events)
    await tracked.go("2026-11-18 15:00")
    await tracked.go("2026-11-19 15:00")

    told = await in_database(tracked.bot, "select shown_in, made_at::date from forecasts order by id")
    assert [tuple(one) for one in told] == [("living", date(2026, 11, 18)), ("living", date(2026, 11, 19))]


# Alerts


async def test_scope_that_grew_is_a_comment_of_its_own_once(tracked: Room) -> None:
    await tracked.settle(alerts={"half_way": False, "days_left": "off"})
    await tracked.go()
    await record(tracked.bot, *joining(3).events)
    assert len(await tracked.go("2026-11-18 13:00")) == 1  # Nobody is disturbed at lunch.
    _, alert = await tracked.go("2026-11-19 09:00")

    assert alert.startswith(
        "**Sprint 24:** its scope has grown by 25 %, from 12 to 15 points. The latest: #2000 (+3 points)."
    )
    for day, hour in (("19", "11"), ("20", "09")):
        assert len(await tracked.go(f"2026-11-{day} {hour}:00")) == 2


async def test_what_is_crossed_at_once_is_told_at_once(tracked: Room) -> None:
    await tracked.go()
    await record(tracked.bot, *joining(3).events)
    _, alert = await tracked.go("2026-11-19 09:00")

    assert "its scope has grown by 25 %" in alert
    assert "\n\n2 working days left, today included" in alert


async def test_what_was_blocked_for_three_working_days(tracked: Room) -> None:
    await tracked.settle(alerts={"blocked": 1, "half_way": False, "days_left": False})
    card = joining(1)
    assert isinstance(card, FlowCard)
    await record(tracked.bot, *card.blocked("11-18 12:40", reason="no key").events)
    (text,) = await tracked.go("2026-11-18 13:00")
    assert "**Blocked**\n- #2000 since today: no key" in text

    _, alert = await tracked.go("2026-11-19 09:00")
    assert alert.startswith("**Sprint 24:** #2000 has been blocked for 1 working day: no key.")


async def test_half_way_the_last_two_days_and_a_lost_chance_are_all_that_a_sprint_hears(
    tracked: Room,
) -> None:
    """With the tracking comment and the summary these are five notifications; four if it were finished.

    One item is open on the last morning. The first post is of the sprint that ended in the week before the
    bot came.
    """
    await tracked.settle(summaries="tracking")
    _, cards = usual_past()
    (late,) = [card for card in cards if card.id == "item-1042"]
    await record(tracked.bot, *late.closed("11-18 14:00").events)
    for day in range(18, 27):
        for hour in (1, 9, 13, 15):
            said = await tracked.go(f"2026-11-{day} {hour:02}:00")

    earlier, living, half_way, last_days, lost, summary = said
    assert earlier.startswith("This milestone was due on 13 Nov 2026")
    assert living.startswith("### Sprint 24 · ended")
    assert "half of its working days are over, 3 are left. **6 of 12 points done** (50 %)." in half_way
    assert "2 working days left, today included. **9 of 12 points done** (75 %). Open: #1043." in last_days
    assert "now the chance is 1 in 10" in lost
    assert summary.startswith("This milestone was due on 20 Nov 2026 and nobody has closed it")


async def test_alerts_can_be_switched_off(tracked: Room) -> None:
    await tracked.settle(alerts="off")
    await tracked.go()
    await record(tracked.bot, *joining(8).events)

    assert len(await tracked.go("2026-11-19 09:00")) == 1


@pytest.mark.parametrize(
    "silence",
    [{"quiet": {"1": "on"}}, {"quiet": {"1": "2026-11-19"}}, {"paused": True}],
    ids=["quiet", "until a day", "paused"],
)
async def test_where_it_is_quiet_nothing_new_is_said_and_a_line_is_told_later(
    tracked: Room, silence: dict[str, Any]
) -> None:
    assert tracked.thread == 1
    await tracked.settle(alerts={"half_way": False, "days_left": False})
    await tracked.go()
    await tracked.settle(**silence)
    await record(tracked.bot, *joining(8).events)
    assert len(await tracked.go("2026-11-18 13:00")) == 1

    await tracked.settle(**dict.fromkeys(silence))
    assert len(await tracked.go("2026-11-20 09:00")) == 2


async def test_a_standup_is_told_once_a_day_where_somebody_asked_for_it(tracked: Room) -> None:
    await tracked.settle(alerts="off", standup="09:30")
    assert len(await tracked.go("2026-11-19 09:00")) == 1
    _, digest = await tracked.go("2026-11-19 09:30")
    assert digest.startswith("### Since Wed 18 Nov")
    await record(tracked.bot, *joining(1, 2001, "11-19 09:40").events)
    assert (await tracked.go("2026-11-19 10:00"))[1:] == [digest]
    assert len(await tracked.go("2026-11-19 15:00")) == 2
    assert len(await tracked.go("2026-11-20 10:00")) == 3
    assert len(await tracked.go("2026-11-21 10:00")) == 3


# A team that will move: until then its old zone is in force.
MOVING = [{"zone": "Europe/Berlin"}, {"from": "2026-12-01", "zone": "Asia/Tokyo"}]


async def test_until_a_zone_begins_the_one_before_it_rules_the_standup(tracked: Room) -> None:
    await tracked.settle(alerts="off", standup="09:30", timezone=MOVING)
    assert len(await tracked.go("2026-11-19 08:29")) == 1
    _, digest = await tracked.go("2026-11-19 08:31")
    assert "As of 19 Nov 2026, 09:31 CET" in digest


async def test_until_a_zone_begins_the_one_before_it_rules_quiet_hours(tracked: Room) -> None:
    hours = {"from": "09:00", "until": "11:00"}  # In Berlin 08:00 to 10:00 UTC, in Tokyo 00:00 to 02:00.
    await tracked.settle(alerts={"half_way": False, "days_left": False}, timezone=MOVING, quiet_hours=hours)
    await tracked.go()
    await record(tracked.bot, *joining(8).events)
    assert len(await tracked.go("2026-11-19 08:30")) == 1
    assert len(await tracked.go("2026-11-19 10:01")) == 2


# The summary


async def closed_sprint(room: Room, **settings: Any) -> datetime:
    """A sprint whose milestone was closed just now."""
    room.thread = await make_sprint(room.bot)
    await room.settle(**settings)
    await room.bot.github.update_milestone(room.bot.repo, 1, state="closed")
    await room.bot.rest()
    return datetime.now(UTC) + timedelta(minutes=3)


async def test_a_closed_milestone_is_summed_up_in_an_issue_that_is_nobody_s_work(room: Room) -> None:
    closed = await closed_sprint(room)
    for hours in (0, 1, 2):
        await room.go(closed + timedelta(hours=hours))

    (issue,) = await room.issues("Summary: Sprint 12")
    assert (issue["state"], issue["state_reason"]) == ("closed", "not_planned")
    assert issue["body"].startswith("### Sprint 12 · summary")
    assert "provisional until a day after the closing" in issue["body"]


async def test_once_the_numbers_are_taken_it_is_told_by_them(room: Room) -> None:
    closed = await closed_sprint(room)
    await room.go(closed)
    await room.go(closed + timedelta(days=3))
    writes = room.writes
    (issue,) = await room.issues("Summary: Sprint 12")
    assert "Frozen on" in issue["body"]
    assert "provisional" not in issue["body"]
    await room.go(closed + timedelta(days=4))
    assert room.writes == writes


async def test_when_the_goal_is_judged_the_summary_says_so(room: Room) -> None:
    closed = await closed_sprint(room)
    await room.go(closed)
    room.clock.now = closed
    await room.bot.say(room.thread, '/sprint goal met milestone:"Sprint 12"')
    await room.go(closed + timedelta(hours=1))
    (issue,) = await room.issues("Summary: Sprint 12")
    assert "**Goal met:** Pay by card" in issue["body"]


async def test_it_says_the_words_of_summary(room: Room) -> None:
    closed = await closed_sprint(room)
    await room.go(closed)
    room.clock.now = closed
    await room.bot.say(room.thread, "/summary")
    (issue,) = await room.issues("Summary: Sprint 12")
    (answer,) = await room.said()

    assert issue["body"].partition("<sub>")[0] == answer.partition("<sub>")[0]


async def test_where_the_sprint_was_followed_the_summary_is_told_too(room: Room) -> None:
    await make_sprint(room.bot)
    issue = await room.bot.github.create_issue(room.bot.repo, "Sprints")
    room.thread = issue["number"]
    await room.settle(tracking=room.thread)
    now = datetime.now(UTC)
    await room.go(now)
    await room.bot.github.update_milestone(room.bot.repo, 1, state="closed")
    await room.bot.rest()
    _, summary = await room.go(now + timedelta(minutes=3))

    assert summary.startswith("### Sprint 12 · summary")
    assert await room.issues("Summary: Sprint 12") == []


async def test_a_milestone_that_nobody_closes_is_said_to_be_over_once(room: Room) -> None:
    await make_sprint(room.bot, due=2)
    now = datetime.now(UTC)
    await room.go(now + timedelta(days=4))
    assert await room.issues("Summary: Sprint 12") == []
    for days in (6, 7, 8):
        await room.go(now + timedelta(days=days))

    (issue,) = await room.issues("Summary: Sprint 12")
    assert "nobody has closed it: `/sprint close`" in issue["body"]


async def test_switched_off_nothing_is_summed_up(room: Room) -> None:
    closed = await closed_sprint(room, summaries="off")
    await room.go(closed)
    assert await room.issues("Summary: Sprint 12") == []


async def test_what_ended_long_before_we_came_is_not_ours_to_sum_up(room: Room) -> None:
    await make_sprint(room.bot, start=-30, due=-10)
    await room.go(datetime.now(UTC))
    assert await room.issues("Summary: Sprint 12") == []


@pytest.mark.parametrize(("days", "is_told"), [(2, True), (9, False)])
async def test_what_ended_unheard_is_summed_up_only_while_it_is_news(
    room: Room, days: int, *, is_told: bool
) -> None:
    closed = await closed_sprint(room)
    heard_again = closed + timedelta(days=days)
    tenant_id, project_id = await room.ids()
    async with room.bot.base.database.tenant(tenant_id) as tenant:
        await Gaps(tenant).add(GapCause.SUSPENDED, closed - timedelta(days=1), heard_again)
        read = update(projects).where(projects.c.id == project_id).values(synced_from=heard_again)
        await tenant.connection.execute(read)
    await room.go(heard_again + timedelta(hours=1))
    assert bool(await room.issues("Summary: Sprint 12")) is is_told


async def test_a_milestone_that_is_no_time_box_is_left_alone(room: Room) -> None:
    await make_sprint(room.bot, start=None, due=None)
    await room.settle(tracking="issue")
    await room.bot.github.update_milestone(room.bot.repo, 1, state="closed")
    await room.bot.rest()
    await room.go(datetime.now(UTC) + timedelta(days=1))

    assert await room.issues("Summary: Sprint 12") == await room.issues("Sprint 12: progress") == []


# The clock


@pytest.mark.parametrize(
    ("now", "expected"), [("11-18 07:59", "11-18 08:00"), ("11-18 08:00", "11-19 08:00")]
)
def test_the_next_morning(now: str, expected: str) -> None:
    assert next_turns(at(now), Calendar(), {}) == {"morning": at(expected)}
    assert next_turns(at("11-18"), Calendar(), {"standup": "09:30"})["standup"] == at("11-18 09:30")


def test_the_turns_of_a_team_that_will_move_are_in_the_zone_of_their_day() -> None:
    calendar = rules_of({"timezone": MOVING}).calendar
    assert next_turns(at("11-18 08:00"), calendar, {"standup": "09:30"})["standup"] == at("11-18 08:30")
    # The day on which it moves is 8 hours shorter.
    assert next_turns(at("11-30 08:30"), calendar, {"standup": "09:30"})["standup"] == at("12-01 00:30")


async def test_every_night_what_is_said_is_brought_up_to_date(tracked: Room) -> None:
    await tracked.settle(alerts="off")
    tenant, _ = await tracked.ids()
    async with tracked.bot.base.database.unscoped() as connection:
        await Jobs(tracked.bot.base.queue).measure(connection, organization_id=tenant)
    await tracked.bot.rest()

    (text,) = await tracked.said()
    assert text.startswith("### Sprint 24 · day 3 of 5")
    assert tracked.clock.now == NOW


async def test_a_sprint_that_needed_nothing_to_be_begun_is_followed_where_it_was(room: Room) -> None:
    first = await make_sprint(room.bot)
    room.thread = first
    due = datetime.now(UTC).date() + timedelta(days=9)
    start = datetime.now(UTC).date() - timedelta(days=4)
    await room.bot.say(first, f'/sprint start "Sprint 12" due:{due} start:{start}')
    said = await room.go(datetime.now(UTC) + timedelta(minutes=5))

    assert said[-1].startswith("### Sprint 12 · day 5 of 14")
