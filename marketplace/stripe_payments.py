"""Since when a payment of a subscription is due, whatever its status at Stripe.

Grace runs from that moment, because Stripe retries for longer or gives up sooner by its owner's settings.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from marketplace.stripe_objects import object_at, parse_id, parse_number, parse_unix_time

_FAILED_PAUSES = frozenset({"first_payment_failure", "final_payment_failure"})
# The reasons of invoices for a whole period. A paid proration says nothing about the period's own invoice.
_PERIODS = frozenset({"subscription_create", "subscription_cycle"})
_NOT_COLLECTED = frozenset({"void", "mark_uncollectible"})


def is_payment_due(subscription: Mapping[str, Any]) -> bool:
    """Whether a payment of a subscription is due and did not come.

    A payment is due while Stripe retries (`past_due`), and after Stripe has given up: `unpaid`, or cancelled
    or paused because of the payment. A first payment that never came (`incomplete`) does not count, nor does
    a subscription that a person cancelled.
    """
    match subscription.get("status"):
        case "past_due" | "unpaid":
            return True
        case "canceled":
            return bool(object_at(subscription, "cancellation_details", "reason") == "payment_failed")
        case "paused":
            pause = object_at(subscription, "status_details", "paused", "subscription", "type")
            return pause in _FAILED_PAUSES
    return False


def is_collection_paused(subscription: Mapping[str, Any], now: datetime) -> bool:
    """Whether invoices are issued and never collected. With `keep_as_draft` they are collected later."""
    pause = subscription.get("pause_collection")
    resumes_at = parse_unix_time(object_at(pause, "resumes_at"))
    has_resumed = resumes_at is not None and resumes_at <= now
    return object_at(pause, "behavior") in _NOT_COLLECTED and not has_resumed


def find_oldest_due(
    subscription: Mapping[str, Any], invoices: Iterable[Mapping[str, Any]], now: datetime
) -> datetime | None:
    """Return when the oldest outstanding payment was due. None where no invoice is outstanding.

    `invoices` are those of the subscription, of any status. Payments due before a later paid period do not
    count, because Stripe considered the subscription paid meanwhile.
    """
    latest = subscription.get("latest_invoice")
    by_id = {parse_id(invoice): invoice for invoice in invoices if parse_id(invoice) is not None}
    if isinstance(latest, Mapping):
        by_id.setdefault(parse_id(latest), latest)
    paid = [due_at(invoice) for invoice in by_id.values() if _is_paid_period(invoice)]
    last_paid = max((moment for moment in paid if moment is not None), default=None)
    unpaid = [due_at(invoice) for invoice in by_id.values() if _is_unpaid(invoice, parse_id(latest))]
    due = [at for at in unpaid if at is not None and at <= now and (last_paid is None or at > last_paid)]
    return min(due, default=None)


def due_at(invoice: Mapping[str, Any]) -> datetime | None:
    """Return when an invoice is due: its due date, else when it was finalized and first tried."""
    finalized_at = object_at(invoice, "status_transitions", "finalized_at")
    moments = (invoice.get("due_date"), finalized_at, invoice.get("created"))
    return next((moment for value in moments if (moment := parse_unix_time(value)) is not None), None)


def _is_paid_period(invoice: Mapping[str, Any]) -> bool:
    return invoice.get("status") == "paid" and invoice.get("billing_reason") in _PERIODS


def _is_unpaid(invoice: Mapping[str, Any], latest: str | None) -> bool:
    """Whether an invoice is outstanding; of uncollectible ones only the latest, as others may be waived."""
    status, remaining = invoice.get("status"), parse_number(invoice.get("amount_remaining"))
    if remaining == 0:
        return False
    if status == "uncollectible" or status is None:  # An invoice with nothing but an id and a time.
        return parse_id(invoice) == latest
    return bool(status == "open")
