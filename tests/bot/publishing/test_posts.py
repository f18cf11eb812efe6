"""What we say unasked: once, edited in place, at GitHub's pace, and never again what a person deleted."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from bot.cli.doctor import examine
from bot.github.client import GitHubUnavailableError
from bot.publishing.posts import PostPublisher
from bot.services import github_of
from storage.jobs import Jobs
from storage.lookups import all_tenants
from storage.posts import Post, PostKind, Posts
from storage.projects import Projects
from tests.conftest import Clock
from tests.support.running import Bot, as_administrator, rows


@dataclass
class Desk:
    """A repository with one issue, and a posting that does not pause."""

    bot: Bot
    posting: PostPublisher
    tenant: int
    project: int
    issue: int

    async def set_desired(self, post: Post) -> bool:
        async with self.bot.base.database.tenant(self.tenant) as tenant:
            return await Posts(tenant).set_desired(self.project, post, self.bot.base.clock())

    async def said(self) -> list[str]:
        """What stands in the thread, without markers."""
        return [text.partition("\n\n<!--")[0] for text in await self.bot.answers(self.issue)]

    async def send(self) -> None:
        await self.posting.send(self.tenant)

    async def settle(self, key: str, value: Any) -> None:
        async with self.bot.base.database.tenant(self.tenant) as tenant:
            await Projects(tenant).set_command_setting(self.project, key, value)

    def comment(self, body: str = "Hello", key: str = "living:1") -> Post:
        return Post(key, PostKind.COMMENT, body, self.issue)

    @property
    def writes(self) -> list[str]:
        """The writes that GitHub took of us into this repository."""
        told = self.bot.github.requests
        return [one[0] for one in told if one[0] in {"POST", "PATCH"} and f"{self.bot.repo}/" in one[1]]


@pytest.fixture
async def desk(bot: Bot) -> AsyncIterator[Desk]:
    issue = await bot.github.create_issue(bot.repo, "A card")
    await bot.rest()
    async with bot.base.database.unscoped() as connection:
        (tenant,) = await all_tenants(connection)
    async with bot.base.database.tenant(tenant) as one:
        project = await Projects(one).by_name(bot.repo)
    assert project is not None
    async with github_of(bot.base) as github:
        posting = PostPublisher(bot.base.database, github, bot.base.clock, pause_seconds=0)
        yield Desk(bot, posting, tenant, project.id, issue["number"])


# Once, and in place


async def test_it_is_posted_once_and_then_edited_in_place(desk: Desk) -> None:
    assert await desk.set_desired(desk.comment("One"))
    await desk.send()
    assert not await desk.set_desired(desk.comment("One"))
    await desk.send()
    assert await desk.set_desired(desk.comment("Two"))
    await desk.send()

    assert await desk.said() == ["Two"]
    assert desk.writes == ["POST", "PATCH"]


async def test_what_is_equal_again_before_it_was_sent_is_sent_once(desk: Desk) -> None:
    await desk.set_desired(desk.comment("One"))
    await desk.set_desired(desk.comment("Two"))
    await desk.set_desired(desk.comment("One"))
    await desk.send()

    assert len(desk.writes) == 1
    assert await desk.said() == ["One"]


async def test_a_job_sends_it(desk: Desk) -> None:
    await desk.set_desired(desk.comment("One"))
    await desk.send()
    async with desk.bot.base.database.tenant(desk.tenant) as tenant:
        await Posts(tenant).set_desired(desk.project, desk.comment("Two"), desk.bot.base.clock())
        await Jobs(desk.bot.base.queue).send_posts(tenant.connection, organization_id=desk.tenant)
    await desk.bot.rest()

    assert await desk.said() == ["Two"]


@pytest.mark.parametrize("status", [0, 502])
@pytest.mark.parametrize("kind", [PostKind.COMMENT, PostKind.ISSUE])
async def test_an_answer_that_was_lost_posts_nothing_twice(desk: Desk, kind: PostKind, status: int) -> None:
    """The process dies, or the answer is lost, after GitHub has taken it; and the text moves on meanwhile."""
    data = {"title": "Summary"} if kind is PostKind.ISSUE else {}
    post = replace(desk.comment("One"), kind=kind, data=data)
    await desk.set_desired(post)
    desk.bot.github.fail_next("POST", f"{desk.bot.repo}/issues", status, after_effect=True)
    with pytest.raises(GitHubUnavailableError):
        await desk.send()
    # Days later by our clock: what is searched for was posted before it was wanted as it is now.
    async with desk.bot.base.database.tenant(desk.tenant) as tenant:
        await Posts(tenant).set_desired(
            desk.project, replace(post, body="Two"), datetime.now(UTC) + timedelta(days=2)
        )
    await desk.send()

    if kind is PostKind.COMMENT:
        assert await desk.said() == ["Two"]
        return
    issues = await desk.bot.github.call("GET", f"/repos/{desk.bot.repo}/issues?state=all")
    (found,) = [one["body"] for one in issues if one["title"] == "Summary"]
    assert found.startswith("Two\n\n<!--")


async def test_a_killed_attempt_that_never_reached_github_is_made_again(desk: Desk) -> None:
    await desk.set_desired(desk.comment())
    async with desk.bot.base.database.tenant(desk.tenant) as tenant:
        (wanted,) = await Posts(tenant).due({desk.project})
        await Posts(tenant).begin_attempt(wanted)
    await desk.send()

    assert await desk.said() == ["Hello"]


async def test_what_was_wanted_while_an_earlier_text_was_under_way_is_still_due(
    desk: Desk, clock: Clock
) -> None:
    clock.now = datetime.now(UTC)
    await desk.set_desired(desk.comment("One"))
    async with desk.bot.base.database.tenant(desk.tenant) as tenant:
        (wanted,) = await Posts(tenant).due({desk.project})
        await Posts(tenant).set_desired(desk.project, desk.comment("Two"), clock.now + timedelta(seconds=1))
        await Posts(tenant).mark_sent(wanted, 55, clock.now + timedelta(seconds=9))
        (still,) = await Posts(tenant).due({desk.project})

    assert still.post.body == "Two"
    assert still.external_id == 55


async def test_what_github_has_already_is_not_due(desk: Desk) -> None:
    await desk.set_desired(desk.comment("One"))
    await desk.send()
    await desk.set_desired(desk.comment("Two"))
    await desk.set_desired(desk.comment("One"))
    async with desk.bot.base.database.tenant(desk.tenant) as tenant:
        assert await Posts(tenant).projects_with_due() == set()
    await desk.send()

    assert desk.writes == ["POST"]


# What people do with it


async def test_what_a_person_deleted_stays_deleted(desk: Desk) -> None:
    await desk.set_desired(desk.comment("One"))
    await desk.send()
    (comment,) = await desk.bot.github.comments(desk.bot.repo, desk.issue)
    await desk.bot.github.delete_comment(desk.bot.repo, comment["id"])
    for text in ("Two", "Three"):
        await desk.set_desired(desk.comment(text))
        await desk.send()

    assert await desk.said() == []
    async with desk.bot.base.database.tenant(desk.tenant) as tenant:
        fate = await Posts(tenant).status(desk.project, "living:1")
    assert fate is not None
    assert fate.is_gone


async def test_an_issue_that_is_nobody_s_work_is_closed_at_once(desk: Desk) -> None:
    data = {"title": "Summary: Sprint 1", "state": "closed", "state_reason": "not_planned"}
    await desk.set_desired(Post("summary:1", PostKind.ISSUE, "Words", data=data))
    await desk.send()

    issues = await desk.bot.github.call("GET", f"/repos/{desk.bot.repo}/issues?state=all")
    (found,) = [one for one in issues if one["title"] == "Summary: Sprint 1"]
    assert (found["state"], found["state_reason"]) == ("closed", "not_planned")


async def test_the_fate_of_one_post_is_looked_up_by_its_whole_key(desk: Desk) -> None:
    """A team's posts are many; a prefix cannot use the index in every collation."""
    await rows(
        desk.bot.base,
        "insert into posts (organization_id, project_id, key, kind, body, data, wanted_at) "
        "select :tenant, :project, 'check:' || n, 'check', '', '{}', now() "
        "from generate_series(1, 2000) as n returning id",
        desk.tenant,
        tenant=desk.tenant,
        project=desk.project,
    )
    as_administrator(desk.bot.base, "analyze posts")
    queries = list[tuple[str, Any]]()
    async with desk.bot.base.database.tenant(desk.tenant) as tenant:
        connection = tenant.connection
        await connection.exec_driver_sql("set local enable_seqscan = off")
        event.listen(
            connection.sync_connection,
            "before_cursor_execute",
            lambda *call: queries.append((call[2], call[3])),
        )
        await Posts(tenant).status(desk.project, "check:1")
        ((query, values),) = queries
        plan = await connection.exec_driver_sql(f"explain {query}", values)
        lines = [str(row[0]) for row in plan]

    assert any("Index Cond:" in line and "key" in line for line in lines), lines


# What GitHub says


async def test_what_github_refuses_is_shown_by_doctor_and_tried_again_on_another_day(desk: Desk) -> None:
    desk.bot.github.fail_next("POST", f"{desk.bot.repo}/issues", 403, body={"message": "locked"})
    await desk.set_desired(desk.comment("One"))
    await desk.send()
    assert any("living:1: GitHub answered 403" in one for one in await examine(desk.bot.base))
    await desk.set_desired(desk.comment("Two"))
    await desk.send()
    assert await desk.said() == []

    async with desk.bot.base.database.tenant(desk.tenant) as tenant:
        await Posts(tenant).set_desired(
            desk.project, desk.comment("Three"), datetime.now(UTC) + timedelta(days=1, hours=1)
        )
    await desk.send()
    assert await desk.said() == ["Three"]
    assert not any("living:1" in one for one in await examine(desk.bot.base))


async def test_one_that_is_refused_stops_no_other(desk: Desk) -> None:
    desk.bot.github.fail_next("POST", f"{desk.bot.repo}/issues", 422)
    await desk.set_desired(desk.comment("One", "a"))
    await desk.set_desired(desk.comment("Two", "b"))
    await desk.send()

    assert await desk.said() == ["Two"]


async def test_where_github_asks_to_wait_the_job_waits(desk: Desk) -> None:
    await desk.set_desired(desk.comment("One"))
    await desk.send()
    desk.bot.github.fail_next("PATCH", f"{desk.bot.repo}/issues", 403, headers={"retry-after": "600"})
    async with desk.bot.base.database.tenant(desk.tenant) as tenant:
        await Posts(tenant).set_desired(desk.project, desk.comment("Two"), desk.bot.base.clock())
        await Jobs(desk.bot.base.queue).send_posts(tenant.connection, organization_id=desk.tenant)
    await desk.bot.rest()

    assert await desk.said() == ["One"]
    (job,) = await rows(
        desk.bot.base,
        "select scheduled_at - now() as wait from procrastinate_jobs "
        "where task_name = 'send_posts_later' and status = 'todo'",
    )
    assert timedelta(minutes=9) < job.wait <= timedelta(minutes=10)


# The pace


async def test_at_most_so_many_writes_an_hour_edits_included(desk: Desk, clock: Clock) -> None:
    clock.now = datetime.now(UTC)
    async with github_of(desk.bot.base) as github:
        posting = PostPublisher(desk.bot.base.database, github, clock, pause_seconds=0, most_an_hour=3)
        for n in range(3):
            clock.now += timedelta(seconds=10)
            await desk.set_desired(desk.comment(f"Text {n}"))
            await posting.send(desk.tenant)
        clock.now += timedelta(seconds=10)
        await desk.set_desired(desk.comment("Text 3"))
        with pytest.raises(GitHubUnavailableError):
            await posting.send(desk.tenant)
        assert await desk.said() == ["Text 2"]
        clock.now += timedelta(hours=1)
        await posting.send(desk.tenant)

    assert await desk.said() == ["Text 3"]


async def test_between_two_writes_is_a_pause_also_from_one_job_to_the_next(desk: Desk) -> None:
    async with github_of(desk.bot.base) as github:
        posting = PostPublisher(desk.bot.base.database, github, desk.bot.base.clock, pause_seconds=0.4)
        begun = datetime.now(UTC)
        for n in range(3):
            await desk.set_desired(desk.comment(f"Text {n}", f"key {n}"))
            await posting.send(desk.tenant)

    assert datetime.now(UTC) - begun >= timedelta(seconds=0.8)


# Silence


@pytest.mark.parametrize(
    ("key", "value"),
    [("paused", True), ("quiet", {"1": "on"}), ("quiet_hours", {"from": "00:00", "until": "23:59:59"})],
)
async def test_where_nothing_is_wanted_unasked_it_waits(desk: Desk, key: str, value: Any) -> None:
    assert desk.issue == 1
    await desk.settle(key, value)
    await desk.set_desired(desk.comment())
    await desk.send()
    assert await desk.said() == []

    await desk.settle(key, None)
    await desk.send()
    assert await desk.said() == ["Hello"]


async def test_an_edit_disturbs_nobody_so_a_quiet_thread_has_it(desk: Desk) -> None:
    await desk.set_desired(desk.comment("One"))
    await desk.send()
    await desk.settle("quiet", {"1": "on"})
    await desk.set_desired(desk.comment("Two"))
    await desk.send()

    assert await desk.said() == ["Two"]
