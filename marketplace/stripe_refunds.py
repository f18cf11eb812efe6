"""Refunds and disputes at Stripe: their events, and parsing of Stripe's answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from marketplace.github_purchases import PurchaseError
from marketplace.stripe_objects import object_at, parse_id
from storage.stripe_refunds import DISPUTE, REFUND

# The events carry the refund or the dispute, except `charge.refunded`, which carries the charge.
REFUND_EVENTS = frozenset(
    {"charge.refunded", "charge.refund.updated", "refund.created", "refund.updated", "refund.failed"}
)
DISPUTE_EVENTS = frozenset({"charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"})
PAYMENT_EVENTS = REFUND_EVENTS | DISPUTE_EVENTS

_Text = Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{1,255}\Z")]


@dataclass(frozen=True, slots=True)
class PaymentHint:
    """The ids in an event about a refund or a dispute, by which Stripe is asked for the rest."""

    event_id: str
    kind: str
    reference: str
    charge: str | None = None
    customer: str | None = None


class _Evidence(msgspec.Struct):
    due_by: int | None = None


class _Payment(msgspec.Struct):
    id: _Text
    amount: int
    currency: _Text
    charge: Any = None
    payment_intent: Any = None
    status: _Text | None = None
    reason: _Text | None = None
    evidence_details: _Evidence | None = None


@dataclass(frozen=True, slots=True)
class PaymentChange:
    """A refund or a dispute as Stripe describes it; `amount` is in the currency's smallest unit.

    `action` is its name in the audit log. `due_by` is until when a dispute can be answered. Some refunds
    have no `charge`; the `customer` is then that of the payment intent, if there is one.
    """

    action: str
    id: str
    status: str
    amount: int
    currency: str
    charge: str | None
    customer: str | None
    reason: str | None = None
    due_by: datetime | None = None

    @property
    def details(self) -> dict[str, object]:
        """The details for the audit log."""
        details: dict[str, object] = {
            "id": self.id,
            "status": self.status,
            "amount": self.amount,
            "currency": self.currency,
            "charge": self.charge,
            "reason": self.reason or "no reason given",
        }
        return details | ({"due_by": self.due_by.isoformat()} if self.due_by else {})


def parse_refund(answer: Mapping[str, Any]) -> PaymentChange:
    """Read a refund with its charge. Raises PurchaseError."""
    return _parse(REFUND, answer)


def parse_dispute(answer: Mapping[str, Any]) -> PaymentChange:
    """Read a dispute with its charge. Raises PurchaseError."""
    return _parse(DISPUTE, answer)


def _parse(action: str, answer: Mapping[str, Any]) -> PaymentChange:
    try:
        payment = msgspec.convert(answer, _Payment)
    except msgspec.ValidationError as problem:
        raise PurchaseError(f"Stripe described a {action} that cannot be read: {problem}") from None
    sources = payment.charge, payment.payment_intent
    customers = (parse_id(object_at(source, "customer")) for source in sources)
    due_by = payment.evidence_details.due_by if payment.evidence_details else None
    return PaymentChange(
        action,
        payment.id,
        payment.status or "unknown",
        payment.amount,
        payment.currency,
        parse_id(payment.charge),
        next(filter(None, customers), None),
        payment.reason,
        datetime.fromtimestamp(due_by, UTC) if due_by else None,
    )
