"""Installations that deliveries named for a tenant before GitHub had said that they belong together.

They are written where deliveries come in (assign_tenant in migrations/) and checked by bot/installations.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, delete, select, update

from storage.database import Tenant
from storage.tables import installation_claims, organizations


@dataclass(frozen=True, slots=True)
class InstallationClaim:
    """A delivery said that `installation` is that of the account `login`.

    `refused` counts deliveries that were not stored because of it. `is_denied`: GitHub says otherwise.
    """

    id: int
    installation: int
    account: int
    login: str
    refused: int
    claimed_at: datetime
    is_denied: bool


class InstallationClaims:
    """One tenant's claims."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def all(self) -> Sequence[InstallationClaim]:
        """Claims that GitHub did not confirm, by when they were last made."""
        query = (
            select(
                installation_claims.c.id,
                installation_claims.c.installation,
                installation_claims.c.account,
                installation_claims.c.login,
                installation_claims.c.refused,
                installation_claims.c.claimed_at,
                installation_claims.c.checked_at.is_not(None),
            )
            .where(self._mine)
            .order_by(installation_claims.c.claimed_at, installation_claims.c.id)
        )
        return [InstallationClaim(*row) for row in await self._connection.execute(query)]

    async def unchecked(self) -> Sequence[InstallationClaim]:
        """Claims that GitHub was not asked about yet."""
        return [claim for claim in await self.all() if not claim.is_denied]

    async def deny(self, claim: InstallationClaim, checked_at: datetime) -> None:
        """GitHub says that the installation is not this account's. The claim is kept for `doctor`."""
        await self._connection.execute(
            update(installation_claims)
            .where(self._mine, installation_claims.c.id == claim.id)
            .values(checked_at=checked_at)
        )

    async def confirm(self, claim: InstallationClaim) -> bool:
        """GitHub says that the installation is the claimed account's: the tenant is known by it from now on.

        False, and nothing changes, if that account is another than the tenant's.
        """
        replaced = organizations.c.github_installation_id
        former = organizations.c.former_installations
        # Two jobs may check the same claim.
        is_other = replaced.is_not(None) & (replaced != claim.installation)
        result = await self._connection.execute(
            update(organizations)
            .where(organizations.c.id == self._organization_id)
            .where(organizations.c.github_account_id == claim.account)
            .values(
                github_installation_id=claim.installation,
                former_installations=case((is_other, former.op("||")(replaced)), else_=former),
            )
        )
        if not result.rowcount:
            return False
        await self._connection.execute(
            delete(installation_claims).where(self._mine, installation_claims.c.id == claim.id)
        )
        return True

    @property
    def _mine(self) -> ColumnElement[bool]:
        return installation_claims.c.organization_id == self._organization_id
