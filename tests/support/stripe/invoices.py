"""The invoices of the stand-in for Stripe: prorations, renewals, and cards that are declined.

As https://docs.stripe.com/billing/subscriptions/prorations describes them: `create_prorations` leaves an item for
the next invoice, `always_invoice` makes one at once, negative ones become credit and are never refunded.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
UNIT_AMOUNTS = {"price_pro": 600, "price_year": 6_000, "price_big": 1_000}


@dataclass
class StandInInvoices:
    """Charges are in cents, by subscription, in their order. `now` is the stand-in's clock, in seconds."""

    now: Callable[[], float] = time.time
    is_card_declined: bool = False
    charged: dict[str, list[int]] = field(default_factory=dict)
    pending: dict[str, int] = field(default_factory=dict)

    def update(self, subscription: Json, parameters: Json) -> str | None:
        """Change the quantity. Returns why the card was declined, where nothing was changed for that."""
        item = _item(subscription, parameters["items"])
        quantity = int(parameters["items"]["0"]["quantity"])
        behavior = parameters.get("proration_behavior", "create_prorations")
        amount = 0 if behavior == "none" else self._proration(subscription, item, quantity)
        if behavior == "always_invoice" and amount > 0 and self.is_card_declined:
            if parameters.get("payment_behavior", "allow_incomplete") == "error_if_incomplete":
                return "Your card was declined."
            subscription["status"] = "past_due"
        elif behavior == "always_invoice" and amount > 0:
            self.charged.setdefault(subscription["id"], []).append(amount)
        elif amount:
            self.pending[subscription["id"]] = self.pending.get(subscription["id"], 0) + amount
        item["quantity"] = quantity
        return None

    def preview(self, subscription: Json, parameters: Json) -> Json:
        """The invoice that a change of quantity would make at once."""
        details = parameters["subscription_details"]
        item = _item(subscription, details["items"])
        assert details["proration_behavior"] == "always_invoice"
        seconds = int(details["proration_date"])
        amount = self._proration(subscription, item, int(details["items"]["0"]["quantity"]), seconds)
        return {"id": "upcoming_in_1", "object": "invoice", "amount_due": max(amount, 0), "currency": "usd"}

    def renew(self, subscription: Json) -> None:
        """A new period begins: what was left for the next invoice is on it. Credit beyond it is kept."""
        (item,) = subscription["items"]["data"]
        amount = item["quantity"] * _unit_amount(item) + self.pending.pop(subscription["id"], 0)
        self.charged.setdefault(subscription["id"], []).append(max(amount, 0))
        if amount < 0:
            self.pending[subscription["id"]] = amount
        start, end = item["current_period_start"], item["current_period_end"]
        item["current_period_start"], item["current_period_end"] = end, end + (end - start)

    def _proration(self, subscription: Json, item: Json, quantity: int, seconds: float | None = None) -> int:
        if subscription["status"] == "trialing":
            return 0
        start, end = item["current_period_start"], item["current_period_end"]
        remaining: int = max(end - int(self.now() if seconds is None else seconds), 0)
        added: int = (quantity - item["quantity"]) * _unit_amount(item)
        period: int = end - start
        return added * remaining // period


def _item(subscription: Json, items: Json) -> Json:
    name = items["0"]["id"]
    result: Json = next(item for item in subscription["items"]["data"] if item["id"] == name)
    return result


def _unit_amount(item: Json) -> int:
    return UNIT_AMOUNTS.get(item["price"]["id"], 0)
