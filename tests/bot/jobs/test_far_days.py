"""A milestone with an absurd or unreadable date affects nothing but itself."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

import storage.sprints
from bot.cli.doctor import examine
from bot.jobs.daily_figures import DailyFigures
from bot.jobs.sprint_reports import SprintReports
from bot.publishing.item_titles import ItemTitles
from bot.publishing.pictures import ChartRenderer
from bot.services import open_github
from bot.sync.reconciliation import Reconciliation
from handlers.delivery import Delivery, FactRecorded
from handlers.issues import record_issue
from marketplace.entitlements import allow_everywhere
from sprints.milestone import derive_sprint
from sprints.model import ItemEvent, MilestoneEvent
from storage.jobs import Jobs
from storage.lookups import all_tenants
from tests.support.chart_links import DrawnPictures
from tests.support.running import Bot, rows
from tests.support.sprints import day_from_today, make_sprint
from tests.support.webhooks import ISSUE_OPENED

FAR = "9999-12-31"


async def make_far_sprint(bot: Bot, due: str = FAR, description: str = "") -> int:
    """A milestone with a date far away and one issue; returns the issue's number."""
    milestone = await bot.github.create_milestone(
        bot.repo, "Some day", due_on=f"{due}T07:00:00Z", description=description
    )
    issue = await bot.github.create_issue(
        bot.repo, "Rewrite it", labels=["points: 8"], milestone=milestone["number"]
    )
    await bot.rest()
    return int(issue["number"])


async def ask(bot: Bot, number: int, text: str) -> str:
    await bot.say(number, f"{text} new:yes")
    return (await bot.answers(number))[-1].partition("<!-- agile-github-suite")[0]


async def tenant_of(bot: Bot) -> int:
    async with bot.base.database.unscoped() as connection:
        (organization_id,) = await all_tenants(connection)
    return organization_id


def later() -> datetime:
    return datetime.now(UTC) + timedelta(days=1, minutes=30)


@pytest.mark.parametrize(
    ("due", "description", "advice"),
    [
        (FAR, "", "an earlier"),
        ("2999-06-01", "", "an earlier"),
        ("9026-01-01", "", "an earlier"),
        (FAR, "Start: 0001-01-02", "an earlier"),
        ("1999-06-01", "", "a later"),
    ],
)
async def test_status_answers_and_says_that_the_date_counts_as_none(
    bot: Bot, due: str, description: str, advice: str
) -> None:
    number = await make_far_sprint(bot, due, description)

    answer = await ask(bot, number, "/sprint status")

    assert f"so it counts as none. Give the milestone {advice} due date." in answer
    assert "8" in answer


@pytest.mark.parametrize(
    "command",
    [
        "/burndown", "/burnup", "/sprint scope", "/sprint report", "/sprint list", "/sprint plan", "/forecast",
        "/risk", "/eta", "/velocity", "/standup", "/explain scope", "/cfd", "/calendar", "/agile health",
    ],
)  # fmt: skip
async def test_every_command_that_looks_at_it_answers(bot: Bot, command: str) -> None:
    number = await make_far_sprint(bot, description="Start: 0001-01-02")

    await bot.say(number, command)

    assert "Something went wrong" not in (await bot.answers(number))[-1]
    assert not await rows(bot.base, "select 1 from procrastinate_jobs where status = 'failed'")


TOO_FAR = "Use a date from 2000 to 2100."


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (f"/whatif due:{FAR}", TOO_FAR),
        ("/whatif due:2100-01-01", "A sprint can last up to two years. Use a `due:` up to"),
        (f"/forecast by:{FAR}", TOO_FAR),
        ("/forecast by:2100-01-01", "I can forecast up to two years ahead. Use a date up to"),
        (f"/sprint status as-of:{FAR}", TOO_FAR),
        ("/sprint status as-of:0001-01-01", TOO_FAR),
        (f"/calendar add 2026-12-01..{FAR}", TOO_FAR),
        ("/calendar remove 0001-01-01", TOO_FAR),
        (f"/agile quiet until:{FAR}", TOO_FAR),
        ("/wip limit " + "0" * 8 + "5" + "0" * 1500, "is not a valid limit. Use a number from 1 to 999"),
    ],
)
async def test_what_is_too_far_is_refused_in_words(bot: Bot, command: str, words: str) -> None:
    number = await make_sprint(bot)

    answer = await ask(bot, number, command)

    assert words in answer


async def test_the_night_goes_on(bot: Bot, drawing: ChartRenderer) -> None:
    """Comparison, figures and posts of the other sprints come out as ever."""
    await make_far_sprint(bot, description="Start: 0001-01-02")
    await make_sprint(bot)
    organization_id = await tenant_of(bot)
    base, jobs = bot.base, Jobs()

    async with open_github(base) as github:
        with capture_logs() as logs:
            assert await Reconciliation(base.database, github, later).run(organization_id) == 0
            await DailyFigures(base.database, later).run(organization_id)
            pictures = DrawnPictures(base.database, drawing, "http://127.0.0.1")
            (project,) = await rows(base, "select id from projects", organization_id)
            reports = SprintReports(
                base.database, pictures, ItemTitles("https://github.com"), jobs, later, allow_everywhere
            )
            await reports.redraw(organization_id, project.id)

    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    days = await rows(base, "select distinct sprint_id from daily_metrics", organization_id)
    assert len(days) == 2


async def test_a_milestone_that_cannot_be_read_stops_only_itself(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_far_sprint(bot, due=day_from_today(5))
    number = await make_sprint(bot)
    organization_id, base = await tenant_of(bot), bot.base

    def broken(events, as_of, calendar):  # type: ignore[no-untyped-def]
        if events[0].title == "Some day":
            raise OverflowError("date value out of range")
        return derive_sprint(events, as_of, calendar)

    monkeypatch.setattr(storage.sprints, "derive_sprint", broken)
    async with open_github(base) as github:
        with capture_logs() as logs:
            await bot.github.change_without_webhook(bot.repo, number, state="closed")
            assert await Reconciliation(base.database, github, later).run(organization_id) == 1
            await DailyFigures(base.database, later).run(organization_id)
            answer = await ask(bot, number, "/sprint status")
            findings = await examine(base)

    assert "Sprint 12" in answer
    assert {entry["event"] for entry in logs if entry["log_level"] == "error"} == {"milestone unreadable"}
    (finding,) = [finding for finding in findings if "cannot be read" in finding]
    assert re.search(r"milestone \d+ of \S+ cannot be read \(OverflowError\)", finding)
    assert len(await rows(base, "select distinct sprint_id from daily_metrics", organization_id)) == 1


@pytest.mark.parametrize("due", ["10000-01-01T07:00:00Z", "0000-01-01T00:00:00Z", "soon"])
def test_a_due_date_that_no_calendar_knows_loses_no_event(due: str) -> None:
    """The issue that the milestone came with is recorded all the same."""
    milestone = {"id": 77, "number": 7, "title": "Odd", "due_on": due}
    payload = ISSUE_OPENED | {"issue": ISSUE_OPENED["issue"] | {"milestone": milestone}}
    delivery = Delivery("d1", "issues", "opened", json.dumps(payload).encode(), later())

    facts = [outcome.fact for outcome in record_issue(delivery) if isinstance(outcome, FactRecorded)]

    assert [fact.event for fact in facts if isinstance(fact, ItemEvent)] == ["opened"]
    assert [fact.due_on for fact in facts if isinstance(fact, MilestoneEvent)] == [None]
