"""Look-ups of the tenants for which a periodic task has work, so that it need not visit all tenants.

Each calls a SECURITY DEFINER function of the database (migration 0019) that returns ids of tenants only and
finds them by indexes, so that its cost does not depend on their history.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database

# The number of tenants that one look-up of a series returns.
_PAGE = 200
# A look-up of at most so many tenants (second argument) whose ids are greater than the first, in their order.
LookUp = Callable[[AsyncConnection, int, int], Awaitable[Sequence[int]]]


async def tenants_with_work(database: Database, look_up: LookUp) -> AsyncIterator[int]:
    """All tenants that a look-up finds, a page at a time. No transaction is open between them."""
    after = 0
    while True:
        async with database.unscoped() as connection:
            page = await look_up(connection, after, _PAGE)
        for organization_id in page:
            yield organization_id
        if len(page) < _PAGE:
            return
        after = page[-1]


async def tenants_due(connection: AsyncConnection, task: str, moment: datetime, most: int) -> Sequence[int]:
    """The tenants for which a turn is due: `measure`, `reconcile` or `visibility`.

    Only the `most` that are the longest overdue count, and of these only those whose turn is not queued yet.
    """
    query = text("select * from tenants_due(:what, :moment, :most)")
    return (await connection.scalars(query, {"what": task, "moment": moment, "most": most})).all()


async def wake_waiting_tenants(connection: AsyncConnection, moment: datetime, most: int) -> int:
    """Ensure that jobs process the deliveries that are due at a moment and for which no job waits.

    Returns how many tenants were woken, at most `most`.
    """
    query = text("select wake_waiting_tenants(:moment, :most)")
    return int(await connection.scalar(query, {"moment": moment, "most": most}) or 0)


async def tenants_with_due_posts(
    connection: AsyncConnection, after: int, most: int, *, moment: datetime
) -> Sequence[int]:
    """The tenants with posts that could be sent at a moment, and without a job that waits to send them."""
    query = text("select * from tenants_with_due_posts(:moment, :after, :most)")
    return (await connection.scalars(query, {"moment": moment, "after": after, "most": most})).all()


async def tenants_with_usage(
    connection: AsyncConnection, after: int, most: int, *, since: datetime, until: datetime, reported: bool
) -> Sequence[int]:
    """The tenants with usage to count between two moments; if `reported`, also with usage to report."""
    query = text("select * from tenants_with_usage(:since, :until, :reported, :after, :most)")
    values = {"since": since, "until": until, "reported": reported, "after": after, "most": most}
    return (await connection.scalars(query, values)).all()


async def tenants_to_clean_up(
    connection: AsyncConnection,
    after: int,
    most: int,
    *,
    payloads_before: datetime,
    pictures_before: datetime,
    claims_before: datetime,
) -> Sequence[int]:
    """The tenants with payloads, unused pictures or claims of installations that are older than a moment."""
    query = text("select * from tenants_to_clean_up(:payloads, :pictures, :claims, :after, :most)")
    moments = {"payloads": payloads_before, "pictures": pictures_before, "claims": claims_before}
    return (await connection.scalars(query, {**moments, "after": after, "most": most})).all()


async def tenants_with_billing(connection: AsyncConnection, after: int, most: int) -> Sequence[int]:
    """The tenants that bought something, have notices about it, or whose data is to be deleted."""
    query = text("select * from tenants_with_billing(:after, :most)")
    return (await connection.scalars(query, {"after": after, "most": most})).all()


async def tenants_with_missed_deliveries(connection: AsyncConnection, after: int, most: int) -> Sequence[int]:
    """The tenants with deliveries that failed, have not arrived since, and are not given up."""
    query = text("select * from tenants_with_missed_deliveries(:after, :most)")
    return (await connection.scalars(query, {"after": after, "most": most})).all()
