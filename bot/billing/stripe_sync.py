"""Keeping up with Stripe: after each event it is asked what holds, and once a day for everything."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from bot.billing.comparison import StripeComparison
from bot.billing.isolation import FailuresInARow, all_accounts, isolated_account
from bot.billing.seat_reporting import SeatReporting
from bot.billing.stripe_client import Stripe, StripeUnavailableError
from bot.billing.stripe_lookups import StripeLookups
from bot.billing.stripe_owners import Owner, owner_of
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
    """Brings our books into line with Stripe."""

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

    async def follow(self, about: SubscriptionHint) -> None:
        """Acts on an event. Raises StripeUnavailableError or StripeRefusedError; then nothing has changed."""
        with structlog.contextvars.bound_contextvars(
            stripe_event=about.event_id, kind=about.kind, subscription=about.subscription
        ):
            asked_at = self._clock()
            if about.kind == "customer.deleted" and about.customer is not None:
                await self._note_deleted_customer(about.customer)
            for answer in await self._asked(about):
                try:
                    await self._keep(answer, about, asked_at)
                except PurchaseError as problem:
                    self._log.error("subscription not understood; nothing is changed", reason=str(problem))

    async def reconcile(self) -> None:
        """Compare our books with all that Stripe has, then report the seats.

        Raises StripeUnavailableError, or StripeRefusedError where Stripe lets us list nothing. What fails for
        one subscription only is logged, and the others go on.
        """
        comparison = StripeComparison(
            self._database, self._stripe, self.keep_listed, self._is_sold, self._clock, self._grace
        )
        try:
            await comparison.run()
        finally:
            await self._report_seats()

    async def _report_seats(self) -> None:
        """Report the seats of all accounts, once more of those for which Stripe could not be asked.

        Raises StripeUnavailableError where Stripe is away.
        """
        failures, failed = FailuresInARow(), list[int]()
        for organization_id in await all_accounts(self._database):
            if not await self._report_seats_of(organization_id, failures):
                failed.append(organization_id)
        for organization_id in failed:
            await self._report_seats_of(organization_id, FailuresInARow())

    async def _report_seats_of(self, organization_id: int, failures: FailuresInARow) -> bool:
        """Return False where Stripe could not be asked for this account."""
        with isolated_account(self._log, "seats not reported", organization_id):
            try:
                if await self._seats.report(organization_id):
                    failures.end()
            except StripeUnavailableError as problem:
                self._log.warning("seats not reported", reason=str(problem))
                failures.note(problem)
                return False
        return True

    async def keep_listed(self, answer: Mapping[str, Any], asked_at: datetime) -> None:
        """Keep a subscription that Stripe has listed. Raises PurchaseError."""
        about = SubscriptionHint("", _DAILY, None, None)
        await self._keep(dict(answer), about, asked_at)

    async def _is_sold(self, answer: Mapping[str, Any]) -> bool:
        """Whether a subscription has a price of ours, one that is sold no more included."""
        subscription = parse_subscription(answer)
        catalog = await self._lookups.catalog_for(subscription, is_kept=True)
        return any(catalog.plan_of(item.price) for item in subscription.items)

    async def _asked(self, about: SubscriptionHint) -> Sequence[dict[str, Any]]:
        if about.subscription is not None:
            answer = await self._stripe.subscription(about.subscription)
            if answer is None:
                self._log.warning("Stripe knows no such subscription; nothing is changed")
            return [dict(answer)] if answer is not None else []
        customer = about.customer or ""
        if about.kind != "customer.deleted":
            return [dict(answer) for answer in await self._stripe.subscriptions_of(customer)]
        # Stripe lists nothing of a customer who is gone, but tells of each subscription.
        async with self._database.unscoped() as connection:
            tenants = await tenants_of_stripe(connection, customer, None)
        references = [
            subscription.reference
            for tenant in tenants
            for subscription in await self._live(tenant)
            if subscription.customer == customer
        ]
        answers = [await self._stripe.subscription(reference) for reference in references]
        return [dict(answer) for answer in answers if answer is not None]

    async def _note_deleted_customer(self, customer: str) -> None:
        async with self._database.unscoped() as connection:
            tenants = await tenants_of_stripe(connection, customer, None)
        for organization_id in tenants:
            async with self._database.tenant(organization_id) as tenant:
                await Subscriptions(tenant).set_customer_deleted(customer)

    async def _keep(self, answer: dict[str, Any], about: SubscriptionHint, asked_at: datetime) -> None:
        answered = parse_subscription(answer)
        owner = await owner_of(self._database, answered, about)
        if owner is None:
            return
        async with self._database.tenant(owner.organization_id) as tenant:
            subscription = await SubscriptionLedger(tenant, self._clock(), self._grace).get_subscription(
                STRIPE, answered.id
            )
        is_kept = subscription is not None
        catalog = await self._lookups.catalog_for(answered, is_kept=is_kept)
        invoices = await self._lookups.invoices_for(answered)
        async with self._database.tenant(owner.organization_id) as tenant:
            books, rows = SubscriptionLedger(tenant, self._clock(), self._grace), Subscriptions(tenant)
            await rows.lock()
            subscription = await books.get_subscription(STRIPE, answered.id)
            try:
                reading = read_subscription(answered, catalog, asked_at, subscription, invoices)
            except PurchaseError as problem:
                await self._note_unread(rows, answered, owner, str(problem))
                return
            # The event is noted with what it brings about: both are kept, or neither.
            event_id = about.event_id if about.subscription else f"{about.event_id}/{answered.id}"
            if about.event_id and not await rows.is_new_event(event_id, about.kind):
                self._log.info("event of Stripe repeated; it has had its effect")
                return
            read = reading.subscription
            if read.status == "incomplete" and subscription is None:
                return  # The first payment has not come through: nothing is bought yet.
            if owner.problem is not None and subscription is not None:
                read = update_status(subscription, read)
            problems = [problem for problem in (owner.problem, reading.problem) if problem is not None]
            await books.record(read, LedgerCause("stripe", about.kind, about.event_id))
            await self._note_problems(rows, read, problems)

    async def _note_unread(
        self, rows: Subscriptions, answered: StripeSubscription, owner: Owner, problem: str
    ) -> None:
        """What is not ours is passed over: the operator may sell other things to the same customer."""
        if not owner.is_named:
            self._log.info("subscription of a customer of ours for something else", reason=problem)
            return
        self._log.error("subscription not understood; nothing is changed", reason=problem)
        is_over = answered.status in {"canceled", "incomplete", "incomplete_expired"}
        await rows.set_problem(answered.id, None if is_over else problem, self._clock())

    async def _note_problems(self, rows: Subscriptions, read: Subscription, problems: list[str]) -> None:
        """`doctor` shows them until they are mended, or the subscription has ended."""
        if problems:
            self._log.error("subscription not understood; the rest of it applies", reason="; ".join(problems))
        sentence = "; ".join(problems) if problems and not read.has_ended else None
        await rows.set_problem(read.reference, sentence, self._clock())

    async def _live(self, organization_id: int) -> list[Subscription]:
        async with self._database.tenant(organization_id) as tenant:
            subscriptions = await Subscriptions(tenant).all()
        return [
            subscription
            for subscription in subscriptions
            if subscription.source == STRIPE and not subscription.has_ended
        ]
