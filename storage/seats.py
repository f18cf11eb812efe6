"""Who needs a seat: who acted on planned work of a private repository, as the timeline tells it."""

from datetime import datetime, timedelta

from sqlalchemy import text

from sprints.people import is_person, remove_duplicate_logins
from storage.database import Tenant
from storage.logins import Logins
from storage.visibility import PUBLIC_SPANS

# What was done while a repository was public needs no seat, also once it is private.
_IN_PRIVATE = """
    not exists (
        select from public_spans
        where public_spans.project_id = told.project_id and told.at >= began and told.at < ended
    )
"""
# Of a login that passed from one person to another, each moment counts.
_ACTIVE = text(
    f"""
    with {PUBLIC_SPANS}, private as (
        -- One that has left the account needs no seats; one that is archived is still the account's.
        select id from projects
        where organization_id = :tenant and is_private and (is_active or hidden_since is null)
    )
    select actor, min(case source when 'webhook' then at else created_at end) as had_at
    from timeline as told
    where organization_id = :tenant and project_id in (select id from private) and {_IN_PRIVATE}
        and at > :since and at <= :until and kind in ('issue', 'pull_request')
        and actor is not null and actor <> '' and right(actor, 1) <> ']'
        and exists (
            select from timeline as planned
            where planned.organization_id = :tenant and planned.item = told.item
                and planned.milestone_id is not null
        )
    group by actor, case when lower(actor) = any (cast(:shared as text[])) then
        case source when 'webhook' then at else created_at end
    end
    order by actor
    """  # noqa: S608 - constants alone
)
_FIRST = text(
    f"""
    with {PUBLIC_SPANS}
    select
        actor, min(at) as first, min(case source when 'webhook' then at else created_at end) as had_at
    from timeline as told
    where organization_id = :tenant and lower(actor) = any (:logins) and kind in ('issue', 'pull_request')
        and {_IN_PRIVATE}
        and project_id in (select id from projects where organization_id = :tenant and is_private)
    group by actor, case when lower(actor) = any (cast(:shared as text[])) then
        case source when 'webhook' then at else created_at end
    end
    order by first, lower(actor)
    """  # noqa: S608 - constants alone
)


class Seats:
    """One tenant's people on planned work, each once and by the present login.

    Bots are none, nor are those who stand for nobody in particular. Public repositories are free, and so is
    what was done before a repository became private.
    """

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def used(self, now: datetime, days: int) -> list[str]:
        """The logins of all who acted within so many days, in any order."""
        logins = await Logins.of(self._tenant)
        values = {
            "tenant": self._organization_id,
            "since": now - timedelta(days=days),
            "until": now,
            "shared": logins.shared,
        }
        people = [
            logins.present(row.actor, row.had_at) for row in await self._connection.execute(_ACTIVE, values)
        ]
        return sorted(remove_duplicate_logins(filter(is_person, people)))

    async def in_order(self, people: list[str]) -> list[str]:
        """The same people, those first who have worked here for the longest time."""
        logins = await Logins.of(self._tenant)
        values = {
            "tenant": self._organization_id,
            "logins": sorted(logins.all_of(people)),
            "shared": logins.shared,
        }
        spelling = {login.lower(): login for login in people}
        rows = await self._connection.execute(_FIRST, values)
        present = dict.fromkeys(logins.present(row.actor, row.had_at).lower() for row in rows)
        return [spelling[login] for login in present if login in spelling]
