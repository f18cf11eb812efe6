"""Synchronises subscriptions with Stripe: after each event, and once a day for all of them.

An event is only a hint; Stripe's current answer is what counts.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from bot.billing.comparison import StripeComparison
from bot.billing.isolation import ConsecutiveFailures, accounts_with_billing, isolated_account
from bot.billing.seat_reporting import SeatReporting
from bot.billing.stripe_lookups import StripeLookups
from bot.billing.stripe_owners import Owner, resolve_owner
from bot.billing.stripe_port import Stripe, StripeUnavailableError
from bot.settings.billing import BillingSettings
from marketplace.github_purchases import PurchaseError
from marketplace.stripe_subscriptions import (
    StripeSubscription,
    SubscriptionHint,
    parse_subscription,
    read_subscription,
    update_status,
)
from marketplace.subscription_ledger import LedgerCause, SubscriptionLedger
from storage.database import Database
from storage.subscriptions import (
    STRIPE,
    Subscription,
    Subscriptions,
    tenants_of_stripe,
)

_DAILY = "reconciled"


class StripeSync:
    """Brings the stored subscriptions in line with Stripe."""

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
        self._seats = SeatReporting(database, stripe, settings, clock)
        self._log = structlog.get_logger(__name__)

    async def follow(self, hint: SubscriptionHint) -> None:
        """Store the subscriptions that an event is about.

        Raises StripeUnavailableError or StripeRefusedError; then nothing has changed.
        """
        with structlog.contextvars.bound_contextvars(
            stripe_event=hint.event_id, kind=hint.kind, subscription=hint.subscription
        ):
            asked_at = self._clock()
            if hint.kind == "customer.deleted" and hint.customer is not None:
                await self._record_deleted_customer(hint.customer)
            for answer in await self._load_answers(hint):
                try:
                    await self._store(answer, hint, asked_at)
                except PurchaseError as problem:
                    self._log.error("subscription not understood; nothing is changed", reason=str(problem))

    async def reconcile(self) -> None:
        """Compare the stored subscriptions with all of Stripe's, then report the seats.

        Raises StripeUnavailableError, or StripeRefusedError if the API key may list nothing. A failure for
        one subscription is logged, and the others go on.
        """
        comparison = StripeComparison(
            self._database, self._stripe, self.store_listed, self._is_sold, self._clock, self._grace
        )
        try:
            await comparison.run()
        finally:
            await self._report_seats()

    async def _report_seats(self) -> None:
        """Report the seats of all accounts, with one more try for those where Stripe could not be asked.

        Raises StripeUnavailableError after too many failures in a row.
        """
        failures, failed = ConsecutiveFailures(), list[int]()
        async for organization_id in accounts_with_billing(self._database):
            if not await self._report_seats_of(organization_id, failures):
                failed.append(organization_id)
        for organization_id in failed:
            await self._report_seats_of(organization_id, ConsecutiveFailures())

    async def _report_seats_of(self, organization_id: int, failures: ConsecutiveFailures) -> bool:
        """Report one account's seats. Returns False if Stripe could not be asked."""
        with isolated_account(self._log, "seats not reported", organization_id):
            try:
                if await self._seats.report(organization_id):
                    failures.reset()
            except StripeUnavailableError as problem:
                self._log.warning("seats not reported", reason=str(problem))
                failures.record(problem)
                return False
        return True

    async def store_listed(self, answer: Mapping[str, Any], asked_at: datetime) -> None:
        """Store a subscription that Stripe has listed. Raises PurchaseError."""
        hint = SubscriptionHint("", _DAILY, None, None)
        await self._store(dict(answer), hint, asked_at)

    async def _is_sold(self, answer: Mapping[str, Any]) -> bool:
        """Whether a subscription has a price of the App's plans, including earlier prices."""
        subscription = parse_subscription(answer)
        catalog = await self._lookups.catalog_for(subscription, is_stored=True)
        return any(catalog.plan_of(item.price) for item in subscription.items)

    async def _load_answers(self, hint: SubscriptionHint) -> Sequence[dict[str, Any]]:
        if hint.subscription is not None:
            answer = await self._stripe.get_subscription(hint.subscription)
            if answer is None:
                self._log.warning("Stripe knows no such subscription; nothing is changed")
            return [dict(answer)] if answer is not None else []
        customer = hint.customer or ""
        if hint.kind != "customer.deleted":
            return [dict(answer) for answer in await self._stripe.list_subscriptions(customer)]
        # Stripe lists no subscriptions of a deleted customer, but still answers for each of them.
        async with self._database.unscoped() as connection:
            tenants = await tenants_of_stripe(connection, customer, None)
        references = [
            subscription.reference
            for tenant in tenants
            for subscription in await self._list_live(tenant)
            if subscription.customer == customer
        ]
        answers = [await self._stripe.get_subscription(reference) for reference in references]
        return [dict(answer) for answer in answers if answer is not None]

    async def _record_deleted_customer(self, customer: str) -> None:
        async with self._database.unscoped() as connection:
            tenants = await tenants_of_stripe(connection, customer, None)
        for organization_id in tenants:
            async with self._database.tenant(organization_id) as tenant:
                await Subscriptions(tenant).set_customer_deleted(customer)

    async def _store(self, answer: dict[str, Any], hint: SubscriptionHint, asked_at: datetime) -> None:
        stripe_subscription = parse_subscription(answer)
        owner = await resolve_owner(self._database, stripe_subscription, hint)
        if owner is None:
            return
        async with self._database.tenant(owner.organization_id) as tenant:
            subscription = await SubscriptionLedger(tenant, self._clock(), self._grace).get_subscription(
                STRIPE, stripe_subscription.id
            )
        is_stored = subscription is not None
        catalog = await self._lookups.catalog_for(stripe_subscription, is_stored=is_stored)
        invoices = await self._lookups.invoices_for(stripe_subscription)
        async with self._database.tenant(owner.organization_id) as tenant:
            ledger, rows = SubscriptionLedger(tenant, self._clock(), self._grace), Subscriptions(tenant)
            await rows.lock()
            subscription = await ledger.get_subscription(STRIPE, stripe_subscription.id)
            try:
                reading = read_subscription(stripe_subscription, catalog, asked_at, subscription, invoices)
            except PurchaseError as problem:
                await self._record_unreadable(rows, stripe_subscription, owner, str(problem))
                return
            # The event is recorded in the transaction of its effects: both are stored, or neither.
            event_id = hint.event_id if hint.subscription else f"{hint.event_id}/{stripe_subscription.id}"
            if hint.event_id and not await rows.is_new_event(event_id, hint.kind):
                self._log.info("event of Stripe repeated; it has had its effect")
                return
            read = reading.subscription
            if read.status == "incomplete" and subscription is None:
                return  # The first payment has not succeeded: nothing is bought yet.
            if owner.problem is not None and subscription is not None:
                read = update_status(subscription, read)
            problems = [problem for problem in (owner.problem, reading.problem) if problem is not None]
            await ledger.record(read, LedgerCause("stripe", hint.kind, hint.event_id))
            await self._record_problems(rows, read, problems)

    async def _record_unreadable(
        self, rows: Subscriptions, stripe_subscription: StripeSubscription, owner: Owner, problem: str
    ) -> None:
        """Record a subscription that is not understood, if it names an account; else it may be unrelated."""
        if not owner.is_named:
            self._log.info("subscription of a customer of ours for something else", reason=problem)
            return
        self._log.error("subscription not understood; nothing is changed", reason=problem)
        has_ended = stripe_subscription.status in {"canceled", "incomplete", "incomplete_expired"}
        await rows.set_problem(stripe_subscription.id, None if has_ended else problem, self._clock())

    async def _record_problems(self, rows: Subscriptions, read: Subscription, problems: list[str]) -> None:
        """Record problems for `doctor`, until they are corrected or the subscription has ended."""
        if problems:
            self._log.error("subscription not understood; the rest of it applies", reason="; ".join(problems))
        sentence = "; ".join(problems) if problems and not read.has_ended else None
        await rows.set_problem(read.reference, sentence, self._clock())

    async def _list_live(self, organization_id: int) -> list[Subscription]:
        async with self._database.tenant(organization_id) as tenant:
            subscriptions = await Subscriptions(tenant).all()
        return [
            subscription
            for subscription in subscriptions
            if subscription.source == STRIPE and not subscription.has_ended
        ]
