"""Keeping up with Stripe: after each event it is asked what holds, and once a day for everything."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import structlog

from bot.billing.seat_reporting import SeatReporting
from bot.billing.settings import BillingSettings
from bot.billing.stripe_client import Stripe
from marketplace.books import Books, Cause
from marketplace.github_purchases import PurchaseError
from marketplace.stripe_subscriptions import About, Told, subscription_of, told
from storage.database import Database
from storage.lookups import all_tenants
from storage.subscriptions import (
    STRIPE,
    Subscription,
    Subscriptions,
    tenant_of_account,
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
        self._prices = settings.stripe.prices
        self._grace = settings.grace
        self._clock = clock
        self._seats = SeatReporting(database, stripe, settings, clock)
        self._log = structlog.get_logger(__name__)

    async def follow(self, about: About) -> None:
        """Acts on an event. Raises StripeUnavailableError or StripeRefusedError; then nothing has changed."""
        with structlog.contextvars.bound_contextvars(
            stripe_event=about.event_id, kind=about.kind, subscription=about.subscription
        ):
            asked_at = self._clock()
            for found in await self._asked(about):
                try:
                    await self._keep(found, about, asked_at)
                except PurchaseError as problem:
                    self._log.error("subscription not understood; nothing is changed", reason=str(problem))

    async def reconcile(self) -> None:
        """Asks for every subscription that has not ended, and reports the seats. Raises as `follow` does."""
        async with self._database.nobody() as connection:
            tenants = await all_tenants(connection)
        for organization_id in tenants:
            with structlog.contextvars.bound_contextvars(organization=organization_id):
                for one in await self._live(organization_id):
                    await self.follow(About("", _DAILY, one.customer, one.reference))
                await self._seats.report(organization_id)

    async def _asked(self, about: About) -> Sequence[dict[str, Any]]:
        if about.subscription is not None:
            found = await self._stripe.subscription(about.subscription)
            if found is None:
                self._log.warning("Stripe knows no such subscription; nothing is changed")
            return [dict(found)] if found is not None else []
        customer = about.customer or ""
        if about.kind != "customer.deleted":
            return [dict(one) for one in await self._stripe.subscriptions_of(customer)]
        # Stripe lists nothing of a customer who is gone, but tells of each subscription.
        async with self._database.nobody() as connection:
            tenants = await tenants_of_stripe(connection, customer, None)
        known = [one for tenant in tenants for one in await self._live(tenant) if one.customer == customer]
        asked = [await self._stripe.subscription(one.reference) for one in known]
        return [dict(one) for one in asked if one is not None]

    async def _keep(self, answer: dict[str, Any], about: About, asked_at: datetime) -> None:
        found = told(answer)
        organization_id = await self._owner(found, about)
        if organization_id is None:
            return
        async with self._database.tenant(organization_id) as tenant:
            books = Books(tenant, self._clock(), self._grace)
            known = await books.known(STRIPE, found.id)
            read = subscription_of(found, self._prices, asked_at, known)
            # The event is noted with what it brings about: both are kept, or neither.
            event_id = about.event_id if about.subscription else f"{about.event_id}/{found.id}"
            if about.event_id and not await Subscriptions(tenant).is_new_event(event_id, about.kind):
                self._log.info("event of Stripe repeated; it has had its effect")
                return
            if read.status == "incomplete" and known is None:
                return  # The first payment has not come through: nothing is bought yet.
            await books.keep(read, Cause("stripe", about.kind, about.event_id))

    async def _owner(self, found: Told, about: About) -> int | None:
        """Whose subscription it is. None, and a line in the log, where that is not clear."""
        accounts = {one for one in (found.account, about.account) if one is not None}
        async with self._database.nobody() as connection:
            known = set(await tenants_of_stripe(connection, found.customer, found.id))
            named = {await tenant_of_account(connection, account) for account in accounts}
        if None in named:
            self._log.error("subscription of an account that we do not know; nothing is changed")
            return None
        owners = known | {one for one in named if one is not None}
        if len(owners) == 1:
            return owners.pop()
        if owners:
            self._log.error(
                "subscription claimed for another account; nothing is changed", tenants=len(owners)
            )
        else:
            self._log.error("subscription without an account of ours; nothing is changed")
        return None

    async def _live(self, organization_id: int) -> list[Subscription]:
        async with self._database.tenant(organization_id) as tenant:
            every = await Subscriptions(tenant).all()
        return [one for one in every if one.source == STRIPE and not one.has_ended]
