"""Look-ups of tenants, for transactions that are not scoped to a tenant yet.

Each calls a SECURITY DEFINER function of the database (see migrations/) that returns ids of tenants only.
Their rows are then read in that tenant's own transaction.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def tenant_of_chart(connection: AsyncConnection, token: str) -> int | None:
    """The tenant whose chart has a name; None if there is no such chart."""
    tenant = await connection.scalar(text("select tenant_of_chart(:token)"), {"token": token})
    return None if tenant is None else int(tenant)


async def tenants_of_repository(connection: AsyncConnection, full_name: str) -> Sequence[int]:
    """The tenants with a repository last known by a name (`owner/name`, in any case)."""
    query = text("select * from tenants_of_repository(:name)")
    return (await connection.scalars(query, {"name": full_name})).all()


async def tenants_of_node(connection: AsyncConnection, node_id: str) -> Sequence[int]:
    """The tenants that have the repository with a node id."""
    query = text("select * from tenants_of_node(:node_id)")
    return (await connection.scalars(query, {"node_id": node_id})).all()


async def all_tenants(connection: AsyncConnection) -> Sequence[int]:
    """All tenants, for periodic tasks and `doctor`."""
    return (await connection.scalars(text("select * from all_tenants()"))).all()


async def tenants_with_waiting_events(connection: AsyncConnection, moment: datetime) -> Sequence[int]:
    """The tenants with unprocessed deliveries that are due at a moment."""
    query = text("select * from tenants_with_waiting_events(:moment)")
    return (await connection.scalars(query, {"moment": moment})).all()


async def tenants_due(connection: AsyncConnection, task: str, moment: datetime) -> Sequence[int]:
    """The tenants for which a periodic task is due: `measure`, `reconcile` or `visibility`."""
    query = text("select * from tenants_due(:what, :moment)")
    return (await connection.scalars(query, {"what": task, "moment": moment})).all()


async def projects_with_projections_due(connection: AsyncConnection, most: int) -> Sequence[tuple[int, int]]:
    """The tenants and ids of up to `most` repositories with items whose projections must be computed anew."""
    query = text("select organization_id, project_id from projects_with_projections_due(:most)")
    return [(row[0], row[1]) for row in await connection.execute(query, {"most": most})]


async def wake_tenant(connection: AsyncConnection, organization_id: int) -> None:
    """Ensure that a job processes the waiting deliveries of a tenant."""
    await connection.execute(text("select wake_tenant(:tenant)"), {"tenant": organization_id})
