"""Which of our plans a price of Stripe is, and which item of a subscription is the plan.

Stripe's prices never change: a rise is a new price, and subscribers stay on the old one. So a plan is known
by the price's id, by an earlier one, by the price's metadata, by its product, and only then by what we
remember.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marketplace.plans import PLANS, PlanName
from marketplace.stripe_objects import id_of, number_of, object_at, text_of

# How many of an interval make up a year.
_IN_A_YEAR = {"year": 1, "month": 12, "week": 52, "day": 365}


@dataclass(frozen=True, slots=True)
class StripePrice:
    """A price of Stripe. `unit_amount` is in the smallest unit of `currency`; None for tiers and fractions.

    `plan` is what the metadata of the price or of its expanded product name. `is_yearly` is None where Stripe
    does not say.
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
    """An item of a subscription: so many seats at a price."""

    id: str
    price: StripePrice
    quantity: int | None = None
    current_period_start: int | None = None
    current_period_end: int | None = None


@dataclass(frozen=True, slots=True)
class PlanCatalog:
    """What we sell by Stripe's ids of prices: those that are set up now, and others that are known."""

    prices: Mapping[str, tuple[PlanName, bool]]
    others: Mapping[str, PlanName] = field(default_factory=dict)

    def plan_of(self, price: StripePrice) -> PlanName | None:
        """The plan that a price is. None where neither its id nor its metadata tell."""
        if price.id in self.prices:
            return self.prices[price.id][0]
        return self.others.get(price.id) or price.plan

    def is_yearly(self, price: StripePrice) -> bool | None:
        """Whether a price is by the year. Stripe's own word counts before the name of our setting."""
        if price.is_yearly is None and price.id in self.prices:
            return self.prices[price.id][1]
        return price.is_yearly


def parse_item(item: Mapping[str, Any]) -> SubscriptionItem | None:
    """Reads an item; old versions of Stripe's API tell of a `plan` instead of a `price`."""
    price = parse_price(item.get("price") or item.get("plan"))
    if price is None or item.get("deleted") is True:
        return None
    return SubscriptionItem(
        id_of(item) or "",
        price,
        number_of(item.get("quantity")),
        number_of(item.get("current_period_start")),
        number_of(item.get("current_period_end")),
    )


def parse_price(price: object) -> StripePrice | None:
    """Reads a price or a plan, be it expanded or an id."""
    price_id = id_of(price)
    if price_id is None:
        return None
    if not isinstance(price, Mapping):
        return StripePrice(price_id)
    recurring = price if price.get("recurring") is None else price["recurring"]
    amount = price.get("unit_amount") if "unit_amount" in price else price.get("amount")
    return StripePrice(
        price_id,
        product=id_of(price.get("product")),
        unit_amount=number_of(amount),
        currency=currency_of(price.get("currency")),
        is_yearly=_is_yearly(object_at(recurring, "interval"), object_at(recurring, "interval_count")),
        is_metered=object_at(recurring, "usage_type") == "metered",
        plan=plan_in(price.get("metadata")) or plan_in(object_at(price.get("product"), "metadata")),
    )


def plan_in(metadata: object) -> PlanName | None:
    """The plan that metadata name as `plan`, in any case."""
    name = (text_of(object_at(metadata, "plan")) or "").strip().lower()
    plan = PlanName(name) if name in set(PlanName) else None
    # A price of the free plan is none that anybody pays.
    return plan if plan is not None and PLANS[plan].is_paid else None


def plan_item(
    items: Sequence[SubscriptionItem], catalog: PlanCatalog, price_id: str | None = None
) -> SubscriptionItem | None:
    """The item that is the plan; others may count usage, or be sold beside it.

    Of several plans the highest counts. Where no price is understood, it is the item with `price_id`, which
    our books hold, or else the first that is sold by the seat. None where there is no item.
    """

    def likelihood(item: SubscriptionItem) -> tuple[int, bool, bool, bool]:
        plan = catalog.plan_of(item.price)
        rank = PLANS[plan].rank if plan else -1
        return rank, item.quantity != 0, item.price.id == price_id, not item.price.is_metered

    return max(items, key=likelihood, default=None)


def _is_yearly(interval: object, count: object) -> bool | None:
    if not isinstance(interval, str) or interval not in _IN_A_YEAR:
        return None
    return (number_of(count) or 1) >= _IN_A_YEAR[interval]


def currency_of(value: object) -> str | None:
    """A currency's code by ISO 4217, in lower case."""
    code = (text_of(value) or "").lower()
    return code if len(code) == 3 and code.isascii() and code.isalpha() else None
