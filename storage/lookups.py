"""The few questions that are asked before a tenant is known.

Each is a SECURITY DEFINER function of the database (see migrations/) that returns ids of tenants only;
their rows are then read in that tenant's own transaction.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def tenant_of_chart(connection: AsyncConnection, token: str) -> int | None:
    """Whose picture has this name."""
    found = await connection.scalar(text("select tenant_of_chart(:token)"), {"token": token})
    return None if found is None else int(found)


async def tenants_of_repository(connection: AsyncConnection, full_name: str) -> Sequence[int]:
    """Who has, or last knew, a repository of this name (`owner/name`, in any case)."""
    query = text("select * from tenants_of_repository(:name)")
    return (await connection.scalars(query, {"name": full_name})).all()


async def tenants_of_node(connection: AsyncConnection, node_id: str) -> Sequence[int]:
    """Who looks after the repository with this node id."""
    query = text("select * from tenants_of_node(:node_id)")
    return (await connection.scalars(query, {"node_id": node_id})).all()


async def all_tenants(connection: AsyncConnection) -> Sequence[int]:
    """Everybody, for what is done by the clock and for `doctor`."""
    return (await connection.scalars(text("select * from all_tenants()"))).all()


async def tenants_with_waiting_events(connection: AsyncConnection, moment: datetime) -> Sequence[int]:
    """Whose deliveries wait although they are due at a moment."""
    query = text("select * from tenants_with_waiting_events(:moment)")
    return (await connection.scalars(query, {"moment": moment})).all()


async def tenants_due(connection: AsyncConnection, what: str, moment: datetime) -> Sequence[int]:
    """Whose turn it is to `measure`, to `reconcile`, or to check the `visibility` of."""
    query = text("select * from tenants_due(:what, :moment)")
    return (await connection.scalars(query, {"what": what, "moment": moment})).all()


async def wake_tenant(connection: AsyncConnection, organization_id: int) -> None:
    """Sees to it that a job works off what waits for this tenant."""
    await connection.execute(text("select wake_tenant(:tenant)"), {"tenant": organization_id})
