"""The tenant's installation of the App, and the people seen in its deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Tenant
from storage.tables import organizations


class InstallationRelation(Enum):
    """The relation of an installation to an account."""

    PRESENT = auto()
    REPLACED = auto()  # The account has another installation.
    ENDED = auto()  # The account had this installation, and has none now.
    UNKNOWN = auto()  # The account has no installation, and never had this one.


@dataclass(frozen=True, slots=True)
class SeenLogin:
    """The login that a person, by GitHub's id, had at a moment."""

    github_id: int
    login: str
    at: datetime


class Installations:
    """The installation of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def record_uninstalled(self, installation: int) -> None:
        """Record that the App was uninstalled. A late delivery of an older installation ends no newer one."""
        former = func.former_installations_after(organizations.c.former_installations, installation, None)
        await self._update(former_installations=former)
        await self._update_if_present(installation, github_installation_id=None, suspended_at=None)

    async def record_suspension(self, installation: int, since: datetime | None) -> None:
        """Record since when an installation is suspended, or None once it is resumed.

        A late delivery of a former installation does not change the present one. GitHub
        refuses every request of a suspended installation.
        """
        await self._update_if_present(installation, suspended_at=since)

    async def set_suspended(self, since: datetime | None) -> None:
        """Set since when the present installation is suspended, by GitHub's answer; None if it is not."""
        await self._update(suspended_at=since)

    async def suspended_since(self) -> datetime | None:
        """Return since when the installation is suspended, by the recorded events; None if it is active."""
        suspended_at: datetime | None = await self._value(organizations.c.suspended_at)
        return suspended_at

    async def current(self) -> int | None:
        """GitHub's id of the present installation; None while there is none."""
        installation: int | None = await self._value(organizations.c.github_installation_id)
        return installation

    async def account(self) -> int:
        """GitHub's id of the account."""
        return int(await self._value(organizations.c.github_account_id))

    async def first_seen_at(self) -> datetime:
        """Return when the account was first seen."""
        created_at: datetime = await self._value(organizations.c.created_at)
        return created_at

    async def has_former(self, installation: int) -> bool:
        """Whether the account had another installation before this one."""
        former: list[int] = await self._value(organizations.c.former_installations)
        return any(other != installation for other in former)

    async def record_working(self, installation: int, at: datetime) -> None:
        """Record that GitHub answered for an installation, which was not suspended at that moment."""
        await self._update_if_present(installation, organizations.c.suspended_at <= at, suspended_at=None)

    async def relation(self, installation: int) -> InstallationRelation:
        """Return how an installation relates to the account, by the recorded events."""
        query = select(organizations.c.github_installation_id, organizations.c.former_installations).where(
            organizations.c.id == self._organization_id
        )
        present, former = (await self._connection.execute(query)).one()
        if present == installation:
            return InstallationRelation.PRESENT
        if present is not None:
            return InstallationRelation.REPLACED
        return InstallationRelation.ENDED if installation in former else InstallationRelation.UNKNOWN

    async def schedule_reconciliation(self, at: datetime) -> None:
        """Set when the tenant's sprints are next compared with GitHub."""
        await self._update(next_reconcile_at=at)

    async def schedule_visibility_check(self, at: datetime) -> None:
        """Set when GitHub is next asked which repositories the App can see."""
        await self._update(next_visibility_check_at=at)

    async def record_people(self, people: Sequence[SeenLogin]) -> None:
        """Store people of the tenant, with the logins they had at given moments."""
        if people:
            await self._connection.execute(
                text("select meet_people(:people)"), {"people": msgspec.json.encode(people).decode()}
            )

    async def _value(self, column: ColumnElement[Any]) -> Any:
        return await self._connection.scalar(
            select(column).where(organizations.c.id == self._organization_id)
        )

    async def _update_if_present(
        self, installation: int, *conditions: ColumnElement[bool], **values: object
    ) -> None:
        await self._connection.execute(
            update(organizations)
            .where(organizations.c.id == self._organization_id)
            .where(organizations.c.github_installation_id == installation, *conditions)
            .values(**values)
        )

    async def _update(self, **values: object) -> None:
        await self._connection.execute(
            update(organizations).where(organizations.c.id == self._organization_id).values(**values)
        )


async def tenant_of_installation(connection: AsyncConnection, installation: int) -> int | None:
    """The tenant that has an installation; None if there is none."""
    tenant = await connection.scalar(
        text("select tenant_of_installation(:installation)"), {"installation": installation}
    )
    return None if tenant is None else int(tenant)


async def account_of_installation(connection: AsyncConnection, installation: int) -> int | None:
    """GitHub's id of the account that has an installation; None if there is none."""
    account = await connection.scalar(
        text("select account_of_installation(:installation)"), {"installation": installation}
    )
    return None if account is None else int(account)
