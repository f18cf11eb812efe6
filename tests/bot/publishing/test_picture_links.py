"""Links to charts end when the repository becomes invisible, also without a webhook."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.publishing.pictures import ChartRenderer
from bot.services import open_github
from bot.sync.visibility_check import CHECK_EVERY, VisibilityCheck
from storage.chart_files import ChartFiles
from storage.installations import Installations
from storage.job_types import CheckVisibilityJob
from storage.jobs import Jobs
from storage.projects import Project, Projects, RepositoryName
from storage.work_lookups import tenants_due
from tests.support.chart_links import DrawnPictures, find_project, request_chart_path
from tests.support.charts.family import CASES
from tests.support.clock import Clock
from tests.support.running import Bot, rows

CHART = CASES["velocity"]


async def status(bot: Bot, path: str, **headers: str) -> int:
    """What an image proxy gets, which never knew the picture before."""
    async with bot.session.get(bot.url + path, headers=headers) as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        if response.status == 404:
            assert response.headers["Cache-Control"] == "no-store"
        return response.status


async def check_visibility(bot: Bot) -> None:
    """The look at GitHub, as the clock sets it going."""
    async with bot.base.database.unscoped() as connection:
        await Jobs().defer(connection, CheckVisibilityJob(organization_id=1))
    await bot.rest()


async def tell(bot: Bot, event: str, action: str) -> None:
    await bot.github.trigger(event, action, bot.repo, repositories=[bot.repo])
    await bot.rest()


@asynccontextmanager
async def unheard(bot: Bot) -> AsyncIterator[None]:
    """What happens within, no webhook tells us of."""
    async with bot.github.muted():
        yield


async def other_project(bot: Bot, *, is_private: bool = False) -> Project:
    """Another repository of the same account."""
    async with bot.base.database.tenant(1) as tenant:
        projects = Projects(tenant)
        seen = RepositoryName("R_other", "acme/other", is_private, None, datetime.now(UTC))
        project = await projects.get(await projects.remember(seen))
    assert project
    return project


@pytest.mark.parametrize(
    ("event", "ends", "comes_back"),
    [
        ("repository", "privatized", "publicized"),
        ("installation", "deleted", None),  # GitHub gives every installation a new id.
        ("installation", "suspend", "unsuspend"),
        ("installation_repositories", "removed", "added"),
    ],
)
async def test_a_link_ends_with_what_github_tells_and_comes_back_with_it(
    bot: Bot, event: str, ends: str, comes_back: str | None
) -> None:
    path = await request_chart_path(bot)
    assert await status(bot, path) == 200
    etag = f'"{path.removeprefix("/charts/").removesuffix(".png")}"'

    await tell(bot, event, ends)
    assert await status(bot, path) == 404
    assert await status(bot, path, **{"If-None-Match": etag}) == 404

    if comes_back:
        await tell(bot, event, comes_back)
        assert await status(bot, path) == 200


async def test_a_deleted_repository_s_link_ends_and_an_archived_one_s_stays(bot: Bot) -> None:
    path = await request_chart_path(bot)
    await tell(bot, "repository", "archived")
    assert await status(bot, path) == 200
    await tell(bot, "repository", "deleted")
    assert await status(bot, path) == 404


async def test_a_repository_that_became_private_unheard_is_found(bot: Bot) -> None:
    path = await request_chart_path(bot)
    async with unheard(bot):
        await bot.github.call("PATCH", f"/repos/{bot.repo}", {"private": True})
    assert await status(bot, path) == 200

    await check_visibility(bot)
    assert await status(bot, path) == 404
    # What was free in public is kept as docs/billing.md says: that needs the day.
    assert (await find_project(bot)).private_since is not None

    async with unheard(bot):
        await bot.github.call("PATCH", f"/repos/{bot.repo}", {"private": False})
    await check_visibility(bot)
    assert await status(bot, path) == 200


async def test_missed_repository_removal_is_found(bot: Bot) -> None:
    path = await request_chart_path(bot)
    async with unheard(bot):
        await bot.github.trigger("installation_repositories", "removed", bot.repo)
    await check_visibility(bot)
    assert await status(bot, path) == 404

    async with unheard(bot):
        await bot.github.trigger("installation_repositories", "added", bot.repo)
    await check_visibility(bot)
    assert await status(bot, path) == 200


@pytest.mark.parametrize("answer", [404, 403], ids=["uninstalled", "suspended"])
async def test_missed_uninstallation_is_found(bot: Bot, answer: int) -> None:
    path = await request_chart_path(bot)
    bot.github.revoke_installation_tokens()
    bot.github.fail_next("POST", r"/app/installations/\d+/access_tokens", answer, times=5)
    await check_visibility(bot)
    assert await status(bot, path) == 404

    bot.github.clear_faults()
    await check_visibility(bot)
    assert await status(bot, path) == 200


async def test_an_installation_that_was_resumed_unheard_is_found(bot: Bot) -> None:
    path = await request_chart_path(bot)
    await tell(bot, "installation", "suspend")
    assert await status(bot, path) == 404

    bot.github.revoke_installation_tokens()
    bot.github.fail_next("POST", r"/app/installations/\d+/access_tokens", 403, times=5)
    await check_visibility(bot)
    assert await status(bot, path) == 404

    bot.github.clear_faults()
    await check_visibility(bot)
    assert await status(bot, path) == 200


async def test_a_suspension_that_came_while_github_was_asked_stays(bot: Bot, clock: Clock) -> None:
    path = await request_chart_path(bot)
    asked_at = clock.now = datetime.now(UTC)
    async with bot.base.database.tenant(1) as tenant:
        installations = Installations(tenant)
        await installations.record_suspension(bot.github.installation_id, asked_at + timedelta(seconds=1))
        await installations.record_working(bot.github.installation_id, asked_at)
    assert await status(bot, path) == 404


@pytest.mark.parametrize("answer", [500, 0, 401], ids=["broken", "away", "our key"])
async def test_while_github_cannot_be_asked_everything_stays(bot: Bot, answer: int) -> None:
    path = await request_chart_path(bot)
    bot.github.revoke_installation_tokens()
    bot.github.fail_next("POST", r"/app/installations/\d+/access_tokens", answer, times=10)
    await check_visibility(bot)
    bot.github.clear_faults()

    assert await status(bot, path) == 200
    (turn,) = await rows(bot.base, "select next_visibility_check_at - now() as wait from organizations", 1)
    assert timedelta(0) < turn.wait <= CHECK_EVERY


async def test_a_private_repository_s_link_lives_with_the_setting_that_allows_it(bot: Bot) -> None:
    path = await request_chart_path(bot)
    await tell(bot, "repository", "privatized")
    project = await find_project(bot)
    for setting, expected in (("image", 200), ("mermaid", 404), ("image", 200), (None, 404)):
        async with bot.base.database.tenant(1) as tenant:
            await Projects(tenant).set_command_setting(project.id, "charts", setting)
        assert await status(bot, path) == expected, setting


async def test_the_same_picture_in_two_repositories_has_two_links(bot: Bot, drawing: ChartRenderer) -> None:
    await request_chart_path(bot)
    pictures = DrawnPictures(bot.base.database, drawing, "")
    here, there = await find_project(bot), await other_project(bot)
    first, second = [await pictures.link(1, project, CHART) for project in (here, there)]
    assert first != second
    assert await pictures.link(1, here, CHART) == first

    await tell(bot, "repository", "privatized")
    assert (await status(bot, first), await status(bot, second)) == (404, 200)


async def test_a_picture_of_shared_work_ends_with_any_repository_that_is_in_it(
    bot: Bot, drawing: ChartRenderer
) -> None:
    await request_chart_path(bot)
    here, other = await find_project(bot), await other_project(bot)
    pictures = DrawnPictures(bot.base.database, drawing, "")
    path = await pictures.link(1, replace(here, sharing=(other, here)), CHART)
    assert await status(bot, path) == 200
    await other_project(bot, is_private=True)
    assert await status(bot, path) == 404


async def test_the_look_comes_by_the_clock_to_tenants_with_pictures_alone(bot: Bot) -> None:
    await bot.github.create_issue(bot.repo, "Seen")
    await bot.rest()
    later = datetime.now(UTC) + timedelta(hours=1)

    async def due() -> list[int]:
        async with bot.base.database.unscoped() as connection:
            return list(await tenants_due(connection, "visibility", later, 100))

    assert await due() == []
    project = await find_project(bot)
    async with bot.base.database.tenant(1) as tenant:
        await ChartFiles(tenant).store(project, "a chart", b"inputs")
    assert await due() == [1]
    await tell(bot, "installation", "deleted")
    assert await due() == []
    await tell(bot, "installation", "created")


async def test_repositories_of_all_pages_are_found(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    await request_chart_path(bot)
    monkeypatch.setattr("bot.sync.visibility_check._PER_PAGE", 1)
    await bot.github.create_repository(name=f"{bot.repo.rpartition('/')[2]}-beside")
    async with open_github(bot.base) as github:
        assert await VisibilityCheck(bot.base.database, github, bot.base.clock).run(1) == []
    (row,) = await rows(
        bot.base, "select hidden_since from projects where github_repo = :name", 1, name=bot.repo
    )
    assert row.hidden_since is None


async def test_what_is_stated_unasked_is_drawn_again_after_an_missed_change(bot: Bot) -> None:
    await request_chart_path(bot)
    async with unheard(bot):
        await bot.github.call("PATCH", f"/repos/{bot.repo}", {"private": True})
    async with open_github(bot.base) as github:
        changed = await VisibilityCheck(bot.base.database, github, bot.base.clock).run(1)
    assert changed == [(await find_project(bot)).id]


async def test_a_new_command_in_a_repository_that_became_private_links_no_picture(bot: Bot) -> None:
    path = await request_chart_path(bot)
    async with unheard(bot):
        await bot.github.call("PATCH", f"/repos/{bot.repo}", {"private": True})
    await check_visibility(bot)
    await bot.say(1, "/sprint status new:yes")
    answer = (await bot.answers(1))[-1]
    assert not re.search(r"/charts/[\w-]{32}", answer), path
