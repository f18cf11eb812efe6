"""A harness that computes and sends reports by a clock of the test."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.jobs.sprint_reports import SprintReports
from bot.publishing.pictures import Drawing, Pictures
from bot.publishing.posts import PostPublisher
from bot.services import github_of
from storage.jobs import Jobs
from storage.lookups import all_tenants
from storage.projects import Projects
from tests.support.builders import Card, at
from tests.support.clock import Clock
from tests.support.flow_cards import FlowCard
from tests.support.past import tell_past
from tests.support.running import Bot
from tests.support.sprints import make_sprint

CURRENT_MILESTONE = 7024


@dataclass
class ReportingHarness:
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
async def reporting(bot: Bot, clock: Clock, drawing: Drawing) -> AsyncIterator[ReportingHarness]:
    base = bot.base
    async with github_of(base) as github:
        pictures = Pictures(base.database, drawing, base.settings.public_url)
        reports = SprintReports(base.database, pictures, Jobs(base.queue), clock)
        yield ReportingHarness(
            bot,
            clock,
            reports,
            PostPublisher(base.database, github, clock, reports.as_of_now, pause_seconds=0),
        )


@pytest.fixture
async def tracked_sprint(reporting: ReportingHarness) -> ReportingHarness:
    """A week's sprint with 12 points that began on Monday, followed in a thread; it is Wednesday noon."""
    reporting.thread = await tell_past(reporting.bot, reporting.clock)
    await reporting.settle(tracking=reporting.thread, summaries="off")
    return reporting


def make_joining_card(points: int, number: int = 2000, when: str = "11-18 12:30") -> Card:
    card = FlowCard(number, "Late wish", actor="bob").opened("11-10", f"points: {points}")
    return card.joined(when, CURRENT_MILESTONE)


async def close_sprint(reporting: ReportingHarness, **settings: Any) -> datetime:
    """A sprint whose milestone was closed just now."""
    reporting.thread = await make_sprint(reporting.bot)
    await reporting.settle(**settings)
    await reporting.bot.github.update_milestone(reporting.bot.repo, 1, state="closed")
    await reporting.bot.rest()
    return datetime.now(UTC) + timedelta(minutes=3)
