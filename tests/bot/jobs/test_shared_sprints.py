"""Sprints over several repositories: milestones of one title are one sprint."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.job_types import RedrawJob
from storage.jobs import Jobs
from storage.projects import Project, Projects
from storage.sprints import Sprints
from tests.support.clock import Clock
from tests.support.help_pages import suggested_in
from tests.support.running import Bot, rows
from tests.support.shared_sprints import list_tenants, plan_sprint, share_sprints
from tests.support.sprints import day_from_today


@dataclass
class SharedSprint:
    """Two repositories that share their sprints: `lead` is named first. Each has one item of Sprint 12 that is
    open (5 points there, 8 here), and the first one a second that is done (3 points)."""

    bot: Bot
    lead: str
    other: str
    thread: int
    elsewhere: int

    async def ask(self, text: str, *, there: bool = False) -> str:
        """What is answered last in an issue of the first repository, or of the other one."""
        repo, number = (self.other, self.elsewhere) if there else (self.lead, self.thread)
        await self.bot.github.comment(repo, number, text)
        await self.bot.rest()
        return await self.heard(there=there)

    async def heard(self, *, there: bool = False) -> str:
        repo, number = (self.other, self.elsewhere) if there else (self.lead, self.thread)
        comments = await self.bot.github.comments(repo, number)
        return [str(comment["body"]) for comment in comments if comment["user"]["type"] == "Bot"][-1]

    async def milestone(self, repo: str, title: str = "Sprint 12") -> dict[str, Any] | None:
        milestones = await self.bot.github.call("GET", f"/repos/{repo}/milestones?state=all")
        return next((item for item in milestones if item["title"] == title), None)


@pytest.fixture
async def shared_sprint(bot: Bot) -> SharedSprint:
    other = str((await bot.github.create_repository(name=f"{bot.repository['name']}-pay"))["full_name"])
    first, done = await plan_sprint(
        bot, bot.repo, "Sprint 12", ("Card form", "points: 5"), ("Receipts", "points: 3")
    )
    # The numbers of the two repositories do not go together.
    await bot.github.create_issue(other, "Not in any sprint")
    (there,) = await plan_sprint(bot, other, "sprint 12", ("Refunds", "points: 8"))
    await bot.github.close_issue(bot.repo, done)
    await bot.rest()
    await share_sprints(bot, bot.repo, other)
    return SharedSprint(bot, bot.repo, other, first, there)


async def test_one_status_wherever_it_is_asked(shared_sprint: SharedSprint) -> None:
    here, there = (
        await shared_sprint.ask("/sprint status"),
        await shared_sprint.ask("/sprint status", there=True),
    )

    for answer in (here, there):
        assert "### Sprint 12 · day 5 of 14" in answer
        assert "**3 of 16 points done** (19 %)" in answer
    report = await shared_sprint.ask("/sprint report")
    assert f"#{shared_sprint.thread} (5 points)" in report
    assert f"{shared_sprint.other}#{shared_sprint.elsewhere} (8 points)" in report
    assert f"{shared_sprint.lead}#{shared_sprint.thread} (5 points)" in await shared_sprint.ask(
        "/sprint report", there=True
    )


async def test_help_offers_to_change_the_sprint_only_where_it_is_led(shared_sprint: SharedSprint) -> None:
    here = suggested_in(await shared_sprint.ask("/help"))
    there = suggested_in(await shared_sprint.ask("/help", there=True))
    assert [line for line in here if line.startswith("/sprint goal ")]
    assert not [line for line in there if line.startswith(("/sprint goal", "/sprint start", "/sprint close"))]
    assert len(there) == 8


async def test_it_begins_in_all_of_them(shared_sprint: SharedSprint) -> None:
    asked = f'/sprint start "Sprint 13" due:{day_from_today(20)} confirm:yes'
    data = await shared_sprint.ask(asked, there=True)
    assert (
        f"Sprints here span repositories, and {shared_sprint.lead} leads them. Run the command in an issue there."
        in data
    )
    assert await shared_sprint.milestone(shared_sprint.lead, "Sprint 13") is None

    await shared_sprint.ask(asked)
    for repo in (shared_sprint.lead, shared_sprint.other):
        milestone = await shared_sprint.milestone(repo, "Sprint 13")
        assert milestone
        assert milestone["due_on"].startswith(day_from_today(20))


async def test_it_ends_in_all_of_them_and_each_item_stays_in_its_repository(
    shared_sprint: SharedSprint,
) -> None:
    await shared_sprint.ask(
        f'/sprint start "Sprint 13" due:{day_from_today(20)} start:{day_from_today(10)} confirm:yes'
    )
    shown = await shared_sprint.ask("/sprint close")
    assert f"{shared_sprint.other}#{shared_sprint.elsewhere} (8 points)" in shown

    await shared_sprint.ask("/sprint close confirm:yes")

    for repo, number in (
        (shared_sprint.lead, shared_sprint.thread),
        (shared_sprint.other, shared_sprint.elsewhere),
    ):
        ended = await shared_sprint.milestone(repo) or await shared_sprint.milestone(repo, "sprint 12")
        assert ended
        assert ended["state"] == "closed"
        item = await shared_sprint.bot.github.issue(repo, number)
        assert item["milestone"]["title"] == "Sprint 13"
    assert "is closed" in await shared_sprint.heard()
    await shared_sprint.ask("/agile undo confirm:yes")
    for repo, number in (
        (shared_sprint.lead, shared_sprint.thread),
        (shared_sprint.other, shared_sprint.elsewhere),
    ):
        assert (await shared_sprint.bot.github.issue(repo, number))["milestone"][
            "title"
        ].lower() == "sprint 12"


async def test_who_may_not_write_there_changes_nothing(shared_sprint: SharedSprint) -> None:
    bot = shared_sprint.bot
    bot.github.roles[shared_sprint.lead] = {"bob": "maintain"}
    bot.github.roles[shared_sprint.other] = {"bob": "read"}
    await bot.github.comment(
        shared_sprint.lead, shared_sprint.thread, "/sprint close confirm:yes", as_user="bob"
    )
    await bot.rest()

    assert (
        f"This also changes {shared_sprint.other}, where you need the write role."
        in await shared_sprint.heard()
    )
    milestone = await shared_sprint.milestone(shared_sprint.lead)
    assert milestone
    assert milestone["state"] == "open"


async def test_an_item_joins_the_milestone_of_its_own_repository(shared_sprint: SharedSprint) -> None:
    issue = await shared_sprint.bot.github.create_issue(
        shared_sprint.other, "Chargebacks", labels=["points: 2"]
    )
    await shared_sprint.bot.rest()
    data = await shared_sprint.ask(f"/sprint add #{issue['number']}", there=True)

    assert "18" in data
    assert (await shared_sprint.bot.github.issue(shared_sprint.other, issue["number"]))["milestone"][
        "title"
    ] == "sprint 12"
    assert "**3 of 18 points done**" in await shared_sprint.ask("/sprint status")


async def test_what_the_numbers_depend_on_is_settled_by_the_first_one(shared_sprint: SharedSprint) -> None:
    data = await shared_sprint.ask(f'/calendar add {day_from_today(3)} "Holiday"', there=True)

    assert f"the settings that affect their numbers are set in {shared_sprint.lead}" in data


async def test_it_is_followed_in_one_place(shared_sprint: SharedSprint) -> None:
    bot = shared_sprint.bot
    tenant = (await list_tenants(bot))[0]
    lead, other = (
        await project(bot, tenant, shared_sprint.lead),
        await project(bot, tenant, shared_sprint.other),
    )
    assert (lead.is_led, other.is_led, other.leader.id) == (False, True, lead.id)
    async with bot.base.database.tenant(tenant) as tenant_scope:
        for repository in (lead, other):
            await Projects(tenant_scope).set_command_setting(repository.id, "tracking", "issue")
            await Jobs().defer(
                tenant_scope.connection, RedrawJob(organization_id=tenant, project_id=repository.id)
            )
    await bot.rest()

    data = [
        (repo, issue["title"])
        for repo in (shared_sprint.lead, shared_sprint.other)
        for issue in await bot.github.call("GET", f"/repos/{repo}/issues?state=all")
        if issue["user"]["type"] == "Bot"
    ]
    assert data == [(shared_sprint.lead, "Sprint 12: progress")]


async def test_snapshot_is_taken_once_and_told_by_name_elsewhere(
    shared_sprint: SharedSprint, clock: Clock
) -> None:
    bot = shared_sprint.bot
    tenant = (await list_tenants(bot))[0]
    clock.now = datetime.now(UTC) + timedelta(days=20)
    milestone = await shared_sprint.milestone(shared_sprint.lead)
    assert milestone
    for repo, open_one in (
        (shared_sprint.other, f"{shared_sprint.lead}#{shared_sprint.thread}"),
        (shared_sprint.lead, shared_sprint.thread),
    ):
        async with bot.base.database.tenant(tenant) as tenant_scope:
            result = await Projects(tenant_scope).by_name(repo)
            assert result
            sprints = Sprints(tenant_scope, result)
            sprint = next(box for box in await sprints.all(clock.now) if box.title == "Sprint 12")
            closed = await sprints.closed(sprint.milestone, clock.now)
        assert closed
        assert closed.revision == 1
        assert closed.facts["points"]["done"] == 3
        assert open_one in closed.facts["carried"]["items"]
        assert len(closed.facts["carried"]["items"]) == 2


async def test_public_and_private_repositories_share_nothing(bot: Bot) -> None:
    private = await bot.github.create_repository(name=f"{bot.repository['name']}-secret", private=True)
    (number,) = await plan_sprint(bot, bot.repo, "Sprint 12", ("Card form", "points: 5"))
    await plan_sprint(bot, str(private["full_name"]), "Sprint 12", ("Secret", "points: 8"))
    await share_sprints(bot, bot.repo, str(private["full_name"]))
    await bot.say(number, "/sprint status\n/agile health")

    status, health = await bot.answers(number)
    assert "of 5 points done" in status
    assert "public and private" in health


async def project(bot: Bot, tenant: int, name: str) -> Project:
    async with bot.base.database.tenant(tenant) as tenant_scope:
        result = await Projects(tenant_scope).by_name(name)
    assert result
    return result


async def test_a_repository_that_leaves_does_not_sum_up_again_what_was_summed_up(
    shared_sprint: SharedSprint,
) -> None:
    bot = shared_sprint.bot
    everywhere = str((await bot.github.create_repository(name=".github"))["full_name"])
    for repo in (shared_sprint.lead, shared_sprint.other):
        await bot.github.update_milestone(repo, 1, state="closed")
    await bot.rest()
    await redraw(bot, shared_sprint.lead, shared_sprint.other)
    assert await summaries(bot, shared_sprint) == [(shared_sprint.lead, "Summary: Sprint 12")]

    lead = shared_sprint.lead.partition("/")[2]
    await bot.github.put_file(
        everywhere, ".github/agile.yml", f"sprints: {{repositories: [{lead}, elsewhere]}}\n"
    )
    await bot.rest()
    assert not (await project(bot, (await list_tenants(bot))[0], shared_sprint.other)).sharing
    await redraw(bot, shared_sprint.lead, shared_sprint.other)
    assert await summaries(bot, shared_sprint) == [(shared_sprint.lead, "Summary: Sprint 12")]
    await bot.github.call("DELETE", f"/repos/{everywhere}")


async def test_a_repository_that_leaves_sums_up_what_waited_unsent(shared_sprint: SharedSprint) -> None:
    """Quiet hours hold the shared summary back until one repository has left."""
    bot = shared_sprint.bot
    everywhere = str((await bot.github.create_repository(name=".github"))["full_name"])
    await settle(bot, quiet_hours={"from": "00:00", "until": "23:59:59"})
    for repo in (shared_sprint.lead, shared_sprint.other):
        await bot.github.update_milestone(repo, 1, state="closed")
    await bot.rest()
    await redraw(bot, shared_sprint.lead, shared_sprint.other)
    assert await summaries(bot, shared_sprint) == []

    lead = shared_sprint.lead.partition("/")[2]
    await bot.github.put_file(
        everywhere, ".github/agile.yml", f"sprints: {{repositories: [{lead}, elsewhere]}}\n"
    )
    await bot.rest()
    await settle(bot)
    await redraw(bot, shared_sprint.lead, shared_sprint.other)
    assert await summaries(bot, shared_sprint) == [
        (shared_sprint.lead, "Summary: Sprint 12"),
        (shared_sprint.other, "Summary: sprint 12"),
    ]
    await bot.github.call("DELETE", f"/repos/{everywhere}")


async def settle(bot: Bot, **settings: object) -> None:
    """The organization's own settings are these."""
    (tenant,) = await list_tenants(bot)
    query = "update organizations set settings = cast(:settings as jsonb) where id = :tenant returning id"
    assert await rows(bot.base, query, tenant, settings=json.dumps(settings), tenant=tenant)


async def redraw(bot: Bot, *repos: str) -> None:
    tenant = (await list_tenants(bot))[0]
    ids = [(await project(bot, tenant, repo)).id for repo in repos]
    async with bot.base.database.tenant(tenant) as tenant_scope:
        for project_id in ids:
            await Jobs().defer(
                tenant_scope.connection, RedrawJob(organization_id=tenant, project_id=project_id)
            )
    await bot.rest()


async def summaries(bot: Bot, shared_sprint: SharedSprint) -> list[tuple[str, str]]:
    return [
        (repo, issue["title"])
        for repo in (shared_sprint.lead, shared_sprint.other)
        for issue in await bot.github.call("GET", f"/repos/{repo}/issues?state=all")
        if issue["user"]["type"] == "Bot"
    ]
