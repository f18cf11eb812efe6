"""Seats, from people on planned work to Stripe: reports, approvals and charges."""

import asyncio
import calendar
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.billing.seat_reporting import SeatReporting
from bot.billing.stripe_client import RealStripe
from bot.billing.stripe_port import StripeUnavailableError
from bot.billing.stripe_sync import StripeSync
from commands.messages.seats import increase_text, seats_card
from marketplace.accounts import load_billing
from marketplace.plans import PlanName
from marketplace.stripe_subscriptions import SubscriptionHint
from storage.projects import Projects, RepositoryName
from storage.seat_increases import IncreaseTerms, SeatIncrease, SeatIncreases
from storage.seats import Seats
from storage.subscriptions import Subscriptions
from storage.visibility import VisibilityHistory
from tests.support.billing import DAY, NOW, BilledTenant, work_events
from tests.support.clock import Clock
from tests.support.running import rows
from tests.support.stripe.selling import card_billing_settings, stripe_settings
from tests.support.stripe.server import StandInStripe

YEAR = 365 * DAY


class SeatsHarness:
    """A firm that pays by card, with what the nightly job does about it and the stand-in's clock."""

    def __init__(
        self,
        billed_tenant: BilledTenant,
        stripe: StandInStripe,
        sync: StripeSync,
        seats: SeatReporting,
        clock: Clock,
    ) -> None:
        self.firm = billed_tenant
        self.stripe = stripe
        self.sync = sync
        self.seats = seats
        self.clock = clock
        self.numbers = iter(range(1, 10_000))
        self.subscription: dict[str, Any] = {}

    async def subscribe(self, quantity: int = 1, *, is_yearly: bool = False, **more: Any) -> None:
        price, amount, length = ("price_year", 6_000, YEAR) if is_yearly else ("price_pro", 600, 30 * DAY)
        subscription = self.stripe.subscribe(7, price=price, quantity=quantity, **more)
        (item,) = subscription["items"]["data"]
        start = calendar.timegm(self.clock().utctimetuple())
        item["price"] |= {"unit_amount": amount, "currency": "usd"}
        item["current_period_start"] = start
        item["current_period_end"] = start + int(length.total_seconds())
        self.subscription = subscription
        await self.told()

    async def told(self) -> None:
        """Stripe's event about the subscription."""
        number, entry = next(self.numbers), self.subscription
        await self.sync.follow(
            SubscriptionHint(f"evt_{number}", "customer.subscription.updated", entry["customer"], entry["id"])
        )

    async def work(self, *logins: str, at: datetime | None = None, in_public: bool = False) -> None:
        project = self.firm.public if in_public else self.firm.private
        for login in logins:
            await self.firm.happened(
                project, work_events(next(self.numbers), login, at or self.clock() - timedelta(hours=1))
            )

    async def night(self, days: int = 1) -> int:
        """So many days later the seats are reported. Returns how many Stripe knows of."""
        self.clock.now = self.clock() + days * DAY
        await self.told()
        await self.seats.report(self.firm.id)
        return self.quantity

    async def visible(self, *, is_private: bool, at: datetime | None = None) -> None:
        """The public repository is seen to be private or public."""
        async with self.firm.base.database.tenant(self.firm.id) as tenant:
            name = self.firm.public.node_id
            await Projects(tenant).remember(RepositoryName(name, name, is_private, None, at or self.clock()))

    async def people(self) -> list[str]:
        async with self.firm.base.database.tenant(self.firm.id) as tenant:
            return await Seats(tenant).active_people(self.clock(), 30)

    async def increase(self) -> SeatIncrease | None:
        async with self.firm.base.database.tenant(self.firm.id) as tenant:
            billing = await load_billing(tenant, self.clock(), self.firm.offer)
        assert billing
        return billing.seat_increase

    async def approve(self, after: int) -> bool:
        async with self.firm.base.database.tenant(self.firm.id) as tenant:
            price = self.subscription["items"]["data"][0]["price"]
            terms = IncreaseTerms(self.subscription["id"], after, price["unit_amount"], price["currency"])
            return await SeatIncreases(tenant).approve(terms, "alice", self.clock())

    async def outcomes(self) -> list[str | None]:
        query = "select outcome from seat_increases order by id"
        return [row.outcome for row in await rows(self.firm.base, query, self.firm.id)]

    @property
    def quantity(self) -> int:
        return int(self.subscription["items"]["data"][0]["quantity"])

    @property
    def changes(self) -> list[str]:
        """How each change of quantity was prorated."""
        path = f"subscriptions/{self.subscription['id']}"
        return [
            data["proration_behavior"]
            for verb, place, data in self.stripe.requests
            if (verb, place) == ("POST", path)
        ]

    @property
    def charged(self) -> list[int]:
        return self.stripe.seat_invoices.charged.get(self.subscription["id"], [])


@pytest.fixture
async def office(
    billed_tenant: BilledTenant, stripe_server: StandInStripe, clock: Clock
) -> AsyncIterator[SeatsHarness]:
    client = RealStripe(stripe_settings(stripe_server))
    stripe_server.seat_invoices.now = lambda: clock().timestamp()
    settings = card_billing_settings(stripe_server)
    billed_tenant.offer = type(billed_tenant.offer)(
        settings, "https://agile.example", billed_tenant.base.cipher
    )
    parts = (billed_tenant.base.database, client, settings, clock)
    yield SeatsHarness(billed_tenant, stripe_server, StripeSync(*parts), SeatReporting(*parts), clock)
    await client.close()


def crowd(count: int, name: str = "outsider") -> list[str]:
    return [f"{name}-{number}" for number in range(count)]


# What was done in public needs no seat


async def test_activity_in_a_public_repository_takes_no_seat(office: SeatsHarness) -> None:
    await office.subscribe()
    await office.work("owner")
    await office.work(*crowd(12), in_public=True)
    await office.night(0)
    await office.visible(is_private=True)
    assert await office.night() == 1
    assert await office.people() == ["owner"]
    assert await office.increase() is None
    await office.work("outsider-3", in_public=True)
    assert await office.people() == ["outsider-3", "owner"]
    assert await office.night() == 2


async def test_private_work_counts_again_around_a_public_time(office: SeatsHarness) -> None:
    await office.visible(is_private=True, at=NOW - 40 * DAY)
    await office.work("before", at=NOW - 20 * DAY, in_public=True)
    await office.visible(is_private=False, at=NOW - 15 * DAY)
    await office.work("meanwhile", at=NOW - 12 * DAY, in_public=True)
    await office.visible(is_private=True, at=NOW - 10 * DAY)
    await office.work("after", at=NOW - 5 * DAY, in_public=True)
    assert await office.people() == ["after", "before"]
    await office.visible(is_private=False, at=NOW - 4 * DAY)
    assert await office.people() == []
    await office.visible(is_private=True, at=NOW - 3 * DAY)
    assert await office.people() == ["after", "before"]


async def test_a_change_that_is_reported_late_holds_from_the_moment_that_github_names(
    office: SeatsHarness,
) -> None:
    changes = [(NOW - 15 * DAY, False), (NOW - 10 * DAY, True)]
    for at, is_private in changes[::-1]:
        async with office.firm.base.database.tenant(office.firm.id) as tenant:
            await VisibilityHistory(tenant).record_change(office.firm.private.id, at, is_private=is_private)
    for login, days in (("before", 20), ("meanwhile", 12), ("after", 5)):
        await office.work(login, at=NOW - days * DAY)
    assert await office.people() == ["after", "before"]


async def test_of_a_repository_that_became_private_before_this_was_recorded(office: SeatsHarness) -> None:
    await office.work("before", at=NOW - 12 * DAY)
    await office.work("after", at=NOW - 5 * DAY)
    await rows(
        office.firm.base,
        "with gone as (select 1) update projects set private_since = :at where id = :id returning id",
        office.firm.id,
        at=NOW - 10 * DAY,
        id=office.firm.private.id,
    )
    assert await office.people() == ["after"]


async def test_seats_are_given_by_private_work(office: SeatsHarness) -> None:
    await office.work("outsider", at=NOW - 25 * DAY, in_public=True)
    await office.work("staff", at=NOW - 20 * DAY)
    await office.visible(is_private=True, at=NOW - 10 * DAY)
    await office.work("outsider", at=NOW - 2 * DAY, in_public=True)
    await office.firm.put(quantity=1)
    assert type(await office.firm.ask("staff")).__name__ == "Allowed"
    assert type(await office.firm.ask("outsider")).__name__ == "Denied"


# A jump waits for an admin


async def test_large_increase_waits_for_approval_with_its_price(office: SeatsHarness) -> None:
    await office.subscribe(2)
    await office.work("a", "b", *crowd(8))
    assert await office.night() == 2
    increase = await office.increase()
    assert increase
    assert (increase.before, increase.after, increase.unit_amount, increase.currency) == (2, 10, 600, "usd")
    assert (increase.is_waiting, increase.due_now) == (True, 0)
    assert office.changes == []
    # Who has no seat loses nothing meanwhile.
    assert type(await office.firm.ask("outsider-7")).__name__ == "Allowed"
    assert await office.night() == 2
    assert await office.approve(10)
    assert not await office.approve(10)
    assert await office.night() == 10
    assert await office.increase() is None
    assert await office.outcomes() == ["reported"]
    assert office.changes == ["create_prorations"]


async def test_what_waits_is_asked_about_once(office: SeatsHarness) -> None:
    await office.subscribe(1)
    await office.work(*crowd(10))
    for _ in range(3):
        await office.night()
    increase = await office.increase()
    assert increase
    assert increase.asked_at == NOW + DAY
    audited = await rows(
        office.firm.base, "select 1 from audit_log where action = 'seat approval asked'", office.firm.id
    )
    assert len(audited) == 1


async def test_growing_increase_is_asked_again_and_a_vanished_one_forgotten(
    office: SeatsHarness,
) -> None:
    await office.subscribe(1)
    await office.work(*crowd(10))
    await office.night()
    await office.work(*crowd(20))
    await office.night()
    increase = await office.increase()
    assert increase
    assert (increase.after, increase.asked_at) == (20, NOW + 2 * DAY)
    assert not await office.approve(10)
    async with office.firm.base.database.tenant(office.firm.id) as tenant:
        assert await SeatIncreases(tenant).waiting_since() == NOW + DAY
    await office.work("a", "b", at=NOW + 40 * DAY)
    assert await office.night(days=39) == 2
    assert await office.increase() is None
    assert await office.outcomes() == ["replaced", "not needed"]


async def test_an_approval_after_people_have_left_charges_for_who_is_there(office: SeatsHarness) -> None:
    await office.subscribe(1)
    await office.work(*crowd(50), at=NOW - 20 * DAY)
    await office.work(*crowd(8, "staff"))
    await office.night()
    assert await office.approve(58)
    assert await office.night(days=15) == 8


async def test_an_approval_holds_for_no_more_than_was_approved(office: SeatsHarness) -> None:
    await office.subscribe(1)
    await office.work(*crowd(10))
    await office.night()
    assert await office.approve(10)
    await office.work(*crowd(40))
    assert await office.night() == 10
    assert await office.night() == 10
    increase = await office.increase()
    assert increase
    assert (increase.before, increase.after) == (10, 40)


async def test_approval_holds_for_one_subscription(office: SeatsHarness) -> None:
    await office.subscribe(1)
    await office.work(*crowd(10))
    await office.night()
    assert await office.approve(10)
    office.subscription["status"] = "canceled"
    await office.told()
    assert await office.increase() is None
    await office.subscribe(1)
    assert await office.night() == 1
    increase = await office.increase()
    assert increase
    assert (increase.is_waiting, increase.reference) == (True, office.subscription["id"])


async def test_with_the_subscription_the_increase_ends(office: SeatsHarness) -> None:
    await office.subscribe(1)
    await office.work(*crowd(10))
    await office.night()
    office.subscription["status"] = "canceled"
    await office.night()
    assert await office.outcomes() == ["subscription ended"]


async def test_growth_by_a_few_seats_a_day_is_reported(office: SeatsHarness) -> None:
    await office.subscribe(10)
    for count in (10, 12, 14, 17):
        await office.work(*crowd(count))
        office.clock.now = office.clock() + DAY
        await office.sync.reconcile()
        assert office.quantity == count
    assert await office.increase() is None


# Once a day, whatever happens


async def test_a_crash_after_stripe_has_answered_charges_once(
    office: SeatsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.subscribe(1)
    await office.work("a", "b")
    with monkeypatch.context() as patch:
        patch.setattr(office.firm.base.database, "tenant", _dying_after_the_change(office))
        with pytest.raises(RuntimeError, match="died"):
            await office.night()
    assert office.quantity == 2
    await office.work("c")
    # Stripe's idempotency keys allow no second change on this day.
    assert await office.night(days=0) == 2
    assert await office.night() == 3
    pending = office.stripe.seat_invoices.pending[office.subscription["id"]]
    assert pending == 600 * 29 // 30 + 600 * 28 // 30


def _dying_after_the_change(office: SeatsHarness) -> Any:
    """The process dies when it opens a transaction after Stripe has changed the quantity."""
    original = office.firm.base.database.tenant

    def tenant(organization_id: int, **options: Any) -> Any:
        if office.changes:
            raise RuntimeError("died")
        return original(organization_id, **options)

    return tenant


async def test_two_workers_at_once_tell_stripe_once(office: SeatsHarness) -> None:
    await office.subscribe(1)
    await office.work("a", "b")
    office.clock.now = office.clock() + DAY
    await asyncio.gather(office.seats.report(office.firm.id), office.seats.report(office.firm.id))
    assert office.quantity == 2
    pending = office.stripe.seat_invoices.pending[office.subscription["id"]]
    assert pending == 600 * 29 // 30


async def test_while_stripe_is_away_nothing_is_lost(
    office: SeatsHarness, stripe_server: StandInStripe
) -> None:
    await office.subscribe(1)
    await office.work("a", "b")
    stripe_server.fail_with = 503
    with pytest.raises(StripeUnavailableError):
        await office.seats.report(office.firm.id)
    stripe_server.fail_with = None
    assert await office.night(days=0) == 2


# Yearly plans


async def test_seats_added_to_a_yearly_plan_are_invoiced_at_once(office: SeatsHarness) -> None:
    await office.subscribe(1, is_yearly=True)
    await office.work("a", "b")
    assert await office.night(days=73) == 1  # Nobody was there within 30 days.
    await office.work("a", "b")
    assert await office.night(days=0) == 2
    assert office.changes == ["always_invoice"]
    assert office.charged == [6_000 * 292 // 365]


async def test_a_declined_card_takes_nothing_away_that_was_paid_for_the_year(office: SeatsHarness) -> None:
    await office.subscribe(1, is_yearly=True)
    await office.work("a", "b")
    office.stripe.seat_invoices.is_card_declined = True
    assert await office.night() == 1
    await office.told()
    async with office.firm.base.database.tenant(office.firm.id) as tenant:
        (kept,) = await Subscriptions(tenant).all()
    assert (kept.status, kept.quantity) == ("active", 1)
    audited = await rows(
        office.firm.base, "select details from audit_log where action = 'seats refused'", office.firm.id
    )
    assert [row.details["after"] for row in audited] == [2]
    office.stripe.seat_invoices.is_card_declined = False
    await office.work("a", "b")
    assert await office.night() == 2


async def test_yearly_increase_names_the_immediate_charge(office: SeatsHarness) -> None:
    await office.subscribe(1, is_yearly=True)
    await office.work(*crowd(11))
    await office.night()
    increase = await office.increase()
    assert increase
    assert (increase.after, increase.is_yearly, increase.due_now) == (11, True, 60_000 * 364 // 365)


async def test_seats_of_a_yearly_plan_stay_until_the_renewal_and_are_never_paid_twice(
    office: SeatsHarness,
) -> None:
    await office.subscribe(4, is_yearly=True)
    await office.work("a", "b", "c", "d")
    assert await office.night() == 4
    await office.work("a", at=NOW + 100 * DAY)
    assert await office.night(days=100) == 4
    await office.work("a", "b", "c", "d", at=NOW + 120 * DAY)
    assert await office.night(days=20) == 4
    assert office.changes == []
    await office.work("a", "b", at=NOW + 340 * DAY)
    assert await office.night(days=241) == 4
    assert await office.night(days=2) == 2
    assert office.changes == ["none"]
    office.stripe.seat_invoices.renew(office.subscription)
    assert office.charged == [2 * 6_000]


async def test_a_cancelled_plan_is_billed_nothing_after_its_end(office: SeatsHarness) -> None:
    await office.subscribe(2, cancel_at_period_end=True)
    await office.work("a", "b", "c")
    assert await office.night(days=10) == 3
    assert office.changes == ["always_invoice"]
    assert office.charged == [600 * 20 // 30]
    office.clock.now = NOW + 29 * DAY
    await office.work("a")
    async with office.firm.base.database.tenant(office.firm.id) as tenant:
        assert len(await Seats(tenant).active_people(NOW + 29 * DAY, 10)) == 1
    assert office.stripe.seat_invoices.pending == {}


async def test_a_trial_is_not_prorated(office: SeatsHarness) -> None:
    await office.subscribe(2, status="trialing", is_yearly=True)
    await office.work("a", "b", "c")
    assert await office.night() == 3
    assert await office.night(days=40) == 1
    assert office.changes == ["none", "none"]


@pytest.mark.parametrize("told_by", ["setting", "product"])
async def test_seats_go_to_the_item_that_is_the_plan(
    billed_tenant: BilledTenant, stripe_server: StandInStripe, clock: Clock, told_by: str
) -> None:
    """What tells the plan of a subscription tells the item whose seats follow the people, too."""
    settings = card_billing_settings(stripe_server)
    assert settings.stripe
    if told_by == "setting":
        stripe = replace(settings.stripe, earlier_prices={"price_old": PlanName.ENTERPRISE})
        settings = replace(settings, stripe=stripe)
    client = RealStripe(settings.stripe or stripe_settings(stripe_server))
    parts = (billed_tenant.base.database, client, settings, clock)
    price = "price_pro" if told_by == "setting" else "price_of_support"
    subscription = stripe_server.subscribe(7, price=price, quantity=5)
    (beside,) = subscription["items"]["data"]
    plan = beside | {"id": "si_plan", "price": {"id": "price_old", "object": "price"}}
    subscription["items"]["data"].append(plan)
    if told_by == "product":
        product = {"id": "prod_big", "object": "product", "metadata": {"plan": "enterprise"}}
        stripe_server.prices["price_old"] = plan["price"] | {"product": product}
    await StripeSync(*parts).follow(
        SubscriptionHint(
            "evt_1", "customer.subscription.updated", subscription["customer"], subscription["id"]
        )
    )
    await SeatReporting(*parts).report(billed_tenant.id)
    await client.close()
    assert (plan["quantity"], beside["quantity"]) == (1, 5)


# Whose price, and for which price


@pytest.mark.parametrize("change", [{"unit_amount": 60_000}, {"currency": "eur"}, {"unit_amount": None}])
async def test_an_approval_holds_for_the_price_that_was_shown(
    office: SeatsHarness, change: dict[str, Any]
) -> None:
    """The nightly job asks again at another price, between the tick and its transaction."""
    await office.subscribe(2)
    await office.work("a", "b", *crowd(8))
    await office.night()
    shown = await office.increase()
    assert shown
    office.subscription["items"]["data"][0]["price"] |= change
    await office.night()
    async with office.firm.base.database.tenant(office.firm.id) as tenant:
        assert not await SeatIncreases(tenant).approve(shown.terms, "alice", office.clock())
    current = await office.increase()
    assert current
    assert current.is_waiting


async def test_a_price_in_several_currencies_is_reported_in_the_subscriber_s(office: SeatsHarness) -> None:
    """A price with `currency_options` shows its default currency; the subscription says what is paid."""
    await office.subscribe(2, is_yearly=True)
    office.subscription["currency"] = "jpy"
    await office.work("a", "b", *crowd(8))
    await office.night()
    increase = await office.increase()
    assert increase
    assert (increase.unit_amount, increase.currency) == (None, "jpy")
    office.subscription["currency"] = "usd"
    await office.night()
    increase = await office.increase()
    assert increase
    assert (increase.unit_amount, increase.currency) == (6_000, "usd")


@pytest.mark.parametrize(("currency", "is_said"), [("eur", False), ("usd", True)])
async def test_a_price_by_tiers_is_at_most_told_as_the_list_price(
    office: SeatsHarness, currency: str, *, is_said: bool
) -> None:
    await office.subscribe(2)
    (item,) = office.subscription["items"]["data"]
    item["price"] |= {"unit_amount": None, "currency": currency, "billing_scheme": "tiered"}
    await office.told()
    async with office.firm.base.database.tenant(office.firm.id) as tenant:
        billing = await load_billing(tenant, office.clock(), office.firm.offer)
    assert billing
    text = seats_card(billing, office.clock())
    assert ("One more seat costs $6.00" in text, "(list price)" in text) == (is_said, is_said)


async def test_a_price_is_stated_before_discounts(office: SeatsHarness) -> None:
    """A coupon may belong to the subscription or to the customer: only Stripe's invoices tell the sum."""
    await office.subscribe(2)
    coupon = {"coupon": {"percent_off": 50, "duration": "forever"}}
    office.subscription["discounts"] = [{"id": "di_1", "object": "discount", "source": coupon}]
    await office.work("a", "b", *crowd(8))
    await office.night()
    async with office.firm.base.database.tenant(office.firm.id) as tenant:
        billing = await load_billing(tenant, office.clock(), office.firm.offer)
    assert billing
    assert billing.seat_increase
    for text in (increase_text(billing.seat_increase, billing), seats_card(billing, office.clock())):
        assert text.count(" before discounts and tax") == text.count(" tax") == 1
