"""Who needs a seat: who acted on planned work of a private repository, as the timeline tells it."""

from datetime import datetime, timedelta

from sqlalchemy import text

from storage.database import Tenant

_ACTIVE = text(
    """
    with private as (
        -- One that has left the account needs no seats; one that is archived is still the account's.
        select id from projects
        where organization_id = :tenant and is_private and (is_active or hidden_since is null)
    )
    select distinct actor from timeline as told
    where organization_id = :tenant and project_id in (select id from private)
        and at > :since and at <= :until and kind in ('issue', 'pull_request')
        and actor is not null and actor <> '' and right(actor, 5) <> '[bot]'
        and exists (
            select from timeline as planned
            where planned.organization_id = :tenant and planned.item = told.item
                and planned.milestone_id is not null
        )
    """
)
_FIRST = text(
    """
    select actor from timeline
    where organization_id = :tenant and actor = any (:people) and kind in ('issue', 'pull_request')
        and project_id in (select id from projects where organization_id = :tenant and is_private)
    group by actor order by min(at), lower(actor)
    """
)


class Seats:
    """One tenant's people on planned work. Bots are none, and public repositories are free."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def used(self, now: datetime, days: int) -> list[str]:
        """The logins of all who acted within so many days, in any order."""
        told = {"tenant": self._organization_id, "since": now - timedelta(days=days), "until": now}
        return sorted((await self._connection.scalars(_ACTIVE, told)).all())

    async def in_order(self, people: list[str]) -> list[str]:
        """The same people, those first who have worked here for the longest time."""
        told = {"tenant": self._organization_id, "people": people}
        return list((await self._connection.scalars(_FIRST, told)).all())
