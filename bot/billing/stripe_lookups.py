"""Looks up prices, products and invoices at Stripe where the subscription alone has too little data.

A lookup that Stripe refuses never blocks the subscription: its result is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot.billing.stripe_port import Stripe, StripeRefusedError, StripeUnavailableError
from bot.settings.billing import StripeSettings
from marketplace.plans import PlanName
from marketplace.stripe_payments import is_payment_due
from marketplace.stripe_plans import PlanCatalog, StripePrice, parse_price
from marketplace.stripe_subscriptions import StripeSubscription


class StripeLookups:
    """Looks up prices, products and invoices. A price never changes its product, so that is cached."""

    def __init__(self, stripe: Stripe, settings: StripeSettings) -> None:
        self._stripe = stripe
        self._catalog = PlanCatalog(settings.prices, settings.earlier_prices)
        self._products = dict[str, str]()
        self._log = structlog.get_logger(__name__)

    async def catalog_for(self, subscription: StripeSubscription, *, is_stored: bool) -> PlanCatalog:
        """Return the plans by price, including plans that are identified only by a price's product.

        With `is_stored`, the subscription is stored, so that its plan is known without lookups. Raises
        StripeUnavailableError only without.
        """
        prices = [item.price for item in subscription.items if not item.price.is_metered]
        self._products |= {price.id: price.product for price in prices if price.product is not None}
        if any(self._catalog.plan_of(price) for price in prices):
            return self._catalog
        plans = dict[str, PlanName]()
        try:
            for price in prices:
                if plan := await self._find_plan_by_product(price):
                    plans[price.id] = plan
        except StripeUnavailableError as problem:
            if not is_stored:
                raise
            self._log.warning("prices cannot be asked for; the plan stays as it was", reason=str(problem))
        return replace(self._catalog, others={**self._catalog.others, **plans})

    async def invoices_for(self, subscription: StripeSubscription) -> Sequence[Mapping[str, Any]]:
        """Return the invoices of a subscription whose payment is due. Empty for others, or if refused."""
        if not is_payment_due(subscription.answer):
            return ()
        try:
            return await self._stripe.list_invoices(subscription.id)
        except (StripeRefusedError, StripeUnavailableError) as problem:
            self._log.warning("invoices cannot be asked for; the latest one counts", reason=str(problem))
            return ()

    async def _find_plan_by_product(self, price: StripePrice) -> PlanName | None:
        """Return the plan in a product's metadata, or that of the product's other prices in the settings."""
        found_price = await self._load_price(price.id)
        if found_price is not None and found_price.plan is not None:
            return found_price.plan
        product = self._products.get(price.id)
        plans = {
            plan
            for price_id, plan in self._plans_by_price().items()
            if product is not None and await self._load_product(price_id) == product
        }
        return (
            plans.pop() if len(plans) == 1 else None
        )  # A product with prices of two plans decides for neither.

    def _plans_by_price(self) -> dict[str, PlanName]:
        return {**self._catalog.others, **{name: plan for name, (plan, _) in self._catalog.prices.items()}}

    async def _load_product(self, price_id: str) -> str | None:
        if price_id not in self._products:
            await self._load_price(price_id)
        return self._products.get(price_id)

    async def _load_price(self, price_id: str) -> StripePrice | None:
        try:
            price = parse_price(await self._stripe.get_price(price_id))
        except StripeRefusedError as problem:
            self._log.warning("price cannot be asked for", price=price_id, reason=str(problem))
            return None
        if price is not None and price.product is not None:
            self._products[price_id] = price.product
        return price
