"""Seats that a subscription would need beyond those that are paid for, and how far they need approval."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SeatIncrease:
    """An increase of a subscription's quantity that waits for an admin.

    `before` seats are paid for, `after` are needed. `unit_amount` is the subscriber's own price of a seat for
    a period, `due_now` what Stripe would charge at once; both in the smallest unit of `currency`, and None
    where they are not known. `approved_at` and `approved_by` (a GitHub login) are None while it waits.
    """

    before: int
    after: int
    asked_at: datetime
    unit_amount: int | None
    currency: str | None
    is_yearly: bool
    due_now: int | None = None
    approved_at: datetime | None = None
    approved_by: str | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has approved it yet."""
        return self.approved_at is None
