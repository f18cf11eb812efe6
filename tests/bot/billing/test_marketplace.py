"""GitHub Marketplace over HTTP: the door, what GitHub is asked for, the daily comparison, and deletion."""

import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.billing.deletion import Deletion
from bot.billing.findings import findings as billing_findings
from bot.billing.marketplace_sync import GitHubListing, MarketplaceSync
from bot.github.client import GitHub
from bot.publishing.pictures import Drawing
from bot.services import Services
from bot.settings import GitHubSettings, Secret, Settings
from github_standin.github import StandInGitHub
from github_standin.rest.marketplace import ENTERPRISE, PRO
from storage.billing_jobs import RECONCILE_BILLING, BillingJobs
from storage.deadlines import Deadline, Deadlines
from storage.jobs import OTHERS
from storage.subscriptions import Subscription, Subscriptions, tenant_of_account, tenant_of_buyer
from tests.conftest import Clock, running_bot
from tests.support.running import Bot, as_administrator, let_deadlines_be_read, rows, signature, until
from tests.support.stripe.world import DAY, LISTED, SETTINGS

ACCOUNT = 18404719
SECRET = "marketplace-secret"
ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "github_standin/node_modules/@octokit/webhooks-examples/api.github.com/index.json"


@pytest.fixture
async def shop(
    github: StandInGitHub, settings: Settings, clock: Clock, drawing: Drawing
) -> AsyncIterator[Bot]:
    """The bot with a listing on the Marketplace."""
    github.marketplace.accounts.clear()
    async with running_bot(github, replace(settings, billing=SETTINGS), clock, drawing) as running:
        yield running
    assert not github.violations, github.violations
    github.marketplace.accounts.clear()


async def deliver(
    bot: Bot,
    payload: dict[str, Any],
    *,
    secret: str = SECRET,
    event: str = "marketplace_purchase",
    **headers: str,
) -> tuple[int, str]:
    body = json.dumps(payload).encode()
    told = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "guid-1",
        "X-Hub-Signature-256": signature(body, secret),
    }
    async with bot.session.post(
        f"{bot.url}/webhooks/marketplace", data=body, headers=told | headers
    ) as response:
        message = (await response.json())["message"]
    await bot.rest()
    return response.status, message


async def tenant_of(bot: Bot, account: int = ACCOUNT) -> int | None:
    async with bot.base.database.unscoped() as connection:
        return await tenant_of_account(connection, account)


async def bought(bot: Bot, account: int = ACCOUNT) -> list[tuple[str, str, int | None]]:
    tenant_id = await tenant_of(bot, account)
    if tenant_id is None:
        return []
    async with bot.base.database.tenant(tenant_id) as tenant:
        return [(one.plan, one.status, one.quantity) for one in await Subscriptions(tenant).all()]


async def deadline(bot: Bot, account: int = ACCOUNT) -> Deadline | None:
    async with bot.base.database.tenant(await tenant_of(bot, account) or 0) as tenant:
        return await Deadlines(tenant).latest()


async def scheduled(bot: Bot) -> list[Any]:
    return as_administrator(
        bot.base, "select * from procrastinate_jobs where scheduled_at is not null and status = 'todo'"
    )


# From the event to our books


async def test_a_purchase_is_asked_for_and_kept(shop: Bot) -> None:
    event = shop.github.marketplace.purchase(ACCOUNT, "octo", units=5)
    assert await deliver(shop, event) == (202, "stored")

    assert await bought(shop) == [("pro", "active", 5)]
    asked = [one for one in shop.github.requests if one.path.startswith("/marketplace_listing/")]
    assert (asked[-1].path, asked[-1].who, asked[-1].status) == (
        f"/marketplace_listing/accounts/{ACCOUNT}",
        "app",
        200,
    )
    tenant_id = await tenant_of(shop)
    (row,) = await rows(shop.base, "select plan, slug, github_installation_id from organizations", tenant_id)
    assert tuple(row) == ("pro", "octo", None)
    audited = await rows(shop.base, "select actor, action, details from audit_log order by id", tenant_id)
    assert [(row.actor, row.action, row.details["event"], row.details["id"]) for row in audited] == [
        ("marketplace", "subscription", "purchased", "guid-1"),
        ("marketplace", "plan", "purchased", "guid-1"),
    ]


async def test_the_event_is_a_hint_and_not_believed(shop: Bot) -> None:
    event = shop.github.marketplace.purchase(ACCOUNT, "octo", units=5)
    shop.github.marketplace.change(ACCOUNT, ENTERPRISE, units=2)
    await deliver(shop, event)
    assert await bought(shop) == [("enterprise", "active", 2)]


async def test_a_cancellation_ends_the_plan_and_notes_when_data_goes(shop: Bot) -> None:
    market = shop.github.marketplace
    await deliver(shop, market.purchase(ACCOUNT, "octo"))
    at = datetime.now(UTC).replace(microsecond=0)
    await deliver(shop, market.cancel(ACCOUNT, at))
    assert await bought(shop) == [("pro", "ended", 1)]
    noted = await deadline(shop)
    assert noted
    assert (noted.cancelled_at, noted.due_at, noted.is_told) == (at, at + 30 * DAY, True)
    await deliver(shop, market.purchase(ACCOUNT, "octo"))
    assert await deadline(shop) is None


async def test_a_cancellation_that_is_told_late_leaves_a_week(shop: Bot) -> None:
    market = shop.github.marketplace
    await deliver(shop, market.purchase(ACCOUNT, "octo"))
    await deliver(shop, market.cancel(ACCOUNT, datetime.now(UTC) - 90 * DAY))
    noted = await deadline(shop)
    assert noted
    assert noted.due_at > datetime.now(UTC) + 6 * DAY


async def test_what_is_paid_for_with_stripe_is_kept(shop: Bot) -> None:
    market = shop.github.marketplace
    await deliver(shop, market.purchase(ACCOUNT, "octo"))
    async with shop.base.database.tenant(await tenant_of(shop) or 0) as tenant:
        card = Subscription("stripe", "active", "pro", datetime.now(UTC), reference="sub_1")
        await Subscriptions(tenant).put(card)
    await deliver(shop, market.cancel(ACCOUNT))
    assert await deadline(shop) is None


async def test_github_s_answer_may_lag_behind_a_purchase(shop: Bot) -> None:
    event = shop.github.marketplace.purchase(ACCOUNT, "octo", units=3)
    lagging = shop.github.marketplace.accounts.pop(ACCOUNT)
    await deliver(shop, event)
    assert await bought(shop) == []
    (job,) = await scheduled(shop)
    assert job.args["tries"] == 1

    shop.github.marketplace.accounts[ACCOUNT] = lagging
    as_administrator(
        shop.base, "update procrastinate_jobs set scheduled_at = null where scheduled_at is not null"
    )
    await until(lambda: _has(shop))
    assert await bought(shop) == [("pro", "active", 3)]


async def _has(shop: Bot) -> bool:
    return await bought(shop) != []


async def test_github_away_is_asked_again(shop: Bot) -> None:
    event = shop.github.marketplace.purchase(ACCOUNT, "octo", units=3)
    shop.github.fail_next("GET", "/marketplace_listing/", 503, times=3)
    await deliver(shop, event)
    await until(lambda: _has(shop))


async def test_a_purchase_and_the_installation_meet_in_one_tenant(shop: Bot) -> None:
    account = int(shop.repository["owner"]["id"])
    await deliver(shop, shop.github.marketplace.purchase(account, "acme", units=3))
    before = await tenant_of(shop, account)
    await shop.github.create_issue(shop.repo, "Pay by card")
    await shop.rest()
    assert await tenant_of(shop, account) == before
    (row,) = await rows(shop.base, "select github_installation_id, plan from organizations", before)
    assert tuple(row) == (shop.github.installation_id, "pro")
    await shop.github.trigger("installation", "deleted")
    await shop.rest()
    assert await bought(shop, account) == [("pro", "active", 3)]
    await shop.github.trigger("installation", "created")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("ends", [False, True], ids=["pays on", "cancels"])
async def test_uninstalling_while_paying_changes_nothing_of_what_was_bought(
    shop: Bot, order: tuple[int, ...], ends: bool
) -> None:
    account, market = int(shop.repository["owner"]["id"]), shop.github.marketplace
    await shop.github.create_issue(shop.repo, "Pay by card")
    told = [market.purchase(account, "acme", units=3)]
    told.append(market.cancel(account) if ends else market.change(account, ENTERPRISE, units=9))
    for number in (*order, *order):
        if number < 2:
            await deliver(shop, told[number])
        else:
            await shop.github.trigger("installation", "deleted")
            await shop.rest()
    found = (await bought(shop, account))[-1:]
    assert found == [("free", "ended", None) if ends else ("enterprise", "active", 9)]
    assert (await deadline(shop, account) is not None) is ends
    tenant_id = await tenant_of(shop, account)
    (row,) = await rows(shop.base, "select github_installation_id, plan from organizations", tenant_id)
    assert tuple(row) == (None, "free" if ends else "enterprise")
    await shop.github.trigger("installation", "created")


# Bad input


async def test_a_wrong_signature_is_refused(shop: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    event = shop.github.marketplace.purchase(ACCOUNT, "octo")
    status, _ = await deliver(shop, event, secret="the App's own secret")
    assert status == 401
    assert (await deliver(shop, event, **{"X-Hub-Signature-256": ""}))[0] == 401
    assert await tenant_of(shop) is None
    assert "Marketplace event refused: wrong signature" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"action": "purchased"}, "the body is not a purchase"),
        ({"action": "purchased", "marketplace_purchase": {"account": {"login": "x"}}}, "`id`"),
        ({"action": "purchased", "marketplace_purchase": {"account": {"id": "7"}}}, "Expected `int`"),
        ([], "the body is not a purchase"),
    ],
)
async def test_what_is_no_purchase_is_refused(shop: Bot, payload: Any, said: str) -> None:
    status, message = await deliver(shop, payload)
    assert status == 400
    assert said in message


async def test_what_does_not_concern_us_is_ignored(shop: Bot) -> None:
    assert (await deliver(shop, {"zen": "…"}, event="ping"))[0] == 202
    odd = shop.github.marketplace.purchase(ACCOUNT, "octo") | {"action": "gifted"}
    assert await deliver(shop, odd) == (202, "ignored: not an action that we act on")
    assert await tenant_of(shop) is None


@pytest.mark.parametrize("action", ["changed", "pending_change", "pending_change_cancelled", "cancelled"])
async def test_an_account_that_neither_we_nor_github_know_changes_nothing(
    shop: Bot, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    event = shop.github.marketplace.purchase(ACCOUNT, "octo") | {"action": action}
    shop.github.marketplace.accounts.clear()
    assert (await deliver(shop, event))[0] == 202
    assert await tenant_of(shop) is None
    assert "GitHub lists no such account, and we know none; nothing is changed" in "".join(
        capsys.readouterr()
    )


async def test_a_plan_that_we_do_not_sell_changes_nothing(
    shop: Bot, capsys: pytest.CaptureFixture[str]
) -> None:
    market = shop.github.marketplace
    await deliver(shop, market.purchase(ACCOUNT, "octo", units=5))
    event = market.change(ACCOUNT, PRO)
    market.accounts[ACCOUNT]["marketplace_purchase"]["plan"] = {**market.plans[PRO], "id": 999}
    assert (await deliver(shop, event))[0] == 202
    assert await bought(shop) == [("pro", "active", 5)]
    assert "MARKETPLACE_PLAN_IDS does not name the plan 999" in "".join(capsys.readouterr())


async def test_of_a_plan_that_is_named_no_more_all_else_applies(
    shop: Bot, capsys: pytest.CaptureFixture[str]
) -> None:
    market = shop.github.marketplace
    await deliver(shop, market.purchase(ACCOUNT, "octo", units=5))
    event = market.change(ACCOUNT, PRO, units=9)
    market.accounts[ACCOUNT]["marketplace_purchase"]["plan"] = {**market.plans[PRO], "id": 999}
    assert (await deliver(shop, event))[0] == 202
    assert await bought(shop) == [("pro", "active", 5)]
    assert "purchase not understood; the rest of it applies" in "".join(capsys.readouterr())
    await deliver(shop, market.cancel(ACCOUNT))
    assert await bought(shop) == [("pro", "ended", 5)]


async def test_an_announced_plan_that_is_not_named_holds_up_nothing(shop: Bot) -> None:
    market = shop.github.marketplace
    await deliver(shop, market.purchase(ACCOUNT, "octo", units=5))
    event = market.change(ACCOUNT, PRO, units=7)
    unknown = {**market.plans[PRO], "id": 999}
    market.accounts[ACCOUNT]["marketplace_pending_change"] = {"plan": unknown, "unit_count": 2}
    assert (await deliver(shop, event))[0] == 202
    assert await bought(shop) == [("pro", "active", 7)]


async def test_a_plan_that_costs_nothing_is_the_free_one_whatever_its_id(shop: Bot) -> None:
    market = shop.github.marketplace
    await deliver(shop, market.purchase(ACCOUNT, "octo", units=5))
    event = market.change(ACCOUNT, PRO)
    free = {**market.plans[PRO], "id": 998, "price_model": "FREE"}
    market.accounts[ACCOUNT]["marketplace_purchase"]["plan"] = free
    assert (await deliver(shop, event))[0] == 202
    assert [plan for plan, _, _ in await bought(shop)] == ["free"]


async def test_a_first_purchase_of_a_plan_that_is_not_named_makes_no_tenant(shop: Bot) -> None:
    market = shop.github.marketplace
    event = market.purchase(ACCOUNT, "octo", units=5)
    market.accounts[ACCOUNT]["marketplace_purchase"]["plan"] = {**market.plans[PRO], "id": 999}
    assert (await deliver(shop, event))[0] == 202
    assert await tenant_of(shop) is None


async def test_without_a_listing_there_is_no_such_door(bot: Bot) -> None:
    async with bot.session.post(f"{bot.url}/webhooks/marketplace", data=b"{}") as response:
        assert response.status == 404


async def test_another_method_is_not_allowed(shop: Bot) -> None:
    async with shop.session.get(f"{shop.url}/webhooks/marketplace") as response:
        assert response.status == 405


def examples() -> list[dict[str, Any]]:
    """GitHub's own example payloads."""
    found = json.loads(EXAMPLES.read_text())
    return [one for event in found if event["name"] == "marketplace_purchase" for one in event["examples"]]


@pytest.mark.parametrize("payload", examples(), ids=lambda payload: payload["action"])
async def test_github_s_own_examples_are_understood(shop: Bot, payload: dict[str, Any]) -> None:
    account = payload["marketplace_purchase"]["account"]
    if payload["action"] != "cancelled":
        shop.github.marketplace.purchase(account["id"], account["login"], units=4, at=datetime.now(UTC))
    assert (await deliver(shop, payload))[0] == 202
    wanted = [] if payload["action"] == "cancelled" else [("pro", "active", 4)]
    assert await bought(shop, account["id"]) == wanted


# By the clock


@pytest.fixture
async def still(github: StandInGitHub, base: Services) -> AsyncIterator[Bot]:
    """Database and GitHub, while no worker runs that could do by the clock what the test does."""
    github.marketplace.accounts.clear()
    github.clear_faults()
    async with aiohttp.ClientSession() as session:
        yield Bot(base, github, session, "", {})
    assert not github.violations, github.violations
    github.marketplace.accounts.clear()


def by_the_clock(bot: Bot) -> tuple[MarketplaceSync, Deletion]:
    app = GitHubSettings(str(bot.github.app_id), Secret(bot.github.private_key))
    listing = GitHubListing(GitHub(bot.session, app, bot.github.url, bot.base.clock))
    jobs, base = BillingJobs(bot.base.queue), bot.base
    found = MarketplaceSync(base.database, listing, SETTINGS, jobs, base.clock)
    return found, Deletion(base.database, listing, found, base.clock, SETTINGS.grace)


@pytest.fixture
def sync(still: Bot) -> tuple[MarketplaceSync, Deletion]:
    return by_the_clock(still)


async def test_events_that_never_came_are_made_up_for(
    still: Bot, sync: tuple[MarketplaceSync, Deletion]
) -> None:
    market = still.github.marketplace
    for number in range(3):
        market.purchase(ACCOUNT + number, f"octo-{number}", units=number + 1)
    await sync[0].reconcile()
    assert [await bought(still, ACCOUNT + n) for n in range(3)] == [
        [("pro", "active", n + 1)] for n in range(3)
    ]

    market.change(ACCOUNT, ENTERPRISE, units=9)
    market.cancel(ACCOUNT + 1)
    await sync[0].reconcile()
    assert await bought(still) == [("enterprise", "active", 9)]
    assert await bought(still, ACCOUNT + 1) == [("pro", "ended", 2)]
    noted = await deadline(still, ACCOUNT + 1)
    assert noted
    assert not noted.is_told
    # It finds the same tomorrow.
    audited = "select count(*) from audit_log"
    before = await rows(still.base, audited, await tenant_of(still))
    await sync[0].reconcile()
    assert await rows(still.base, audited, await tenant_of(still)) == before
    assert await deadline(still, ACCOUNT + 1) == noted


async def test_a_plan_that_was_removed_from_the_listing_stops_nothing(
    still: Bot, sync: tuple[MarketplaceSync, Deletion]
) -> None:
    market = still.github.marketplace
    market.purchase(ACCOUNT, "octo", PRO, units=2)
    removed = market.plans.pop(LISTED[0].id)
    await sync[0].reconcile()
    assert await bought(still) == [("pro", "active", 2)]
    market.plans[LISTED[0].id] = removed


async def test_the_daily_comparison_runs_as_a_job(shop: Bot) -> None:
    shop.github.marketplace.purchase(ACCOUNT, "octo", units=2)
    await shop.base.queue.configure_task(RECONCILE_BILLING, queue=OTHERS).defer_async(timestamp=0)
    await shop.rest()
    assert await bought(shop) == [("pro", "active", 2)]
    assert not await rows(shop.base, "select 1 from procrastinate_jobs where status = 'failed'")


async def test_a_refused_comparison_is_a_finding_until_one_goes_through(shop: Bot) -> None:
    async def night() -> list[str]:
        await shop.base.queue.configure_task(RECONCILE_BILLING, queue=OTHERS).defer_async(timestamp=0)
        await shop.rest()
        return [finding async for finding in billing_findings(shop.base)]

    shop.github.fail_next("GET", "/marketplace_listing/plans", 403, body={"message": "no"})
    (finding,) = await night()
    assert finding.startswith("The Marketplace's purchases were not compared on ")
    assert "Last compared: never before" in finding
    assert await night() == []


async def past_deadline(still: Bot) -> None:
    """Somebody who cancelled 31 days ago."""
    async with still.base.database.unscoped() as connection:
        tenant_id = await tenant_of_buyer(connection, ACCOUNT, "octo", "Organization")
    at = datetime.now(UTC) - 31 * DAY
    async with still.base.database.tenant(tenant_id) as tenant:
        ended = Subscription("marketplace", "ended", "pro", at, ended_at=at)
        await Subscriptions(tenant).put(ended)
        await Deadlines(tenant).note(Deadline(at, at + 30 * DAY, is_told=True))
    let_deadlines_be_read(still.base)


async def test_after_the_deadline_the_account_is_gone(
    still: Bot, sync: tuple[MarketplaceSync, Deletion], capsys: pytest.CaptureFixture[str]
) -> None:
    await past_deadline(still)
    assert await sync[1].run() == 1
    assert await tenant_of(still) is None
    assert await sync[1].run() == 0
    assert "account deleted, 30 days after it cancelled" in "".join(capsys.readouterr())


async def test_a_purchase_that_nobody_told_us_of_stops_the_deletion(
    still: Bot, sync: tuple[MarketplaceSync, Deletion]
) -> None:
    await past_deadline(still)
    still.github.marketplace.purchase(ACCOUNT, "octo", units=2)
    assert await sync[1].run() == 0
    assert await bought(still) == [("pro", "active", 2)]
    assert await deadline(still) is None


async def test_a_paid_subscription_stops_the_deletion(
    still: Bot, sync: tuple[MarketplaceSync, Deletion]
) -> None:
    await past_deadline(still)
    async with still.base.database.tenant(await tenant_of(still) or 0) as tenant:
        await Subscriptions(tenant).put(
            Subscription("stripe", "active", "pro", datetime.now(UTC), reference="s")
        )
    assert await sync[1].run() == 0
    assert await deadline(still) is None


async def test_while_github_cannot_be_asked_nothing_is_deleted(
    still: Bot, sync: tuple[MarketplaceSync, Deletion]
) -> None:
    await past_deadline(still)
    still.github.fail_next("GET", "/marketplace_listing/", 500, times=3)
    assert await sync[1].run() == 0
    assert await tenant_of(still) is not None
    still.github.clear_faults()
    assert await sync[1].run() == 1


async def test_a_deletion_while_the_account_still_uses_the_app_begins_anew(
    shop: Bot,
) -> None:
    account = int(shop.repository["owner"]["id"])
    await shop.github.create_issue(shop.repo, "Before")
    await shop.rest()
    before = await tenant_of(shop, account)
    at = datetime.now(UTC) - timedelta(days=31)
    async with shop.base.database.tenant(before or 0) as tenant:
        await Deadlines(tenant).note(Deadline(at, at + 30 * DAY, is_told=True))
    let_deadlines_be_read(shop.base)
    await by_the_clock(shop)[1].run()  # Unless the bot's own clock was faster.
    await shop.github.create_issue(shop.repo, "After")
    await shop.rest()
    after = await tenant_of(shop, account)
    assert after not in {None, before}
    titles = await rows(shop.base, "select distinct after #>> '{item,title}' as title from timeline", after)
    assert [row.title for row in titles if row.title] == ["After"]


@pytest.mark.parametrize("status", [403, 410, 422, 451])
async def test_one_account_that_github_refuses_does_not_end_the_night(
    still: Bot, sync: tuple[MarketplaceSync, Deletion], status: int
) -> None:
    market = still.github.marketplace
    for number in range(3):
        market.purchase(ACCOUNT + number, f"octo-{number}")
    await sync[0].reconcile()
    market.accounts.clear()
    still.github.fail_next("GET", f"/marketplace_listing/accounts/{ACCOUNT}", status)
    await sync[0].reconcile()
    assert await bought(still, ACCOUNT) == [("pro", "active", 1)]
    for number in (1, 2):
        assert await bought(still, ACCOUNT + number) == [("pro", "ended", 1)]
