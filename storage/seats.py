"""Who needs a seat: who acted on planned work of a private repository, as the timeline tells it."""

from datetime import datetime, timedelta

from sqlalchemy import text

from sprints.people import is_person, spelled_once
from storage.database import Tenant
from storage.logins import Logins

# A login that changed hands was one person's at first and another's at last.
_ACTIVE = text(
    """
    with private as (
        -- One that has left the account needs no seats; one that is archived is still the account's.
        select id from projects
        where organization_id = :tenant and is_private and (is_active or hidden_since is null)
    )
    select actor, min(at) as first, max(at) as last from timeline as told
    where organization_id = :tenant and project_id in (select id from private)
        and at > :since and at <= :until and kind in ('issue', 'pull_request')
        and actor is not null and actor <> '' and right(actor, 1) <> ']'
        and exists (
            select from timeline as planned
            where planned.organization_id = :tenant and planned.item = told.item
                and planned.milestone_id is not null
        )
    group by actor order by actor
    """
)
_FIRST = text(
    """
    select actor, min(at) as first from timeline
    where organization_id = :tenant and lower(actor) = any (:logins) and kind in ('issue', 'pull_request')
        and project_id in (select id from projects where organization_id = :tenant and is_private)
    group by actor order by first, lower(actor)
    """
)


class Seats:
    """One tenant's people on planned work, each once and by the present login.

    Bots are none, nor are those who stand for nobody in particular. Public repositories are free.
    """

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def used(self, now: datetime, days: int) -> list[str]:
        """The logins of all who acted within so many days, in any order."""
        values = {"tenant": self._organization_id, "since": now - timedelta(days=days), "until": now}
        logins = await Logins.of(self._tenant)
        people = [
            logins.present(row.actor, at)
            for row in await self._connection.execute(_ACTIVE, values)
            for at in (row.last, row.first)
        ]
        return sorted(spelled_once(filter(is_person, people)))

    async def in_order(self, people: list[str]) -> list[str]:
        """The same people, those first who have worked here for the longest time."""
        logins = await Logins.of(self._tenant)
        values = {"tenant": self._organization_id, "logins": sorted(logins.all_of(people))}
        spelling = {login.lower(): login for login in people}
        rows = await self._connection.execute(_FIRST, values)
        present = dict.fromkeys(logins.present(row.actor, row.first).lower() for row in rows)
        return [spelling[login] for login in present if login in spelling]
