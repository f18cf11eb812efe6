"""Deletes payloads, images of charts and claims after their retention, in small batches; the timeline stays.

A chart keeps the data from which it is drawn, so that an old comment never shows a broken image.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.isolation import isolated
from storage.chart_files import ChartFiles
from storage.database import Database
from storage.deliveries import Deliveries
from storage.installation_claims import CLAIM_KEPT_FOR, InstallationClaims
from storage.lookups import all_tenants

_BATCH = 500
# Counted from the last view.
_PICTURES_KEPT = timedelta(days=30)
# Between batches, so that other writers are not blocked.
_PAUSE_SECONDS = 0.05


class Retention:
    """Empties payloads and drops images whose retention has ended."""

    def __init__(self, database: Database, clock: Callable[[], datetime], keep: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._keep = keep
        self._log = structlog.get_logger(__name__)

    async def run(self) -> int:
        """Empty old data of all tenants. Returns how many payloads were emptied."""
        async with self._database.unscoped() as connection:
            tenants = await all_tenants(connection)
        total = 0
        for organization_id in tenants:
            with isolated(self._log, "payloads not emptied", organization=organization_id):
                total += await self._tenant(organization_id)
        return total

    async def _tenant(self, organization_id: int) -> int:
        now, total, emptied = self._clock(), 0, _BATCH
        while emptied == _BATCH:
            async with self._database.tenant(organization_id) as tenant:
                emptied = await Deliveries(tenant).empty_payloads(now - self._keep, _BATCH)
            total += emptied
            await asyncio.sleep(_PAUSE_SECONDS)
        async with self._database.tenant(organization_id) as tenant:
            await InstallationClaims(tenant).delete_older(now - CLAIM_KEPT_FOR)
        dropped = _BATCH
        while dropped == _BATCH:
            async with self._database.tenant(organization_id) as tenant:
                dropped = await ChartFiles(tenant).drop_images(now - _PICTURES_KEPT, _BATCH)
            await asyncio.sleep(_PAUSE_SECONDS)
        return total
