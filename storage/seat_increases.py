"""Seat increases: changes of a subscription's quantity that need an admin's approval."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tenant
from storage.tables import seat_increases


@dataclass(frozen=True, slots=True)
class IncreaseTerms:
    """The terms of an approval: the subscription (Stripe's id), the number of seats, and the price of one.

    `unit_amount` is in the smallest unit of `currency`; both are None where the price is not known.
    """

    reference: str
    after: int
    unit_amount: int | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class SeatIncrease:
    """An increase of a subscription's quantity that waits for an admin, or was approved by one.

    `before` seats are paid for, `after` are needed. `unit_amount` is the subscriber's own price of a seat for
    a period, `due_now` what Stripe would charge now; both in the smallest unit of `currency`, and None
    where they are not known. `approved_at` and `approved_by` (a GitHub login) are None while it waits.
    `reference` is Stripe's id of the subscription.
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
    reference: str = ""

    @property
    def terms(self) -> IncreaseTerms:
        """The terms that an approval of this increase is bound to."""
        return IncreaseTerms(self.reference, self.after, self.unit_amount, self.currency)

    @property
    def is_waiting(self) -> bool:
        """Whether the increase still waits for approval."""
        return self.approved_at is None


class IncreaseOutcome(StrEnum):
    """The reason for closing an increase.

    REPORTED: Stripe has the new quantity. NOT_NEEDED: there are fewer people again. REPLACED: another
    increase needs an approval of its own. SUBSCRIPTION_ENDED: there is nothing to increase any more.
    """

    REPORTED = "reported"
    NOT_NEEDED = "not needed"
    REPLACED = "replaced"
    SUBSCRIPTION_ENDED = "subscription ended"


_FIELDS = tuple(SeatIncrease.__dataclass_fields__)


class SeatIncreases:
    """The seat increases of one tenant, of which one is open at a time.

    Callers that write must hold `Subscriptions.lock`.
    """

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def current(self) -> SeatIncrease | None:
        """The open increase: waiting for approval, or approved and not yet reported."""
        query = select(*(seat_increases.c[name] for name in _FIELDS)).where(self._is_open)
        row = (await self._connection.execute(query)).first()
        return SeatIncrease(*row) if row is not None else None

    async def waiting_since(self) -> datetime | None:
        """Since when an increase waits, even if its number of seats has changed; None if none waits."""
        latest_closed = (
            select(func.max(seat_increases.c.id))
            .where(self._is_mine, seat_increases.c.closed_at.is_not(None))
            .where(seat_increases.c.outcome != IncreaseOutcome.REPLACED)
            .scalar_subquery()
        )
        current = await self.current()
        if current is None or not current.is_waiting:
            return None
        query = select(func.min(seat_increases.c.asked_at)).where(
            self._is_mine, seat_increases.c.id > func.coalesce(latest_closed, 0)
        )
        since: datetime | None = await self._connection.scalar(query)
        return since

    async def open(self, increase: SeatIncrease) -> None:
        """Store an increase that waits for approval, and close another that was open as replaced."""
        await self.close(IncreaseOutcome.REPLACED, increase.asked_at)
        values = {name: getattr(increase, name) for name in _FIELDS}
        await self._connection.execute(
            insert(seat_increases).values(organization_id=self._organization_id, **values)
        )

    async def update_price(self, due_now: int | None) -> None:
        """Update the amount that the open increase would cost immediately."""
        await self._update({"due_now": due_now})

    async def approve(self, terms: IncreaseTerms, by: str, at: datetime) -> bool:
        """Approve the waiting increase; False if none waits on exactly these terms."""
        is_same = and_(
            self._is_open,
            seat_increases.c.reference == terms.reference,
            seat_increases.c.after == terms.after,
            seat_increases.c.unit_amount.is_not_distinct_from(terms.unit_amount),
            seat_increases.c.currency.is_not_distinct_from(terms.currency),
            seat_increases.c.approved_at.is_(None),
        )
        result = await self._connection.execute(
            update(seat_increases).where(is_same).values(approved_at=at, approved_by=by)
        )
        return result.rowcount > 0

    async def close(self, outcome: IncreaseOutcome, at: datetime) -> None:
        """Close the open increase, if there is one."""
        await self._update({"closed_at": at, "outcome": outcome.value})

    async def _update(self, values: Mapping[str, object]) -> None:
        await self._connection.execute(update(seat_increases).where(self._is_open).values(**values))

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        return seat_increases.c.organization_id == self._organization_id

    @property
    def _is_open(self) -> ColumnElement[bool]:
        return and_(self._is_mine, seat_increases.c.closed_at.is_(None))
