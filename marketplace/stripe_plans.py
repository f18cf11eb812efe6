"""The plans of Stripe's prices, and the item of a subscription that is the plan.

Stripe's prices never change: a raise is a new price, and subscribers stay on the old one. So a plan is
identified by the configured price ids, by earlier ones, by the metadata of the price or its product, and only
then by the stored subscription.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marketplace.plans import PLANS, PlanName
from marketplace.stripe_objects import object_at, parse_id, parse_number, parse_text

# How many of an interval make up a year.
_IN_A_YEAR = {"year": 1, "month": 12, "week": 52, "day": 365}


@dataclass(frozen=True, slots=True)
class StripePrice:
    """A price of Stripe. `unit_amount` is in the smallest unit of `currency`; None for tiers and fractions.

    `plan` is the plan in the metadata of the price or of its expanded product. `is_yearly` is None where
    Stripe does not say.
    """

    id: str
    product: str | None = None
    unit_amount: int | None = None
    currency: str | None = None
    is_yearly: bool | None = None
    is_metered: bool = False
    plan: PlanName | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionItem:
    """An item of a subscription: a number of seats at a price. Its period is in Unix seconds."""

    id: str
    price: StripePrice
    quantity: int | None = None
    current_period_start: int | None = None
    current_period_end: int | None = None


@dataclass(frozen=True, slots=True)
class PlanCatalog:
    """The plans by Stripe's price ids: configured ones, with whether they are yearly, and earlier ones."""

    prices: Mapping[str, tuple[PlanName, bool]]
    others: Mapping[str, PlanName] = field(default_factory=dict)

    def plan_of(self, price: StripePrice) -> PlanName | None:
        """The plan of a price. None where neither its id nor its metadata name one."""
        if price.id in self.prices:
            return self.prices[price.id][0]
        return self.others.get(price.id) or price.plan

    def is_yearly(self, price: StripePrice) -> bool | None:
        """Whether a price is yearly, by Stripe's interval, else by settings."""
        if price.is_yearly is None and price.id in self.prices:
            return self.prices[price.id][1]
        return price.is_yearly


def parse_item(item: Mapping[str, Any]) -> SubscriptionItem | None:
    """Parse an item; old versions of Stripe's API have a `plan` instead of a `price`."""
    price = parse_price(item.get("price") or item.get("plan"))
    if price is None or item.get("deleted") is True:
        return None
    return SubscriptionItem(
        parse_id(item) or "",
        price,
        parse_number(item.get("quantity")),
        parse_number(item.get("current_period_start")),
        parse_number(item.get("current_period_end")),
    )


def parse_price(price: object) -> StripePrice | None:
    """Parse a price or a plan, expanded or as an id."""
    price_id = parse_id(price)
    if price_id is None:
        return None
    if not isinstance(price, Mapping):
        return StripePrice(price_id)
    recurring = price if price.get("recurring") is None else price["recurring"]
    amount = price.get("unit_amount") if "unit_amount" in price else price.get("amount")
    return StripePrice(
        price_id,
        product=parse_id(price.get("product")),
        unit_amount=parse_number(amount),
        currency=parse_currency(price.get("currency")),
        is_yearly=_is_yearly(object_at(recurring, "interval"), object_at(recurring, "interval_count")),
        is_metered=object_at(recurring, "usage_type") == "metered",
        plan=parse_plan(price.get("metadata")) or parse_plan(object_at(price.get("product"), "metadata")),
    )


def parse_plan(metadata: object) -> PlanName | None:
    """The paid plan that metadata name as `plan`, in any case; None without one."""
    name = (parse_text(object_at(metadata, "plan")) or "").strip().lower()
    plan = PlanName(name) if name in set(PlanName) else None
    # The free plan has no price that anybody pays.
    return plan if plan is not None and PLANS[plan].is_paid else None


def choose_plan_item(
    items: Sequence[SubscriptionItem], catalog: PlanCatalog, price_id: str | None
) -> SubscriptionItem | None:
    """Choose the item that is the plan; others may meter usage, or be sold in addition.

    Among several plans, the highest counts. Where no price is known, this is the item with the stored
    `price_id`, or else the first that is sold by the seat. None where there is no item.
    """

    def likelihood(item: SubscriptionItem) -> tuple[int, bool, bool, bool]:
        plan = catalog.plan_of(item.price)
        rank = PLANS[plan].rank if plan else -1
        return rank, item.quantity != 0, item.price.id == price_id, not item.price.is_metered

    return max(items, key=likelihood, default=None)


def _is_yearly(interval: object, count: object) -> bool | None:
    if not isinstance(interval, str) or interval not in _IN_A_YEAR:
        return None
    return (parse_number(count) or 1) >= _IN_A_YEAR[interval]


def parse_currency(value: object) -> str | None:
    """Parse a currency code (ISO 4217), in lower case; None if it is invalid."""
    code = (parse_text(value) or "").lower()
    return code if len(code) == 3 and code.isascii() and code.isalpha() else None
