"""Stripe: what its subscriptions and events mean. An event is a hint; what Stripe answers is what holds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from marketplace.github_purchases import PurchaseError
from marketplace.plans import PlanName
from storage.subscriptions import STRIPE, Pending, Subscription

EVENTS = frozenset(
    {
        "checkout.session.completed",
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "invoice.paid",
        "invoice.payment_failed",
        "customer.deleted",
    }
)
# Usage that Stripe could not count. It comes as a thin event, without an object.
USAGE_REFUSED = "v1.billing.meter.error_report_triggered"

# Stripe's ids are words. PostgreSQL could not store every other character.
_ID = re.compile(r"[!-~]{1,255}")

_STATUS = {
    "trialing": "trialing",
    "active": "active",
    "past_due": "past_due",
    "unpaid": "unpaid",
    "paused": "paused",
    "incomplete": "incomplete",
    "incomplete_expired": "ended",
    "canceled": "ended",
}

Prices = Mapping[str, tuple[PlanName, bool]]


class _Price(msgspec.Struct):
    id: str
    unit_amount: int | None = None
    currency: str | None = None


class _Item(msgspec.Struct):
    id: str
    price: _Price
    quantity: int | None = None
    current_period_start: int | None = None
    current_period_end: int | None = None


class _Items(msgspec.Struct):
    data: list[_Item]


class Told(msgspec.Struct):
    """A subscription as Stripe tells it, as far as it is read. Older versions tell the period beside it."""

    id: str
    customer: str
    status: str
    items: _Items
    metadata: dict[str, str] = {}
    current_period_start: int | None = None
    current_period_end: int | None = None
    trial_end: int | None = None
    ended_at: int | None = None
    cancel_at: int | None = None
    cancel_at_period_end: bool = False
    latest_invoice: Any = None

    @property
    def account(self) -> int | None:
        """GitHub's id of the account that it was bought for."""
        return account_in(self.metadata)

    def item(self, prices: Prices) -> _Item:
        """The item that is a plan of ours; others may count usage. Raises PurchaseError."""
        for one in self.items.data:
            if one.price.id in prices:
                return one
        known = ", ".join(one.price.id for one in self.items.data) or "none"
        raise PurchaseError(f"no STRIPE_…_PRICE_ID names a price of the subscription {self.id} ({known})")


def told(answer: Mapping[str, Any]) -> Told:
    """Stripe's answer. Raises PurchaseError."""
    try:
        return msgspec.convert(answer, Told)
    except msgspec.ValidationError as problem:
        raise PurchaseError(f"Stripe told of a subscription that cannot be read: {problem}") from None


def subscription_of(
    found: Told, prices: Prices, read_at: datetime, known: Subscription | None
) -> Subscription:
    """What was bought. Raises PurchaseError for a price or a status that we do not know."""
    item = found.item(prices)
    plan, is_yearly = prices[item.price.id]
    status = _STATUS.get(found.status)
    if status is None:
        raise PurchaseError(f"the subscription {found.id} has a status that is not known: {found.status}")
    ends = _at(item.current_period_end or found.current_period_end)
    cancels_at = _at(found.cancel_at) or (ends if found.cancel_at_period_end else None)
    has_ended = status == "ended"
    return Subscription(
        STRIPE,
        status,
        plan.value,
        read_at,
        reference=found.id,
        quantity=item.quantity,
        is_yearly=is_yearly,
        customer=found.customer,
        period_start=_at(item.current_period_start or found.current_period_start),
        period_end=None if has_ended else ends,
        trial_ends=_at(found.trial_end),
        past_due_since=_due_since(found, read_at, known) if status in {"past_due", "unpaid"} else None,
        # One whose first payment never came has given nothing that could end.
        ended_at=_at(found.ended_at) if found.status != "incomplete_expired" else None,
        pending=Pending(None, None, cancels_at) if cancels_at and not has_ended else None,
        unit_amount=item.price.unit_amount,
        currency=item.price.currency,
        price_id=item.price.id,
    )


def _due_since(found: Told, read_at: datetime, known: Subscription | None) -> datetime:
    """Since the invoice that failed; a next one, still unpaid, does not begin anew."""
    if known is not None and known.past_due_since is not None:
        return known.past_due_since
    invoice = found.latest_invoice
    created = invoice.get("created") if isinstance(invoice, Mapping) else None
    return _at(created) or read_at


@dataclass(frozen=True, slots=True)
class About:
    """What an event of Stripe is about: ids only."""

    event_id: str
    kind: str
    customer: str | None
    subscription: str | None
    account: int | None = None


class _Data(msgspec.Struct):
    object: dict[str, Any] = {}


class Event(msgspec.Struct):
    """An event as it arrives, as far as it is read."""

    id: Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{0,255}\Z")]
    type: str
    object: str = "event"
    data: _Data = msgspec.field(default_factory=_Data)

    def about(self) -> About | None:
        """What it is about. None if that is no subscription."""
        shown = self.data.object
        customer = _id(shown.get("customer"))
        subscription = _id(shown.get("subscription"))
        account = None
        if self.type == "customer.deleted":
            customer = _id(shown.get("id"))
        elif self.type.startswith("customer.subscription."):
            subscription = _id(shown.get("id"))
        elif self.type.startswith("invoice.") and subscription is None:
            subscription = _id(_within(shown, "parent", "subscription_details", "subscription"))
        elif self.type.startswith("checkout."):
            account = account_in(shown.get("metadata"))
        if subscription is None and self.type != "customer.deleted":
            return None
        return About(self.id, self.type, customer, subscription, account)


def account_in(metadata: object) -> int | None:
    """GitHub's id of the account, as a checkout of ours wrote it down."""
    account = metadata.get("account") if isinstance(metadata, Mapping) else None
    return int(account) if isinstance(account, str) and re.fullmatch(r"[0-9]{1,18}", account) else None


def _id(value: object) -> str | None:
    """An object's id, whether it was expanded or not."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _within(shown: Mapping[str, Any], *path: str) -> object:
    found: object = shown
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _at(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
