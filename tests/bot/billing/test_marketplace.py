"""GitHub Marketplace over HTTP: its webhook, questions to GitHub, the daily comparison, and deletion."""

import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.billing.deletion import Deletion
from bot.billing.findings import find_billing_problems
from bot.billing.marketplace_sync import MarketplaceSync
from bot.publishing.pictures import ChartRenderer
from bot.settings import Settings
from github_standin.github import StandInGitHub
from github_standin.rest.marketplace import ENTERPRISE, PRO
from storage.billing_jobs import RECONCILE_BILLING
from storage.deadlines import Deadline, Deadlines
from storage.jobs import OTHERS
from storage.subscriptions import Subscription, Subscriptions
from tests.support.clock import Clock
from tests.support.marketplace import (
    BUYER_ACCOUNT,
    add_lapsed_subscription,
    deliver_marketplace_event,
    find_buyer_tenant,
    latest_deadline,
    list_subscriptions,
    make_billing_syncs,
)
from tests.support.running import (
    Bot,
    age_deadlines,
    query_as_administrator,
    rows,
    running_bot,
    wait_until,
)
from tests.support.stripe.world import DAY, LISTED, SETTINGS

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "github_standin/node_modules/@octokit/webhooks-examples/api.github.com/index.json"


@pytest.fixture
async def selling_bot(
    github: StandInGitHub, settings: Settings, clock: Clock, drawing: ChartRenderer
) -> AsyncIterator[Bot]:
    """The bot with a listing on the Marketplace."""
    github.marketplace.accounts.clear()
    async with running_bot(github, replace(settings, billing=SETTINGS), clock, drawing) as running:
        yield running
    assert not github.violations, github.violations
    github.marketplace.accounts.clear()


async def scheduled(bot: Bot) -> list[Any]:
    return query_as_administrator(
        bot.base, "select * from procrastinate_jobs where scheduled_at is not null and status = 'todo'"
    )


# From the event to our books


async def test_a_purchase_is_asked_for_and_kept(selling_bot: Bot) -> None:
    event = selling_bot.github.marketplace.purchase(BUYER_ACCOUNT, "octo", units=5)
    assert await deliver_marketplace_event(selling_bot, event) == (202, "stored")

    assert await list_subscriptions(selling_bot) == [("pro", "active", 5)]
    asked = [
        request for request in selling_bot.github.requests if request.path.startswith("/marketplace_listing/")
    ]
    assert (asked[-1].path, asked[-1].who, asked[-1].status) == (
        f"/marketplace_listing/accounts/{BUYER_ACCOUNT}",
        "app",
        200,
    )
    tenant_id = await find_buyer_tenant(selling_bot)
    (row,) = await rows(
        selling_bot.base, "select plan, slug, github_installation_id from organizations", tenant_id
    )
    assert tuple(row) == ("pro", "octo", None)
    audited = await rows(
        selling_bot.base, "select actor, action, details from audit_log order by id", tenant_id
    )
    assert [(row.actor, row.action, row.details["event"], row.details["id"]) for row in audited] == [
        ("marketplace", "subscription", "purchased", "guid-1"),
        ("marketplace", "plan", "purchased", "guid-1"),
    ]


async def test_the_event_is_a_hint_and_not_believed(selling_bot: Bot) -> None:
    event = selling_bot.github.marketplace.purchase(BUYER_ACCOUNT, "octo", units=5)
    selling_bot.github.marketplace.change(BUYER_ACCOUNT, ENTERPRISE, units=2)
    await deliver_marketplace_event(selling_bot, event)
    assert await list_subscriptions(selling_bot) == [("enterprise", "active", 2)]


async def test_a_cancellation_ends_the_plan_and_notes_when_data_goes(selling_bot: Bot) -> None:
    market = selling_bot.github.marketplace
    await deliver_marketplace_event(selling_bot, market.purchase(BUYER_ACCOUNT, "octo"))
    at = datetime.now(UTC).replace(microsecond=0)
    await deliver_marketplace_event(selling_bot, market.cancel(BUYER_ACCOUNT, at))
    assert await list_subscriptions(selling_bot) == [("pro", "ended", 1)]
    noted = await latest_deadline(selling_bot)
    assert noted
    assert (noted.cancelled_at, noted.due_at, noted.is_announced) == (at, at + 30 * DAY, True)
    await deliver_marketplace_event(selling_bot, market.purchase(BUYER_ACCOUNT, "octo"))
    assert await latest_deadline(selling_bot) is None


async def test_a_cancellation_that_is_reported_late_leaves_a_week(selling_bot: Bot) -> None:
    market = selling_bot.github.marketplace
    await deliver_marketplace_event(selling_bot, market.purchase(BUYER_ACCOUNT, "octo"))
    await deliver_marketplace_event(selling_bot, market.cancel(BUYER_ACCOUNT, datetime.now(UTC) - 90 * DAY))
    noted = await latest_deadline(selling_bot)
    assert noted
    assert noted.due_at > datetime.now(UTC) + 6 * DAY


async def test_what_is_paid_for_with_stripe_is_kept(selling_bot: Bot) -> None:
    market = selling_bot.github.marketplace
    await deliver_marketplace_event(selling_bot, market.purchase(BUYER_ACCOUNT, "octo"))
    async with selling_bot.base.database.tenant(await find_buyer_tenant(selling_bot) or 0) as tenant:
        card = Subscription("stripe", "active", "pro", datetime.now(UTC), reference="sub_1")
        await Subscriptions(tenant).store(card)
    await deliver_marketplace_event(selling_bot, market.cancel(BUYER_ACCOUNT))
    assert await latest_deadline(selling_bot) is None


async def test_github_s_answer_may_lag_behind_a_purchase(selling_bot: Bot) -> None:
    event = selling_bot.github.marketplace.purchase(BUYER_ACCOUNT, "octo", units=3)
    lagging = selling_bot.github.marketplace.accounts.pop(BUYER_ACCOUNT)
    await deliver_marketplace_event(selling_bot, event)
    assert await list_subscriptions(selling_bot) == []
    (job,) = await scheduled(selling_bot)
    assert job.args["tries"] == 1

    selling_bot.github.marketplace.accounts[BUYER_ACCOUNT] = lagging
    query_as_administrator(
        selling_bot.base, "update procrastinate_jobs set scheduled_at = null where scheduled_at is not null"
    )
    await wait_until(lambda: _has(selling_bot))
    assert await list_subscriptions(selling_bot) == [("pro", "active", 3)]


async def _has(selling_bot: Bot) -> bool:
    return await list_subscriptions(selling_bot) != []


async def test_github_away_is_asked_again(selling_bot: Bot) -> None:
    event = selling_bot.github.marketplace.purchase(BUYER_ACCOUNT, "octo", units=3)
    selling_bot.github.fail_next("GET", "/marketplace_listing/", 503, times=3)
    await deliver_marketplace_event(selling_bot, event)
    await wait_until(lambda: _has(selling_bot))


async def test_a_purchase_and_the_installation_meet_in_one_tenant(selling_bot: Bot) -> None:
    account = int(selling_bot.repository["owner"]["id"])
    await deliver_marketplace_event(
        selling_bot, selling_bot.github.marketplace.purchase(account, "acme", units=3)
    )
    before = await find_buyer_tenant(selling_bot, account)
    await selling_bot.github.create_issue(selling_bot.repo, "Pay by card")
    await selling_bot.rest()
    assert await find_buyer_tenant(selling_bot, account) == before
    (row,) = await rows(selling_bot.base, "select github_installation_id, plan from organizations", before)
    assert tuple(row) == (selling_bot.github.installation_id, "pro")
    await selling_bot.github.trigger("installation", "deleted")
    await selling_bot.rest()
    assert await list_subscriptions(selling_bot, account) == [("pro", "active", 3)]
    await selling_bot.github.trigger("installation", "created")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("ends", [False, True], ids=["pays on", "cancels"])
async def test_uninstalling_while_paying_changes_nothing_of_what_was_bought(
    selling_bot: Bot, order: tuple[int, ...], ends: bool
) -> None:
    account, market = int(selling_bot.repository["owner"]["id"]), selling_bot.github.marketplace
    await selling_bot.github.create_issue(selling_bot.repo, "Pay by card")
    data = [market.purchase(account, "acme", units=3)]
    data.append(market.cancel(account) if ends else market.change(account, ENTERPRISE, units=9))
    for number in (*order, *order):
        if number < 2:
            await deliver_marketplace_event(selling_bot, data[number])
        else:
            await selling_bot.github.trigger("installation", "deleted")
            await selling_bot.rest()
    subscriptions = (await list_subscriptions(selling_bot, account))[-1:]
    assert subscriptions == [("free", "ended", None) if ends else ("enterprise", "active", 9)]
    assert (await latest_deadline(selling_bot, account) is not None) is ends
    tenant_id = await find_buyer_tenant(selling_bot, account)
    (row,) = await rows(selling_bot.base, "select github_installation_id, plan from organizations", tenant_id)
    assert tuple(row) == (None, "free" if ends else "enterprise")
    await selling_bot.github.trigger("installation", "created")


# Bad input


async def test_a_wrong_signature_is_refused(selling_bot: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    event = selling_bot.github.marketplace.purchase(BUYER_ACCOUNT, "octo")
    status, _ = await deliver_marketplace_event(selling_bot, event, secret="the App's own secret")
    assert status == 401
    assert (await deliver_marketplace_event(selling_bot, event, **{"X-Hub-Signature-256": ""}))[0] == 401
    assert await find_buyer_tenant(selling_bot) is None
    assert "Marketplace event refused: wrong signature" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"action": "purchased"}, "the body is not a purchase"),
        ({"action": "purchased", "marketplace_purchase": {"account": {"login": "x"}}}, "`id`"),
        ({"action": "purchased", "marketplace_purchase": {"account": {"id": "7"}}}, "Expected `int`"),
        ([], "the body is not a purchase"),
    ],
)
async def test_malformed_purchase_event_is_refused(selling_bot: Bot, payload: Any, expected: str) -> None:
    status, message = await deliver_marketplace_event(selling_bot, payload)
    assert status == 400
    assert expected in message


async def test_what_does_not_concern_us_is_ignored(selling_bot: Bot) -> None:
    assert (await deliver_marketplace_event(selling_bot, {"zen": "…"}, event="ping"))[0] == 202
    odd = selling_bot.github.marketplace.purchase(BUYER_ACCOUNT, "octo") | {"action": "gifted"}
    assert await deliver_marketplace_event(selling_bot, odd) == (202, "ignored: this action is not used")
    assert await find_buyer_tenant(selling_bot) is None


@pytest.mark.parametrize("action", ["changed", "pending_change", "pending_change_cancelled", "cancelled"])
async def test_an_account_that_neither_we_nor_github_know_changes_nothing(
    selling_bot: Bot, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    event = selling_bot.github.marketplace.purchase(BUYER_ACCOUNT, "octo") | {"action": action}
    selling_bot.github.marketplace.accounts.clear()
    assert (await deliver_marketplace_event(selling_bot, event))[0] == 202
    assert await find_buyer_tenant(selling_bot) is None
    assert "GitHub lists no such account, and we know none; nothing is changed" in "".join(
        capsys.readouterr()
    )


async def test_a_plan_that_we_do_not_sell_changes_nothing(
    selling_bot: Bot, capsys: pytest.CaptureFixture[str]
) -> None:
    market = selling_bot.github.marketplace
    await deliver_marketplace_event(selling_bot, market.purchase(BUYER_ACCOUNT, "octo", units=5))
    event = market.change(BUYER_ACCOUNT, PRO)
    market.accounts[BUYER_ACCOUNT]["marketplace_purchase"]["plan"] = {**market.plans[PRO], "id": 999}
    assert (await deliver_marketplace_event(selling_bot, event))[0] == 202
    assert await list_subscriptions(selling_bot) == [("pro", "active", 5)]
    assert "MARKETPLACE_PLAN_IDS does not name the plan 999" in "".join(capsys.readouterr())


async def test_of_a_plan_that_is_named_no_more_all_else_applies(
    selling_bot: Bot, capsys: pytest.CaptureFixture[str]
) -> None:
    market = selling_bot.github.marketplace
    await deliver_marketplace_event(selling_bot, market.purchase(BUYER_ACCOUNT, "octo", units=5))
    event = market.change(BUYER_ACCOUNT, PRO, units=9)
    market.accounts[BUYER_ACCOUNT]["marketplace_purchase"]["plan"] = {**market.plans[PRO], "id": 999}
    assert (await deliver_marketplace_event(selling_bot, event))[0] == 202
    assert await list_subscriptions(selling_bot) == [("pro", "active", 5)]
    assert "purchase not understood; the rest of it applies" in "".join(capsys.readouterr())
    await deliver_marketplace_event(selling_bot, market.cancel(BUYER_ACCOUNT))
    assert await list_subscriptions(selling_bot) == [("pro", "ended", 5)]


async def test_an_announced_plan_that_is_not_named_holds_up_nothing(selling_bot: Bot) -> None:
    market = selling_bot.github.marketplace
    await deliver_marketplace_event(selling_bot, market.purchase(BUYER_ACCOUNT, "octo", units=5))
    event = market.change(BUYER_ACCOUNT, PRO, units=7)
    unknown = {**market.plans[PRO], "id": 999}
    market.accounts[BUYER_ACCOUNT]["marketplace_pending_change"] = {"plan": unknown, "unit_count": 2}
    assert (await deliver_marketplace_event(selling_bot, event))[0] == 202
    assert await list_subscriptions(selling_bot) == [("pro", "active", 7)]


async def test_a_plan_that_costs_nothing_is_the_free_one_whatever_its_id(selling_bot: Bot) -> None:
    market = selling_bot.github.marketplace
    await deliver_marketplace_event(selling_bot, market.purchase(BUYER_ACCOUNT, "octo", units=5))
    event = market.change(BUYER_ACCOUNT, PRO)
    free = {**market.plans[PRO], "id": 998, "price_model": "FREE"}
    market.accounts[BUYER_ACCOUNT]["marketplace_purchase"]["plan"] = free
    assert (await deliver_marketplace_event(selling_bot, event))[0] == 202
    assert [plan for plan, _, _ in await list_subscriptions(selling_bot)] == ["free"]


async def test_a_first_purchase_of_a_plan_that_is_not_named_makes_no_tenant(selling_bot: Bot) -> None:
    market = selling_bot.github.marketplace
    event = market.purchase(BUYER_ACCOUNT, "octo", units=5)
    market.accounts[BUYER_ACCOUNT]["marketplace_purchase"]["plan"] = {**market.plans[PRO], "id": 999}
    assert (await deliver_marketplace_event(selling_bot, event))[0] == 202
    assert await find_buyer_tenant(selling_bot) is None


async def test_without_a_listing_there_is_no_such_door(bot: Bot) -> None:
    async with bot.session.post(f"{bot.url}/webhooks/marketplace", data=b"{}") as response:
        assert response.status == 404


async def test_another_method_is_not_allowed(selling_bot: Bot) -> None:
    async with selling_bot.session.get(f"{selling_bot.url}/webhooks/marketplace") as response:
        assert response.status == 405


def examples() -> list[dict[str, Any]]:
    """GitHub's own example payloads."""
    result = json.loads(EXAMPLES.read_text())
    return [
        example
        for event in result
        if event["name"] == "marketplace_purchase"
        for example in event["examples"]
    ]


@pytest.mark.parametrize("payload", examples(), ids=lambda payload: payload["action"])
async def test_github_s_own_examples_are_understood(selling_bot: Bot, payload: dict[str, Any]) -> None:
    account = payload["marketplace_purchase"]["account"]
    if payload["action"] != "cancelled":
        selling_bot.github.marketplace.purchase(
            account["id"], account["login"], units=4, at=datetime.now(UTC)
        )
    assert (await deliver_marketplace_event(selling_bot, payload))[0] == 202
    wanted = [] if payload["action"] == "cancelled" else [("pro", "active", 4)]
    assert await list_subscriptions(selling_bot, account["id"]) == wanted


# By the clock


@pytest.fixture
def sync(bot_without_worker: Bot) -> tuple[MarketplaceSync, Deletion]:
    return make_billing_syncs(bot_without_worker)


async def test_events_that_never_came_are_made_up_for(
    bot_without_worker: Bot, sync: tuple[MarketplaceSync, Deletion]
) -> None:
    market = bot_without_worker.github.marketplace
    for number in range(3):
        market.purchase(BUYER_ACCOUNT + number, f"octo-{number}", units=number + 1)
    await sync[0].reconcile()
    assert [await list_subscriptions(bot_without_worker, BUYER_ACCOUNT + n) for n in range(3)] == [
        [("pro", "active", n + 1)] for n in range(3)
    ]

    market.change(BUYER_ACCOUNT, ENTERPRISE, units=9)
    market.cancel(BUYER_ACCOUNT + 1)
    await sync[0].reconcile()
    assert await list_subscriptions(bot_without_worker) == [("enterprise", "active", 9)]
    assert await list_subscriptions(bot_without_worker, BUYER_ACCOUNT + 1) == [("pro", "ended", 2)]
    noted = await latest_deadline(bot_without_worker, BUYER_ACCOUNT + 1)
    assert noted
    assert not noted.is_announced
    # It finds the same tomorrow.
    audited = "select count(*) from audit_log"
    before = await rows(bot_without_worker.base, audited, await find_buyer_tenant(bot_without_worker))
    await sync[0].reconcile()
    assert await rows(bot_without_worker.base, audited, await find_buyer_tenant(bot_without_worker)) == before
    assert await latest_deadline(bot_without_worker, BUYER_ACCOUNT + 1) == noted


async def test_a_plan_that_was_removed_from_the_listing_stops_nothing(
    bot_without_worker: Bot, sync: tuple[MarketplaceSync, Deletion]
) -> None:
    market = bot_without_worker.github.marketplace
    market.purchase(BUYER_ACCOUNT, "octo", PRO, units=2)
    removed = market.plans.pop(LISTED[0].id)
    await sync[0].reconcile()
    assert await list_subscriptions(bot_without_worker) == [("pro", "active", 2)]
    market.plans[LISTED[0].id] = removed


async def test_the_daily_comparison_runs_as_a_job(selling_bot: Bot) -> None:
    selling_bot.github.marketplace.purchase(BUYER_ACCOUNT, "octo", units=2)
    await selling_bot.base.queue.configure_task(RECONCILE_BILLING, queue=OTHERS).defer_async(timestamp=0)
    await selling_bot.rest()
    assert await list_subscriptions(selling_bot) == [("pro", "active", 2)]
    assert not await rows(selling_bot.base, "select 1 from procrastinate_jobs where status = 'failed'")


async def test_refused_comparison_is_a_finding_until_one_succeeds(selling_bot: Bot) -> None:
    async def night() -> list[str]:
        await selling_bot.base.queue.configure_task(RECONCILE_BILLING, queue=OTHERS).defer_async(timestamp=0)
        await selling_bot.rest()
        return [finding async for finding in find_billing_problems(selling_bot.base)]

    selling_bot.github.fail_next("GET", "/marketplace_listing/plans", 403, body={"message": "no"})
    (finding,) = await night()
    assert finding.startswith("The Marketplace's purchases were not compared on ")
    assert "Last compared: never before" in finding
    assert await night() == []


async def test_after_the_deadline_the_account_is_gone(
    bot_without_worker: Bot, sync: tuple[MarketplaceSync, Deletion], capsys: pytest.CaptureFixture[str]
) -> None:
    await add_lapsed_subscription(bot_without_worker)
    assert await sync[1].run() == 1
    assert await find_buyer_tenant(bot_without_worker) is None
    assert await sync[1].run() == 0
    assert "account deleted, 30 days after it cancelled" in "".join(capsys.readouterr())


async def test_a_purchase_that_nobody_told_us_of_stops_the_deletion(
    bot_without_worker: Bot, sync: tuple[MarketplaceSync, Deletion]
) -> None:
    await add_lapsed_subscription(bot_without_worker)
    bot_without_worker.github.marketplace.purchase(BUYER_ACCOUNT, "octo", units=2)
    assert await sync[1].run() == 0
    assert await list_subscriptions(bot_without_worker) == [("pro", "active", 2)]
    assert await latest_deadline(bot_without_worker) is None


async def test_a_paid_subscription_stops_the_deletion(
    bot_without_worker: Bot, sync: tuple[MarketplaceSync, Deletion]
) -> None:
    await add_lapsed_subscription(bot_without_worker)
    async with bot_without_worker.base.database.tenant(
        await find_buyer_tenant(bot_without_worker) or 0
    ) as tenant:
        await Subscriptions(tenant).store(
            Subscription("stripe", "active", "pro", datetime.now(UTC), reference="s")
        )
    assert await sync[1].run() == 0
    assert await latest_deadline(bot_without_worker) is None


async def test_while_github_cannot_be_asked_nothing_is_deleted(
    bot_without_worker: Bot, sync: tuple[MarketplaceSync, Deletion]
) -> None:
    await add_lapsed_subscription(bot_without_worker)
    bot_without_worker.github.fail_next("GET", "/marketplace_listing/", 500, times=3)
    assert await sync[1].run() == 0
    assert await find_buyer_tenant(bot_without_worker) is not None
    bot_without_worker.github.clear_faults()
    assert await sync[1].run() == 1


async def test_a_deletion_while_the_account_still_uses_the_app_begins_again(
    selling_bot: Bot,
) -> None:
    account = int(selling_bot.repository["owner"]["id"])
    await selling_bot.github.create_issue(selling_bot.repo, "Before")
    await selling_bot.rest()
    before = await find_buyer_tenant(selling_bot, account)
    at = datetime.now(UTC) - timedelta(days=31)
    async with selling_bot.base.database.tenant(before or 0) as tenant:
        await Deadlines(tenant).record(Deadline(at, at + 30 * DAY, is_announced=True))
    age_deadlines(selling_bot.base)
    await make_billing_syncs(selling_bot)[1].run()  # Unless the bot's own clock was faster.
    await selling_bot.github.create_issue(selling_bot.repo, "After")
    await selling_bot.rest()
    after = await find_buyer_tenant(selling_bot, account)
    assert after not in {None, before}
    titles = await rows(
        selling_bot.base, "select distinct after #>> '{item,title}' as title from timeline", after
    )
    assert [row.title for row in titles if row.title] == ["After"]


@pytest.mark.parametrize("status", [403, 410, 422, 451])
async def test_one_account_that_github_refuses_does_not_end_the_night(
    bot_without_worker: Bot, sync: tuple[MarketplaceSync, Deletion], status: int
) -> None:
    market = bot_without_worker.github.marketplace
    for number in range(3):
        market.purchase(BUYER_ACCOUNT + number, f"octo-{number}")
    await sync[0].reconcile()
    market.accounts.clear()
    bot_without_worker.github.fail_next("GET", f"/marketplace_listing/accounts/{BUYER_ACCOUNT}", status)
    await sync[0].reconcile()
    assert await list_subscriptions(bot_without_worker, BUYER_ACCOUNT) == [("pro", "active", 1)]
    for number in (1, 2):
        assert await list_subscriptions(bot_without_worker, BUYER_ACCOUNT + number) == [("pro", "ended", 1)]
