"""The Stripe customer of an account."""

from sqlalchemy import select, update

from storage.database import Tenant
from storage.tables import organizations


class StripeCustomers:
    """The Stripe customer of one account for new purchases; older subscriptions may name another."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._is_mine = organizations.c.id == tenant.organization_id

    async def customer(self) -> str | None:
        """Return Stripe's id of the customer; None before the account's first checkout."""
        customer: str | None = await self._connection.scalar(
            select(organizations.c.stripe_customer_id).where(self._is_mine)
        )
        return customer

    async def set_customer(self, customer: str) -> None:
        """Store the customer for the account's next checkout."""
        await self._connection.execute(
            update(organizations).where(self._is_mine).values(stripe_customer_id=customer)
        )
