"""Reports and checks respect the plan: features that it lacks are left out, everything else stays."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import reports.running_sprint
from bot.billing.entitlements import Entitlements
from bot.billing.purchase_links import PurchaseLinks
from bot.jobs.sprint_reports import SprintReports
from bot.publishing.item_titles import ItemTitles
from bot.publishing.pictures import ChartRenderer
from bot.publishing.posts import PostPublisher
from bot.services import open_github
from bot.settings import Settings
from bot.settings.billing import BillingSettings
from commands.team.standup import standup
from github_standin.github import StandInGitHub
from marketplace.entitlements import Allowed, Denied
from storage.database import Database
from storage.jobs import Jobs
from storage.projects import Project, Projects, RepositoryName
from storage.subscriptions import PreviousPlan, Subscription, Subscriptions
from tests.support.billing import BILLING_SETTINGS, BilledTenant
from tests.support.builders import Box, at
from tests.support.chart_links import DrawnPictures
from tests.support.checks import find_check, open_pull_request
from tests.support.clock import Clock
from tests.support.flow_cards import FlowCard
from tests.support.past import make_sprint_box, record_events, record_past
from tests.support.reporting import CURRENT_MILESTONE, ReportingHarness, make_joining_card
from tests.support.running import running_bot

DAY = timedelta(days=1)
TUESDAY = at("2026-11-17 12:00")


@pytest.fixture
async def reporting(
    github: StandInGitHub, settings: Settings, clock: Clock, drawing: ChartRenderer
) -> AsyncIterator[ReportingHarness]:
    """A private repository with a sprint that began on Monday, of an account on Free; it is Wednesday noon."""
    selling = replace(settings, billing=BILLING_SETTINGS)
    async with running_bot(github, selling, clock, drawing) as shop, open_github(shop.base) as client:
        posting = PostPublisher(shop.base.database, client, clock, pause_seconds=0)
        reporting_harness = ReportingHarness(shop, clock, reports_of(shop.base, clock, drawing), posting)
        reporting_harness.thread = await record_past(shop, clock)
        await reporting_harness.set_settings(tracking=reporting_harness.thread, summaries="off", alerts="off")
        await become(reporting_harness, is_private=True)
        yield reporting_harness
    assert not github.violations, github.violations


def reports_of(
    base: Any, clock: Clock, drawing: ChartRenderer, database: Database | None = None
) -> SprintReports:
    may = Entitlements(database or base.database, shop_of(base), clock).for_project
    pictures = DrawnPictures(base.database, drawing, base.settings.public_url)
    return SprintReports(base.database, pictures, ItemTitles("https://github.com"), Jobs(), clock, may)


def shop_of(base: Any, billing: BillingSettings = BILLING_SETTINGS) -> PurchaseLinks:
    return PurchaseLinks(billing, "https://agile.example", base.cipher)


async def become(reporting: ReportingHarness, *, is_private: bool) -> None:
    tenant, project_id = await reporting.ids()
    async with reporting.bot.base.database.tenant(tenant) as tenant_scope:
        project = await Projects(tenant_scope).get(project_id)
        assert project
        # No event of the stand-in is as new, so that none says otherwise.
        at_last = datetime.now(UTC) + DAY
        await Projects(tenant_scope).remember(
            RepositoryName(project.node_id, reporting.bot.repo, is_private, None, at_last)
        )


async def put(reporting: ReportingHarness, **fields: Any) -> None:
    usual: dict[str, Any] = {"source": "marketplace", "status": "active", "plan": "pro", "read_at": TUESDAY}
    tenant, _ = await reporting.ids()
    async with reporting.bot.base.database.tenant(tenant) as tenant_scope:
        await Subscriptions(tenant_scope).store(Subscription(**(usual | fields)))


async def end(reporting: ReportingHarness, when: datetime) -> None:
    await put(reporting, status="ended", ended_at=when, previous_plan=PreviousPlan("pro", None, when))


def tells_a_chance(text: str) -> bool:
    return "in 10" in text


# The living comment


async def test_without_the_plan_the_chance_is_left_out_and_all_else_stays(
    reporting: ReportingHarness,
) -> None:
    (text,) = await reporting.advance()
    assert text.startswith("### Sprint 24 · day 3 of 5")
    assert "**6 of 12 points done** (50 %)" in text
    assert not tells_a_chance(text)

    await record_events(reporting.bot, *make_joining_card(8).events)
    (text,) = await reporting.advance("2026-11-18 13:00")
    assert "#2000 added, +8 points" in text
    assert not tells_a_chance(text)


async def test_once_bought_the_next_edit_has_it(reporting: ReportingHarness) -> None:
    await reporting.advance()
    await put(reporting)
    await record_events(reporting.bot, *make_joining_card(8).events)
    (text,) = await reporting.advance("2026-11-18 13:00")
    assert tells_a_chance(text)
    assert "#2000 added, +8 points · chance" in text


async def test_in_a_public_repository_it_is_free(reporting: ReportingHarness) -> None:
    await become(reporting, is_private=False)
    (text,) = await reporting.advance()
    assert tells_a_chance(text)


async def test_what_ends_in_the_middle_of_a_sprint_stays_until_its_end_and_not_in_the_next(
    reporting: ReportingHarness,
) -> None:
    await put(reporting)
    assert tells_a_chance((await reporting.advance())[0])
    await end(reporting, at("2026-11-18 14:00"))
    await record_events(reporting.bot, *make_joining_card(8).events)
    (text,) = await reporting.advance("2026-11-19 13:00")
    assert tells_a_chance(text)
    assert "#2000 added, +8 points · chance" in text

    monday = at("2026-11-23 00:00")
    card = (
        FlowCard(3000, actor="alice").opened(monday - DAY, "points: 3").joined(monday, CURRENT_MILESTONE + 1)
    )
    await record_events(reporting.bot, *make_sprint_box(monday, 25).events, *card.events)
    *_, text = await reporting.advance("2026-11-24 12:00")
    assert text.startswith("### Sprint 25 · day 2 of 5")
    assert not tells_a_chance(text)


async def test_what_ended_before_the_sprint_does_not_begin_with_it(reporting: ReportingHarness) -> None:
    await end(reporting, at("2026-11-15 12:00"))
    assert not tells_a_chance((await reporting.advance())[0])


async def test_a_repository_that_becomes_private_keeps_it_until_the_sprint_ends(
    billed_tenant: BilledTenant,
) -> None:
    async def seen(is_private: bool, when: datetime) -> Project:
        async with billed_tenant.base.database.tenant(billed_tenant.id) as tenant:
            repository_name = RepositoryName(
                billed_tenant.public.node_id, "acme/open", is_private, None, when
            )
            projects = await Projects(tenant).get(await Projects(tenant).remember(repository_name))
        assert projects
        return projects

    await billed_tenant.happened(billed_tenant.public, Box("11-15 08:00", due="11-29").events)
    begun = datetime(2026, 11, 20, tzinfo=UTC)
    project = await seen(True, begun)
    assert project.private_since == begun
    assert await billed_tenant.ask(project=project) == Allowed()
    ask = Entitlements(
        billed_tenant.base.database, billed_tenant.offer, lambda: begun + 14 * DAY
    ).for_project(billed_tenant.id, project)
    assert isinstance(await ask("forecasts", "alice"), Denied)
    # What did not change is no news, and who was always private had nothing in public.
    assert (await seen(True, begun + DAY)).private_since == begun
    assert billed_tenant.private.private_since is None


async def test_seats_say_nothing_about_what_all_read(reporting: ReportingHarness) -> None:
    await put(reporting, quantity=0)
    assert tells_a_chance((await reporting.advance())[0])


async def test_when_billing_cannot_be_read_it_is_open_and_logged(
    reporting: ReportingHarness, clock: Clock, drawing: ChartRenderer, capsys: pytest.CaptureFixture[str]
) -> None:
    away = Database("postgresql://nobody@127.0.0.1:9/nothing")
    reporting.reports = reports_of(reporting.bot.base, clock, drawing, away)
    assert tells_a_chance((await reporting.advance())[0])
    assert "billing could not be read; everything is allowed" in "".join(capsys.readouterr())
    await away.close()


async def test_where_nothing_is_sold_nothing_is_asked(
    reporting: ReportingHarness, clock: Clock, drawing: ChartRenderer, capsys: pytest.CaptureFixture[str]
) -> None:
    base = reporting.bot.base
    away = Database("postgresql://nobody@127.0.0.1:9/nothing")
    may = Entitlements(away, shop_of(base, replace(BILLING_SETTINGS, is_on=False)), clock).for_project
    reporting.reports = SprintReports(
        base.database,
        DrawnPictures(base.database, drawing, base.settings.public_url),
        ItemTitles("https://github.com"),
        Jobs(),
        clock,
        may,
    )
    assert tells_a_chance((await reporting.advance())[0])
    assert "billing" not in "".join(capsys.readouterr())


# Alerts, and what runs by the clock


async def test_an_alert_tells_what_happened_and_no_chance(reporting: ReportingHarness) -> None:
    await reporting.set_settings(alerts={"half_way": False})
    await reporting.advance()
    await record_events(reporting.bot, *make_joining_card(8).events)
    _, alert = await reporting.advance("2026-11-19 09:00")
    assert alert.startswith("**Sprint 24:** the scope has grown by 67 %")
    assert not tells_a_chance(alert)


@pytest.mark.parametrize(("plan", "is_told"), [("pro", False), ("enterprise", True)])
async def test_a_command_that_the_clock_runs_needs_the_plan_as_if_somebody_asked(
    reporting: ReportingHarness, monkeypatch: pytest.MonkeyPatch, plan: str, is_told: bool
) -> None:
    """As if `/standup` were a feature of Enterprise."""
    monkeypatch.setattr(reports.running_sprint, "standup", replace(standup, feature="audit"))
    await put(reporting, plan=plan)
    await reporting.set_settings(standup="09:30")
    await reporting.advance()
    messages = await reporting.advance("2026-11-19 09:40")
    assert len(messages) == (2 if is_told else 1)


# Answers and checks


async def test_the_card_of_a_command_and_the_check_leave_it_out_too(reporting: ReportingHarness) -> None:
    shop = reporting.bot
    for hour, plan, is_told in ((13, "free", False), (14, "pro", True)):
        reporting.clock.now = at(f"2026-11-18 {hour}:00")
        await put(reporting, plan=plan)
        await shop.say(reporting.thread, "/sprint status new:yes")
        await shop.say(reporting.thread, "/risk new:yes")
        status, risk = (await reporting.read_thread())[-2:]
        assert status.startswith("### Sprint 24")
        assert risk.startswith("### Risks · Sprint 24")
        assert tells_a_chance(status) is tells_a_chance(risk) is is_told

        # GitHub has never heard of what is recorded here, so it must not be asked for its list.
        shop.github.fail_next("POST", "/graphql", 502, times=9)
        pull = await open_pull_request(shop, f"On {plan}", body="Closes #1043", head=plan)
        run = await find_check(shop, pull["head"]["sha"])
        assert "| Left to do | 6 of 12 points | **3 of 12 points** |" in run["output"]["summary"]
        assert ("| Chance to finish by" in run["output"]["summary"]) is is_told


async def test_a_command_that_is_all_forecast_is_denied_in_words(reporting: ReportingHarness) -> None:
    for line in ("/forecast", "/eta", "/agile audit"):
        await reporting.bot.say(reporting.thread, line)
        answer = (await reporting.read_thread())[-1]
        wanted = "Enterprise" if line == "/agile audit" else "Pro"
        assert answer.startswith(
            f"@alice: This needs the {wanted} plan, and acme is on Free. Sprints, estimates, burndowns, and"
        )
