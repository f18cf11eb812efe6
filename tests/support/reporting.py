"""A harness that computes and sends reports by a clock of the test."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.jobs.sprint_reports import SprintReports
from bot.publishing.item_titles import ItemTitles
from bot.publishing.pictures import ChartRenderer
from bot.publishing.posts import PostPublisher
from bot.services import open_github
from marketplace.entitlements import allow_everywhere
from storage.jobs import Jobs
from storage.lookups import all_tenants
from storage.projects import Projects
from tests.support.builders import Card, at
from tests.support.chart_links import DrawnPictures
from tests.support.clock import Clock
from tests.support.flow_cards import FlowCard
from tests.support.past import record_past
from tests.support.running import Bot
from tests.support.sprints import make_sprint

CURRENT_MILESTONE = 7024


@dataclass
class ReportingHarness:
    """The bot, and its reports computed and sent by the clock of the test."""

    bot: Bot
    clock: Clock
    reports: SprintReports
    posting: PostPublisher
    thread: int = 1

    async def set_settings(self, **settings: Any) -> None:
        """Store settings of the repository, as commands do."""
        tenant, project = await self.ids()
        async with self.bot.base.database.tenant(tenant) as tenant_scope:
            for key, value in settings.items():
                await Projects(tenant_scope).set_command_setting(project, key, value)

    async def ids(self) -> tuple[int, int]:
        """Return the ids of the tenant and of the project."""
        async with self.bot.base.database.unscoped() as connection:
            (tenant,) = await all_tenants(connection)
        async with self.bot.base.database.tenant(tenant) as tenant_scope:
            project = await Projects(tenant_scope).by_name(self.bot.repo)
        assert project is not None
        return tenant, project.id

    async def advance(self, to: str | datetime | None = None) -> list[str]:
        """Set the clock, redraw and send everything. Returns what the thread then holds."""
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
        return await self.read_thread()

    async def read_thread(self, thread: int | None = None) -> list[str]:
        """List the bot's texts in a thread, without markers."""
        answers = await self.bot.answers(thread or self.thread)
        return [text.partition("\n\n<!-- agile-github-suite")[0] for text in answers]

    async def issues(self, title: str) -> list[dict[str, Any]]:
        """List the issues with a title, open and closed."""
        issues = await self.bot.github.call("GET", f"/repos/{self.bot.repo}/issues?state=all")
        return [item for item in issues if item["title"] == title]

    @property
    def writes(self) -> int:
        """Count the writes that GitHub accepted in this repository."""
        requests = self.bot.github.requests
        return sum(entry[0] in {"POST", "PATCH"} and f"{self.bot.repo}/" in entry[1] for entry in requests)


@pytest.fixture
async def reporting(bot: Bot, clock: Clock, drawing: ChartRenderer) -> AsyncIterator[ReportingHarness]:
    """Reports by the clock of the test."""
    base = bot.base
    async with open_github(base) as github:
        pictures = DrawnPictures(base.database, drawing, base.settings.public_url)
        reports = SprintReports(
            base.database, pictures, ItemTitles(github.web_url), Jobs(), clock, allow_everywhere
        )
        yield ReportingHarness(
            bot,
            clock,
            reports,
            PostPublisher(base.database, github, clock, reports.as_of_now, pause_seconds=0),
        )


@pytest.fixture
async def tracked_sprint(reporting: ReportingHarness) -> ReportingHarness:
    """A tracked week's sprint with 12 points that began on Monday; it is Wednesday noon."""
    reporting.thread = await record_past(reporting.bot, reporting.clock)
    await reporting.set_settings(tracking=reporting.thread, summaries="off")
    return reporting


def make_joining_card(points: int, number: int = 2000, when: str = "11-18 12:30") -> Card:
    """Make an item that joins the current sprint."""
    card = FlowCard(number, "Late wish", actor="bob").opened("11-10", f"points: {points}")
    return card.joined(when, CURRENT_MILESTONE)


async def close_sprint(reporting: ReportingHarness, **settings: Any) -> datetime:
    """Close the milestone of a fresh sprint. Returns a time three minutes later."""
    reporting.thread = await make_sprint(reporting.bot)
    await reporting.set_settings(**settings)
    await reporting.bot.github.update_milestone(reporting.bot.repo, 1, state="closed")
    await reporting.bot.rest()
    return datetime.now(UTC) + timedelta(minutes=3)
