"""Tells Stripe how many people need a seat: once a day at most, and large increases only once approved."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.billing.stripe_client import Stripe, StripeRefusedError, StripeUnavailableError
from bot.billing.stripe_lookups import StripeLookups
from bot.settings.billing import BillingSettings
from marketplace.entitlements import resolve_account_plan
from marketplace.github_purchases import PurchaseError
from marketplace.plans import SEAT_DAYS
from marketplace.seat_increases import Proration, SeatDecision, decide_seats, proration_of
from marketplace.stripe_subscriptions import parse_subscription, read_subscription
from marketplace.subscription_ledger import LedgerCause, SubscriptionLedger
from storage.database import Database, Tenant
from storage.seat_increases import IncreaseOutcome, SeatIncrease, SeatIncreases
from storage.seats import Seats
from storage.subscriptions import STRIPE, Account, AccountAuditEntry, Subscription, Subscriptions

# How the audit log calls what becomes of an account's seats.
SEATS_ASKED, SEATS_REFUSED = "seat approval asked", "seats refused"
_ACTOR = "agile-github-suite"
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class _Seats:
    """An account's seats: the Stripe subscription that counts, `needed` people, and the open increase."""

    account: Account
    subscription: Subscription
    needed: int
    increase: SeatIncrease | None


class SeatReporting:
    """Brings the quantity of Stripe's subscriptions into line with the people on planned work."""

    def __init__(
        self,
        database: Database,
        stripe: Stripe,
        settings: BillingSettings,
        clock: Callable[[], datetime],
    ) -> None:
        if settings.stripe is None:
            raise ValueError("Stripe is not set up")
        self._database = database
        self._stripe = stripe
        self._lookups = StripeLookups(stripe, settings.stripe)
        self._grace = settings.grace
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def report(self, organization_id: int) -> bool:
        """Report one account's seats, or ask its admins where the increase is large.

        Returns whether Stripe had to be asked.

        What Stripe refuses changes nothing and is logged; the next night tries again. Raises
        StripeUnavailableError.
        """
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            seats = await self._load(tenant, now)
        if seats is None or (seats.increase is None and seats.subscription.quantity == seats.needed):
            return False
        try:
            await self._follow_people(organization_id, seats, now)
        except (PurchaseError, StripeRefusedError) as problem:
            self._log.error("seats not reported", reason=str(problem))
        return True

    async def _load(self, tenant: Tenant, now: datetime) -> _Seats | None:
        """The account's seats. None if it pays for none by card now; then nothing waits for approval."""
        subscriptions, increases = Subscriptions(tenant), SeatIncreases(tenant)
        account, increase = await subscriptions.account(), await increases.current()
        subscription = _reported(await subscriptions.all(), now, self._grace)
        if account is None:
            return None
        if subscription is None or subscription.source != STRIPE:
            if increase is not None:
                await subscriptions.lock()
                await increases.close(IncreaseOutcome.SUBSCRIPTION_ENDED, now)
            return None
        if subscription.status not in {"active", "trialing"}:
            return None
        people = await Seats(tenant).active_people(now, SEAT_DAYS)
        return _Seats(account, subscription, max(1, len(people)), increase)

    async def _follow_people(self, organization_id: int, seats: _Seats, now: datetime) -> None:
        answer = await self._stripe.subscription(seats.subscription.reference)
        if answer is None:
            return
        listed = parse_subscription(answer)
        catalog = await self._lookups.catalog_for(listed, is_kept=True)
        # The item that is the plan, by all that tells a plan: seats of another item are another's price.
        item = listed.item(catalog, seats.subscription.price_id).id
        reading = read_subscription(listed, catalog, now, seats.subscription)
        subscription = replace(reading.subscription, quantity_set_on=seats.subscription.quantity_set_on)
        seats = replace(seats, subscription=subscription)
        decision = decide_seats(subscription, seats.needed, seats.increase, now)
        if decision.asked is not None:
            await self._ask(organization_id, seats, item, decision.asked, now)
        elif decision.quantity is not None:
            await self._set_quantity(organization_id, seats, item, decision, now)
        elif decision.is_approval_over:
            async with self._database.tenant(organization_id) as tenant:
                await Subscriptions(tenant).lock()
                await SeatIncreases(tenant).close(IncreaseOutcome.NOT_NEEDED, now)

    async def _ask(self, organization_id: int, seats: _Seats, item: str, asked: int, now: datetime) -> None:
        """Keep an increase with its price, for an admin to approve; it is reported once that is done."""
        subscription = seats.subscription
        increase = SeatIncrease(
            before=subscription.quantity or 0,
            after=asked,
            asked_at=now,
            unit_amount=subscription.unit_amount,
            currency=subscription.currency,
            is_yearly=subscription.is_yearly,
            due_now=await self._due_now(subscription, item, asked, now),
            reference=subscription.reference,
        )
        async with self._database.tenant(organization_id) as tenant:
            subscriptions, increases = Subscriptions(tenant), SeatIncreases(tenant)
            await subscriptions.lock()
            current = await increases.current()
            if current != seats.increase:  # Somebody has approved it meanwhile: the next night reports it.
                return
            if current is not None and current.is_waiting:
                if _is_same(current, increase):
                    await increases.update_price(increase.due_now)
                    return
                if current.reference == increase.reference and current.after > increase.after:
                    increase = replace(increase, asked_at=current.asked_at)  # Fewer need not be told anew.
            await increases.open(increase)
            details = {"before": increase.before, "after": increase.after, "due_now": increase.due_now}
            await subscriptions.record_audit_entry(
                AccountAuditEntry(_ACTOR, SEATS_ASKED, seats.account.name, details, now)
            )
        self._log.info("seats wait for approval", before=increase.before, after=increase.after)

    async def _due_now(
        self, subscription: Subscription, item: str, quantity: int, now: datetime
    ) -> int | None:
        """What is charged at once for a quantity. None if Stripe does not say."""
        if proration_of(subscription, now) is not Proration.ALWAYS_INVOICE:
            return 0
        try:
            return await self._stripe.preview_seats(subscription.reference, item, quantity, now)
        except (StripeRefusedError, StripeUnavailableError) as problem:
            self._log.warning("Stripe gave no preview of the invoice for seats", reason=str(problem))
            return None

    async def _set_quantity(
        self, organization_id: int, seats: _Seats, item: str, decision: SeatDecision, now: datetime
    ) -> None:
        """Tell Stripe the quantity. It takes one change a day: the key allows no other one on this day."""
        subscription, before = seats.subscription, seats.subscription.quantity or 0
        quantity = decision.quantity or 1
        key = f"seats-{subscription.reference}-{now.date()}"
        try:
            await self._stripe.set_quantity(subscription.reference, item, quantity, key, decision.proration)
        except StripeRefusedError as problem:
            details = {"before": before, "after": quantity, "reason": str(problem)[:_LONGEST_REASON]}
            async with self._database.tenant(organization_id) as tenant:
                noted = AccountAuditEntry("stripe", SEATS_REFUSED, seats.account.name, details, now)
                await Subscriptions(tenant).record_audit_entry(noted)
            raise
        async with self._database.tenant(organization_id) as tenant:
            subscriptions, books = Subscriptions(tenant), SubscriptionLedger(tenant, now, self._grace)
            await subscriptions.lock()
            if kept := await books.get_subscription(STRIPE, subscription.reference):
                kept = replace(kept, quantity=quantity, read_at=max(self._clock(), kept.read_at))
                await books.record(kept, LedgerCause("clock", "seats", key))
            await subscriptions.set_quantity_day(subscription.reference, now.date())
            if decision.is_approval_over:
                await SeatIncreases(tenant).close(_outcome(seats.increase, before, quantity), now)
        self._log.info("seats reported", before=before, after=quantity, proration=decision.proration.value)


def _is_same(current: SeatIncrease, increase: SeatIncrease) -> bool:
    """Whether an increase asks for what another one asks for already, whatever is due today."""
    return current == replace(increase, asked_at=current.asked_at, due_now=current.due_now)


def _outcome(increase: SeatIncrease | None, before: int, quantity: int) -> IncreaseOutcome:
    is_reported = increase is not None and not increase.is_waiting and quantity > before
    return IncreaseOutcome.REPORTED if is_reported else IncreaseOutcome.NOT_NEEDED


def _reported(every: Sequence[Subscription], now: datetime, grace: timedelta) -> Subscription | None:
    """The subscription whose seats follow the people: the one that counts, or one that runs beside it where
    that has ended and counts only for a while longer."""
    counting = resolve_account_plan(every, now, grace).subscription
    if counting is None or not counting.has_ended:
        return counting
    running = [one for one in every if one.source == STRIPE and not one.has_ended]
    return resolve_account_plan(running, now, grace).subscription
