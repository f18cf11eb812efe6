"""Stripe: parsing of its subscriptions and events.

An event is only a hint to ask Stripe, whose answer holds.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any

import msgspec

from marketplace.github_purchases import PurchaseError
from marketplace.plans import PlanName
from marketplace.stripe_objects import (
    list_objects,
    object_at,
    parse_id,
    parse_number,
    parse_text,
    parse_unix_time,
)
from marketplace.stripe_payments import find_oldest_due, is_collection_paused, is_payment_due
from marketplace.stripe_plans import (
    PlanCatalog,
    StripePrice,
    SubscriptionItem,
    choose_plan_item,
    parse_currency,
    parse_item,
    parse_plan,
)
from marketplace.stripe_refunds import PAYMENT_EVENTS, PaymentHint
from marketplace.stripe_schedules import parse_pending_change
from storage.subscriptions import STRIPE, Subscription

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
# The event that Stripe could not count usage. It is a thin event, without an object.
USAGE_REFUSED = "v1.billing.meter.error_report_triggered"
# The event that Stripe dropped usage, because no meter has its event name.
NO_METER = "v1.billing.meter.no_meter_found"

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

# The largest integer of PostgreSQL.
_MOST_SEATS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class StripeSubscription:
    """A subscription as Stripe answers it. `answer` is the whole answer.

    Old versions of Stripe's API have the period, the plan and the quantity beside the items.
    """

    id: str
    status: str
    customer: str | None = None
    items: tuple[SubscriptionItem, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def account(self) -> int | None:
        """GitHub's id of the account for which the subscription was bought; None if unknown."""
        return parse_account(self.metadata)

    def item(self, catalog: PlanCatalog, price_id: str | None = None) -> SubscriptionItem:
        """Choose the item that is the plan. Raises PurchaseError where there is no item.

        `price_id` is the stored price, for one that is not configured any more.
        """
        item = choose_plan_item(self.items, catalog, price_id)
        if item is None:
            raise PurchaseError(f"the subscription {self.id} has no items")
        return item


def parse_subscription(answer: Mapping[str, Any]) -> StripeSubscription:
    """Parse Stripe's answer, ignoring invalid fields. Raises PurchaseError without id or status."""
    subscription_id, status = parse_id(answer), parse_text(answer.get("status"))
    if subscription_id is None or status is None:
        raise PurchaseError("Stripe answered with a subscription that has no id or no status")
    metadata = answer.get("metadata")
    entries = list_objects(answer.get("items")) or [{**answer, "id": None}]
    return StripeSubscription(
        subscription_id,
        status,
        parse_id(answer.get("customer")),
        tuple(item for entry in entries if (item := parse_item(entry)) is not None),
        metadata if isinstance(metadata, Mapping) else {},
        answer,
    )


@dataclass(frozen=True, slots=True)
class SubscriptionReading:
    """A subscription to store. `problem` describes, for operators, the parts that were not understood."""

    subscription: Subscription
    problem: str | None = None


def read_subscription(
    stripe_subscription: StripeSubscription,
    catalog: PlanCatalog,
    read_at: datetime,
    subscription: Subscription | None,
    invoices: Iterable[Mapping[str, Any]] = (),
) -> SubscriptionReading:
    """Convert Stripe's answer. `subscription` is the stored one, `invoices` are those at Stripe.

    Status and end always apply; for the plan see `_plan`. Raises PurchaseError where nothing tells the plan
    or the status.
    """
    item = choose_plan_item(
        stripe_subscription.items, catalog, subscription.price_id if subscription else None
    )
    item = item or _stored_item(subscription)
    plan, plan_problem = _plan(stripe_subscription, item, catalog, subscription)
    status, status_problem = _status(stripe_subscription, read_at, subscription)
    quantity, quantity_problem = _quantity(stripe_subscription, item)
    period_end = parse_unix_time(
        item.current_period_end or parse_number(stripe_subscription.answer.get("current_period_end"))
    )
    is_yearly = catalog.is_yearly(item.price)
    has_ended = status == "ended"
    # A price in several currencies has the amount of its default one, which others do not pay.
    currency = parse_currency(stripe_subscription.answer.get("currency")) or item.price.currency
    return SubscriptionReading(
        Subscription(
            STRIPE,
            status,
            plan.value,
            read_at,
            reference=stripe_subscription.id,
            quantity=quantity,
            is_yearly=is_yearly if is_yearly is not None else bool(subscription and subscription.is_yearly),
            customer=stripe_subscription.customer,
            period_start=parse_unix_time(
                item.current_period_start
                or parse_number(stripe_subscription.answer.get("current_period_start"))
            ),
            period_end=None if has_ended else period_end,
            trial_ends=parse_unix_time(stripe_subscription.answer.get("trial_end")),
            past_due_since=_due_since(stripe_subscription, invoices, read_at, subscription),
            # A subscription whose first payment never came gave no access that could end.
            ended_at=parse_unix_time(stripe_subscription.answer.get("ended_at"))
            if stripe_subscription.status != "incomplete_expired"
            else None,
            pending=None
            if has_ended
            else parse_pending_change(stripe_subscription.answer, item, period_end, catalog, read_at),
            unit_amount=item.price.unit_amount if currency == item.price.currency else None,
            currency=currency,
            price_id=item.price.id,
            started_at=parse_unix_time(stripe_subscription.answer.get("start_date")),
        ),
        "; ".join(filter(None, (plan_problem, status_problem, quantity_problem))) or None,
    )


def update_status(subscription: Subscription, read: Subscription) -> Subscription:
    """Update only the status and the dates of a stored subscription to those of Stripe."""
    return replace(
        subscription,
        status=read.status,
        read_at=read.read_at,
        period_start=read.period_start,
        period_end=read.period_end,
        trial_ends=read.trial_ends,
        past_due_since=read.past_due_since,
        ended_at=read.ended_at,
        pending=read.pending,
        started_at=read.started_at,
    )


def _stored_item(subscription: Subscription | None) -> SubscriptionItem:
    """Make an item from the stored subscription, where Stripe has none."""
    if subscription is None:
        return SubscriptionItem("", StripePrice(""))
    price = StripePrice(
        subscription.price_id or "", unit_amount=subscription.unit_amount, currency=subscription.currency
    )
    return SubscriptionItem("", price, subscription.quantity)


def _plan(
    stripe_subscription: StripeSubscription,
    item: SubscriptionItem,
    catalog: PlanCatalog,
    subscription: Subscription | None,
) -> tuple[PlanName, str | None]:
    """The plan, by the price, the metadata of the checkout, or the stored subscription, in this order.

    The metadata may be older than a change in Stripe's portal, and the stored plan may be older still. Raises
    PurchaseError where none tells the plan.
    """
    if (plan := catalog.plan_of(item.price) or parse_plan(stripe_subscription.metadata)) is not None:
        return plan, None
    names = ", ".join(item.price.id for item in stripe_subscription.items) or "none"
    problem = (
        f"no STRIPE_…_PRICE_ID names a price of the subscription {stripe_subscription.id} ({names}): name "
        "the price in STRIPE_EARLIER_PRICE_IDS, or write the plan into its metadata as `plan`"
    )
    if subscription is None:
        raise PurchaseError(problem)
    return PlanName(subscription.plan), problem


def _status(
    stripe_subscription: StripeSubscription, read_at: datetime, subscription: Subscription | None
) -> tuple[str, str | None]:
    """Translate Stripe's status. An unknown one leaves the stored status. Raises PurchaseError without it."""
    status = _STATUS.get(stripe_subscription.status)
    if status == "active" and is_collection_paused(stripe_subscription.answer, read_at):
        return "paused", None
    if status is not None:
        return status, None
    unknown = stripe_subscription.status
    problem = f"the subscription {stripe_subscription.id} has a status that is not known: {unknown}"
    if subscription is None:
        raise PurchaseError(problem)
    return subscription.status, problem


def _quantity(
    stripe_subscription: StripeSubscription, item: SubscriptionItem
) -> tuple[int | None, str | None]:
    """The number of seats, limited to the range of a column, and the problem if it was limited."""
    if item.quantity is None or 0 <= item.quantity <= _MOST_SEATS:
        return item.quantity, None
    quantity = min(max(item.quantity, 0), _MOST_SEATS)
    problem = f"the subscription {stripe_subscription.id} has a quantity that cannot be kept: {item.quantity}"
    return quantity, f"{problem}; it is taken for {quantity}"


def _due_since(
    stripe_subscription: StripeSubscription,
    invoices: Iterable[Mapping[str, Any]],
    read_at: datetime,
    subscription: Subscription | None,
) -> datetime | None:
    """Since when a payment is due: by the unpaid invoices, or else by the stored subscription."""
    if stripe_subscription.status not in _STATUS and subscription is not None:
        return subscription.past_due_since
    if not is_payment_due(stripe_subscription.answer):
        return None
    stored = subscription.past_due_since if subscription else None
    listed = list(invoices)
    due = find_oldest_due(stripe_subscription.answer, listed, read_at)
    if (
        not listed and stored is not None
    ):  # The latest invoice alone may be a later one that is unpaid as well.
        return min(stored, due) if due else stored
    if due or stored:
        return due or stored
    # No unpaid invoice is left, for example because it was voided. A payment was due before the end at least.
    answer = stripe_subscription.answer
    paused_at = object_at(answer, "status_details", "paused", "transitioned_at")
    ends = [parse_unix_time(answer.get("ended_at")), parse_unix_time(paused_at)]
    return min([read_at, *(moment for moment in ends if moment is not None)])


@dataclass(frozen=True, slots=True)
class SubscriptionHint:
    """The ids in an event about a subscription, by which Stripe is asked for the rest."""

    event_id: str
    kind: str
    customer: str | None
    subscription: str | None
    account: int | None = None


class _Data(msgspec.Struct):
    object: dict[str, Any] = {}


class StripeEvent(msgspec.Struct):
    """The fields of an event of Stripe that are used.

    `account` is set for events of accounts that are connected to the operator's own. `livemode` is false for
    what happens in test mode.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{0,255}\Z")]
    type: str
    object: str = "event"
    data: _Data = msgspec.field(default_factory=_Data)
    livemode: bool | None = None
    account: str | None = None

    def payment_hint(self) -> PaymentHint | None:
        """The refund or dispute of the event; None for other events."""
        payload = self.data.object
        reference = parse_id(payload)
        if self.type not in PAYMENT_EVENTS or reference is None or not self.id:
            return None
        charge = reference if self.type == "charge.refunded" else parse_id(payload.get("charge"))
        return PaymentHint(self.id, self.type, reference, charge, parse_id(payload.get("customer")))

    def subscription_hint(self) -> SubscriptionHint | None:
        """The subscription of the event, or the deleted customer; None for other events."""
        payload = self.data.object
        customer = parse_id(payload.get("customer"))
        subscription = parse_id(payload.get("subscription"))
        account = None
        if self.type == "customer.deleted":
            customer = parse_id(payload.get("id"))
        elif self.type.startswith("customer.subscription."):
            subscription = parse_id(payload.get("id"))
        elif self.type.startswith("invoice.") and subscription is None:
            subscription = parse_id(object_at(payload, "parent", "subscription_details", "subscription"))
        elif self.type.startswith("checkout."):
            account = parse_account(payload.get("metadata"))
        if subscription is None and self.type != "customer.deleted":
            return None
        return SubscriptionHint(self.id, self.type, customer, subscription, account)


def parse_account(metadata: object) -> int | None:
    """Parse GitHub's id of the account from metadata that a checkout wrote."""
    account = metadata.get("account") if isinstance(metadata, Mapping) else None
    return int(account) if isinstance(account, str) and re.fullmatch(r"[0-9]{1,18}", account) else None
