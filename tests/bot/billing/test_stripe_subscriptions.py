"""Stripe subscriptions: plan, status, grace and owner, from the webhook to the ledger."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.billing.stripe_client import RealStripe
from bot.billing.stripe_sync import StripeSync
from bot.services import Services
from bot.settings.billing import BillingSettings
from marketplace.entitlements import Reason
from marketplace.plans import PlanName
from marketplace.stripe_subscriptions import SubscriptionHint
from marketplace.subscription_ledger import SubscriptionLedger
from storage.subscriptions import Subscription, SubscriptionProblem, Subscriptions, tenant_of_buyer
from tests.support.billing import DAY
from tests.support.clock import Clock
from tests.support.running import Bot, rows
from tests.support.stripe.selling import (
    CARD_ACCOUNT,
    card_billing_settings,
    deliver_stripe_event,
    read_billing,
)
from tests.support.stripe.server import StandInStripe

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
Json = dict[str, Any]


def seconds(at: datetime) -> int:
    return int(at.timestamp())


class SubscriptionHarness:
    """Our books and the stand-in Stripe, where events arrive without HTTP between."""

    def __init__(
        self, base: Services, stripe: StandInStripe, settings: BillingSettings, clock: Clock
    ) -> None:
        self.base = base
        self.stripe = stripe
        self.clock = clock
        self.client = RealStripe(settings.stripe)  # type: ignore[arg-type]
        self.sync = StripeSync(base.database, self.client, settings, base.clock)
        self._count = 0

    async def hear(self, subscription: Json, kind: str = "customer.subscription.updated") -> None:
        self._count += 1
        event = f"evt_{subscription['id']}_{self._count}"
        await self.sync.follow(SubscriptionHint(event, kind, subscription["customer"], subscription["id"]))

    async def night(self) -> None:
        """What the clock does with one account: compare, then let time take its plan away."""
        await self.sync.reconcile()
        async with self.base.database.unscoped() as connection:
            tenant_id = await tenant_of_buyer(connection, CARD_ACCOUNT, "octo", "Organization")
        async with self.base.database.tenant(tenant_id) as tenant:
            await SubscriptionLedger(tenant, self.base.clock(), 14 * DAY).update_plan()

    async def kept(self, account: int = CARD_ACCOUNT) -> Subscription:
        (subscription,) = (await read_billing(self.base, account)).subscriptions
        return subscription

    async def problems(self, account: int = CARD_ACCOUNT) -> list[SubscriptionProblem]:
        async with self.base.database.unscoped() as connection:
            tenant_id = await tenant_of_buyer(connection, account, "octo", "Organization")
        async with self.base.database.tenant(tenant_id) as tenant:
            return await Subscriptions(tenant).problems()


@pytest.fixture
async def subscriptions(base: Services, stripe_server: StandInStripe, clock: Clock) -> Any:
    clock.now = NOW
    await read_billing(base)
    result = SubscriptionHarness(base, stripe_server, card_billing_settings(stripe_server), clock)
    yield result
    await result.client.close()


def price(name: str, **more: Any) -> Json:
    return {"id": name, "object": "price"} | more


def item(subscription: Json) -> Json:
    result: Json = subscription["items"]["data"][0]
    return result


# The plan of a price that was changed


async def test_a_subscriber_on_an_old_price_who_recovers_is_not_cut_off(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    subscription = stripe_server.subscribe(CARD_ACCOUNT, price="price_pro")
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.created", subscription)
    )
    subscription["status"] = "past_due"
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.updated", subscription)
    )
    item(subscription)["price"] = price("price_of_last_year")
    subscription["status"] = "active"
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.updated", subscription)
    )
    standing = (await read_billing(selling_bot.base)).plan
    assert (standing.name, standing.status, standing.grace_ends) == ("pro", "active", None)


async def test_a_subscriber_on_an_old_price_who_cancels_has_cancelled(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    subscription = stripe_server.subscribe(CARD_ACCOUNT)
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.created", subscription)
    )
    item(subscription)["price"] = price("price_of_last_year")
    subscription["status"] = "canceled"
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.deleted", subscription)
    )
    billing = await read_billing(selling_bot.base)
    assert (billing.account.plan, billing.plan.status) == ("free", "ended")


async def test_a_price_that_nothing_tells_of_is_named_until_it_is_understood(
    subscriptions: SubscriptionHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT)
    await subscriptions.hear(subscription)
    item(subscription)["price"] = price("price_x")
    await subscriptions.hear(subscription)
    assert (await subscriptions.kept()).plan == "pro"
    assert "subscription not understood; the rest of it applies" in "".join(capsys.readouterr())
    (problem,) = await subscriptions.problems()
    assert problem.subscription_id == subscription["id"]
    assert "price_x" in problem.problem
    item(subscription)["price"] = price("price_big")
    await subscriptions.hear(subscription)
    assert (await subscriptions.kept()).plan == "enterprise"
    assert await subscriptions.problems() == []


async def test_a_new_subscription_that_nothing_tells_of_gives_nothing_and_is_named(
    subscriptions: SubscriptionHarness,
) -> None:
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT, price="price_x")
    await subscriptions.hear(subscription)
    assert (await read_billing(subscriptions.base)).subscriptions == ()
    (problem,) = await subscriptions.problems()
    assert "price_x" in problem.problem
    subscription["status"] = "canceled"
    await subscriptions.hear(subscription)
    assert await subscriptions.problems() == []


@pytest.mark.parametrize(
    ("shape", "plan"),
    [
        ({"price": price("price_x", metadata={"plan": "Enterprise"})}, "enterprise"),
        ({"price": price("price_x", metadata={"plan": "gold"}, product="prod_pro")}, "pro"),
        ({"price": price("price_x", product="prod_pro")}, "pro"),
        ({"price": price("price_x", product={"id": "prod_pro", "object": "product"})}, "pro"),
        ({"price": price("price_x", product="prod_named")}, "enterprise"),
        ({"price": price("price_x")}, "pro"),  # Stripe tells its product when it is asked.
        ({"price": price("price_older")}, "enterprise"),
        ({"price": None, "plan": {"id": "price_pro", "object": "plan", "amount": 600}}, "pro"),
    ],
)
async def test_the_plan_is_known_by_earlier_ids_metadata_or_product(
    base: Services, stripe_server: StandInStripe, clock: Clock, shape: Json, plan: str
) -> None:
    stripe = card_billing_settings(stripe_server).stripe
    assert stripe
    settings = BillingSettings(
        is_on=True,
        stripe=_replaced(stripe, earlier_prices={"price_older": PlanName.ENTERPRISE}),
    )
    await read_billing(base)
    stripe_server.prices.update(
        {
            "price_pro": price("price_pro", product={"id": "prod_pro", "object": "product", "metadata": {}}),
            "price_year": price(
                "price_year", product={"id": "prod_pro", "object": "product", "metadata": {}}
            ),
            "price_x": price("price_x", product=_product_of(shape)),
        }
    )
    shelf = SubscriptionHarness(base, stripe_server, settings, clock)
    subscription = stripe_server.subscribe(CARD_ACCOUNT)
    item(subscription).update(shape)
    await shelf.hear(subscription)
    assert (await shelf.kept()).plan == plan
    assert await shelf.problems() == []
    await shelf.client.close()


def _product_of(shape: Json) -> Json:
    product = (shape["price"] or {}).get("product", "prod_pro")
    name = product if isinstance(product, str) else product["id"]
    metadata = {"plan": "enterprise"} if name == "prod_named" else {}
    return {"id": name, "object": "product", "metadata": metadata}


def _replaced(settings: Any, **more: Any) -> Any:
    from dataclasses import replace  # noqa: PLC0415

    return replace(settings, **more)


async def test_a_product_with_two_plans_tells_of_neither(subscriptions: SubscriptionHarness) -> None:
    both = {"id": "prod_all", "object": "product", "metadata": {}}
    subscriptions.stripe.prices.update(
        {name: price(name, product=both) for name in ("price_pro", "price_big", "price_year", "price_x")}
    )
    await subscriptions.hear(subscriptions.stripe.subscribe(CARD_ACCOUNT, price="price_x"))
    assert (await read_billing(subscriptions.base)).subscriptions == ()


async def test_the_metadata_of_our_checkout_come_after_what_the_price_says(
    subscriptions: SubscriptionHarness,
) -> None:
    metadata = {"account": str(CARD_ACCOUNT), "plan": "enterprise"}
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT, price="price_x", metadata=metadata)
    await subscriptions.hear(subscription)
    assert (await subscriptions.kept()).plan == "enterprise"
    item(subscription)["price"] = price("price_pro")
    await subscriptions.hear(subscription)
    assert (await subscriptions.kept()).plan == "pro"


async def test_stripe_away_for_the_price_alone_holds_up_nothing(
    subscriptions: SubscriptionHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT)
    await subscriptions.hear(subscription)
    item(subscription)["price"] = price("price_x")
    subscription["status"] = "canceled"
    monkeypatch.setattr(subscriptions.client, "get_price", _raising(_away()))
    await subscriptions.hear(subscription)
    assert (await subscriptions.kept()).status == "ended"


def _away() -> Exception:
    from bot.billing.stripe_port import StripeUnavailableError  # noqa: PLC0415

    return StripeUnavailableError("a bad day")


def _raising(problem: Exception) -> Callable[..., Any]:
    async def fail(*_: object) -> None:
        raise problem

    return fail


USAGE = {
    "id": "si_usage",
    "object": "subscription_item",
    "price": price("price_usage", recurring={"interval": "month", "usage_type": "metered"}),
}
SUPPORT = {"id": "si_support", "object": "subscription_item", "price": price("price_support"), "quantity": 1}


@pytest.mark.parametrize("others", [[USAGE], [SUPPORT], [USAGE, SUPPORT]])
@pytest.mark.parametrize("name", ["price_pro", "price_of_last_year"])
async def test_items_beside_the_plan_s_do_not_stand_for_it(
    subscriptions: SubscriptionHarness, others: list[Json], name: str
) -> None:
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT, price="price_pro", quantity=7)
    await subscriptions.hear(subscription)
    subscriptions.stripe.prices["price_of_last_year"] = price("price_of_last_year", metadata={})
    item(subscription)["price"] = price(name, metadata={"plan": "pro"})
    subscription["items"]["data"] = [*others, item(subscription)]
    await subscriptions.hear(subscription)
    kept = await subscriptions.kept()
    assert (kept.plan, kept.quantity, kept.price_id) == ("pro", 7, name)


async def test_a_subscription_without_items_keeps_its_plan_and_ends(
    subscriptions: SubscriptionHarness,
) -> None:
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT, quantity=4)
    await subscriptions.hear(subscription)
    subscription["items"]["data"] = []
    await subscriptions.hear(subscription)
    assert ((await subscriptions.kept()).plan, (await subscriptions.kept()).quantity) == ("pro", 4)
    subscription["status"] = "canceled"
    await subscriptions.hear(subscription)
    assert (await read_billing(subscriptions.base)).account.plan == "free"


@pytest.mark.parametrize(
    ("recurring", "is_yearly"),
    [
        ({"interval": "year", "interval_count": 1}, True),
        ({"interval": "month", "interval_count": 12}, True),
        ({"interval": "month", "interval_count": 1}, False),
        ({"interval": "week"}, False),
        ({"interval": "fortnight"}, False),
        (None, False),
    ],
)
async def test_stripe_says_whether_a_price_is_by_the_year(
    subscriptions: SubscriptionHarness, recurring: Json | None, is_yearly: bool
) -> None:
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT)
    item(subscription)["price"] = price("price_pro", recurring=recurring, unit_amount=700, currency="eur")
    await subscriptions.hear(subscription)
    kept = await subscriptions.kept()
    assert (kept.is_yearly, kept.unit_amount, kept.currency) == (is_yearly, 700, "eur")


@pytest.mark.parametrize(
    "odd",
    [
        {"metadata": None, "price": price("price_pro")},
        {"price": price("price_pro", unit_amount=None, currency=None)},
        {"price": price("price_pro", unit_amount="12", currency="EURO", product=7, recurring="monthly")},
        {"quantity": None, "price": price("price_pro")},
        {"current_period_end": "soon", "price": price("price_pro")},
        {"current_period_end": 10**30, "price": price("price_pro")},
    ],
)
async def test_an_odd_field_costs_itself_alone(subscriptions: SubscriptionHarness, odd: Json) -> None:
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT)
    await subscriptions.hear(subscription)
    item(subscription).update(odd)
    subscription.update(
        {"trial_end": "never", "pause_collection": "no", "latest_invoice": 7, "status": "past_due"}
    )
    await subscriptions.hear(subscription)
    assert (await subscriptions.kept()).status == "past_due"


async def test_a_status_that_is_new_keeps_what_was_given_and_is_named(
    subscriptions: SubscriptionHarness,
) -> None:
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT, quantity=2)
    await subscriptions.hear(subscription)
    item(subscription)["quantity"] = 3
    subscription["status"] = "in_orbit"
    await subscriptions.hear(subscription)
    kept = await subscriptions.kept()
    assert (kept.status, kept.quantity) == ("active", 3)
    (problem,) = await subscriptions.problems()
    assert "in_orbit" in problem.problem


# Paused collection


@pytest.mark.parametrize(
    ("status", "pause", "plan", "kept"),
    [
        ("active", {"behavior": "void"}, "free", "paused"),
        ("active", {"behavior": "mark_uncollectible", "resumes_at": None}, "free", "paused"),
        ("active", {"behavior": "mark_uncollectible", "resumes_at": seconds(NOW + DAY)}, "free", "paused"),
        ("active", {"behavior": "void", "resumes_at": seconds(NOW - DAY)}, "pro", "active"),
        ("active", {"behavior": "keep_as_draft"}, "pro", "active"),
        ("active", None, "pro", "active"),
        ("trialing", {"behavior": "void"}, "pro", "trialing"),
        ("past_due", {"behavior": "void"}, "pro", "past_due"),
        ("canceled", {"behavior": "void"}, "free", "ended"),
    ],
)
async def test_what_is_never_collected_is_not_paid(
    subscriptions: SubscriptionHarness, status: str, pause: Json | None, plan: str, kept: str
) -> None:
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT, status=status, pause_collection=pause)
    subscription["trial_end"] = seconds(NOW + 9 * DAY) if status == "trialing" else None
    await subscriptions.hear(subscription)
    assert ((await read_billing(subscriptions.base)).account.plan, (await subscriptions.kept()).status) == (
        plan,
        kept,
    )


# Grace


def invoice(number: int, due: datetime, **more: Any) -> Json:
    usual = {"id": f"in_{number}", "object": "invoice", "status": "open", "created": seconds(due)}
    return usual | {"amount_remaining": 600, "billing_reason": "subscription_cycle"} | more


FAILED = {"cancellation_details": {"reason": "payment_failed"}}
PAUSED = {"status_details": {"paused": {"subscription": {"type": "final_payment_failure"}}}}


@pytest.mark.parametrize(
    "gave_up",
    [
        {"status": "past_due"},
        {"status": "unpaid"},
        {"status": "canceled", "ended_at": seconds(NOW + 7 * DAY)} | FAILED,
        {"status": "paused"} | PAUSED,
    ],
    ids=["past_due", "unpaid", "canceled", "paused"],
)
async def test_grace_runs_from_the_due_date_whatever_stripe_makes_of_it(
    subscriptions: SubscriptionHarness, gave_up: Json
) -> None:
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT, latest_invoice=invoice(1, NOW))
    subscription["status"] = "past_due"
    await subscriptions.hear(subscription)
    subscriptions.clock.now = NOW + 7 * DAY
    subscription.update(gave_up)
    await subscriptions.hear(subscription)
    standing = (await read_billing(subscriptions.base)).plan
    assert (standing.name, standing.grace_ends) == ("pro", NOW + 14 * DAY)
    assert (await read_billing(subscriptions.base)).account.plan == "pro"
    subscriptions.clock.now = NOW + 14 * DAY
    standing = (await read_billing(subscriptions.base)).plan
    assert (standing.name, standing.reason) == ("free", Reason.PAYMENT_FAILED)
    await subscriptions.night()
    assert (await read_billing(subscriptions.base)).account.plan == "free"


@pytest.mark.parametrize(
    "over",
    [
        {"status": "canceled", "cancellation_details": {"reason": "cancellation_requested"}},
        {"status": "canceled", "cancellation_details": {"reason": "payment_disputed"}},
        {"status": "canceled", "cancellation_details": None},
        {"status": "incomplete_expired"} | FAILED,
        {"status": "paused", "status_details": {"paused": {"subscription": {"type": "pause_requested"}}}},
        {"status": "paused"},
    ],
)
async def test_what_somebody_ended_ends_at_once(subscriptions: SubscriptionHarness, over: Json) -> None:
    subscription = subscriptions.stripe.subscribe(
        CARD_ACCOUNT, latest_invoice=invoice(1, NOW - DAY), status="past_due"
    )
    await subscriptions.hear(subscription)
    subscription.update(over)
    await subscriptions.hear(subscription)
    billing = await read_billing(subscriptions.base)
    assert (billing.account.plan, billing.plan.grace_ends) == ("free", None)


@pytest.mark.parametrize(
    ("invoices", "due"),
    [
        ([invoice(1, NOW - 40 * DAY, due_date=seconds(NOW - 10 * DAY))], NOW - 10 * DAY),
        (
            [invoice(1, NOW - 9 * DAY, status_transitions={"finalized_at": seconds(NOW - 8 * DAY)})],
            NOW - 8 * DAY,
        ),
        # A proration that was paid since then, and the next period's draft, are not what is due.
        (
            [
                invoice(3, NOW - DAY, status="draft"),
                invoice(2, NOW - 2 * DAY, status="paid", billing_reason="subscription_update"),
                invoice(1, NOW - 5 * DAY),
            ],
            NOW - 5 * DAY,
        ),
        # Of two that are unpaid the earlier counts, unless a period between them was paid.
        ([invoice(2, NOW - 2 * DAY), invoice(1, NOW - 12 * DAY)], NOW - 12 * DAY),
        (
            [
                invoice(3, NOW - 2 * DAY),
                invoice(2, NOW - 32 * DAY, status="paid", amount_remaining=0),
                invoice(1, NOW - 62 * DAY),
            ],
            NOW - 2 * DAY,
        ),
        ([invoice(2, NOW - 3 * DAY, status="uncollectible")], NOW - 3 * DAY),
        # Long forgiven.
        ([invoice(2, NOW - 3 * DAY), invoice(1, NOW - 90 * DAY, status="uncollectible")], NOW - 3 * DAY),
        ([invoice(2, NOW - 3 * DAY), invoice(1, NOW - 90 * DAY, status="void")], NOW - 3 * DAY),
    ],
)
async def test_grace_runs_from_the_earliest_payment_that_has_not_come(
    subscriptions: SubscriptionHarness, invoices: list[Json], due: datetime
) -> None:
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT, latest_invoice=invoices[0], status="past_due")
    subscriptions.stripe.invoices[subscription["id"]] = invoices
    await subscriptions.hear(subscription)
    assert (await subscriptions.kept()).past_due_since == due
    assert (await read_billing(subscriptions.base)).plan.grace_ends == due + 14 * DAY


async def test_without_a_list_of_invoices_the_latest_one_counts(
    subscriptions: SubscriptionHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions.client, "list_invoices", _raising(_away()))
    subscription = subscriptions.stripe.subscribe(
        CARD_ACCOUNT, latest_invoice=invoice(1, NOW - 3 * DAY), status="past_due"
    )
    await subscriptions.hear(subscription)
    assert (await subscriptions.kept()).past_due_since == NOW - 3 * DAY
    subscription["latest_invoice"] = invoice(2, NOW - DAY)
    await subscriptions.hear(subscription)
    assert (await subscriptions.kept()).past_due_since == NOW - 3 * DAY


# Whose it is


async def test_a_second_organization_of_one_customer_has_what_it_pays_for(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    first = stripe_server.subscribe(CARD_ACCOUNT)
    second = stripe_server.subscribe(8, price="price_big", customer=first["customer"])
    await read_billing(selling_bot.base, 8)
    for entry in (first, second):
        await deliver_stripe_event(selling_bot, stripe_server.event("customer.subscription.created", entry))
    assert (await read_billing(selling_bot.base)).account.plan == "pro"
    assert (await read_billing(selling_bot.base, 8)).account.plan == "enterprise"
    second["metadata"] = {}  # Our books remember whose it is.
    second["status"] = "canceled"
    await deliver_stripe_event(selling_bot, stripe_server.event("customer.subscription.deleted", second))
    assert (await read_billing(selling_bot.base)).account.plan == "pro"
    assert (await read_billing(selling_bot.base, 8)).account.plan == "free"


async def test_a_deleted_customer_of_two_organizations_ends_both(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    first = stripe_server.subscribe(CARD_ACCOUNT)
    second = stripe_server.subscribe(8, customer=first["customer"])
    await read_billing(selling_bot.base, 8)
    for subscription in (first, second):
        await deliver_stripe_event(
            selling_bot, stripe_server.event("customer.subscription.created", subscription)
        )
        subscription["status"] = "canceled"
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.deleted", {"id": first["customer"]})
    )
    for account in (CARD_ACCOUNT, 8):
        assert (await read_billing(selling_bot.base, account)).account.plan == "free"


async def test_the_customer_decides_only_where_nothing_else_does(subscriptions: SubscriptionHarness) -> None:
    first = subscriptions.stripe.subscribe(CARD_ACCOUNT)
    await subscriptions.hear(first)
    unnamed = subscriptions.stripe.subscribe(None, customer=first["customer"], price="price_big")
    await subscriptions.hear(unnamed)
    assert (await read_billing(subscriptions.base)).account.plan == "enterprise"
    await read_billing(subscriptions.base, 8)
    await subscriptions.hear(subscriptions.stripe.subscribe(8, customer=first["customer"]))
    third = subscriptions.stripe.subscribe(None, customer=first["customer"])
    await subscriptions.hear(third)
    assert len((await read_billing(subscriptions.base)).subscriptions) == 2
    assert len((await read_billing(subscriptions.base, 8)).subscriptions) == 1


async def test_what_a_customer_buys_elsewhere_is_no_problem_of_ours(
    subscriptions: SubscriptionHarness,
) -> None:
    first = subscriptions.stripe.subscribe(CARD_ACCOUNT)
    await subscriptions.hear(first)
    await subscriptions.hear(
        subscriptions.stripe.subscribe(None, customer=first["customer"], price="price_of_a_book")
    )
    assert len((await read_billing(subscriptions.base)).subscriptions) == 1
    assert await subscriptions.problems() == []


async def test_a_subscription_claimed_for_another_account_stays_and_can_end(
    subscriptions: SubscriptionHarness,
) -> None:
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT)
    await subscriptions.hear(subscription)
    await read_billing(subscriptions.base, 8)
    subscription["metadata"] = {"account": "8"}
    item(subscription).update({"quantity": 99, "price": price("price_big")})
    await subscriptions.hear(subscription)
    kept = await subscriptions.kept()
    assert (kept.plan, kept.quantity, kept.status) == ("pro", 1, "active")
    (problem,) = await subscriptions.problems()
    assert "name another one (8)" in problem.problem
    subscription["status"] = "canceled"
    await subscriptions.hear(subscription)
    assert (await read_billing(subscriptions.base)).account.plan == "free"
    assert (await read_billing(subscriptions.base, 8)).subscriptions == ()
    assert await rows(subscriptions.base, "select 1 from subscription_problems") == []


# What is announced


def phase(begins: datetime, ends: datetime, name: str = "price_pro", quantity: int = 3) -> Json:
    return {
        "start_date": seconds(begins),
        "end_date": seconds(ends),
        "items": [{"price": name, "quantity": quantity}],
    }


@pytest.mark.parametrize(
    ("next_phase", "more", "pending"),
    [
        ({"name": "price_pro"}, {}, ("pro", 3, NOW + 9 * DAY, None)),
        ({"name": "price_big", "quantity": 1}, {}, ("enterprise", 1, NOW + 9 * DAY, None)),
        ({"name": "price_big"}, {}, None),
        ({"name": "price_nobody_knows"}, {}, None),
        ({"name": "price_pro"}, {"cancel_at": seconds(NOW + DAY)}, (None, None, NOW + DAY, None)),
        ({"name": "price_pro"}, {"cancel_at": seconds(NOW + 20 * DAY)}, ("pro", 3, NOW + 9 * DAY, None)),
        ({"name": "price_big"}, {"end": "cancel"}, (None, None, NOW + 30 * DAY, None)),
        ({"name": "price_pro"}, {"schedule_status": "released"}, None),
        ({"name": "price_pro"}, {"status": "canceled"}, None),
    ],
)
async def test_a_change_that_is_scheduled_is_pending(
    subscriptions: SubscriptionHarness, next_phase: Json, more: Json, pending: tuple[Any, ...] | None
) -> None:
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT, price="price_big", quantity=3)
    subscription["schedule"] = {
        "id": "sub_sched_1",
        "object": "subscription_schedule",
        "status": more.pop("schedule_status", "active"),
        "end_behavior": more.pop("end", "release"),
        "phases": [
            phase(NOW - 20 * DAY, NOW + 9 * DAY, "price_big"),
            phase(NOW + 9 * DAY, NOW + 30 * DAY, **next_phase),
        ],
    }
    subscription.update(more)
    await subscriptions.hear(subscription)
    result = (await subscriptions.kept()).pending
    assert (result and (result.plan, result.quantity, result.effective_at, result.is_yearly)) == pending
    assert (await subscriptions.kept()).plan == "enterprise"


async def test_a_change_that_is_scheduled_stays_pending_whichever_way_stripe_is_asked(
    subscriptions: SubscriptionHarness,
) -> None:
    """Stripe expands only what is asked for, in lists and searches too."""
    entry = subscriptions.stripe.subscribe(CARD_ACCOUNT, price="price_big")
    phases = [phase(NOW - DAY, NOW + DAY, "price_big"), phase(NOW + DAY, NOW + 31 * DAY)]
    entry["schedule"] = {"id": "sub_sched_1", "status": "active", "phases": phases}
    await subscriptions.hear(entry)
    announced = (await subscriptions.kept()).pending
    assert announced
    await subscriptions.night()
    assert (await subscriptions.kept()).pending == announced
    await subscriptions.sync.follow(SubscriptionHint("evt_paid", "invoice.paid", entry["customer"], None))
    assert (await subscriptions.kept()).pending == announced
    for has_search in (True, False):
        subscriptions.stripe.checkout.has_search = has_search
        (subscription,) = await subscriptions.client.find_subscriptions(CARD_ACCOUNT, NOW + DAY)
        assert subscription["schedule"]["phases"] == phases


async def test_a_change_from_month_to_year_is_pending(subscriptions: SubscriptionHarness) -> None:
    subscription = subscriptions.stripe.subscribe(CARD_ACCOUNT, quantity=3)
    phases = [phase(NOW - DAY, NOW + DAY), phase(NOW + DAY, NOW + 366 * DAY, "price_year")]
    subscription["schedule"] = {"id": "sub_sched_1", "status": "active", "phases": phases}
    await subscriptions.hear(subscription)
    result = (await subscriptions.kept()).pending
    assert result
    assert (result.plan, result.is_yearly) == ("pro", True)
