"""Reports the number of seats to Stripe: once a day at most, and large increases only after approval."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.billing.stripe_lookups import StripeLookups
from bot.billing.stripe_port import Stripe, StripeRefusedError, StripeUnavailableError
from bot.settings.billing import BillingSettings
from marketplace.entitlements import resolve_account_plan
from marketplace.github_purchases import PurchaseError
from marketplace.plans import SEAT_DAYS
from marketplace.seat_increases import Proration, SeatDecision, choose_proration, decide_seats
from marketplace.stripe_subscriptions import parse_subscription, read_subscription
from marketplace.subscription_ledger import LedgerCause, SubscriptionLedger
from storage.database import Database, Tenant
from storage.seat_increases import IncreaseOutcome, SeatIncrease, SeatIncreases
from storage.seats import Seats
from storage.subscriptions import STRIPE, Account, AccountAuditEntry, Subscription, Subscriptions

# Actions in the audit log.
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
    """Brings the quantity of Stripe's subscriptions in line with the people on planned work."""

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
        """Report one account's seats, or ask its admins to approve a large increase.

        Returns whether Stripe had to be asked. A refusal by Stripe changes nothing and is logged; the next
        night tries again. Raises StripeUnavailableError.
        """
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            seats = await self._load(tenant, now)
        if seats is None or (seats.increase is None and seats.subscription.quantity == seats.needed):
            return False
        try:
            await self._report_needed(organization_id, seats, now)
        except (PurchaseError, StripeRefusedError) as problem:
            self._log.error("seats not reported", reason=str(problem))
        return True

    async def _load(self, tenant: Tenant, now: datetime) -> _Seats | None:
        """Load an account's seats. None if it pays for none by card; then an open increase is closed."""
        subscriptions, increases = Subscriptions(tenant), SeatIncreases(tenant)
        account, increase = await subscriptions.account(), await increases.current()
        subscription = _find_reported_subscription(await subscriptions.all(), now, self._grace)
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

    async def _report_needed(self, organization_id: int, seats: _Seats, now: datetime) -> None:
        answer = await self._stripe.get_subscription(seats.subscription.reference)
        if answer is None:
            return
        listed = parse_subscription(answer)
        catalog = await self._lookups.catalog_for(listed, is_stored=True)
        # The quantity of any other item has another price, so the item of the plan must be found.
        item = listed.item(catalog, seats.subscription.price_id).id
        reading = read_subscription(listed, catalog, now, seats.subscription)
        subscription = replace(reading.subscription, quantity_set_on=seats.subscription.quantity_set_on)
        seats = replace(seats, subscription=subscription)
        decision = decide_seats(subscription, seats.needed, seats.increase, now)
        if decision.asked is not None:
            await self._request_approval(organization_id, seats, item, decision.asked, now)
        elif decision.quantity is not None:
            await self._set_quantity(organization_id, seats, item, decision, now)
        elif decision.is_approval_over:
            async with self._database.tenant(organization_id) as tenant:
                await Subscriptions(tenant).lock()
                await SeatIncreases(tenant).close(IncreaseOutcome.NOT_NEEDED, now)

    async def _request_approval(
        self, organization_id: int, seats: _Seats, item: str, quantity: int, now: datetime
    ) -> None:
        """Store an increase with its price for an admin to approve; it is reported once approved."""
        subscription = seats.subscription
        increase = SeatIncrease(
            before=subscription.quantity or 0,
            after=quantity,
            asked_at=now,
            unit_amount=subscription.unit_amount,
            currency=subscription.currency,
            is_yearly=subscription.is_yearly,
            due_now=await self._preview_amount_due(subscription, item, quantity, now),
            reference=subscription.reference,
        )
        async with self._database.tenant(organization_id) as tenant:
            subscriptions, increases = Subscriptions(tenant), SeatIncreases(tenant)
            await subscriptions.lock()
            current = await increases.current()
            if (
                current != seats.increase
            ):  # An admin has approved the increase meanwhile: the next night reports it.
                return
            if current is not None and current.is_waiting:
                if _is_same(current, increase):
                    await increases.update_price(increase.due_now)
                    return
                if current.reference == increase.reference and current.after > increase.after:
                    increase = replace(
                        increase, asked_at=current.asked_at
                    )  # A smaller increase needs no new notice.
            await increases.open(increase)
            details = {"before": increase.before, "after": increase.after, "due_now": increase.due_now}
            await subscriptions.record_audit_entry(
                AccountAuditEntry(_ACTOR, SEATS_ASKED, seats.account.name, details, now)
            )
        self._log.info("seats wait for approval", before=increase.before, after=increase.after)

    async def _preview_amount_due(
        self, subscription: Subscription, item: str, quantity: int, now: datetime
    ) -> int | None:
        """Return the amount due now for a quantity, in the smallest currency unit. None if unknown."""
        if choose_proration(subscription, now) is not Proration.ALWAYS_INVOICE:
            return 0
        try:
            return await self._stripe.preview_seats(subscription.reference, item, quantity, now)
        except (StripeRefusedError, StripeUnavailableError) as problem:
            self._log.warning("Stripe gave no preview of the invoice for seats", reason=str(problem))
            return None

    async def _set_quantity(
        self, organization_id: int, seats: _Seats, item: str, decision: SeatDecision, now: datetime
    ) -> None:
        """Set the quantity at Stripe, once a day at most: the idempotency key allows no second change."""
        subscription, before = seats.subscription, seats.subscription.quantity or 0
        quantity = decision.quantity or 1
        key = f"seats-{subscription.reference}-{now.date()}"
        try:
            await self._stripe.set_quantity(subscription.reference, item, quantity, key, decision.proration)
        except StripeRefusedError as problem:
            details = {"before": before, "after": quantity, "reason": str(problem)[:_LONGEST_REASON]}
            async with self._database.tenant(organization_id) as tenant:
                entry = AccountAuditEntry("stripe", SEATS_REFUSED, seats.account.name, details, now)
                await Subscriptions(tenant).record_audit_entry(entry)
            raise
        async with self._database.tenant(organization_id) as tenant:
            subscriptions, ledger = Subscriptions(tenant), SubscriptionLedger(tenant, now, self._grace)
            await subscriptions.lock()
            if stored := await ledger.get_subscription(STRIPE, subscription.reference):
                stored = replace(stored, quantity=quantity, read_at=max(self._clock(), stored.read_at))
                await ledger.record(stored, LedgerCause("clock", "seats", key))
            await subscriptions.set_quantity_day(subscription.reference, now.date())
            if decision.is_approval_over:
                await SeatIncreases(tenant).close(_decide_outcome(seats.increase, before, quantity), now)
        self._log.info("seats reported", before=before, after=quantity, proration=decision.proration.value)


def _is_same(current: SeatIncrease, increase: SeatIncrease) -> bool:
    """Whether two increases request the same, apart from their time and the amount due today."""
    return current == replace(increase, asked_at=current.asked_at, due_now=current.due_now)


def _decide_outcome(increase: SeatIncrease | None, before: int, quantity: int) -> IncreaseOutcome:
    is_reported = increase is not None and not increase.is_waiting and quantity > before
    return IncreaseOutcome.REPORTED if is_reported else IncreaseOutcome.NOT_NEEDED


def _find_reported_subscription(
    subscriptions: Sequence[Subscription], now: datetime, grace: timedelta
) -> Subscription | None:
    """Return the subscription whose seats are reported: the effective one, or a running one if
    the effective one has ended and only counts for some time longer.
    """
    effective = resolve_account_plan(subscriptions, now, grace).subscription
    if effective is None or not effective.has_ended:
        return effective
    running = [
        subscription
        for subscription in subscriptions
        if subscription.source == STRIPE and not subscription.has_ended
    ]
    return resolve_account_plan(running, now, grace).subscription
