"""Payloads are kept for a set time, then emptied in small batches. The timeline is kept for ever."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from storage.database import Database
from storage.deliveries import Deliveries
from storage.lookups import all_tenants

_BATCH = 500
# So that who writes at the same time is not held up.
_PAUSE_SECONDS = 0.05


class Retention:
    """Empties what has been kept for long enough."""

    def __init__(self, database: Database, clock: Callable[[], datetime], keep: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._keep = keep

    async def run(self) -> int:
        """Goes through all tenants and returns how many payloads were emptied."""
        async with self._database.nobody() as connection:
            tenants = await all_tenants(connection)
        return sum([await self._tenant(organization_id) for organization_id in tenants])

    async def _tenant(self, organization_id: int) -> int:
        before, total, emptied = self._clock() - self._keep, 0, _BATCH
        while emptied == _BATCH:
            async with self._database.tenant(organization_id) as tenant:
                emptied = await Deliveries(tenant).forget_payloads(before, _BATCH)
            total += emptied
            await asyncio.sleep(_PAUSE_SECONDS)
        return total
