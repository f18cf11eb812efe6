"""People who need a seat: those who acted on planned work of a private repository, by the timeline."""

from datetime import datetime, timedelta

from sqlalchemy import text

from sprints.people import is_person, remove_duplicate_logins
from storage.database import Tenant
from storage.logins import Logins
from storage.visibility import PUBLIC_SPANS

# Work in a repository while it was public needs no seat, even if the repository is private now.
_IN_PRIVATE = """
    not exists (
        select from public_spans
        where public_spans.project_id = fact.project_id and fact.at >= began and fact.at < ended
    )
"""
# Rows of a login that passed from one person to another are not grouped, because each moment counts.
_ACTIVE = text(
    f"""
    with {PUBLIC_SPANS}, private as (
        -- A repository that left the account needs no seats; an archived one still belongs to it.
        select id from projects
        where organization_id = :tenant and is_private and (is_active or hidden_since is null)
    )
    select actor, min(case source when 'webhook' then at else created_at end) as named_at
    from timeline as fact
    where organization_id = :tenant and project_id in (select id from private) and {_IN_PRIVATE}
        and at > :since and at <= :until and kind in ('issue', 'pull_request')
        and actor is not null and actor <> '' and right(actor, 1) <> ']'
        and exists (
            select from timeline as planned
            where planned.organization_id = :tenant and planned.item = fact.item
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
        actor, min(at) as first, min(case source when 'webhook' then at else created_at end) as named_at
    from timeline as fact
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
    """The people of one tenant on planned work, each once and by the present login.

    Bots and placeholder accounts such as `ghost` are left out. Public repositories are free, and so is work
    done before a repository became private.
    """

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def active_people(self, now: datetime, days: int) -> list[str]:
        """The logins of all people who acted within the last `days` days."""
        logins = await Logins.load(self._tenant)
        values = {
            "tenant": self._organization_id,
            "since": now - timedelta(days=days),
            "until": now,
            "shared": logins.shared,
        }
        people = [
            logins.current_login(row.actor, row.named_at)
            for row in await self._connection.execute(_ACTIVE, values)
        ]
        return sorted(remove_duplicate_logins(filter(is_person, people)))

    async def by_seniority(self, people: list[str]) -> list[str]:
        """Sort people by their first work in private repositories; those without any are left out."""
        logins = await Logins.load(self._tenant)
        values = {
            "tenant": self._organization_id,
            "logins": sorted(logins.all_logins_of(people)),
            "shared": logins.shared,
        }
        spelling = {login.lower(): login for login in people}
        rows = await self._connection.execute(_FIRST, values)
        present = dict.fromkeys(logins.current_login(row.actor, row.named_at).lower() for row in rows)
        return [spelling[login] for login in present if login in spelling]
