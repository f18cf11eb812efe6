"""Stripe: what its subscriptions and events mean. An event is a hint; what Stripe answers is what holds."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any

import msgspec

from marketplace.github_purchases import PurchaseError
from marketplace.plans import PlanName
from marketplace.stripe_objects import id_of, moment_of, number_of, object_at, objects_in, text_of
from marketplace.stripe_payments import is_collection_paused, is_payment_due, oldest_due
from marketplace.stripe_plans import (
    PlanCatalog,
    StripePrice,
    SubscriptionItem,
    currency_of,
    parse_item,
    plan_in,
    plan_item,
)
from marketplace.stripe_refunds import PAYMENT_EVENTS, PaymentHint
from marketplace.stripe_schedules import pending_change
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
# Usage that Stripe could not count. It comes as a thin event, without an object.
USAGE_REFUSED = "v1.billing.meter.error_report_triggered"
# The same, because no meter has the event name that usage was reported under.
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

# What PostgreSQL's integer takes.
_MOST_SEATS = 2**31 - 1

Prices = Mapping[str, tuple[PlanName, bool]]


@dataclass(frozen=True, slots=True)
class StripeSubscription:
    """A subscription as Stripe answers it. `answer` is the whole answer.

    Old versions of Stripe's API tell the period, the plan and the quantity beside the items.
    """

    id: str
    status: str
    customer: str | None = None
    items: tuple[SubscriptionItem, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def account(self) -> int | None:
        """GitHub's id of the account that it was bought for."""
        return account_in(self.metadata)

    def item(self, prices: Prices | PlanCatalog, price_id: str | None = None) -> SubscriptionItem:
        """The item that is a plan of ours; others may count usage. Raises PurchaseError where there is none.

        `price_id` is the price that our books hold, for a price that is not understood any more.
        """
        item = plan_item(self.items, _catalog(prices), price_id)
        if item is None:
            raise PurchaseError(f"the subscription {self.id} has no items")
        return item


def parse_subscription(answer: Mapping[str, Any]) -> StripeSubscription:
    """Reads Stripe's answer; odd fields cost only themselves. Raises PurchaseError without id or status."""
    subscription_id, status = id_of(answer), text_of(answer.get("status"))
    if subscription_id is None or status is None:
        raise PurchaseError("Stripe answered with a subscription that has no id or no status")
    metadata = answer.get("metadata")
    entries = objects_in(answer.get("items")) or [{**answer, "id": None}]
    return StripeSubscription(
        subscription_id,
        status,
        id_of(answer.get("customer")),
        tuple(item for entry in entries if (item := parse_item(entry)) is not None),
        metadata if isinstance(metadata, Mapping) else {},
        answer,
    )


@dataclass(frozen=True, slots=True)
class SubscriptionReading:
    """What is to be kept of a subscription. `problem` says what was not understood, for operators."""

    subscription: Subscription
    problem: str | None = None


def read_subscription(
    found: StripeSubscription,
    prices: Prices | PlanCatalog,
    read_at: datetime,
    subscription: Subscription | None,
    invoices: Iterable[Mapping[str, Any]] = (),
) -> SubscriptionReading:
    """What was bought. `subscription` is what our books hold of it, `invoices` are Stripe's of it.

    Status and end always apply. The plan is what is known: see `_plan`. Raises PurchaseError where nothing
    tells the plan or the status.
    """
    catalog = _catalog(prices)
    item = plan_item(found.items, catalog, subscription.price_id if subscription else None)
    item = item or _remembered(subscription)
    plan, plan_problem = _plan(found, item, catalog, subscription)
    status, status_problem = _status(found, read_at, subscription)
    quantity, quantity_problem = _quantity(found, item)
    period_end = moment_of(item.current_period_end or number_of(found.answer.get("current_period_end")))
    is_yearly = catalog.is_yearly(item.price)
    has_ended = status == "ended"
    # A price in several currencies shows the amount in its default one, which others do not pay.
    currency = currency_of(found.answer.get("currency")) or item.price.currency
    return SubscriptionReading(
        Subscription(
            STRIPE,
            status,
            plan.value,
            read_at,
            reference=found.id,
            quantity=quantity,
            is_yearly=is_yearly if is_yearly is not None else bool(subscription and subscription.is_yearly),
            customer=found.customer,
            period_start=moment_of(
                item.current_period_start or number_of(found.answer.get("current_period_start"))
            ),
            period_end=None if has_ended else period_end,
            trial_ends=moment_of(found.answer.get("trial_end")),
            past_due_since=_due_since(found, invoices, read_at, subscription),
            # A subscription whose first payment never came has given nothing that could end.
            ended_at=moment_of(found.answer.get("ended_at"))
            if found.status != "incomplete_expired"
            else None,
            pending=None if has_ended else pending_change(found.answer, item, period_end, catalog, read_at),
            unit_amount=item.price.unit_amount if currency == item.price.currency else None,
            currency=currency,
            price_id=item.price.id,
            started_at=moment_of(found.answer.get("start_date")),
        ),
        "; ".join(filter(None, (plan_problem, status_problem, quantity_problem))) or None,
    )


def with_status_of(subscription: Subscription, read: Subscription) -> Subscription:
    """A subscription of our books with nothing but the status and the dates that Stripe tells now."""
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


def _catalog(prices: Prices | PlanCatalog) -> PlanCatalog:
    return prices if isinstance(prices, PlanCatalog) else PlanCatalog(prices)


def _remembered(subscription: Subscription | None) -> SubscriptionItem:
    """Stands for the item where Stripe shows none: what our books hold."""
    if subscription is None:
        return SubscriptionItem("", StripePrice(""))
    price = StripePrice(
        subscription.price_id or "", unit_amount=subscription.unit_amount, currency=subscription.currency
    )
    return SubscriptionItem("", price, subscription.quantity)


def _plan(
    found: StripeSubscription, item: SubscriptionItem, catalog: PlanCatalog, subscription: Subscription | None
) -> tuple[PlanName, str | None]:
    """The plan, by the price first. The metadata that our checkout wrote may be older than a change in
    Stripe's portal, and our books may be older still. Raises PurchaseError.
    """
    if (plan := catalog.plan_of(item.price) or plan_in(found.metadata)) is not None:
        return plan, None
    names = ", ".join(item.price.id for item in found.items) or "none"
    problem = (
        f"no STRIPE_…_PRICE_ID names a price of the subscription {found.id} ({names}): name the price in "
        "STRIPE_EARLIER_PRICE_IDS, or write the plan into its metadata as `plan`"
    )
    if subscription is None:
        raise PurchaseError(problem)
    return PlanName(subscription.plan), problem


def _status(
    found: StripeSubscription, read_at: datetime, subscription: Subscription | None
) -> tuple[str, str | None]:
    """Our word for Stripe's status. With a new one, what was given goes on. Raises PurchaseError."""
    status = _STATUS.get(found.status)
    if status == "active" and is_collection_paused(found.answer, read_at):
        return "paused", None
    if status is not None:
        return status, None
    problem = f"the subscription {found.id} has a status that is not known: {found.status}"
    if subscription is None:
        raise PurchaseError(problem)
    return subscription.status, problem


def _quantity(found: StripeSubscription, item: SubscriptionItem) -> tuple[int | None, str | None]:
    """The number of seats, as far as our books can hold it."""
    if item.quantity is None or 0 <= item.quantity <= _MOST_SEATS:
        return item.quantity, None
    quantity = min(max(item.quantity, 0), _MOST_SEATS)
    problem = f"the subscription {found.id} has a quantity that cannot be kept: {item.quantity}"
    return quantity, f"{problem}; it is taken for {quantity}"


def _due_since(
    found: StripeSubscription,
    invoices: Iterable[Mapping[str, Any]],
    read_at: datetime,
    subscription: Subscription | None,
) -> datetime | None:
    """Since when a payment is due. Where Stripe shows no unpaid invoice any more, our books remember."""
    if found.status not in _STATUS and subscription is not None:
        return subscription.past_due_since
    if not is_payment_due(found.answer):
        return None
    before = subscription.past_due_since if subscription else None
    listed = list(invoices)
    due = oldest_due(found.answer, listed, read_at)
    if not listed and before is not None:  # The latest invoice alone may be a next one, still unpaid.
        return min(before, due) if due else before
    if due or before:
        return due or before
    # No invoice tells any more, such as one that was voided. What is over was due before it ended.
    answer = found.answer
    paused_at = object_at(answer, "status_details", "paused", "transitioned_at")
    over = [moment_of(answer.get("ended_at")), moment_of(paused_at)]
    return min([read_at, *(moment for moment in over if moment is not None)])


@dataclass(frozen=True, slots=True)
class SubscriptionHint:
    """What an event of Stripe is about: ids only."""

    event_id: str
    kind: str
    customer: str | None
    subscription: str | None
    account: int | None = None


class _Data(msgspec.Struct):
    object: dict[str, Any] = {}


class StripeEvent(msgspec.Struct):
    """An event as it arrives, as far as it is read.

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
        """Which refund or dispute it is about. None if that is none."""
        shown = self.data.object
        reference = id_of(shown)
        if self.type not in PAYMENT_EVENTS or reference is None or not self.id:
            return None
        charge = reference if self.type == "charge.refunded" else id_of(shown.get("charge"))
        return PaymentHint(self.id, self.type, reference, charge, id_of(shown.get("customer")))

    def subscription_hint(self) -> SubscriptionHint | None:
        """What it is about. None if that is no subscription."""
        shown = self.data.object
        customer = id_of(shown.get("customer"))
        subscription = id_of(shown.get("subscription"))
        account = None
        if self.type == "customer.deleted":
            customer = id_of(shown.get("id"))
        elif self.type.startswith("customer.subscription."):
            subscription = id_of(shown.get("id"))
        elif self.type.startswith("invoice.") and subscription is None:
            subscription = id_of(object_at(shown, "parent", "subscription_details", "subscription"))
        elif self.type.startswith("checkout."):
            account = account_in(shown.get("metadata"))
        if subscription is None and self.type != "customer.deleted":
            return None
        return SubscriptionHint(self.id, self.type, customer, subscription, account)


def account_in(metadata: object) -> int | None:
    """GitHub's id of the account, as a checkout of ours wrote it down."""
    account = metadata.get("account") if isinstance(metadata, Mapping) else None
    return int(account) if isinstance(account, str) and re.fullmatch(r"[0-9]{1,18}", account) else None
