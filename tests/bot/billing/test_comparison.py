"""The nightly comparison finds purchases whose events were lost, and continues after failures."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bot.billing.stripe_client import RealStripe
from bot.billing.stripe_port import StripeRefusedError, StripeUnavailableError
from bot.billing.stripe_sync import StripeSync
from bot.cli.doctor import examine
from bot.services import Services
from marketplace.entitlements import resolve_account_plan
from marketplace.stripe_subscriptions import SubscriptionHint
from storage.billing_jobs import RECONCILE_STRIPE
from storage.jobs import OTHERS
from storage.subscriptions import Subscription, Subscriptions, tenant_of_account, tenant_of_buyer
from tests.support.clock import Clock
from tests.support.running import Bot, rows
from tests.support.stripe.selling import (
    SUBSCRIPTION_STORIES,
    card_billing_settings,
    checkout_link,
    deliver_stripe_event,
    open_link,
    stripe_settings,
)
from tests.support.stripe.server import StandInStripe

DAY = timedelta(days=1)
GRACE = timedelta(days=14)
_NUMBERS = itertools.count(20_000)


class ComparisonHarness:
    """Several accounts, and the comparison of what they have with the stand-in."""

    def __init__(self, base: Services, server: StandInStripe, sync: StripeSync) -> None:
        self.base = base
        self.server = server
        self.sync = sync

    async def know(self, *accounts: int) -> None:
        async with self.base.database.unscoped() as connection:
            for account in accounts:
                await tenant_of_buyer(connection, account, f"octo-{account}", "Organization")

    async def of(self, account: int) -> list[Subscription]:
        async with self.base.database.unscoped() as connection:
            organization_id = await tenant_of_account(connection, account)
        async with self.base.database.tenant(organization_id or 0) as tenant:
            return await Subscriptions(tenant).all()

    async def statuses(self, account: int) -> list[str]:
        return [subscription.status for subscription in await self.of(account)]

    async def put(self, account: int, subscription: Subscription) -> None:
        async with self.base.database.unscoped() as connection:
            organization_id = await tenant_of_account(connection, account)
        async with self.base.database.tenant(organization_id or 0) as tenant:
            await Subscriptions(tenant).store(subscription)


@pytest.fixture
async def comparison(
    base: Services, stripe_server: StandInStripe, clock: Clock
) -> AsyncIterator[ComparisonHarness]:
    client = RealStripe(stripe_settings(stripe_server))
    yield ComparisonHarness(
        base, stripe_server, StripeSync(base.database, client, card_billing_settings(stripe_server), clock)
    )
    await client.close()


async def about_stripe(comparison: ComparisonHarness) -> list[str]:
    """What `doctor` finds of Stripe as a whole."""
    return [finding for finding in await examine(comparison.base) if finding.startswith("Stripe")]


async def test_a_purchase_whose_event_was_lost_is_found(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    stripe_server.subscribe(7, price="price_big")
    await selling_bot.base.queue.configure_task(RECONCILE_STRIPE, queue=OTHERS).defer_async(timestamp=0)
    await selling_bot.rest()
    (tenant,) = [row[0] for row in await rows(selling_bot.base, "select * from tenant_of_account(7)")]
    result = await rows(selling_bot.base, "select plan, status, quantity from subscriptions", tenant)
    assert [tuple(row) for row in result] == [("enterprise", "active", 1)]


@pytest.mark.parametrize("page_size", [1, 2, 100])
async def test_all_pages_of_stripe_are_read(comparison: ComparisonHarness, page_size: int) -> None:
    accounts = range(101, 106)
    await comparison.know(*accounts)
    comparison.server.page_size = page_size
    for account in accounts:
        comparison.server.subscribe(account)
    await comparison.sync.reconcile()
    assert [await comparison.statuses(account) for account in accounts] == [["active"]] * 5


async def test_what_has_ended_without_a_webhook_ends(comparison: ComparisonHarness) -> None:
    await comparison.know(101)
    subscription = comparison.server.subscribe(101)
    await comparison.sync.reconcile()
    subscription["status"] = "canceled"
    await comparison.sync.reconcile()
    assert await comparison.statuses(101) == ["ended"]


@pytest.mark.parametrize("status", [400, 402, 403, 404, 500])
@pytest.mark.parametrize("ends", ["first", "middle", "last"])
async def test_refused_lookup_does_not_stop_reconciliation(
    comparison: ComparisonHarness, status: int, ends: str
) -> None:
    accounts = [101, 102, 103]
    await comparison.know(*accounts)
    subscriptions = [comparison.server.subscribe(account) for account in accounts]
    await comparison.sync.reconcile()
    refused = {"first": 0, "middle": 1, "last": 2}[ends]
    for subscription in subscriptions:
        subscription["status"] = "canceled"  # So none is listed, and each is asked for.
    comparison.server.failing[f"subscriptions/{subscriptions[refused]['id']}"] = status
    await comparison.sync.reconcile()
    kept = [(await comparison.statuses(account))[0] for account in accounts]
    assert [kept[number] for number in range(3) if number != refused] == ["ended", "ended"]


@pytest.mark.parametrize(
    "odd",
    [
        {"status": "in_orbit"},
        {"items": {"object": "list", "data": []}},
        {"items": "nothing"},
        {"customer": None},
        {"price": "price_of_nobody"},
    ],
)
async def test_malformed_subscription_does_not_stop_reconciliation(
    comparison: ComparisonHarness, odd: dict[str, Any]
) -> None:
    await comparison.know(101, 102, 103)
    comparison.server.subscribe(101)
    comparison.server.subscribe(102, **odd)
    comparison.server.subscribe(103)
    await comparison.sync.reconcile()
    assert [await comparison.statuses(account) for account in (101, 103)] == [["active"], ["active"]]


@pytest.mark.parametrize(
    "odd",
    [
        {"status": None},
        {"status": {}},
        {"id": None},
        {"id": {}},
        {"metadata": None, "status": None},
        {"metadata": []},
        {"customer": 5},
        {"items": {"data": [{"id": "si_odd", "price": {"id": "price_pro"}, "quantity": 2**31}]}},
    ],
)
@pytest.mark.parametrize("account", [102, None])
async def test_an_odd_answer_in_the_list_does_not_end_the_night(
    comparison: ComparisonHarness, monkeypatch: pytest.MonkeyPatch, odd: dict[str, Any], account: int | None
) -> None:
    await comparison.know(101, 102, 103)
    comparison.server.subscribe(101)
    shown_oddly = comparison.server.subscribe(account)
    comparison.server.subscribe(103)
    listing = comparison.server._list_subscriptions

    def odd_list(data: dict[str, Any]) -> Any:
        answer = listing(data)
        answer["data"] = [entry | odd if entry is shown_oddly else entry for entry in answer["data"]]
        return answer

    monkeypatch.setattr(comparison.server, "_list_subscriptions", odd_list)
    await comparison.sync.reconcile()
    assert [await comparison.statuses(account) for account in (101, 103)] == [["active"], ["active"]]


@pytest.mark.parametrize("count", [1, 4])
async def test_a_price_that_stripe_cannot_show_does_not_end_the_night(
    comparison: ComparisonHarness, count: int
) -> None:
    others = range(200, 200 + count)
    await comparison.know(101, 103, *others)
    comparison.server.subscribe(101)
    odd = [comparison.server.subscribe(account, price="price_odd") for account in others]
    comparison.server.subscribe(103)
    comparison.server.failing["prices/price_odd"] = 500
    await comparison.sync.reconcile()
    assert [await comparison.statuses(account) for account in (101, 103)] == [["active"], ["active"]]
    findings = await about_stripe(comparison)
    assert len(findings) == count
    for subscription in odd:
        assert any(subscription["id"] in finding for finding in findings)
    assert not any("cancel" in finding for finding in findings)
    comparison.server.failing.clear()
    comparison.server.prices["price_odd"] = {
        "id": "price_odd",
        "object": "price",
        "metadata": {"plan": "pro"},
    }
    await comparison.sync.reconcile()
    assert [await comparison.statuses(account) for account in others] == [["active"]] * count
    assert await about_stripe(comparison) == []


@pytest.mark.parametrize("status", [429, 500])
@pytest.mark.parametrize("fails", [0, 1, 2])
async def test_one_that_stripe_cannot_show_does_not_end_the_seats_of_others(
    comparison: ComparisonHarness, clock: Clock, status: int, fails: int
) -> None:
    """The list works and one object does not: it is locked, or Stripe has an error of its own."""
    clock.now = datetime.now(UTC)
    await comparison.know(101, 102, 103)
    subscriptions = [comparison.server.subscribe(account, quantity=5) for account in (101, 102, 103)]
    await comparison.sync.reconcile()
    items = [subscription["items"]["data"][0] for subscription in subscriptions]
    assert [item["quantity"] for item in items] == [1, 1, 1]  # Nobody works there.
    for item in items:
        item["quantity"] = 5
    clock.now += DAY
    comparison.server.failing[f"subscriptions/{subscriptions[fails]['id']}"] = status
    await comparison.sync.reconcile()
    assert [item["quantity"] for item in items] == [5 if number == fails else 1 for number in range(3)]


async def test_where_stripe_is_away_the_seats_of_few_are_asked_for(
    comparison: ComparisonHarness, clock: Clock
) -> None:
    clock.now = datetime.now(UTC)
    accounts = range(101, 107)
    await comparison.know(*accounts)
    subscriptions = [comparison.server.subscribe(account, quantity=5) for account in accounts]
    for subscription in subscriptions:
        comparison.server.failing[f"subscriptions/{subscription['id']}"] = 429
    with pytest.raises(StripeUnavailableError):
        await comparison.sync.reconcile()
    asked = {path for _, path, _ in comparison.server.requests if path.startswith("subscriptions/")}
    assert len(asked) == 3


async def test_where_nothing_may_be_listed_each_of_ours_is_asked_for(comparison: ComparisonHarness) -> None:
    await comparison.know(101)
    subscription = comparison.server.subscribe(101)
    await comparison.sync.reconcile()
    comparison.server.failing["subscriptions"] = 403
    subscription["status"] = "past_due"
    with pytest.raises(StripeRefusedError):
        await comparison.sync.reconcile()
    assert await comparison.statuses(101) == ["past_due"]
    (finding,) = await about_stripe(comparison)
    assert finding.startswith("Stripe's subscriptions were not compared")
    comparison.server.failing.clear()
    await comparison.sync.reconcile()
    assert await about_stripe(comparison) == []


# Whose is it?


async def test_doctor_names_what_belongs_to_no_account(comparison: ComparisonHarness) -> None:
    await comparison.know(101)
    nameless = comparison.server.subscribe(None)
    unknown = comparison.server.subscribe(4711)
    comparison.server.subscribe(None, price="price_of_another_product")
    comparison.server.subscribe(None, status="incomplete")
    comparison.server.subscribe(101)
    await comparison.sync.reconcile()
    second, first = await about_stripe(comparison)
    assert unknown["id"] in first
    assert "4711" in first
    assert f"{nameless['id']} ({nameless['customer']})" in second
    assert "its metadata name no account" in second
    # Once the account is known, its purchase is taken up by itself, and the findings go.
    await comparison.know(4711)
    nameless["metadata"] = {"account": "101"}
    await comparison.sync.reconcile()
    assert await comparison.statuses(4711) == ["active"]
    assert await comparison.statuses(101) == ["active", "active"]
    assert await about_stripe(comparison) == []


@pytest.mark.parametrize(
    ("odd", "to_do"),
    [
        ({"price": "price_of_nobody"}, "STRIPE_EARLIER_PRICE_IDS"),
        ({"status": "in_orbit"}, "in_orbit"),
        ({"quantity": 2**31}, str(2**31)),
    ],
)
async def test_doctor_says_what_is_not_understood_of_an_account_that_is_known(
    comparison: ComparisonHarness, odd: dict[str, Any], to_do: str
) -> None:
    """Nobody is to cancel and refund what one setting would mend."""
    await comparison.know(101)
    subscription = comparison.server.subscribe(101, **odd)
    await comparison.sync.reconcile()
    (finding,) = [finding for finding in await examine(comparison.base) if subscription["id"] in finding]
    assert "octo-101" in finding
    assert to_do in finding
    assert "not known here" not in finding
    assert "refund" not in finding
    subscription["status"] = "canceled"  # Unheard, and canceled ones are not listed.
    await comparison.sync.reconcile()
    assert not [finding for finding in await examine(comparison.base) if subscription["id"] in finding]


async def test_what_a_customer_buys_beside_a_plan_is_not_named(comparison: ComparisonHarness) -> None:
    await comparison.know(101)
    plan = comparison.server.subscribe(101)
    comparison.server.subscribe(None, price="price_of_another_product", customer=plan["customer"])
    await comparison.sync.reconcile()
    assert await about_stripe(comparison) == []


# Gone at Stripe


async def bought(comparison: ComparisonHarness, *accounts: int) -> None:
    await comparison.know(*accounts)
    for account in accounts:
        comparison.server.subscribe(account)
    await comparison.sync.reconcile()


async def test_subscription_missing_at_stripe_ends(comparison: ComparisonHarness) -> None:
    await bought(comparison, 101, 102)
    (gone,) = await comparison.of(101)
    del comparison.server.subscriptions[gone.reference]
    await comparison.sync.reconcile()
    assert await comparison.statuses(101) == ["ended"]
    assert await comparison.statuses(102) == ["active"]
    async with comparison.base.database.unscoped() as connection:
        tenant = await tenant_of_account(connection, 101)
    audited = await rows(
        comparison.base, "select details from audit_log where action = 'plan' order by id", tenant
    )
    assert audited[-1].details["event"] == "missing at Stripe"
    assert not await rows(comparison.base, "select 1 from deletion_deadlines", tenant)


async def test_with_another_key_nobody_loses_anything_and_anybody_may_buy(
    comparison: ComparisonHarness, clock: Clock
) -> None:
    clock.now = datetime.now(UTC)
    accounts = [101, 102, 103]
    await bought(comparison, *accounts)
    before = dict(comparison.server.subscriptions)
    comparison.server.subscriptions.clear()
    for _ in range(3):
        clock.now += 20 * DAY
        await comparison.sync.reconcile()
    for account in accounts:
        (subscription,) = await comparison.of(account)
        assert subscription.status == "active"
        assert subscription.missing_since is not None
        assert resolve_account_plan([subscription], clock.now, GRACE).name == "pro"
    (finding,) = await about_stripe(comparison)
    assert "STRIPE_SECRET_KEY" in finding
    assert "none of the 3 subscriptions" in finding
    # The right key is back.
    comparison.server.subscriptions.update(before)
    await comparison.sync.reconcile()
    assert [(await comparison.of(account))[0].missing_since for account in accounts] == [None] * 3


async def test_few_new_purchases_do_not_end_what_is_missing_before_the_grace(
    comparison: ComparisonHarness, clock: Clock
) -> None:
    clock.now = datetime.now(UTC)
    await bought(comparison, 101, 102, 103)
    comparison.server.subscriptions.clear()
    comparison.server.subscribe(101, quantity=2)
    await comparison.sync.reconcile()
    assert await comparison.statuses(101) == ["active", "active"]
    assert await comparison.statuses(103) == ["active"]
    clock.now += 15 * DAY
    await comparison.sync.reconcile()
    assert await comparison.statuses(101) == ["ended", "active"]
    assert await comparison.statuses(103) == ["ended"]


async def test_a_missing_subscription_does_not_block_a_new_checkout(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.created", stripe_server.subscribe(7))
    )
    url = await checkout_link(selling_bot)
    assert (await open_link(selling_bot, url))[0] == 409
    stripe_server.subscriptions.clear()
    await selling_bot.base.queue.configure_task(RECONCILE_STRIPE, queue=OTHERS).defer_async(timestamp=0)
    await selling_bot.rest()
    assert (await open_link(selling_bot, url))[0] == 303


async def test_deleted_customer_has_no_portal(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    subscription = stripe_server.subscribe(7)
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.created", subscription)
    )
    subscription["status"] = "canceled"
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.deleted", {"id": subscription["customer"]})
    )
    late = stripe_server.event("customer.subscription.deleted", subscription)
    await deliver_stripe_event(selling_bot, late)
    (tenant,) = [row[0] for row in await rows(selling_bot.base, "select * from tenant_of_account(7)")]
    (row,) = await rows(selling_bot.base, "select status, is_customer_deleted from subscriptions", tenant)
    assert tuple(row) == ("ended", True)


async def test_time_takes_a_plan_away_where_only_stripe_is_compared(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    (tenant_id,) = [row[0] for row in await rows(selling_bot.base, "select * from tenant_of_account(7)")]
    now = datetime.now(UTC)
    async with selling_bot.base.database.tenant(tenant_id) as tenant:
        trial = Subscription("marketplace", "trialing", "pro", now, trial_ends=now - 3 * DAY)
        await Subscriptions(tenant).store(trial)
        await Subscriptions(tenant).set_plan("pro")
    stripe_server.fail_with = 401  # Also in a night in which Stripe refuses.
    await selling_bot.base.queue.configure_task(RECONCILE_STRIPE, queue=OTHERS).defer_async(timestamp=0)
    await selling_bot.rest()
    (row,) = await rows(selling_bot.base, "select plan from organizations", tenant_id)
    assert row.plan == "free"


@pytest.mark.parametrize("name", SUBSCRIPTION_STORIES)
@examples(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(lost=st.sets(st.integers(0, 3)), nights=st.integers(1, 2))
async def test_a_year_of_which_events_were_lost_ends_the_same(
    name: str, comparison: ComparisonHarness, lost: set[int], nights: int
) -> None:
    account, steps = next(_NUMBERS), SUBSCRIPTION_STORIES[name]
    await comparison.know(account)
    subscription = comparison.server.subscribe(account)
    for number, (kind, act) in enumerate(steps):
        act(subscription)
        if number not in lost:
            about = SubscriptionHint(
                f"evt_{account}_{number}", f"customer.subscription.{kind}", None, subscription["id"]
            )
            await comparison.sync.follow(about)
    for _ in range(nights):
        await comparison.sync.reconcile()
    kept = await comparison.of(account)
    if subscription["status"] == "canceled":
        assert [subscription.status for subscription in kept] in (
            [],
            ["ended"],
        )  # Who was never seen has nothing to lose.
    else:
        item = subscription["items"]["data"][0]
        assert [(subscription.status, subscription.quantity) for subscription in kept] == [
            (subscription["status"], item["quantity"])
        ]
        assert (kept[0].pending is not None) is subscription["cancel_at_period_end"]
