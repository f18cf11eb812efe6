"""Look-ups of tenants, for transactions that are not scoped to a tenant yet.

Each calls a SECURITY DEFINER function of the database (see migrations/) that returns ids of tenants only.
Their rows are then read in that tenant's own transaction. The look-ups of periodic tasks are in
`work_lookups.py`.
"""

from collections.abc import Sequence

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
    """All tenants, for `doctor` and other commands. Periodic tasks ask for the tenants with work instead."""
    return (await connection.scalars(text("select * from all_tenants()"))).all()


async def projects_with_projections_due(connection: AsyncConnection, most: int) -> Sequence[tuple[int, int]]:
    """The tenants and ids of up to `most` repositories with items whose projections must be computed anew."""
    query = text("select organization_id, project_id from projects_with_projections_due(:most)")
    return [(row[0], row[1]) for row in await connection.execute(query, {"most": most})]


async def wake_tenant(connection: AsyncConnection, organization_id: int) -> None:
    """Ensure that a job processes the waiting deliveries of a tenant."""
    await connection.execute(text("select wake_tenant(:tenant)"), {"tenant": organization_id})
