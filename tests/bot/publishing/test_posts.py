"""Posts: created once, edited in place, at GitHub's pace, and not again after a person deleted them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from bot.cli.doctor import examine
from bot.github.client import GitHubUnavailableError
from bot.publishing.posts import PostPublisher
from bot.services import open_github
from storage.job_types import SendPostsJob
from storage.jobs import Jobs
from storage.post_states import Post, PostKind
from storage.posts import Posts
from tests.support.clock import Clock
from tests.support.publishing import PublishingHarness
from tests.support.running import query_as_administrator, rows

# Once, and in place


async def test_post_is_created_once_and_then_edited(publishing: PublishingHarness) -> None:
    assert await publishing.set_desired(publishing.comment("One"))
    await publishing.send()
    assert not await publishing.set_desired(publishing.comment("One"))
    await publishing.send()
    assert await publishing.set_desired(publishing.comment("Two"))
    await publishing.send()

    assert await publishing.read_thread() == ["Two"]
    assert publishing.writes == ["POST", "PATCH"]


async def test_post_changed_back_before_sending_is_sent_once(publishing: PublishingHarness) -> None:
    await publishing.set_desired(publishing.comment("One"))
    await publishing.set_desired(publishing.comment("Two"))
    await publishing.set_desired(publishing.comment("One"))
    await publishing.send()

    assert len(publishing.writes) == 1
    assert await publishing.read_thread() == ["One"]


async def test_job_sends_the_post(publishing: PublishingHarness) -> None:
    await publishing.set_desired(publishing.comment("One"))
    await publishing.send()
    async with publishing.bot.base.database.tenant(publishing.tenant) as tenant:
        await Posts(tenant).set_desired(
            publishing.project, publishing.comment("Two"), publishing.bot.base.clock()
        )
        job = SendPostsJob(organization_id=publishing.tenant)
        await Jobs().defer(tenant.connection, job)
    await publishing.bot.rest()

    assert await publishing.read_thread() == ["Two"]


@pytest.mark.parametrize("status", [0, 502])
@pytest.mark.parametrize("kind", [PostKind.COMMENT, PostKind.ISSUE])
async def test_an_answer_that_was_lost_posts_nothing_twice(
    publishing: PublishingHarness, kind: PostKind, status: int
) -> None:
    """The process dies, or the answer is lost, after GitHub has taken it; and the text moves on meanwhile."""
    data = {"title": "Summary"} if kind is PostKind.ISSUE else {}
    post = replace(publishing.comment("One"), kind=kind, data=data)
    await publishing.set_desired(post)
    publishing.bot.github.fail_next("POST", f"{publishing.bot.repo}/issues", status, after_effect=True)
    with pytest.raises(GitHubUnavailableError):
        await publishing.send()
    # Days later by our clock: what is searched for was posted before it was wanted as it is now.
    async with publishing.bot.base.database.tenant(publishing.tenant) as tenant:
        await Posts(tenant).set_desired(
            publishing.project, replace(post, body="Two"), datetime.now(UTC) + timedelta(days=2)
        )
    await publishing.send()

    if kind is PostKind.COMMENT:
        assert await publishing.read_thread() == ["Two"]
        return
    issues = await publishing.bot.github.call("GET", f"/repos/{publishing.bot.repo}/issues?state=all")
    (result,) = [issue["body"] for issue in issues if issue["title"] == "Summary"]
    assert result.startswith("Two\n\n<!--")


async def test_a_killed_attempt_that_never_reached_github_is_made_again(
    publishing: PublishingHarness,
) -> None:
    await publishing.set_desired(publishing.comment())
    async with publishing.bot.base.database.tenant(publishing.tenant) as tenant:
        (wanted,) = await Posts(tenant).due({publishing.project})
        await Posts(tenant).begin_attempt(wanted)
    await publishing.send()

    assert await publishing.read_thread() == ["Hello"]


async def test_what_was_wanted_while_an_earlier_text_was_under_way_is_still_due(
    publishing: PublishingHarness, clock: Clock
) -> None:
    clock.now = datetime.now(UTC)
    await publishing.set_desired(publishing.comment("One"))
    async with publishing.bot.base.database.tenant(publishing.tenant) as tenant:
        (wanted,) = await Posts(tenant).due({publishing.project})
        await Posts(tenant).set_desired(
            publishing.project, publishing.comment("Two"), clock.now + timedelta(seconds=1)
        )
        await Posts(tenant).mark_sent(wanted, 55, clock.now + timedelta(seconds=9))
        (still,) = await Posts(tenant).due({publishing.project})

    assert still.post.body == "Two"
    assert still.external_id == 55


async def test_what_github_has_already_is_not_due(publishing: PublishingHarness) -> None:
    await publishing.set_desired(publishing.comment("One"))
    await publishing.send()
    await publishing.set_desired(publishing.comment("Two"))
    await publishing.set_desired(publishing.comment("One"))
    async with publishing.bot.base.database.tenant(publishing.tenant) as tenant:
        assert await Posts(tenant).projects_with_due() == set()
    await publishing.send()

    assert publishing.writes == ["POST"]


# What people do with it


async def test_deleted_post_stays_deleted(publishing: PublishingHarness) -> None:
    await publishing.set_desired(publishing.comment("One"))
    await publishing.send()
    (comment,) = await publishing.bot.github.comments(publishing.bot.repo, publishing.issue)
    await publishing.bot.github.delete_comment(publishing.bot.repo, comment["id"])
    for text in ("Two", "Three"):
        await publishing.set_desired(publishing.comment(text))
        await publishing.send()

    assert await publishing.read_thread() == []
    async with publishing.bot.base.database.tenant(publishing.tenant) as tenant:
        fate = await Posts(tenant).status(publishing.project, "living:1")
    assert fate is not None
    assert fate.is_gone


async def test_an_issue_that_is_nobody_s_work_is_closed_at_once(publishing: PublishingHarness) -> None:
    data = {"title": "Summary: Sprint 1", "state": "closed", "state_reason": "not_planned"}
    await publishing.set_desired(Post("summary:1", PostKind.ISSUE, "Words", data=data))
    await publishing.send()

    issues = await publishing.bot.github.call("GET", f"/repos/{publishing.bot.repo}/issues?state=all")
    (result,) = [issue for issue in issues if issue["title"] == "Summary: Sprint 1"]
    assert (result["state"], result["state_reason"]) == ("closed", "not_planned")


async def test_the_fate_of_one_post_is_looked_up_by_its_whole_key(publishing: PublishingHarness) -> None:
    """A team's posts are many; a prefix cannot use the index in every collation."""
    await rows(
        publishing.bot.base,
        "insert into posts (organization_id, project_id, key, kind, body, data, wanted_at) "
        "select :tenant, :project, 'check:' || n, 'check', '', '{}', now() "
        "from generate_series(1, 2000) as n returning id",
        publishing.tenant,
        tenant=publishing.tenant,
        project=publishing.project,
    )
    query_as_administrator(publishing.bot.base, "analyze posts")
    queries = list[tuple[str, Any]]()
    async with publishing.bot.base.database.tenant(publishing.tenant) as tenant:
        connection = tenant.connection
        await connection.exec_driver_sql("set local enable_seqscan = off")
        event.listen(
            connection.sync_connection,
            "before_cursor_execute",
            lambda *call: queries.append((call[2], call[3])),
        )
        await Posts(tenant).status(publishing.project, "check:1")
        ((query, values),) = queries
        plan = await connection.exec_driver_sql(f"explain {query}", values)
        lines = [str(row[0]) for row in plan]

    assert any("Index Cond:" in line and "key" in line for line in lines), lines


# What GitHub says


async def test_what_github_refuses_is_shown_by_doctor_and_tried_again_on_another_day(
    publishing: PublishingHarness,
) -> None:
    publishing.bot.github.fail_next("POST", f"{publishing.bot.repo}/issues", 403, body={"message": "locked"})
    await publishing.set_desired(publishing.comment("One"))
    await publishing.send()
    assert any("living:1: GitHub answered 403" in entry for entry in await examine(publishing.bot.base))
    await publishing.set_desired(publishing.comment("Two"))
    await publishing.send()
    assert await publishing.read_thread() == []

    async with publishing.bot.base.database.tenant(publishing.tenant) as tenant:
        await Posts(tenant).set_desired(
            publishing.project, publishing.comment("Three"), datetime.now(UTC) + timedelta(days=1, hours=1)
        )
    await publishing.send()
    assert await publishing.read_thread() == ["Three"]
    assert not any("living:1" in entry for entry in await examine(publishing.bot.base))


async def test_one_that_is_refused_stops_no_other(publishing: PublishingHarness) -> None:
    publishing.bot.github.fail_next("POST", f"{publishing.bot.repo}/issues", 422)
    await publishing.set_desired(publishing.comment("One", "a"))
    await publishing.set_desired(publishing.comment("Two", "b"))
    await publishing.send()

    assert await publishing.read_thread() == ["Two"]


async def test_where_github_asks_to_wait_the_job_waits(publishing: PublishingHarness) -> None:
    await publishing.set_desired(publishing.comment("One"))
    await publishing.send()
    publishing.bot.github.fail_next(
        "PATCH", f"{publishing.bot.repo}/issues", 403, headers={"retry-after": "600"}
    )
    async with publishing.bot.base.database.tenant(publishing.tenant) as tenant:
        await Posts(tenant).set_desired(
            publishing.project, publishing.comment("Two"), publishing.bot.base.clock()
        )
        job = SendPostsJob(organization_id=publishing.tenant)
        await Jobs().defer(tenant.connection, job)
    await publishing.bot.rest()

    assert await publishing.read_thread() == ["One"]
    (waiting,) = query_as_administrator(
        publishing.bot.base,
        "select scheduled_at - now() as wait from procrastinate_jobs "
        "where task_name = 'run_later' and args ->> 'task' = 'send_posts' and status = 'todo'",
    )
    assert timedelta(minutes=9) < waiting.wait <= timedelta(minutes=10)


# The pace


async def test_at_most_so_many_writes_an_hour_edits_included(
    publishing: PublishingHarness, clock: Clock
) -> None:
    clock.now = datetime.now(UTC)
    async with open_github(publishing.bot.base) as github:
        posting = PostPublisher(publishing.bot.base.database, github, clock, pause_seconds=0, most_an_hour=3)
        for n in range(3):
            clock.now += timedelta(seconds=10)
            await publishing.set_desired(publishing.comment(f"Text {n}"))
            await posting.send(publishing.tenant)
        clock.now += timedelta(seconds=10)
        await publishing.set_desired(publishing.comment("Text 3"))
        with pytest.raises(GitHubUnavailableError):
            await posting.send(publishing.tenant)
        assert await publishing.read_thread() == ["Text 2"]
        clock.now += timedelta(hours=1)
        await posting.send(publishing.tenant)

    assert await publishing.read_thread() == ["Text 3"]


async def test_between_two_writes_is_a_pause_also_from_one_job_to_the_next(
    publishing: PublishingHarness,
) -> None:
    async with open_github(publishing.bot.base) as github:
        posting = PostPublisher(
            publishing.bot.base.database, github, publishing.bot.base.clock, pause_seconds=0.4
        )
        begun = datetime.now(UTC)
        for n in range(3):
            await publishing.set_desired(publishing.comment(f"Text {n}", f"key {n}"))
            await posting.send(publishing.tenant)

    assert datetime.now(UTC) - begun >= timedelta(seconds=0.8)


# Silence


@pytest.mark.parametrize(
    ("key", "value"),
    [("paused", True), ("quiet", {"1": "on"}), ("quiet_hours", {"from": "00:00", "until": "23:59:59"})],
)
async def test_where_nothing_is_wanted_unasked_it_waits(
    publishing: PublishingHarness, key: str, value: Any
) -> None:
    assert publishing.issue == 1
    await publishing.set_setting(key, value)
    await publishing.set_desired(publishing.comment())
    await publishing.send()
    assert await publishing.read_thread() == []

    await publishing.set_setting(key, None)
    await publishing.send()
    assert await publishing.read_thread() == ["Hello"]


async def test_an_edit_disturbs_nobody_so_a_quiet_thread_has_it(publishing: PublishingHarness) -> None:
    await publishing.set_desired(publishing.comment("One"))
    await publishing.send()
    await publishing.set_setting("quiet", {"1": "on"})
    await publishing.set_desired(publishing.comment("Two"))
    await publishing.send()

    assert await publishing.read_thread() == ["Two"]
