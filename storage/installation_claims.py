"""Claims: installations that deliveries named for a tenant without GitHub having confirmed it.

The database writes them when it receives deliveries (assign_tenant in migrations/);
bot/sync/installation_check.py checks them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Boolean, ColumnElement, any_, delete, exists, func, literal_column, select, update

from storage.database import Tenant
from storage.tables import installation_claims, organizations

# Counted from the last time of a claim. By then people who can act on the claim saw it, or it is resolved.
CLAIM_KEPT_FOR = timedelta(days=7)
# Whether GitHub is to be asked about a claim: it never was, or the claim was repeated an hour after a denial.
IS_UNCHECKED = "(checked_at is null or claimed_at >= checked_at + interval '1 hour')"


@dataclass(frozen=True, slots=True)
class InstallationClaim:
    """A delivery's claim that `installation` belongs to the account `login`.

    `refused` counts deliveries that were not stored because of the claim. `claimed_at` is when the last
    delivery made it, `checked_at` when GitHub denied it.
    """

    id: int
    installation: int
    account: int
    login: str
    refused: int
    claimed_at: datetime
    checked_at: datetime | None

    @property
    def is_denied(self) -> bool:
        """Whether GitHub denied that the installation belongs to the account."""
        return self.checked_at is not None


class InstallationClaims:
    """The installation claims of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def since(self, moment: datetime) -> Sequence[InstallationClaim]:
        """Claims made since a moment that GitHub did not confirm, by when they were last made.

        Claims of former installations are left out: late deliveries of those are expected.
        """
        is_former = exists().where(
            organizations.c.id == self._organization_id,
            installation_claims.c.installation == any_(organizations.c.former_installations),
        )
        return await self._select(installation_claims.c.claimed_at >= moment, ~is_former)

    async def unchecked(self) -> Sequence[InstallationClaim]:
        """Claims that GitHub was not asked about, or that were repeated an hour after it denied them."""
        return await self._select(literal_column(IS_UNCHECKED, Boolean()))

    async def delete_older(self, before: datetime) -> None:
        """Delete claims that were last made before a moment."""
        await self._connection.execute(
            delete(installation_claims).where(self._is_mine, installation_claims.c.claimed_at < before)
        )

    async def deny(self, claim: InstallationClaim, checked_at: datetime) -> None:
        """Record that GitHub denied a claim. The claim is kept, so that `doctor` can report it."""
        await self._connection.execute(
            update(installation_claims)
            .where(self._is_mine, installation_claims.c.id == claim.id)
            .values(checked_at=checked_at)
        )

    async def confirm(self, claim: InstallationClaim, suspended_at: datetime | None = None) -> bool:
        """Make the installation of a claim the tenant's present one, because GitHub confirmed it.

        `suspended_at` is since when it is suspended. Returns False, and changes nothing, if the claim names
        another account than the tenant's.
        """
        former = func.former_installations_after(
            organizations.c.former_installations, organizations.c.github_installation_id, claim.installation
        )
        result = await self._connection.execute(
            update(organizations)
            .where(organizations.c.id == self._organization_id)
            .where(organizations.c.github_account_id == claim.account)
            .values(
                github_installation_id=claim.installation,
                former_installations=former,
                suspended_at=suspended_at,
            )
        )
        if not result.rowcount:
            return False
        await self._connection.execute(
            delete(installation_claims).where(self._is_mine, installation_claims.c.id == claim.id)
        )
        return True

    async def _select(self, *conditions: ColumnElement[bool]) -> Sequence[InstallationClaim]:
        names = InstallationClaim.__dataclass_fields__
        query = (
            select(*(installation_claims.c[name] for name in names))
            .where(self._is_mine, *conditions)
            .order_by(installation_claims.c.claimed_at, installation_claims.c.id)
        )
        return [InstallationClaim(*row) for row in await self._connection.execute(query)]

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        return installation_claims.c.organization_id == self._organization_id
