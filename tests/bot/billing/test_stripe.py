"""Stripe over HTTP: the door, what is asked after each event, checkout, portal, seats, and the books at the end."""

import copy
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bot.billing.purchase_links import PurchaseLinks
from bot.billing.signed_links import SignedLinks
from bot.billing.stripe_checkout import CheckoutTerms
from bot.billing.stripe_client import (
    NoStripe,
    RealStripe,
    StripeRefusedError,
    StripeUnavailableError,
)
from bot.billing.stripe_sync import StripeSync
from bot.publishing.pictures import Drawing
from bot.services import Services
from bot.settings import Secret, Settings
from bot.settings.billing import BillingSettings, StripeSettings
from github_standin.github import StandInGitHub
from marketplace.accounts import Billing, load_billing
from marketplace.plans import PlanName
from marketplace.stripe_subscriptions import EVENTS, StripeEvent, SubscriptionHint
from storage.billing_jobs import RECONCILE_STRIPE, REPORT_USAGE
from storage.jobs import OTHERS
from storage.subscriptions import Subscription, Subscriptions, tenant_of_buyer
from storage.usage import Usage
from tests.conftest import Clock, running_bot
from tests.marketplace.test_reading import SETTINGS as BOTH
from tests.marketplace.test_reading import Firm, firm, worked
from tests.support.running import Bot, rows
from tests.support.stripe.server import SECRET, StandInStripe, signed

__all__ = ["firm"]
ACCOUNT = 7
DAY = timedelta(days=1)
PRICES = {
    "price_pro": (PlanName.PRO, False),
    "price_year": (PlanName.PRO, True),
    "price_big": (PlanName.ENTERPRISE, False),
}
_NUMBERS = itertools.count(9000)


def stripe_settings(server: StandInStripe) -> StripeSettings:
    return StripeSettings(
        Secret("sk_test_stand_in"),
        (Secret("whsec_old"), Secret(SECRET)),
        PRICES,
        api_url=server.url,
        portal_login_url="https://billing.stripe.com/p/login/x",
        meter_prefix="agile",
    )


def sold(server: StandInStripe) -> BillingSettings:
    return BillingSettings(is_on=True, marketplace=BOTH.marketplace, stripe=stripe_settings(server))


@pytest.fixture
async def shop(
    github: StandInGitHub, stand_in: StandInStripe, settings: Settings, clock: Clock, drawing: Drawing
) -> AsyncIterator[Bot]:
    """The bot selling by card, and an account that it knows."""
    async with running_bot(github, replace(settings, billing=sold(stand_in)), clock, drawing) as running:
        async with running.base.database.unscoped() as connection:
            await tenant_of_buyer(connection, ACCOUNT, "octo", "Organization")
        yield running


@pytest.fixture
async def stand_in() -> AsyncIterator[StandInStripe]:
    async with StandInStripe().running() as running:
        yield running


async def deliver(shop: Bot, event: Any, **how: Any) -> tuple[int, str]:
    body, headers = signed(event, **how)
    return await post(shop, body, headers)


async def post(shop: Bot, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    async with shop.session.post(f"{shop.url}/webhooks/stripe", data=body, headers=headers) as response:
        message = (await response.json())["message"]
    await shop.rest()
    return response.status, message


async def billing(base: Services, account: int = ACCOUNT) -> Billing:
    async with base.database.unscoped() as connection:
        tenant_id = await tenant_of_buyer(connection, account, "octo", "Organization")
    async with base.database.tenant(tenant_id) as tenant:
        found = await load_billing(tenant, base.clock(), PurchaseLinks(BOTH, "http://x", base.cipher))
    assert found
    return found


async def kept(shop: Bot) -> list[tuple[str, str, int | None]]:
    return [(one.plan, one.status, one.quantity) for one in (await billing(shop.base)).subscriptions]


# From the event to our books


async def test_a_completed_checkout_brings_the_plan(shop: Bot, stand_in: StandInStripe) -> None:
    one = stand_in.subscribe(ACCOUNT, quantity=3)
    session = {"customer": one["customer"], "subscription": one["id"], "metadata": {"account": str(ACCOUNT)}}
    assert await deliver(shop, stand_in.event("checkout.session.completed", session)) == (200, "stored")
    found = await billing(shop.base)
    assert (found.account.plan, found.standing.source, found.standing.seats) == ("pro", "stripe", 3)


async def test_the_object_is_asked_for_and_not_believed(shop: Bot, stand_in: StandInStripe) -> None:
    one = stand_in.subscribe(ACCOUNT, quantity=3)
    event = stand_in.event("customer.subscription.created", one | {"status": "canceled"})
    await deliver(shop, event)
    assert await kept(shop) == [("pro", "active", 3)]


async def test_an_event_has_its_effect_once(shop: Bot, stand_in: StandInStripe) -> None:
    one = stand_in.subscribe(ACCOUNT)
    event = stand_in.event("customer.subscription.updated", one, "evt_once")
    for _ in range(3):
        assert (await deliver(shop, event))[0] == 200
    found = await billing(shop.base)
    tenants = await rows(shop.base, "select * from tenant_of_account(:account)", account=ACCOUNT)
    seen = await rows(shop.base, "select event_id from stripe_events", tenants[0][0])
    audited = await rows(shop.base, "select details from audit_log where action = 'plan'", tenants[0][0])
    assert [row.event_id for row in seen] == ["evt_once"]
    assert [row.details["id"] for row in audited] == ["evt_once"]
    assert found.account.plan == "pro"


async def test_a_failed_card_and_its_recovery(shop: Bot, stand_in: StandInStripe) -> None:
    one = stand_in.subscribe(ACCOUNT)
    await deliver(shop, stand_in.event("customer.subscription.created", one))
    one["status"] = "past_due"
    invoice = {"customer": one["customer"], "parent": {"subscription_details": {"subscription": one["id"]}}}
    await deliver(shop, stand_in.event("invoice.payment_failed", invoice))
    standing = (await billing(shop.base)).standing
    assert (standing.plan, standing.status) == ("pro", "past_due")
    assert standing.grace_ends
    one["status"] = "active"
    await deliver(shop, stand_in.event("invoice.paid", invoice))
    standing = (await billing(shop.base)).standing
    assert (standing.status, standing.grace_ends) == ("active", None)


async def test_a_customer_who_is_deleted_has_nothing_any_more(shop: Bot, stand_in: StandInStripe) -> None:
    one = stand_in.subscribe(ACCOUNT)
    await deliver(shop, stand_in.event("customer.subscription.created", one))
    one["status"] = "canceled"
    await deliver(shop, stand_in.event("customer.deleted", {"id": one["customer"]}))
    assert await kept(shop) == [("pro", "ended", 1)]
    assert (await billing(shop.base)).account.plan == "free"


async def test_a_first_payment_that_never_came_is_no_purchase(shop: Bot, stand_in: StandInStripe) -> None:
    one = stand_in.subscribe(ACCOUNT, status="incomplete")
    await deliver(shop, stand_in.event("customer.subscription.created", one))
    assert await kept(shop) == []


async def test_stripe_away_is_asked_again(shop: Bot, stand_in: StandInStripe) -> None:
    one = stand_in.subscribe(ACCOUNT)
    stand_in.fail_with = 500
    body, headers = signed(stand_in.event("customer.subscription.created", one))
    async with shop.session.post(f"{shop.url}/webhooks/stripe", data=body, headers=headers) as response:
        assert response.status == 200
    client = RealStripe(stripe_settings(stand_in))
    sync = StripeSync(shop.base.database, client, sold(stand_in), shop.base.clock)
    with pytest.raises(StripeUnavailableError):
        await sync.follow(
            SubscriptionHint("evt_x", "customer.subscription.created", one["customer"], one["id"])
        )
    assert await kept(shop) == []
    stand_in.fail_with = None
    await client.close()


# Stripe's own example objects (github.com/stripe/openapi, fixtures3.json, MIT licence)

FIXTURES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "marketplace/stripe_fixtures.json").read_text(encoding="utf-8")
)


def fixture(kind: str, shown: dict[str, Any]) -> dict[str, Any]:
    """Stripe's example of an event, about another object."""
    return FIXTURES["event"] | {"id": f"evt_{next(_NUMBERS)}", "type": kind, "data": {"object": shown}}


def bought_in(stand_in: StandInStripe) -> dict[str, Any]:
    """Stripe's example of a subscription, as if it had been bought by a checkout of ours."""
    one = copy.deepcopy(FIXTURES["subscription"]) | {"metadata": {"account": str(ACCOUNT)}}
    one["items"]["data"][0]["price"]["id"] = "price_pro"
    one["pause_collection"] = None  # The example's payments are never collected.
    stand_in.subscriptions[one["id"]] = one
    return one


@pytest.mark.parametrize("kind", sorted(EVENTS))
async def test_stripe_s_own_examples_are_understood(shop: Bot, stand_in: StandInStripe, kind: str) -> None:
    one = bought_in(stand_in)
    family = kind.rpartition(".")[0]
    shown = FIXTURES[{"customer.subscription": "subscription"}.get(family, family)]
    about = {"customer": one["customer"], "subscription": one["id"]}
    if family == "customer.subscription":
        shown = one
    elif family == "customer":  # It must be known whose customer this is.
        assert (await deliver(shop, fixture("customer.subscription.created", one)))[0] == 200
        one["status"] = "canceled"
    elif family == "checkout.session":
        shown = shown | about | {"metadata": one["metadata"]}
    else:
        shown = shown | {"parent": {"type": "subscription_details", "subscription_details": about}}
    assert await deliver(shop, fixture(kind, shown)) == (200, "stored")
    assert await kept(shop) == [("pro", "ended" if family == "customer" else "active", 1)]


async def test_every_other_example_of_stripe_is_answered_and_changes_nothing(
    shop: Bot, stand_in: StandInStripe
) -> None:
    bought_in(stand_in)
    for name, shown in FIXTURES.items():
        status, message = await deliver(shop, fixture(f"{name}.something_new", shown))
        assert (status, message.partition(":")[0]) == (200, "ignored")
    assert await deliver(shop, FIXTURES["event"]) == (200, "ignored: nothing that we act on")
    assert await kept(shop) == []


# Bad input


@pytest.mark.parametrize(
    "how",
    [{"secret": "whsec_wrong"}, {"at": datetime.now(UTC) - timedelta(seconds=301)}],
    ids=["secret", "old"],
)
async def test_a_wrong_or_old_signature_is_refused(
    shop: Bot, stand_in: StandInStripe, how: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    event = stand_in.event("customer.subscription.created", stand_in.subscribe(ACCOUNT))
    assert (await deliver(shop, event, **how))[0] == 401
    assert await kept(shop) == []
    assert "event of Stripe refused: wrong signature" in "".join(capsys.readouterr())


async def test_without_a_signature_or_with_another_body_it_is_refused(
    shop: Bot, stand_in: StandInStripe
) -> None:
    event = stand_in.event("customer.subscription.created", stand_in.subscribe(ACCOUNT))
    body, headers = signed(event)
    assert (await post(shop, body, {}))[0] == 401
    assert (await post(shop, body + b" ", headers))[0] == 401
    assert (await post(shop, b"\xff\xfe", headers))[0] == 401
    assert (await post(shop, body, {"Stripe-Signature": "nonsense"}))[0] == 401
    assert (await post(shop, body, {"Stripe-Signature": "t=abc,v1=def"}))[0] == 401


async def test_the_old_secret_is_good_while_it_changes(shop: Bot, stand_in: StandInStripe) -> None:
    one = stand_in.subscribe(ACCOUNT)
    assert (await deliver(shop, stand_in.event("customer.subscription.created", one), secret="whsec_old"))[
        0
    ] == 200


@pytest.mark.parametrize("body", [b"[]", b"{}", b"no json", b'{"id": 7, "type": "x"}'])
async def test_what_is_no_event_is_refused(shop: Bot, body: bytes) -> None:
    assert (await deliver(shop, body))[0] == 400


@pytest.mark.parametrize(
    "kind", ["charge.succeeded", "customer.subscription.trial_will_end", "invoice.created"]
)
async def test_other_types_are_answered_with_200(shop: Bot, stand_in: StandInStripe, kind: str) -> None:
    assert (await deliver(shop, stand_in.event(kind, {"id": "x"})))[0] == 200
    assert (await deliver(shop, stand_in.event("checkout.session.completed", {"mode": "payment"})))[0] == 200


@pytest.mark.parametrize(
    ("account", "more", "said"),
    [
        (4711, {}, "subscription of an account that we do not know"),
        (None, {}, "subscription without an account of ours"),
        (ACCOUNT, {"price": "price_unknown"}, "names a price of the subscription"),
        (ACCOUNT, {"status": "in_orbit"}, "a status that is not known"),
    ],
)
async def test_what_is_not_clear_changes_nothing(
    shop: Bot,
    stand_in: StandInStripe,
    account: int | None,
    more: dict[str, Any],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    one = stand_in.subscribe(account, **more)
    assert (await deliver(shop, stand_in.event("customer.subscription.created", one)))[0] == 200
    assert await kept(shop) == []
    assert said in "".join(capsys.readouterr())


async def test_another_account_s_metadata_changes_nothing(
    shop: Bot, stand_in: StandInStripe, capsys: pytest.CaptureFixture[str]
) -> None:
    one = stand_in.subscribe(ACCOUNT)
    await deliver(shop, stand_in.event("customer.subscription.created", one))
    await billing(shop.base, 8)
    one["metadata"] = {"account": "8"}
    one["items"]["data"][0]["quantity"] = 99
    await deliver(shop, stand_in.event("customer.subscription.updated", one))
    assert await kept(shop) == [("pro", "active", 1)]
    assert (await billing(shop.base, 8)).subscriptions == ()
    assert "subscription claimed for another account; nothing is changed" in "".join(capsys.readouterr())


async def test_usage_that_stripe_could_not_count_raises_an_alert(
    shop: Bot, capsys: pytest.CaptureFixture[str]
) -> None:
    thin = {"id": "evt_thin", "object": "v2.core.event", "type": "v1.billing.meter.error_report_triggered"}
    assert await deliver(shop, thin) == (200, "noted")
    assert "Stripe could not count usage that we reported" in "".join(capsys.readouterr())


# Both at once


async def test_from_the_marketplace_to_stripe_nothing_is_cut_off(shop: Bot, stand_in: StandInStripe) -> None:
    tenants = await rows(shop.base, "select * from tenant_of_account(:account)", account=ACCOUNT)
    now = datetime.now(UTC)
    async with shop.base.database.tenant(tenants[0][0]) as tenant:
        await Subscriptions(tenant).put(Subscription("marketplace", "active", "pro", now, quantity=5))
    await deliver(shop, stand_in.event("customer.subscription.created", stand_in.subscribe(ACCOUNT)))
    standing = (await billing(shop.base)).standing
    assert (standing.plan, standing.is_paid_twice) == ("pro", True)
    async with shop.base.database.tenant(tenants[0][0]) as tenant:
        await Subscriptions(tenant).put(Subscription("marketplace", "ended", "pro", now, quantity=5))
    standing = (await billing(shop.base)).standing
    assert (standing.plan, standing.source, standing.is_paid_twice) == ("pro", "stripe", False)


# Checkout and portal


async def link(shop: Bot, plan: PlanName = PlanName.PRO, account: int = ACCOUNT) -> str:
    found = PurchaseLinks(shop.base.settings.billing, shop.url, shop.base.cipher).checkout(
        account, plan, shop.base.clock(), is_yearly=False
    )
    assert found
    return found


async def opened(shop: Bot, url: str) -> tuple[int, str]:
    async with shop.session.get(url, allow_redirects=False) as response:
        assert response.headers["Referrer-Policy"] == "no-referrer"
        return response.status, response.headers.get("Location") or await response.text()


async def test_a_link_opens_one_checkout_however_often_it_is_opened(
    shop: Bot, stand_in: StandInStripe
) -> None:
    url = await link(shop)
    first = await opened(shop, url)
    assert first[0] == 303
    assert first[1].startswith("https://checkout.stripe.com/")
    assert await opened(shop, url) == first
    _, _, told = next(one for one in stand_in.requests if one[:2] == ("POST", "checkout/sessions"))
    assert told["mode"] == "subscription"
    assert told["line_items"] == {"0": {"price": "price_pro", "quantity": "1"}}
    assert told["metadata"] == told["subscription_data"]["metadata"] == {"account": "7", "plan": "pro"}
    assert len(stand_in.checkout.sessions) == 1


async def test_who_pays_already_is_not_charged_twice(shop: Bot, stand_in: StandInStripe) -> None:
    url = await link(shop)
    await deliver(shop, stand_in.event("customer.subscription.created", stand_in.subscribe(ACCOUNT)))
    status, text = await opened(shop, url)
    assert status == 409
    assert "pays by card already" in text
    assert not stand_in.checkout.sessions


async def test_who_pays_on_the_marketplace_cancels_there_first(shop: Bot) -> None:
    url = await link(shop)
    tenants = await rows(shop.base, "select * from tenant_of_account(:account)", account=ACCOUNT)
    async with shop.base.database.tenant(tenants[0][0]) as tenant:
        await Subscriptions(tenant).put(Subscription("marketplace", "active", "pro", datetime.now(UTC)))
    status, text = await opened(shop, url)
    assert (status, "pays on GitHub Marketplace already" in text) == (409, True)


async def test_a_forged_an_old_and_a_foreign_link_open_nothing(
    shop: Bot, clock: Clock, stand_in: StandInStripe
) -> None:
    url = await link(shop)
    assert (await opened(shop, url[:-6] + "AAAAAA"))[0] == 410
    portal = SignedLinks(shop.base.cipher).issue("portal", datetime.now(UTC) + DAY, customer="cus_1")
    assert (await opened(shop, f"{shop.url}/billing/checkout/{portal}"))[0] == 410
    assert (await opened(shop, await link(shop, account=4711)))[0] == 409
    assert (await opened(shop, f"{shop.url}/billing/portal/{portal}")) == (
        303,
        "https://billing.stripe.com/session/secret",
    )
    clock.now = datetime.now(UTC) + 2 * DAY
    assert (await opened(shop, url))[0] == 410
    assert (await opened(shop, f"{shop.url}/billing/portal/{portal}"))[0] == 410
    assert not stand_in.checkout.sessions


@pytest.mark.parametrize(("status", "shown"), [(500, 503), (400, 502), (401, 502)])
async def test_when_stripe_will_not_the_visitor_is_told(
    shop: Bot, stand_in: StandInStripe, status: int, shown: int
) -> None:
    stand_in.fail_with = status
    assert (await opened(shop, await link(shop)))[0] == shown


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


async def test_seats_follow_the_people_once_a_day(firm: Firm, clock: Clock, stand_in: StandInStripe) -> None:
    now = clock()
    client = RealStripe(stripe_settings(stand_in))
    sync = StripeSync(firm.base.database, client, sold(stand_in), clock)
    one = stand_in.subscribe(7, quantity=1)
    await sync.follow(SubscriptionHint("evt_1", "customer.subscription.created", one["customer"], one["id"]))
    for number, login in enumerate(("alice", "bob", "carol")):
        await firm.happened(firm.private, worked(number + 1, login, now - DAY))
    await sync.reconcile()
    assert one["items"]["data"][0]["quantity"] == 3
    await firm.happened(firm.private, worked(4, "dave", now - DAY))
    await sync.reconcile()
    assert one["items"]["data"][0]["quantity"] == 3
    clock.now = now + DAY
    await sync.reconcile()
    assert one["items"]["data"][0]["quantity"] == 4
    changes = [
        told
        for method, path, told in stand_in.requests
        if (method, path) == ("POST", f"subscriptions/{one['id']}")
    ]
    assert [told["proration_behavior"] for told in changes] == ["create_prorations"] * 2
    clock.now = now + 60 * DAY
    await sync.reconcile()
    assert one["items"]["data"][0]["quantity"] == 1
    one["status"] = "past_due"
    await firm.happened(firm.private, worked(5, "erin", now + 61 * DAY))
    await firm.happened(firm.private, worked(6, "finn", now + 61 * DAY))
    clock.now = now + 62 * DAY
    await sync.reconcile()
    assert one["items"]["data"][0]["quantity"] == 1
    await client.close()


async def test_what_runs_by_the_clock_runs_as_jobs(shop: Bot, stand_in: StandInStripe) -> None:
    one = stand_in.subscribe(ACCOUNT)
    await deliver(shop, stand_in.event("customer.subscription.created", one))
    one["status"] = "past_due"
    tenants = await rows(shop.base, "select * from tenant_of_account(:account)", account=ACCOUNT)
    yesterday = (datetime.now(UTC) - DAY).date()
    async with shop.base.database.tenant(tenants[0][0]) as tenant:
        await Usage(tenant).add("commands_answered", yesterday, 5)
    for name in (RECONCILE_STRIPE, REPORT_USAGE):
        await shop.base.queue.configure_task(name, queue=OTHERS).defer_async(timestamp=0)
    await shop.rest()
    assert await kept(shop) == [("pro", "past_due", 1)]
    assert list(stand_in.usage) == [f"{ACCOUNT}:commands_answered:{yesterday}"]
    assert not await rows(shop.base, "select 1 from procrastinate_jobs where status = 'failed'")


# A year, in every order


def _set(**changes: Any) -> Any:
    def act(one: dict[str, Any]) -> None:
        quantity = changes.get("quantity")
        price = changes.get("price")
        item = one["items"]["data"][0]
        item.update({"quantity": quantity} if quantity else {})
        item.update({"price": {"id": price, "object": "price"}} if price else {})
        one.update({key: value for key, value in changes.items() if key not in {"quantity", "price"}})

    return act


YEAR = {
    "trial to paid": (["created", _set(status="trialing")], ["updated", _set(status="active")]),
    "trial to nothing": (["created", _set(status="trialing")], ["deleted", _set(status="canceled")]),
    "up and down": (
        ["created", _set(quantity=2)],
        ["updated", _set(price="price_big")],
        ["updated", _set(price="price_pro", quantity=1)],
    ),
    "yearly": (["created", _set(quantity=2)], ["updated", _set(price="price_year")]),
    "cancel at the end": (
        ["created", _set()],
        ["updated", _set(cancel_at_period_end=True)],
        ["deleted", _set(status="canceled")],
    ),
    "cancel called off": (
        ["created", _set()],
        ["updated", _set(cancel_at_period_end=True)],
        ["updated", _set(cancel_at_period_end=False)],
    ),
    "card fails and recovers": (
        ["created", _set()],
        ["updated", _set(status="past_due")],
        ["updated", _set(status="active")],
    ),
    "card fails for good": (
        ["created", _set()],
        ["updated", _set(status="past_due")],
        ["updated", _set(status="unpaid")],
        ["deleted", _set(status="canceled")],
    ),
    "paused and resumed": (
        ["created", _set()],
        ["paused", _set(status="paused")],
        ["resumed", _set(status="active")],
    ),
    "incomplete that came through": (
        ["created", _set(status="incomplete")],
        ["updated", _set(status="active")],
    ),
}


@pytest.mark.parametrize("name", YEAR)
@examples(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=st.permutations(range(8)), repeated=st.sets(st.integers(0, 3)), seen_at_once=st.booleans())
async def test_a_year_in_every_order_and_with_duplicates(
    name: str,
    base: Services,
    stand_in: StandInStripe,
    order: list[int],
    repeated: set[int],
    seen_at_once: bool,
) -> None:
    account, steps = next(_NUMBERS), YEAR[name]
    await billing(base, account)
    client = RealStripe(stripe_settings(stand_in))
    sync = StripeSync(base.database, client, sold(stand_in), base.clock)
    one, events = stand_in.subscribe(account), list[StripeEvent]()
    for kind, act in steps:
        act(one)
        told = stand_in.event(f"customer.subscription.{kind}", one)
        events.append(StripeEvent(told["id"], told["type"]))
        if seen_at_once:
            await sync.follow(_about(events[-1], one))
    late = [events[place] for place in order if place < len(events)]
    for event in late + [event for number, event in enumerate(events) if number in repeated]:
        await sync.follow(_about(event, one))
    await client.close()
    found = await billing(base, account)
    ended = one["status"] == "canceled"
    assert found.standing.status in ({"ended", "none"} if ended else {one["status"]})
    wanted = PRICES[one["items"]["data"][0]["price"]["id"]][0]
    assert found.account.plan == found.standing.plan == (PlanName.FREE if ended else wanted)
    if not ended:
        assert found.standing.seats == one["items"]["data"][0]["quantity"]
        assert (found.pending is not None) is one["cancel_at_period_end"]


def _about(event: StripeEvent, one: dict[str, Any]) -> SubscriptionHint:
    return SubscriptionHint(event.id, event.type, one["customer"], one["id"])
