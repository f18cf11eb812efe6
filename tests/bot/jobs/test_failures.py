"""Failures of GitHub, the network, PostgreSQL or the bot: nothing is lost, and nothing is posted twice."""

import asyncio
import signal
import uuid
from pathlib import Path

import aiohttp
import psutil
import pytest

from bot.cli.doctor import examine
from bot.cli.serve import web_server
from bot.jobs.event_processor import wait_until_processed
from bot.jobs.worker import worker
from bot.services import open_services
from bot.settings import Secret, Settings
from storage import embedded, schema
from tests.support.conversations import comment_in_sprint, wait_for_answer
from tests.support.running import Bot, WebhookClient, query_as_administrator, rows, wait_until
from tests.support.webhooks import ISSUE_OPENED

COMMENTS = r"/issues/\d+/comments$"
PERMISSION = r"/permission$"


@pytest.mark.parametrize("status", [502, 0], ids=["bad gateway", "connection lost"])
async def test_an_answer_whose_receipt_got_lost_is_not_posted_again(bot: Bot, status: int) -> None:
    bot.github.fail_next("POST", COMMENTS, status, after_effect=True)
    number, comment = await comment_in_sprint(bot)
    assert len(await wait_for_answer(bot, number, comment)) == 1


@pytest.mark.parametrize("status", [500, 503, 0])
async def test_an_outage_only_delays_the_answer(bot: Bot, status: int) -> None:
    bot.github.fail_next("POST", COMMENTS, status)
    number, comment = await comment_in_sprint(bot)
    assert len(await wait_for_answer(bot, number, comment)) == 1


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (403, {"retry-after": "2"}),
        (429, {"retry-after": "1"}),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-limit": "5000", "x-ratelimit-reset": "1"}),
    ],
    ids=["secondary limit", "too many requests", "primary limit"],
)
async def test_a_rate_limit_is_obeyed_and_the_answer_given_after_it(
    bot: Bot, status: int, headers: dict[str, str]
) -> None:
    bot.github.fail_next("GET", PERMISSION, status, headers=headers)
    before = len(bot.github.requests)
    number, comment = await comment_in_sprint(bot)
    assert len(await wait_for_answer(bot, number, comment)) == 1
    calls = [call for call in bot.github.requests[before:] if call.path.endswith("/permission")]
    assert [call.status for call in calls] == [status, 200]


async def test_a_token_taken_back_early_is_replaced(bot: Bot) -> None:
    number, comment = await comment_in_sprint(bot)
    await wait_for_answer(bot, number, comment)
    bot.github.revoke_installation_tokens()
    again = await bot.say(number, "/sprint status new:yes")
    assert bot.reactions(again) == ["eyes", "+1"]
    assert len(await bot.answers(number)) == 2


async def test_a_token_that_github_refuses_leaves_a_finding_and_no_secret(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    bot.github.fail_next("POST", r"/access_tokens$", 401, times=50)
    number, _ = await comment_in_sprint(bot)

    async def is_parked() -> bool:
        return bool(await rows(bot.base, "select 1 from procrastinate_jobs where status = 'failed'"))

    await wait_until(is_parked)
    assert await bot.answers(number) == []
    findings = await examine(bot.base)
    assert any("(answer) failed 3 times" in finding for finding in findings)
    assert "PRIVATE KEY" not in caplog.text


@pytest.mark.parametrize("status", [403, 410, 422])
async def test_a_comment_that_github_refuses_is_reported_by_a_reaction_and_kept(
    bot: Bot, status: int
) -> None:
    bot.github.fail_next("POST", COMMENTS, status, body={"message": "locked"})
    number, comment = await comment_in_sprint(bot)
    assert await wait_for_answer(bot, number, comment, "confused") == []
    assert any(f"thread {number}" in finding and "locked" in finding for finding in await examine(bot.base))


async def test_a_deleted_answer_is_posted_again_when_somebody_asks_again(bot: Bot) -> None:
    number, comment = await comment_in_sprint(bot)
    await wait_for_answer(bot, number, comment)
    (posted,) = [
        comment for comment in await bot.github.comments(bot.repo, number) if comment["user"]["type"] == "Bot"
    ]
    await bot.github.delete_comment(bot.repo, posted["id"])
    await bot.say(number, "/sprint status")
    assert len(await bot.answers(number)) == 1


async def test_a_redelivered_comment_is_answered_once(bot: Bot) -> None:
    number, comment = await comment_in_sprint(bot)
    await wait_for_answer(bot, number, comment)
    delivery = next(
        delivery
        for delivery in bot.github.deliveries[::-1]
        if delivery.event == "issue_comment" and b"/sprint" in delivery.body
    )
    for _ in range(3):
        await bot.github.redeliver(delivery.id)
    await bot.rest()
    assert len(await bot.answers(number)) == 1
    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_a_bug_is_reported_in_one_neutral_line(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr("storage.sprints.Sprints.facts", broken)
    number, comment = await comment_in_sprint(bot)
    (answer,) = await wait_for_answer(bot, number, comment, "confused")
    delivery = next(
        delivery
        for delivery in bot.github.deliveries[::-1]
        if delivery.event == "issue_comment" and b"/sprint" in delivery.body
    )
    assert "Something went wrong on our side" in answer
    assert delivery.id[:8] in answer
    assert "secret detail" not in answer
    assert any("(answer) failed" in finding for finding in await examine(bot.base))


@pytest.mark.parametrize("others_waiting", [0, 1], ids=["alone", "beside newer work"])
async def test_the_work_of_a_killed_worker_is_taken_up(settings: Settings, others_waiting: int) -> None:
    async with open_services(settings) as base, aiohttp.ClientSession() as session:
        async with web_server(base, "127.0.0.1", 0) as port:
            entrance = WebhookClient(session, f"http://127.0.0.1:{port}")
            await entrance.deliver("issues", ISSUE_OPENED)
            # As a worker leaves it that was killed long ago.
            query_as_administrator(base, "update procrastinate_jobs set status = 'doing'")
            for _ in range(others_waiting):
                await entrance.deliver("issues", ISSUE_OPENED | {"action": "reopened"})
        async with worker(base, talks=False):
            await wait_until_processed(base)
        (tenant,) = await rows(base, "select * from all_tenants()")
        assert len(await rows(base, "select * from timeline", tenant[0])) == 1 + others_waiting
        assert not await rows(base, "select 1 from procrastinate_jobs where status in ('doing', 'failed')")


async def test_parked_deliveries_are_tried_again_when_redelivered(settings: Settings) -> None:
    async with (
        open_services(settings) as base,
        aiohttp.ClientSession() as session,
        web_server(base, "127.0.0.1", 0) as port,
    ):
        entrance = WebhookClient(session, f"http://127.0.0.1:{port}")
        await entrance.deliver("issues", ISSUE_OPENED, "guid")
        (tenant,) = await rows(base, "select * from all_tenants()")
        await rows(base, "update github_events set parked_at = now(), attempts = 5 returning id", tenant[0])
        assert any("guid (issues) is parked" in finding for finding in await examine(base))
        assert await entrance.deliver("issues", ISSUE_OPENED, "guid") == (202, "retried")
        async with worker(base, talks=False):
            await wait_until_processed(base)
        assert await entrance.deliver("issues", ISSUE_OPENED, "guid") == (202, "repeated")
        assert len(await rows(base, "select * from timeline", tenant[0])) == 1


async def test_postgresql_may_stop_and_start_under_load(tmp_path_factory: pytest.TempPathFactory) -> None:
    """While it is away the door answers 503 with Retry-After; afterwards everything arrived exactly once."""
    folder = Path(tmp_path_factory.mktemp("pg"))
    with embedded.running_server(folder) as server:
        schema.migrate(server.owner_url, embedded.APPLICATION)
        settings = Settings(
            data_dir=folder, database_url=Secret(server.url), webhook_secrets=(Secret("stand-in-secret"),)
        )
        async with (
            open_services(settings) as base,
            aiohttp.ClientSession() as session,
            worker(base, talks=False),
            web_server(base, "127.0.0.1", 0) as port,
        ):
            entrance = WebhookClient(session, f"http://127.0.0.1:{port}")
            statuses = await _load_with_an_outage(entrance, folder / "postgres")
            assert statuses.count(202) == 150
            assert set(statuses) == {202, 503}
            await wait_until(lambda: _all_recorded(base, 150))


async def _all_recorded(base: object, count: int) -> bool:
    try:
        (tenant,) = await rows(base, "select * from all_tenants()")  # type: ignore[arg-type]
        return len(await rows(base, "select * from timeline", tenant[0])) == count  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - the database may still be coming back
        return False


async def _load_with_an_outage(entrance: WebhookClient, data: Path) -> list[int]:
    statuses: list[int] = []

    async def one(number: int) -> None:
        payload = ISSUE_OPENED | {
            "issue": ISSUE_OPENED["issue"] | {"node_id": f"I_{number}", "number": number + 1}
        }
        guid, status = str(uuid.uuid4()), 0
        while status != 202:
            status, _ = await entrance.deliver("issues", payload, guid)
            statuses.append(status)
            await asyncio.sleep(0 if status == 202 else 0.2)

    async def several(first: int) -> None:
        for number in range(first, 150, 5):
            await one(number)
            await asyncio.sleep(0.02)

    async def outage() -> None:
        await asyncio.sleep(0.3)
        postmaster = psutil.Process(int((data / "postmaster.pid").read_text().splitlines()[0]))
        postmaster.send_signal(signal.SIGQUIT)
        await asyncio.to_thread(postmaster.wait, 10)
        await asyncio.sleep(1)
        await asyncio.to_thread(embedded._library().get_server(data).ensure_postgres_running)

    await asyncio.gather(outage(), *(several(first) for first in range(5)))
    return statuses
