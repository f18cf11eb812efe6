"""The tenant's installation of the App, and the people that it has met."""

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
    """What an installation is to an account."""

    PRESENT = auto()
    REPLACED = auto()  # The account has another one.
    ENDED = auto()  # It was the account's, which has none now.
    UNKNOWN = auto()  # The account has none, and this one was never its.


@dataclass(frozen=True, slots=True)
class SeenLogin:
    """A person, by GitHub's id, who had a login at a moment."""

    github_id: int
    login: str
    at: datetime


class Installations:
    """One tenant's installation."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def ended(self, installation: int) -> None:
        """The App was uninstalled. What an older installation tells late does not end a newer one."""
        former = func.former_installations_after(organizations.c.former_installations, installation, None)
        await self._update(former_installations=former)
        await self._update_if_present(installation, github_installation_id=None, suspended_at=None)

    async def suspended(self, installation: int, since: datetime | None) -> None:
        """GitHub refuses everything of a suspended installation until it is resumed (None).

        What a former installation tells late says nothing of the present one.
        """
        await self._update_if_present(installation, suspended_at=since)

    async def set_suspended(self, since: datetime | None) -> None:
        """Note what GitHub says of the present installation, now that it was asked."""
        await self._update(suspended_at=since)

    async def suspended_since(self) -> datetime | None:
        """Since when the installation is suspended, as far as we know; None if it works."""
        found: datetime | None = await self._value(organizations.c.suspended_at)
        return found

    async def present(self) -> int | None:
        """GitHub's id of the present installation; None while there is none."""
        found: int | None = await self._value(organizations.c.github_installation_id)
        return found

    async def account(self) -> int:
        """GitHub's id of the account."""
        return int(await self._value(organizations.c.github_account_id))

    async def known_since(self) -> datetime:
        """Since when we know the account."""
        found: datetime = await self._value(organizations.c.created_at)
        return found

    async def has_former(self, installation: int) -> bool:
        """Whether the account had another installation before this one."""
        former: list[int] = await self._value(organizations.c.former_installations)
        return any(one != installation for one in former)

    async def seen_working(self, installation: int, at: datetime) -> None:
        """Note that GitHub answered for the installation, which was thus not suspended at that moment."""
        await self._update_if_present(installation, organizations.c.suspended_at <= at, suspended_at=None)

    async def relation(self, installation: int) -> InstallationRelation:
        """Whether an installation is the account's present one, or was, as far as we know."""
        query = select(organizations.c.github_installation_id, organizations.c.former_installations).where(
            organizations.c.id == self._organization_id
        )
        present, former = (await self._connection.execute(query)).one()
        if present == installation:
            return InstallationRelation.PRESENT
        if present is not None:
            return InstallationRelation.REPLACED
        return InstallationRelation.ENDED if installation in former else InstallationRelation.UNKNOWN

    async def reconcile_next(self, at: datetime) -> None:
        """When its sprints are compared with GitHub again."""
        await self._update(next_reconcile_at=at)

    async def check_visibility_next(self, at: datetime) -> None:
        """When GitHub is asked again which repositories can be seen."""
        await self._update(next_visibility_check_at=at)

    async def meet(self, people: Sequence[SeenLogin]) -> None:
        """Remembers people of this tenant, and which logins they had when."""
        if people:
            await self._connection.execute(
                text("select meet_people(:told)"), {"told": msgspec.json.encode(people).decode()}
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
    """Whose installation this is."""
    found = await connection.scalar(
        text("select tenant_of_installation(:installation)"), {"installation": installation}
    )
    return None if found is None else int(found)


async def account_of_installation(connection: AsyncConnection, installation: int) -> int | None:
    """GitHub's id of the account whose installation this is."""
    account = await connection.scalar(
        text("select account_of_installation(:installation)"), {"installation": installation}
    )
    return None if account is None else int(account)
