"""Gaps in the webhooks: the missing history is fetched, and figures state what is missing."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from bot.cli.doctor import examine
from bot.github.client import GitHub
from bot.settings import GitHubSettings, Secret
from bot.sync.access_tracking import record_suspension, track_installation
from bot.sync.redelivery import LAST_READ, RETRY_PAUSES, Redelivery
from handlers.delivery import InstallationChanged
from sprints.gaps import EventGap, GapCause
from storage.closed_sprints import ClosedSprints
from storage.gaps import Gaps
from storage.job_types import CheckVisibilityJob, ReconcileJob
from storage.jobs import Jobs
from storage.missed_deliveries import set_checkpoint
from storage.projects import Projects
from storage.work_lookups import tenants_due
from tests.support.clock import Clock
from tests.support.running import Bot, query_as_administrator, rows
from tests.support.sprints import make_sprint
from tests.support.webhooks import INSTALLATION_CREATED

_COULD_NOT_HEAR = "reconstructed: no events received from "
_INCOMPLETE = "incomplete: no events received from "


async def ask(bot: Bot, number: int, command: str) -> str:
    await bot.say(number, command)
    return (await bot.answers(number))[-1]


async def installed(bot: Bot) -> None:
    """As GitHub tells it when the App is installed."""
    await bot.github.trigger("installation", "created", bot.repo, repositories=[bot.repo])
    await bot.rest()


async def close_unheard(bot: Bot, number: int) -> None:
    async with bot.github.muted():
        await bot.github.close_issue(bot.repo, number)


async def closings(bot: Bot) -> list[str]:
    """Where each closing of an issue is known from."""
    data = await rows(bot.base, "select source from timeline where event = 'closed' and kind = 'issue'", 1)
    return sorted(row.source for row in data)


def backfills(bot: Bot) -> int:
    """How often the first page of the issues was asked for."""
    return sum(
        "items:issues" in asked["query"] and not asked["variables"].get("after")
        for asked in bot.github.history.queries
        if asked["variables"].get("name") == bot.repo.partition("/")[2]
    )


async def gaps(bot: Bot) -> list[Any]:
    return await rows(bot.base, "select * from event_gaps order by began_at, id", 1)


# Heard again


@pytest.mark.parametrize(
    ("event", "ends", "begins", "cause"),
    [
        ("installation", "suspend", "unsuspend", "suspended"),
        ("installation", None, "unsuspend", "suspended"),
        ("installation_repositories", "removed", "added", "removed"),
        # Those that were accepted are no others than before.
        ("installation", None, "new_permissions_accepted", None),
    ],
)
async def test_what_happened_without_a_webhook_is_asked_for(
    bot: Bot, event: str, ends: str | None, begins: str, cause: str | None
) -> None:
    number = await make_sprint(bot)
    await installed(bot)
    if ends:
        await bot.github.trigger(event, ends, bot.repo, repositories=[bot.repo])
    await bot.rest()
    await close_unheard(bot, number)
    assert await closings(bot) == ["webhook"]

    await bot.github.trigger(event, begins, bot.repo, repositories=[bot.repo])
    await bot.rest()

    assert await closings(bot) == ["backfill", "webhook"]
    if cause is None:
        assert await gaps(bot) == []
        return
    (gap,) = await gaps(bot)
    assert (gap.cause, gap.ended_at is not None) == (cause, True)
    health = await ask(bot, number, "/agile health")
    assert "; filled in |" in health
    assert "Every event arrived" not in health
    assert _COULD_NOT_HEAR in await ask(bot, number, "/sprint status")


async def test_a_new_installation_asks_for_what_happened_without_any(bot: Bot) -> None:
    owner = (await bot.github.call("GET", f"/repos/{bot.repo}"))["owner"]
    before = {"installation": {"id": 4711, "account": owner}}
    await bot.deliver("installation", INSTALLATION_CREATED | before)
    await bot.deliver("installation", INSTALLATION_CREATED | before | {"action": "deleted"})
    await bot.rest()
    async with bot.github.muted():
        number = await make_sprint(bot)
        await bot.github.close_issue(bot.repo, number)

    await installed(bot)

    assert [gap.cause for gap in await gaps(bot)] == ["uninstalled"]
    assert await closings(bot) == ["backfill", "backfill"]


FIGURES = (
    *("/sprint status", "/sprint report", "/sprint scope", "/summary", "/standup", "/my confirm:yes"),
    *("/burndown", "/burnup", "/cfd", "/velocity", "/throughput", "/cycletime", "/aging"),
    *("/explain", "/explain added", "/explain carry-over", "/explain velocity", "/explain lead time"),
)


async def test_until_then_figures_say_that_they_are_incomplete(
    bot: Bot, capsys: pytest.CaptureFixture[str]
) -> None:
    number = await make_sprint(bot)
    await installed(bot)
    await bot.github.trigger("installation", "suspend", bot.repo)
    await bot.rest()
    assert not [finding for finding in await examine(bot.base) if "no events received" in finding]
    printed = capsys.readouterr().out
    assert "tenant 1: no events received since " in printed
    assert f" UTC from {bot.repo}, because the App was suspended\n" in printed
    bot.github.fail_next("POST", "/graphql", 404, times=100)
    await bot.github.trigger("installation", "unsuspend", bot.repo)
    await bot.rest()

    for command in FIGURES:
        answer = await ask(bot, number, command)
        assert answer.count(_INCOMPLETE) == 1, command
    assert _INCOMPLETE not in await ask(bot, number, "/help")
    health = await ask(bot, number, "/agile health")
    assert "- I received no events from " in health
    assert "because the App was suspended. Numbers are incomplete until I have imported" in health
    (finding,) = [finding for finding in await examine(bot.base) if "no events received" in finding]
    assert "UTC, because the App was suspended, and the history of" in finding
    assert f"to do it now, run `python -m bot backfill {bot.repo}`" in finding

    bot.github.clear_faults()
    async with bot.base.database.unscoped() as connection:
        await Jobs().defer(connection, ReconcileJob(organization_id=1))
    await bot.rest()
    assert _COULD_NOT_HEAR in await ask(bot, number, "/sprint status new:yes")
    assert not [finding for finding in await examine(bot.base) if "no events received" in finding]


async def test_a_changed_and_a_deleted_milestone_are_found(bot: Bot) -> None:
    number = await make_sprint(bot)
    await make_sprint(bot, "Sprint 13", start=10, due=20)
    await installed(bot)
    await bot.github.trigger("installation", "suspend", bot.repo)
    await bot.rest()
    async with bot.github.muted():
        await bot.github.update_milestone(bot.repo, 1, title="Sprint twelve")
        await bot.github.call("DELETE", f"/repos/{bot.repo}/milestones/2")
    await bot.github.trigger("installation", "unsuspend", bot.repo)
    await bot.rest()

    answer = await ask(bot, number, "/sprint list")
    assert "| Sprint twelve | " in answer
    (deleted,) = [line for line in answer.splitlines() if line.startswith("| Sprint 13 |")]
    assert "| deleted |" in deleted


# In any order


async def test_told_twice_the_past_is_asked_for_once(bot: Bot) -> None:
    await make_sprint(bot)
    await installed(bot)
    asked = backfills(bot)
    payloads = [
        delivery.payload
        for action in ("suspend", "unsuspend")
        for delivery in await bot.github.trigger("installation", action, bot.repo)
    ]
    await bot.rest()
    assert backfills(bot) == asked + 1
    for payload in (*payloads, *reversed(payloads)):
        await bot.deliver("installation", payload)
        await bot.rest()
    assert backfills(bot) == asked + 1
    assert len(await gaps(bot)) == 1


async def test_the_end_may_be_told_before_the_beginning(bot: Bot) -> None:
    await make_sprint(bot)
    await installed(bot)
    async with bot.github.muted():
        data = [
            await bot.github.trigger("installation", action, bot.repo) for action in ("suspend", "unsuspend")
        ]
    assert data
    now = datetime.now(UTC)
    present = {"id": bot.github.installation_id, "account": await owner_of(bot)}
    suspended = {**present, "suspended_at": stamp(now - timedelta(seconds=1))}
    await bot.deliver("installation", {"action": "unsuspend", "installation": present})
    await bot.rest()
    await bot.deliver("installation", {"action": "suspend", "installation": suspended})
    await bot.rest()

    (organization,) = await rows(bot.base, "select suspended_at from organizations", 1)
    assert organization.suspended_at is None
    (gap,) = await gaps(bot)
    assert gap.ended_at is not None


# In these, any three of the four come in each order.
_ORDERS = ("0123", "0213", "0312", "1203", "1302", "2301", "3210")


@pytest.mark.parametrize("order", [tuple(map(int, order)) for order in _ORDERS])
async def test_whatever_the_order_it_ends_as_github_says(bot: Bot, order: Sequence[int]) -> None:
    """Suspended and resumed twice; where the order leaves it open, GitHub is asked."""
    await installed(bot)
    begin = datetime.now(UTC).replace(microsecond=0)
    account = await owner_of(bot)
    events = [
        (action, {"updated_at": stamp(at), "suspended_at": stamp(at) if action == "suspend" else None})
        for action, at in (
            (action, begin + timedelta(seconds=place))
            for place, action in enumerate(("suspend", "unsuspend") * 2)
        )
    ]
    await asyncio.sleep(0)
    for place in order:
        action, times = events[place]
        installation = {"id": bot.github.installation_id, "account": account, **times}
        await bot.deliver("installation", {"action": action, "installation": installation})
        await bot.rest()

    (organization,) = await rows(bot.base, "select suspended_at from organizations", 1)
    assert organization.suspended_at is None
    assert all(gap.ended_at is not None for gap in await gaps(bot))


async def owner_of(bot: Bot) -> dict[str, Any]:
    owner: dict[str, Any] = (await bot.github.call("GET", f"/repos/{bot.repo}"))["owner"]
    return owner


def stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def test_missed_resumption_is_found_by_asking_stripe(bot: Bot, clock: Clock) -> None:
    await make_sprint(bot)
    await installed(bot)
    await bot.github.trigger("installation", "suspend", bot.repo)
    await bot.rest()
    async with bot.base.database.unscoped() as connection:
        due = await tenants_due(connection, "visibility", bot.base.clock() + timedelta(hours=1), 100)
        assert list(due) == [1]
        await Jobs().defer(connection, CheckVisibilityJob(organization_id=1))
    await bot.rest()

    (organization,) = await rows(bot.base, "select suspended_at from organizations", 1)
    assert organization.suspended_at is None
    (gap,) = await gaps(bot)
    assert gap.ended_at is not None


# What is settled once and for all


async def test_nothing_is_frozen_while_nothing_is_heard(bot: Bot) -> None:
    await make_sprint(bot)
    await installed(bot)
    assert not await is_history_coming(bot)
    await bot.github.trigger("installation", "suspend", bot.repo)
    await bot.rest()
    assert await is_history_coming(bot)
    await bot.github.trigger("installation", "unsuspend", bot.repo)
    await bot.rest()
    assert not await is_history_coming(bot)


async def is_history_coming(bot: Bot) -> bool:
    async with bot.base.database.tenant(1) as tenant:
        project = await Projects(tenant).by_name(bot.repo)
        assert project
        return await ClosedSprints(tenant, {project.id}).is_history_still_coming()


async def test_a_suspended_account_is_left_alone(bot: Bot) -> None:
    await make_sprint(bot)
    await installed(bot)
    await bot.github.trigger("installation", "suspend", bot.repo)
    await bot.rest()
    async with bot.base.database.tenant(1) as tenant:
        project = await Projects(tenant).by_name(bot.repo)
        assert project is not None
        assert not project.is_accessible


# What the new permissions let us hear


@pytest.mark.parametrize(
    ("had", "has", "is_long"),
    [
        ({"metadata": "read"}, {"metadata": "read", "issues": "write"}, [True]),
        ({"issues": "read"}, {"issues": "write", "merge_queues": "read"}, []),
        # Not noted by older versions, which asked for both in any case: until the past is read, who knows.
        (None, {"issues": "write", "pull_requests": "write", "merge_queues": "read"}, [False]),
    ],
)
async def test_permissions_that_let_us_hear_issues_leave_a_gap_since_the_beginning(
    bot: Bot, had: dict[str, str] | None, has: dict[str, str], is_long: list[bool]
) -> None:
    account = await owner_of(bot)
    present = {"id": bot.github.installation_id, "account": account}
    begun = present if had is None else present | {"permissions": had}
    await bot.deliver("installation", INSTALLATION_CREATED | {"installation": begun})
    await bot.rest()
    accepted = {"action": "new_permissions_accepted", "installation": present | {"permissions": has}}
    await bot.deliver("installation", accepted)
    await bot.rest()

    assert [gap.began_at < gap.ended_at for gap in await gaps(bot)] == is_long


async def test_a_team_without_pull_requests_was_heard_before_it_accepts_what_a_release_adds(bot: Bot) -> None:
    present = {"id": bot.github.installation_id, "account": await owner_of(bot)}
    await bot.deliver("installation", INSTALLATION_CREATED | {"installation": present})
    await bot.rest()
    number = await make_sprint(bot)
    for table in ("organizations", "projects"):
        query_as_administrator(bot.base, f"update {table} set created_at = now() - interval '300 days'")
    granted = {"issues": "write", "pull_requests": "write", "merge_queues": "read"}
    accepted = {
        "action": "new_permissions_accepted",
        "installation": present | {"permissions": granted},
    }
    await bot.deliver("installation", accepted)
    await bot.rest()

    assert "no events received" not in await ask(bot, number, "/sprint status")


async def test_accepting_any_permission_reads_the_past_again(bot: Bot) -> None:
    present = {"id": bot.github.installation_id, "account": await owner_of(bot)}
    held = {"issues": "write", "pull_requests": "write"}
    await bot.deliver(
        "installation", INSTALLATION_CREATED | {"installation": present | {"permissions": held}}
    )
    number = await make_sprint(bot)
    asked = backfills(bot)
    granted = present | {"permissions": held | {"merge_queues": "read"}}
    await bot.deliver("installation", {"action": "new_permissions_accepted", "installation": granted})
    await bot.rest()
    assert backfills(bot) == asked + 1
    assert "no events received" not in await ask(bot, number, "/sprint status")


async def test_concurrent_duplicate_suspensions_count_once(bot: Bot) -> None:
    """By the webhook, and by GitHub's answer while the webhook's transaction is open."""
    await make_sprint(bot)
    await installed(bot)
    now, database = bot.base.clock(), bot.base.database
    change = InstallationChanged(bot.github.installation_id, "suspend", now, stated_at=now)
    async with database.tenant(1) as tenant:
        await track_installation(tenant, change)

        async def answered() -> None:
            async with database.tenant(1) as other:
                await record_suspension(other, now - timedelta(seconds=1), now)

        answer = asyncio.create_task(answered())
        await asyncio.sleep(0.2)
    await answer
    (gap,) = await gaps(bot)
    assert gap.ended_at is None


# Lost for good


@pytest.fixture
async def redelivery(bot: Bot) -> AsyncIterator[Redelivery]:
    bot.github.deliveries.clear()
    settings = GitHubSettings(str(bot.github.app_id), Secret(bot.github.private_key))
    async with aiohttp.ClientSession() as session:
        client = GitHub(session, settings, bot.github.url, bot.base.clock)
        yield Redelivery(bot.base.database, client, bot.base.clock)


async def test_an_outage_longer_than_github_keeps_deliveries_is_a_gap(
    bot: Bot, redelivery: Redelivery
) -> None:
    await make_sprint(bot)
    now = bot.base.clock()
    async with bot.base.database.unscoped() as connection:
        await set_checkpoint(connection, LAST_READ, now - timedelta(days=5))
    await rows(bot.base, "update projects set synced_at = now() returning 1", 1)

    await redelivery.run()
    assert redelivery.take_affected_tenants() == [1]
    (gap,) = await gaps(bot)
    assert (gap.cause, gap.began_at) == ("outage", now - timedelta(days=5))
    assert abs(gap.ended_at - (now - timedelta(days=3))) < timedelta(minutes=1)

    await redelivery.run()
    assert len(await gaps(bot)) == 1


async def test_where_somebody_looked_in_time_there_is_no_gap(bot: Bot, redelivery: Redelivery) -> None:
    await make_sprint(bot)
    async with bot.base.database.unscoped() as connection:
        await set_checkpoint(connection, LAST_READ, bot.base.clock() - timedelta(days=2))
    await redelivery.run()
    assert await gaps(bot) == []


async def test_a_delivery_that_was_asked_for_in_vain_is_a_gap_of_its_repository(
    bot: Bot, redelivery: Redelivery
) -> None:
    await make_sprint(bot)
    (repository,) = {row.github_id for row in await rows(bot.base, "select github_id from github_events", 1)}
    await rows(
        bot.base,
        "insert into missed_deliveries (organization_id, delivery_id, event_type, delivered_at, asked_again,"
        " repository_id) values (1, 'lost', 'issues', now(), :asked, :repository) returning 1",
        1,
        asked=len(RETRY_PAUSES),
        repository=repository,
    )
    for _ in range(2):
        await redelivery.run()
    (gap,) = await gaps(bot)
    assert gap.cause == "undelivered"
    assert gap.project_id is not None


async def test_repeated_gap_stays_one(bot: Bot) -> None:
    await make_sprint(bot)
    await installed(bot)
    begin = datetime(2026, 11, 2, 9, tzinfo=UTC)
    change = InstallationChanged(bot.github.installation_id, "suspend", begin, begin)
    async with bot.base.database.tenant(1) as tenant:
        for _ in range(3):
            assert await track_installation(tenant, change)
        assert await Gaps(tenant).end(GapCause.SUSPENDED, begin + timedelta(hours=1))
    assert len(await gaps(bot)) == 1


async def lose(bot: Bot, *, event: str, days_ago: int, asked: int = len(RETRY_PAUSES)) -> None:
    """As older versions noted it: without its repository."""
    await rows(
        bot.base,
        "insert into missed_deliveries (organization_id, delivery_id, event_type, delivered_at, asked_again)"
        " values (1, :delivery, :event, now() - make_interval(days => :days), :asked) returning 1",
        1,
        delivery=f"{event}-{days_ago}",
        event=event,
        days=days_ago,
        asked=asked,
    )


async def test_deliveries_lost_far_apart_are_gaps_of_their_own(bot: Bot, redelivery: Redelivery) -> None:
    await make_sprint(bot)
    query_as_administrator(bot.base, "update projects set created_at = now() - interval '400 days'")
    await lose(bot, event="issues", days_ago=200)
    await lose(bot, event="label", days_ago=5)
    await lose(bot, event="milestone", days_ago=5)
    await redelivery.run()
    old, recent = await gaps(bot)
    assert old.began_at == old.ended_at
    assert recent.began_at < recent.ended_at < recent.began_at + timedelta(minutes=1)


async def test_what_is_lost_for_good_and_told_by_nothing_else_is_named(
    bot: Bot, redelivery: Redelivery, capsys: pytest.CaptureFixture[str]
) -> None:
    number = await make_sprint(bot)
    await installed(bot)
    lost = ("deployment_status", "projects_v2_item", "pull_request_review", "issue_comment", "push")
    for event in lost:
        await lose(bot, event=event, days_ago=4)
    await redelivery.run()

    health = await ask(bot, number, "/agile health")
    assert "| Events missed | 0, and 5 lost |" in health
    assert (
        "UTC are lost: 1 `deployment_status`, 1 `issue_comment`, 1 `projects_v2_item`, "
        "1 `pull_request_review`, 1 `push`. " in health
    )
    assert "- 5 events sent between " in health
    (finding,) = [finding for finding in await examine(bot.base) if " lost (" in finding]
    assert "5 deliveries are lost (1 deployment_status, 1 issue_comment, " in finding

    query_as_administrator(bot.base, "update missed_deliveries set lost_at = now() - interval '31 days'")
    assert " lost" not in await ask(bot, number, "/agile health new:yes")
    assert not [finding for finding in await examine(bot.base) if " lost (" in finding]
    capsys.readouterr()


async def test_of_what_the_past_tells_nothing_is_lost_for_good(bot: Bot, redelivery: Redelivery) -> None:
    number = await make_sprint(bot)
    await installed(bot)
    await lose(bot, event="issues", days_ago=4)
    await redelivery.run()
    assert " lost" not in await ask(bot, number, "/agile health")


async def test_suspension_becomes_a_gap_when_it_ends(bot: Bot) -> None:
    """The installation was confirmed as suspended, by GitHub when it was asked."""
    await make_sprint(bot)
    await installed(bot)
    query_as_administrator(bot.base, "update organizations set suspended_at = now() - interval '5 days'")
    asked = backfills(bot)
    async with bot.base.database.unscoped() as connection:
        await Jobs().defer(connection, CheckVisibilityJob(organization_id=1))
    await bot.rest()

    (gap,) = await gaps(bot)
    assert (gap.cause, (gap.ended_at - gap.began_at).days) == ("suspended", 5)
    assert backfills(bot) == asked + 1


async def test_a_repository_that_nobody_announced_is_read_after_a_day(bot: Bot) -> None:
    await make_sprint(bot)

    async def compare() -> int:
        async with bot.base.database.unscoped() as connection:
            await Jobs().defer(connection, ReconcileJob(organization_id=1))
        await bot.rest()
        return backfills(bot)

    assert await compare() == 0
    query_as_administrator(bot.base, "update projects set created_at = now() - interval '25 hours'")
    assert await compare() == 1
    assert await compare() == 1


async def test_gaps_are_asked_for_once_and_only_where_figures_are_reported(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await make_sprint(bot)
    queries, of_projects = list[object](), Gaps.of_projects

    async def counted(gaps: Gaps, project_ids: Collection[int]) -> tuple[EventGap, ...]:
        queries.append(project_ids)
        return await of_projects(gaps, project_ids)

    monkeypatch.setattr(Gaps, "of_projects", counted)
    for command, count in (("/help", 0), ("/sprint status", 1), ("/standup", 1), ("/standup\n/velocity", 2)):
        queries.clear()
        await bot.say(number, command)
        assert len(queries) == count, command
