"""A customer's year by card: events in any order and repeated lead to the same state."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.billing.stripe_client import RealStripe
from bot.billing.stripe_sync import StripeSync
from bot.services import Services
from bot.settings.billing import BillingSettings
from marketplace.accounts import Billing
from marketplace.stripe_subscriptions import SubscriptionHint
from marketplace.subscription_ledger import SubscriptionLedger
from storage.subscriptions import tenant_of_buyer
from tests.support.clock import Clock
from tests.support.orders import event_orders
from tests.support.stripe.selling import read_billing, stripe_settings
from tests.support.stripe.server import StandInStripe
from tests.support.stripe.world import DAY, NOW, merged

Json = dict[str, Any]
_ACCOUNTS = itertools.count(70_000)
_PRODUCT = {"id": "prod_pro", "object": "product", "metadata": {}}
GRACE_DAYS = 14


def day(number: float) -> datetime:
    return NOW + number * DAY


def seconds(number: float) -> int:
    return int(day(number).timestamp())


class Customers:
    """Two organizations whose cards are with Stripe, and our books of them."""

    def __init__(self, base: Services, stripe: StandInStripe) -> None:
        self.base = base
        self.stripe = stripe
        self.accounts = {"first": next(_ACCOUNTS), "second": next(_ACCOUNTS)}
        self.cards: dict[str, Json] = {}
        self.client = RealStripe(stripe_settings(stripe))
        self.sync = StripeSync(
            base.database,
            self.client,
            BillingSettings(is_on=True, stripe=stripe_settings(stripe)),
            base.clock,
        )
        for name in ("price_pro", "price_last_year"):
            stripe.prices[name] = {"id": name, "object": "price", "product": _PRODUCT}

    async def install(self) -> None:
        for account in self.accounts.values():
            await read_billing(self.base, account)

    async def close(self) -> None:
        await self.client.close()

    async def at(self, number: float, clock: Clock, who: str) -> Billing:
        """The books on a day, with what time alone has ended."""
        clock.now = day(number)
        async with self.base.database.unscoped() as connection:
            tenant_id = await tenant_of_buyer(connection, self.accounts[who], "octo", "Organization")
        async with self.base.database.tenant(tenant_id) as tenant:
            await SubscriptionLedger(tenant, clock.now, GRACE_DAYS * DAY).update_plan()
        return await read_billing(self.base, self.accounts[who])


Act = Callable[[Customers, float], SubscriptionHint]


def _about(customers: Customers, card: Json, kind: str = "customer.subscription.updated") -> SubscriptionHint:
    event = customers.stripe.event(kind, card)
    return SubscriptionHint(event["id"], kind, card["customer"], card["id"])


def buys(name: str = "card", who: str = "first", **more: Any) -> Act:
    def act(customers: Customers, number: float) -> SubscriptionHint:
        paid = {"id": f"in_{name}_0", "object": "invoice", "status": "paid", "created": seconds(number)}
        card = customers.stripe.subscribe(customers.accounts[who], **{"latest_invoice": paid} | more)
        if name != "card" and "card" in customers.cards:  # One customer pays for all.
            card["customer"] = customers.cards["card"]["customer"]
        customers.cards[name] = card
        customers.stripe.invoices[card["id"]] = [paid]
        return _about(customers, card, "customer.subscription.created")

    return act


def becomes(name: str = "card", *, price: str | None = None, due: float | None = None, **more: Any) -> Act:
    """The subscription changes; with `due`, a new invoice of it was to be paid on that day."""

    def act(customers: Customers, number: float) -> SubscriptionHint:
        card = customers.cards[name]
        card.update(more)
        if price is not None:
            card["items"]["data"][0]["price"] = {"id": price, "object": "price"}
        invoices = customers.stripe.invoices[card["id"]]
        if due is not None:
            invoice: Json = {"id": f"in_{name}_{len(invoices)}", "object": "invoice", "status": "open"}
            is_sent = more.get("collection_method") == "send_invoice"
            # What is sent is made a month before it is due.
            invoice |= {"created": seconds(due - 30), "due_date": seconds(due)} if is_sent else {}
            invoice = {"created": seconds(due), "amount_remaining": 600} | invoice
            invoices.insert(0, invoice)
            card["latest_invoice"] = invoice
        if card["status"] == "active":
            for invoice in invoices:
                invoice |= {"status": "paid", "amount_remaining": 0}
        return _about(customers, card)

    return act


def customer_is_deleted() -> Act:
    def act(customers: Customers, _: float) -> SubscriptionHint:
        for card in customers.cards.values():
            card["status"] = "canceled"
        card = customers.cards["card"]
        return SubscriptionHint(
            customers.stripe.event("customer.deleted", {})["id"], "customer.deleted", card["customer"], None
        )

    return act


GAVE_UP: Json = {"cancellation_details": {"reason": "payment_failed"}}
ASKED: Json = {"cancellation_details": {"reason": "cancellation_requested"}}


@dataclass
class StripeLine:
    """Acts by day, and what must hold in the end: on which day, which plan of the first organization.

    `second` is the plan of the second one on the last of these days.
    """

    acts: list[tuple[float, Act]]
    plans: list[tuple[float, str]]
    second: str = "free"
    is_paid_twice: bool = False
    skips_late: bool = field(default=False)


YEAR: dict[str, StripeLine] = {
    "price changed and recovered": StripeLine(
        [
            (0, buys()),
            (30, becomes(status="past_due", price="price_last_year", due=30)),
            (33, becomes(status="active")),
        ],
        [(34, "pro"), (400, "pro")],
    ),
    "price changed and cancelled": StripeLine(
        [
            (0, buys()),
            (30, becomes(price="price_last_year")),
            (40, becomes(status="canceled", **ASKED)),
        ],
        [(41, "free"), (400, "free")],
    ),
    "collection paused": StripeLine(
        [(0, buys()), (30, becomes(pause_collection={"behavior": "void"}))], [(31, "free"), (400, "free")]
    ),
    "collection paused and resumed": StripeLine(
        [
            (0, buys()),
            (30, becomes(pause_collection={"behavior": "mark_uncollectible"})),
            (60, becomes(pause_collection=None)),
        ],
        [(61, "pro")],
    ),
    "invoices kept as drafts": StripeLine(
        [(0, buys()), (30, becomes(pause_collection={"behavior": "keep_as_draft"}))], [(31, "pro")]
    ),
    "unpaid on day 7, then paid": StripeLine(
        [
            (0, buys()),
            (30, becomes(status="past_due", due=30)),
            (37, becomes(status="unpaid")),
            (40, becomes(status="active")),
        ],
        [(41, "pro"), (80, "pro")],
    ),
    "unpaid on day 7, and over": StripeLine(
        [(0, buys()), (30, becomes(status="past_due", due=30)), (37, becomes(status="unpaid"))],
        [(38, "pro"), (43.9, "pro"), (44, "free"), (400, "free")],
    ),
    "two periods unpaid": StripeLine(
        [
            (0, buys()),
            (30, becomes(status="past_due", due=30)),
            (40, becomes(status="past_due", due=40)),
        ],
        [(43.9, "pro"), (44, "free"), (53, "free")],
    ),
    "an invoice by mail": StripeLine(
        [
            (0, buys()),
            (60, becomes(status="past_due", collection_method="send_invoice", due=60)),
            (65, becomes(status="unpaid")),
        ],
        [(66, "pro"), (73.9, "pro"), (74, "free")],
    ),
    "cancelled by a failed payment": StripeLine(
        [
            (0, buys()),
            (30, becomes(status="past_due", due=30)),
            (37, becomes(status="canceled", ended_at=seconds(37), **GAVE_UP)),
        ],
        [(38, "pro"), (43.9, "pro"), (44, "free"), (400, "free")],
    ),
    "cancelled by a failed payment, and bought anew": StripeLine(
        [
            (0, buys()),
            (30, becomes(status="past_due", due=30)),
            (37, becomes(status="canceled", ended_at=seconds(37), **GAVE_UP)),
            (39, buys("new")),
        ],
        [(40, "pro"), (400, "pro")],
    ),
    "cancelled by its owner while a payment was due": StripeLine(
        [
            (0, buys()),
            (30, becomes(status="past_due", due=30)),
            (31, becomes(status="canceled", ended_at=seconds(31), **ASKED)),
        ],
        [(32, "free"), (44, "free")],
    ),
    "paused by a failed payment": StripeLine(
        [
            (0, buys()),
            (30, becomes(status="past_due", due=30)),
            (
                37,
                becomes(
                    status="paused",
                    status_details={"paused": {"subscription": {"type": "final_payment_failure"}}},
                ),
            ),
        ],
        [(38, "pro"), (43.9, "pro"), (44, "free")],
    ),
    "a first payment that never came": StripeLine(
        [(0, buys(status="incomplete")), (1, becomes(status="incomplete_expired", **GAVE_UP))],
        [(1, "free"), (2, "free")],
    ),
    "two subscriptions": StripeLine(
        [(0, buys()), (5, buys("other", price="price_big"))], [(6, "enterprise")], is_paid_twice=True
    ),
    "two subscriptions, one of them fails": StripeLine(
        [
            (0, buys()),
            (5, buys("other", price="price_big")),
            (30, becomes("other", status="past_due", due=30)),
            (37, becomes("other", status="unpaid")),
        ],
        [(43.9, "enterprise"), (44, "pro"), (400, "pro")],
    ),
    "a second organization of one customer": StripeLine(
        [(0, buys()), (5, buys("other", "second", price="price_big"))], [(6, "pro")], "enterprise"
    ),
    "a second organization, and the first one leaves": StripeLine(
        [
            (0, buys()),
            (5, buys("other", "second", price="price_big")),
            (40, becomes(status="canceled", **ASKED)),
        ],
        [(41, "free")],
        "enterprise",
    ),
    "a customer of two organizations is deleted": StripeLine(
        [(0, buys()), (5, buys("other", "second")), (40, customer_is_deleted())],
        [(41, "free")],
        skips_late=True,  # Whose customer it was is known from the first events alone.
    ),
    "a trial that nobody pays for": StripeLine(
        [
            (0, buys(status="trialing", trial_end=seconds(14))),
            (
                14,
                becomes(
                    status="paused",
                    status_details={"paused": {"subscription": {"type": "trial_end_without_payment_method"}}},
                ),
            ),
        ],
        [(15, "free")],
    ),
}


async def check(customers: Customers, line: StripeLine, clock: Clock) -> None:
    for number, plan in line.plans:
        result = await customers.at(number, clock, "first")
        assert (result.plan.name, result.account.plan) == (plan, plan), number
    assert result.plan.is_paid_twice is line.is_paid_twice
    other = await customers.at(line.plans[-1][0], clock, "second")
    assert (other.plan.name, other.account.plan) == (line.second, line.second)


@pytest.mark.parametrize("name", YEAR)
async def test_in_order(name: str, base: Services, stripe_server: StandInStripe, clock: Clock) -> None:
    customers, line = Customers(base, stripe_server), YEAR[name]
    await customers.install()
    for number, act in line.acts:
        clock.now = day(number)
        await customers.sync.follow(act(customers, number))
    await check(customers, line, clock)
    await customers.close()


@pytest.mark.parametrize("name", [name for name, line in YEAR.items() if not line.skips_late])
async def test_when_all_is_heard_late_no_order_matters(
    name: str, base: Services, stripe_server: StandInStripe, clock: Clock
) -> None:
    """All acts first; then their events in each order that there is, each of them twice."""
    line = YEAR[name]
    for order in event_orders(min(len(line.acts), 3)):
        customers = Customers(base, stripe_server)
        await customers.install()
        events = []
        for number, act in line.acts:
            clock.now = day(number)
            events.append(act(customers, number))
        late = [*(events[place] for place in order), *events[len(order) :]]
        for about in (*late, *reversed(late)):
            await customers.sync.follow(about)
        await check(customers, line, clock)
        await customers.close()


_MOST = max(len(line.acts) for line in YEAR.values())


@pytest.mark.parametrize("name", [name for name, line in YEAR.items() if not line.skips_late])
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    lateness=st.lists(st.sampled_from([0, 1, 2]), min_size=_MOST, max_size=_MOST),
    repeated=st.sets(st.integers(0, _MOST - 1)),
    ties=st.permutations(range(_MOST)),
)
async def test_while_it_happens_no_order_matters(
    name: str,
    base: Services,
    stripe_server: StandInStripe,
    clock: Clock,
    lateness: list[int],
    repeated: set[int],
    ties: list[int],
) -> None:
    """Events come between the acts, late or twice, and Stripe tells what holds just then."""
    line, count = YEAR[name], len(YEAR[name].acts)
    customers, heard = Customers(base, stripe_server), dict[int, SubscriptionHint]()
    await customers.install()
    late = [lateness[number] + ties[number] / (2 * _MOST + 2) for number in range(count)]
    for kind, number in merged(late, {entry for entry in repeated if entry < count}, count):
        at, act = line.acts[number]
        if kind == "act":
            clock.now = day(at)
            heard[number] = act(customers, at)
        else:
            await customers.sync.follow(heard[number])
    await check(customers, line, clock)
    await customers.close()
