"""Refunds and disputes of an account's payments in its audit log. They do not change the plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from storage.database import Tenant
from storage.tables import audit_log

REFUND, DISPUTE = "refund", "dispute"
# Stripe's final statuses of a dispute.
CLOSED = frozenset({"won", "lost", "warning_closed", "prevented", "closed"})


@dataclass(frozen=True, slots=True)
class Dispute:
    """A payment disputed by the card's owner; `amount` is in the currency's smallest unit.

    `due_by` is until when the dispute can be answered.
    """

    id: str
    status: str
    reason: str
    amount: int
    currency: str
    due_by: datetime | None = None


async def open_disputes(tenant: Tenant) -> list[Dispute]:
    """The disputes of the transaction's tenant that were not closed when Stripe was last asked."""
    query = (
        select(audit_log.c.details)
        .where(audit_log.c.organization_id == tenant.organization_id, audit_log.c.action == DISPUTE)
        .order_by(audit_log.c.id)
    )
    latest = {str(details["id"]): details for (details,) in await tenant.connection.execute(query)}
    return [_dispute(details) for details in latest.values() if details.get("status", "closed") not in CLOSED]


def _dispute(details: Mapping[str, Any]) -> Dispute:
    due_by = details.get("due_by")
    return Dispute(
        str(details["id"]),
        str(details["status"]),
        str(details["reason"]),
        int(details["amount"]),
        str(details["currency"]),
        datetime.fromisoformat(due_by) if due_by else None,
    )
