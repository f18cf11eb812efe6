"""Stripe over HTTP: its webhook, lookups after events, checkout, portal, seats, and the ledger."""

import copy
import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bot.billing.signed_links import SignedLinks
from bot.billing.stripe_checkout import CheckoutTerms
from bot.billing.stripe_client import RealStripe
from bot.billing.stripe_port import NoStripe, StripeRefusedError, StripeUnavailableError
from bot.billing.stripe_sync import StripeSync
from bot.services import Services
from marketplace.plans import PlanName
from marketplace.stripe_subscriptions import EVENTS, StripeEvent, SubscriptionHint
from storage.billing_jobs import RECONCILE_STRIPE, REPORT_USAGE
from storage.jobs import OTHERS
from storage.subscriptions import Subscription, Subscriptions
from storage.usage import Usage
from tests.support.billing import BilledTenant, work_events
from tests.support.clock import Clock
from tests.support.running import Bot, rows
from tests.support.stripe.selling import (
    CARD_ACCOUNT,
    STRIPE_PRICES,
    SUBSCRIPTION_STORIES,
    card_billing_settings,
    checkout_link,
    deliver_stripe_event,
    list_stripe_subscriptions,
    open_link,
    post_stripe_event,
    read_billing,
    stripe_settings,
)
from tests.support.stripe.server import StandInStripe, signed

DAY = timedelta(days=1)
_NUMBERS = itertools.count(9000)


# From the event to our books


async def test_a_completed_checkout_brings_the_plan(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    subscription = stripe_server.subscribe(CARD_ACCOUNT, quantity=3)
    session = {
        "customer": subscription["customer"],
        "subscription": subscription["id"],
        "metadata": {"account": str(CARD_ACCOUNT)},
    }
    assert await deliver_stripe_event(
        selling_bot, stripe_server.event("checkout.session.completed", session)
    ) == (200, "stored")
    billing = await read_billing(selling_bot.base)
    assert (billing.account.plan, billing.plan.source, billing.plan.seats) == ("pro", "stripe", 3)


async def test_the_object_is_asked_for_and_not_believed(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    subscription = stripe_server.subscribe(CARD_ACCOUNT, quantity=3)
    event = stripe_server.event("customer.subscription.created", subscription | {"status": "canceled"})
    await deliver_stripe_event(selling_bot, event)
    assert await list_stripe_subscriptions(selling_bot) == [("pro", "active", 3)]


async def test_an_event_has_its_effect_once(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    subscription = stripe_server.subscribe(CARD_ACCOUNT)
    event = stripe_server.event("customer.subscription.updated", subscription, "evt_once")
    for _ in range(3):
        assert (await deliver_stripe_event(selling_bot, event))[0] == 200
    billing = await read_billing(selling_bot.base)
    tenants = await rows(selling_bot.base, "select * from tenant_of_account(:account)", account=CARD_ACCOUNT)
    seen = await rows(selling_bot.base, "select event_id from stripe_events", tenants[0][0])
    audited = await rows(
        selling_bot.base, "select details from audit_log where action = 'plan'", tenants[0][0]
    )
    assert [row.event_id for row in seen] == ["evt_once"]
    assert [row.details["id"] for row in audited] == ["evt_once"]
    assert billing.account.plan == "pro"


async def test_a_failed_card_and_its_recovery(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    subscription = stripe_server.subscribe(CARD_ACCOUNT)
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.created", subscription)
    )
    subscription["status"] = "past_due"
    invoice = {
        "customer": subscription["customer"],
        "parent": {"subscription_details": {"subscription": subscription["id"]}},
    }
    await deliver_stripe_event(selling_bot, stripe_server.event("invoice.payment_failed", invoice))
    standing = (await read_billing(selling_bot.base)).plan
    assert (standing.name, standing.status) == ("pro", "past_due")
    assert standing.grace_ends
    subscription["status"] = "active"
    await deliver_stripe_event(selling_bot, stripe_server.event("invoice.paid", invoice))
    standing = (await read_billing(selling_bot.base)).plan
    assert (standing.status, standing.grace_ends) == ("active", None)


async def test_a_customer_who_is_deleted_has_nothing_any_more(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    subscription = stripe_server.subscribe(CARD_ACCOUNT)
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.created", subscription)
    )
    subscription["status"] = "canceled"
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.deleted", {"id": subscription["customer"]})
    )
    assert await list_stripe_subscriptions(selling_bot) == [("pro", "ended", 1)]
    assert (await read_billing(selling_bot.base)).account.plan == "free"


async def test_a_first_payment_that_never_came_is_no_purchase(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    subscription = stripe_server.subscribe(CARD_ACCOUNT, status="incomplete")
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.created", subscription)
    )
    assert await list_stripe_subscriptions(selling_bot) == []


async def test_stripe_away_is_asked_again(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    subscription = stripe_server.subscribe(CARD_ACCOUNT)
    stripe_server.fail_with = 500
    body, headers = signed(stripe_server.event("customer.subscription.created", subscription))
    async with selling_bot.session.post(
        f"{selling_bot.url}/webhooks/stripe", data=body, headers=headers
    ) as response:
        assert response.status == 200
    client = RealStripe(stripe_settings(stripe_server))
    sync = StripeSync(
        selling_bot.base.database, client, card_billing_settings(stripe_server), selling_bot.base.clock
    )
    with pytest.raises(StripeUnavailableError):
        await sync.follow(
            SubscriptionHint(
                "evt_x", "customer.subscription.created", subscription["customer"], subscription["id"]
            )
        )
    assert await list_stripe_subscriptions(selling_bot) == []
    stripe_server.fail_with = None
    await client.close()


# Stripe's own example objects (github.com/stripe/openapi, fixtures3.json, MIT licence)

FIXTURES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "marketplace/stripe_fixtures.json").read_text(encoding="utf-8")
)


def fixture(kind: str, shown: dict[str, Any]) -> dict[str, Any]:
    """Stripe's example of an event, about another object."""
    return FIXTURES["event"] | {"id": f"evt_{next(_NUMBERS)}", "type": kind, "data": {"object": shown}}


def bought_in(stripe_server: StandInStripe) -> dict[str, Any]:
    """Stripe's example of a subscription, as if it had been bought by a checkout of ours."""
    entry = copy.deepcopy(FIXTURES["subscription"]) | {"metadata": {"account": str(CARD_ACCOUNT)}}
    entry["items"]["data"][0]["price"]["id"] = "price_pro"
    entry["pause_collection"] = None  # The example's payments are never collected.
    stripe_server.subscriptions[entry["id"]] = entry
    return entry


@pytest.mark.parametrize("kind", sorted(EVENTS))
async def test_stripe_s_own_examples_are_understood(
    selling_bot: Bot, stripe_server: StandInStripe, kind: str
) -> None:
    subscription = bought_in(stripe_server)
    family = kind.rpartition(".")[0]
    shown = FIXTURES[{"customer.subscription": "subscription"}.get(family, family)]
    about = {"customer": subscription["customer"], "subscription": subscription["id"]}
    if family == "customer.subscription":
        shown = subscription
    elif family == "customer":  # It must be known whose customer this is.
        assert (
            await deliver_stripe_event(selling_bot, fixture("customer.subscription.created", subscription))
        )[0] == 200
        subscription["status"] = "canceled"
    elif family == "checkout.session":
        shown = shown | about | {"metadata": subscription["metadata"]}
    else:
        shown = shown | {"parent": {"type": "subscription_details", "subscription_details": about}}
    assert await deliver_stripe_event(selling_bot, fixture(kind, shown)) == (200, "stored")
    assert await list_stripe_subscriptions(selling_bot) == [
        ("pro", "ended" if family == "customer" else "active", 1)
    ]


async def test_every_other_example_of_stripe_is_answered_and_changes_nothing(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    bought_in(stripe_server)
    for name, shown in FIXTURES.items():
        status, message = await deliver_stripe_event(selling_bot, fixture(f"{name}.something_new", shown))
        assert (status, message.partition(":")[0]) == (200, "ignored")
    assert await deliver_stripe_event(selling_bot, FIXTURES["event"]) == (
        200,
        "ignored: this event is not used",
    )
    assert await list_stripe_subscriptions(selling_bot) == []


# Bad input


@pytest.mark.parametrize(
    "how",
    [{"secret": "whsec_wrong"}, {"at": datetime.now(UTC) - timedelta(seconds=301)}],
    ids=["secret", "old"],
)
async def test_a_wrong_or_old_signature_is_refused(
    selling_bot: Bot, stripe_server: StandInStripe, how: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    event = stripe_server.event("customer.subscription.created", stripe_server.subscribe(CARD_ACCOUNT))
    assert (await deliver_stripe_event(selling_bot, event, **how))[0] == 401
    assert await list_stripe_subscriptions(selling_bot) == []
    assert "event of Stripe refused: wrong signature" in "".join(capsys.readouterr())


async def test_without_a_signature_or_with_another_body_it_is_refused(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    event = stripe_server.event("customer.subscription.created", stripe_server.subscribe(CARD_ACCOUNT))
    body, headers = signed(event)
    assert (await post_stripe_event(selling_bot, body, {}))[0] == 401
    assert (await post_stripe_event(selling_bot, body + b" ", headers))[0] == 401
    assert (await post_stripe_event(selling_bot, b"\xff\xfe", headers))[0] == 401
    assert (await post_stripe_event(selling_bot, body, {"Stripe-Signature": "nonsense"}))[0] == 401
    assert (await post_stripe_event(selling_bot, body, {"Stripe-Signature": "t=abc,v1=def"}))[0] == 401


async def test_the_old_secret_is_good_while_it_changes(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    subscription = stripe_server.subscribe(CARD_ACCOUNT)
    assert (
        await deliver_stripe_event(
            selling_bot,
            stripe_server.event("customer.subscription.created", subscription),
            secret="whsec_old",
        )
    )[0] == 200


@pytest.mark.parametrize("body", [b"[]", b"{}", b"no json", b'{"id": 7, "type": "x"}'])
async def test_what_is_no_event_is_refused(selling_bot: Bot, body: bytes) -> None:
    assert (await deliver_stripe_event(selling_bot, body))[0] == 400


@pytest.mark.parametrize(
    "kind", ["charge.succeeded", "customer.subscription.trial_will_end", "invoice.created"]
)
async def test_other_types_are_answered_with_200(
    selling_bot: Bot, stripe_server: StandInStripe, kind: str
) -> None:
    assert (await deliver_stripe_event(selling_bot, stripe_server.event(kind, {"id": "x"})))[0] == 200
    assert (
        await deliver_stripe_event(
            selling_bot, stripe_server.event("checkout.session.completed", {"mode": "payment"})
        )
    )[0] == 200


@pytest.mark.parametrize(
    ("account", "more", "expected"),
    [
        (4711, {}, "subscription of an account that we do not know"),
        (None, {}, "subscription without an account of ours"),
        (CARD_ACCOUNT, {"price": "price_unknown"}, "names a price of the subscription"),
        (CARD_ACCOUNT, {"status": "in_orbit"}, "a status that is not known"),
    ],
)
async def test_what_is_not_clear_changes_nothing(
    selling_bot: Bot,
    stripe_server: StandInStripe,
    account: int | None,
    more: dict[str, Any],
    expected: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    subscription = stripe_server.subscribe(account, **more)
    assert (
        await deliver_stripe_event(
            selling_bot, stripe_server.event("customer.subscription.created", subscription)
        )
    )[0] == 200
    assert await list_stripe_subscriptions(selling_bot) == []
    assert expected in "".join(capsys.readouterr())


async def test_another_account_s_metadata_changes_nothing(
    selling_bot: Bot, stripe_server: StandInStripe, capsys: pytest.CaptureFixture[str]
) -> None:
    subscription = stripe_server.subscribe(CARD_ACCOUNT)
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.created", subscription)
    )
    await read_billing(selling_bot.base, 8)
    subscription["metadata"] = {"account": "8"}
    subscription["items"]["data"][0]["quantity"] = 99
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.updated", subscription)
    )
    assert await list_stripe_subscriptions(selling_bot) == [("pro", "active", 1)]
    assert (await read_billing(selling_bot.base, 8)).subscriptions == ()
    assert "subscription claimed for another account; nothing is changed" in "".join(capsys.readouterr())


async def test_usage_that_stripe_could_not_count_raises_an_alert(
    selling_bot: Bot, capsys: pytest.CaptureFixture[str]
) -> None:
    thin = {"id": "evt_thin", "object": "v2.core.event", "type": "v1.billing.meter.error_report_triggered"}
    assert await deliver_stripe_event(selling_bot, thin) == (200, "noted")
    assert "Stripe could not count the reported usage" in "".join(capsys.readouterr())


# Both at once


async def test_from_the_marketplace_to_stripe_nothing_is_cut_off(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    tenants = await rows(selling_bot.base, "select * from tenant_of_account(:account)", account=CARD_ACCOUNT)
    now = datetime.now(UTC)
    async with selling_bot.base.database.tenant(tenants[0][0]) as tenant:
        await Subscriptions(tenant).store(Subscription("marketplace", "active", "pro", now, quantity=5))
    await deliver_stripe_event(
        selling_bot,
        stripe_server.event("customer.subscription.created", stripe_server.subscribe(CARD_ACCOUNT)),
    )
    standing = (await read_billing(selling_bot.base)).plan
    assert (standing.name, standing.is_paid_twice) == ("pro", True)
    async with selling_bot.base.database.tenant(tenants[0][0]) as tenant:
        await Subscriptions(tenant).store(Subscription("marketplace", "ended", "pro", now, quantity=5))
    standing = (await read_billing(selling_bot.base)).plan
    assert (standing.name, standing.source, standing.is_paid_twice) == ("pro", "stripe", False)


# Checkout and portal


async def test_a_link_opens_one_checkout_however_often_it_is_opened(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    url = await checkout_link(selling_bot)
    first = await open_link(selling_bot, url)
    assert first[0] == 303
    assert first[1].startswith("https://checkout.stripe.com/")
    assert await open_link(selling_bot, url) == first
    _, _, data = next(
        request for request in stripe_server.requests if request[:2] == ("POST", "checkout/sessions")
    )
    assert data["mode"] == "subscription"
    assert data["line_items"] == {"0": {"price": "price_pro", "quantity": "1"}}
    assert data["metadata"] == data["subscription_data"]["metadata"] == {"account": "7", "plan": "pro"}
    assert len(stripe_server.checkout.sessions) == 1


async def test_paying_account_is_not_charged_twice(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    url = await checkout_link(selling_bot)
    await deliver_stripe_event(
        selling_bot,
        stripe_server.event("customer.subscription.created", stripe_server.subscribe(CARD_ACCOUNT)),
    )
    status, text = await open_link(selling_bot, url)
    assert status == 409
    assert "already pays by card" in text
    assert not stripe_server.checkout.sessions


async def test_who_pays_on_the_marketplace_cancels_there_first(selling_bot: Bot) -> None:
    url = await checkout_link(selling_bot)
    tenants = await rows(selling_bot.base, "select * from tenant_of_account(:account)", account=CARD_ACCOUNT)
    async with selling_bot.base.database.tenant(tenants[0][0]) as tenant:
        await Subscriptions(tenant).store(Subscription("marketplace", "active", "pro", datetime.now(UTC)))
    status, text = await open_link(selling_bot, url)
    assert (status, "already pays on GitHub Marketplace" in text) == (409, True)


async def test_a_forged_an_old_and_a_foreign_link_open_nothing(
    selling_bot: Bot, clock: Clock, stripe_server: StandInStripe
) -> None:
    url = await checkout_link(selling_bot)
    assert (await open_link(selling_bot, url[:-6] + "AAAAAA"))[0] == 410
    portal = SignedLinks(selling_bot.base.cipher).issue("portal", datetime.now(UTC) + DAY, customer="cus_1")
    assert (await open_link(selling_bot, f"{selling_bot.url}/billing/checkout/{portal}"))[0] == 410
    assert (await open_link(selling_bot, await checkout_link(selling_bot, account=4711)))[0] == 409
    assert (await open_link(selling_bot, f"{selling_bot.url}/billing/portal/{portal}")) == (
        303,
        "https://billing.stripe.com/session/secret",
    )
    clock.now = datetime.now(UTC) + 2 * DAY
    assert (await open_link(selling_bot, url))[0] == 410
    assert (await open_link(selling_bot, f"{selling_bot.url}/billing/portal/{portal}"))[0] == 410
    assert not stripe_server.checkout.sessions


@pytest.mark.parametrize(("status", "shown"), [(500, 503), (400, 502), (401, 502)])
async def test_visitor_is_told_when_stripe_refuses(
    selling_bot: Bot, stripe_server: StandInStripe, status: int, shown: int
) -> None:
    stripe_server.fail_with = status
    assert (await open_link(selling_bot, await checkout_link(selling_bot)))[0] == shown


async def test_who_sells_nothing_has_a_client_that_knows_nothing() -> None:
    nothing = NoStripe()
    assert await nothing.get_subscription("sub_1") is None
    assert await nothing.list_subscriptions("cus_1") == ()
    assert await nothing.get_usage("x", "cus_1", datetime.now(UTC).date()) is None
    assert await nothing.get_customer("cus_1") is None
    assert not await nothing.find_customers(1)
    assert not await nothing.list_checkout_sessions("cus_1")
    assert not await nothing.expire_checkout("cs_1")
    assert (await nothing.get_portal_configuration(), await nothing.get_price("price_1")) == (None, None)
    assert not await nothing.get_tax_settings()
    for asked in (
        nothing.create_customer(account=1, login="acme", key="k"),
        nothing.open_checkout(CheckoutTerms(1, "cus_1", "p", 1, "x", "x"), "k"),
        nothing.open_portal("cus_1", "x"),
        nothing.set_quantity("sub_1", "si_1", 1, "k"),
        nothing.send_usage("x", "cus_1", 1, datetime.now(UTC), "i"),
    ):
        with pytest.raises(StripeRefusedError, match="not set up"):
            await asked
    await nothing.close()


# Seats


async def test_seats_follow_the_people_once_a_day(
    billed_tenant: BilledTenant, clock: Clock, stripe_server: StandInStripe
) -> None:
    now = clock()
    client = RealStripe(stripe_settings(stripe_server))
    sync = StripeSync(billed_tenant.base.database, client, card_billing_settings(stripe_server), clock)
    subscription = stripe_server.subscribe(7, quantity=1)
    await sync.follow(
        SubscriptionHint(
            "evt_1", "customer.subscription.created", subscription["customer"], subscription["id"]
        )
    )
    for number, login in enumerate(("alice", "bob", "carol")):
        await billed_tenant.happened(billed_tenant.private, work_events(number + 1, login, now - DAY))
    await sync.reconcile()
    assert subscription["items"]["data"][0]["quantity"] == 3
    await billed_tenant.happened(billed_tenant.private, work_events(4, "dave", now - DAY))
    await sync.reconcile()
    assert subscription["items"]["data"][0]["quantity"] == 3
    clock.now = now + DAY
    await sync.reconcile()
    assert subscription["items"]["data"][0]["quantity"] == 4
    changes = [
        data
        for method, path, data in stripe_server.requests
        if (method, path) == ("POST", f"subscriptions/{subscription['id']}")
    ]
    assert [change["proration_behavior"] for change in changes] == ["create_prorations"] * 2
    clock.now = now + 60 * DAY
    await sync.reconcile()
    assert subscription["items"]["data"][0]["quantity"] == 1
    subscription["status"] = "past_due"
    await billed_tenant.happened(billed_tenant.private, work_events(5, "erin", now + 61 * DAY))
    await billed_tenant.happened(billed_tenant.private, work_events(6, "finn", now + 61 * DAY))
    clock.now = now + 62 * DAY
    await sync.reconcile()
    assert subscription["items"]["data"][0]["quantity"] == 1
    await client.close()


async def test_what_runs_by_the_clock_runs_as_jobs(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    subscription = stripe_server.subscribe(CARD_ACCOUNT)
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.created", subscription)
    )
    subscription["status"] = "past_due"
    tenants = await rows(selling_bot.base, "select * from tenant_of_account(:account)", account=CARD_ACCOUNT)
    yesterday = (datetime.now(UTC) - DAY).date()
    async with selling_bot.base.database.tenant(tenants[0][0]) as tenant:
        await Usage(tenant).add("commands_answered", yesterday, 5)
    for name in (RECONCILE_STRIPE, REPORT_USAGE):
        await selling_bot.base.queue.configure_task(name, queue=OTHERS).defer_async(timestamp=0)
    await selling_bot.rest()
    assert await list_stripe_subscriptions(selling_bot) == [("pro", "past_due", 1)]
    assert list(stripe_server.usage) == [f"{CARD_ACCOUNT}:commands_answered:{yesterday}"]
    assert not await rows(selling_bot.base, "select 1 from procrastinate_jobs where status = 'failed'")


# A year, in every order


@pytest.mark.parametrize("name", SUBSCRIPTION_STORIES)
@examples(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=st.permutations(range(8)), repeated=st.sets(st.integers(0, 3)), seen_at_once=st.booleans())
async def test_a_year_in_every_order_and_with_duplicates(
    name: str,
    base: Services,
    stripe_server: StandInStripe,
    order: list[int],
    repeated: set[int],
    seen_at_once: bool,
) -> None:
    account, steps = next(_NUMBERS), SUBSCRIPTION_STORIES[name]
    await read_billing(base, account)
    client = RealStripe(stripe_settings(stripe_server))
    sync = StripeSync(base.database, client, card_billing_settings(stripe_server), base.clock)
    entry, events = stripe_server.subscribe(account), list[StripeEvent]()
    for kind, act in steps:
        act(entry)
        data = stripe_server.event(f"customer.subscription.{kind}", entry)
        events.append(StripeEvent(data["id"], data["type"]))
        if seen_at_once:
            await sync.follow(_about(events[-1], entry))
    late = [events[place] for place in order if place < len(events)]
    for event in late + [event for number, event in enumerate(events) if number in repeated]:
        await sync.follow(_about(event, entry))
    await client.close()
    billing = await read_billing(base, account)
    ended = entry["status"] == "canceled"
    assert billing.plan.status in ({"ended", "none"} if ended else {entry["status"]})
    wanted = STRIPE_PRICES[entry["items"]["data"][0]["price"]["id"]][0]
    assert billing.account.plan == billing.plan.name == (PlanName.FREE if ended else wanted)
    if not ended:
        assert billing.plan.seats == entry["items"]["data"][0]["quantity"]
        assert (billing.pending is not None) is entry["cancel_at_period_end"]


def _about(event: StripeEvent, entry: dict[str, Any]) -> SubscriptionHint:
    return SubscriptionHint(event.id, event.type, entry["customer"], entry["id"])
