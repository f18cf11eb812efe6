"""Deletes payloads, pictures and claims after a set time, in small batches; the timeline stays.

The data of a picture stays, so that it is drawn again where an old comment shows it.
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
# Unused pictures are kept this long after their last view.
_PICTURES_KEPT = timedelta(days=30)
# Between batches, so that other writers get their turn.
_PAUSE_SECONDS = 0.05


class Retention:
    """Deletes stored data whose time to be kept is over."""

    def __init__(self, database: Database, clock: Callable[[], datetime], keep: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._keep = keep
        self._log = structlog.get_logger(__name__)

    async def run(self) -> int:
        """Go through all tenants. Returns how many payloads were emptied."""
        async with self._database.unscoped() as connection:
            tenants = await all_tenants(connection)
        total = 0
        for organization_id in tenants:
            with isolated(self._log, "payloads not emptied", organization=organization_id):
                total += await self._clean_up_tenant(organization_id)
        return total

    async def _clean_up_tenant(self, organization_id: int) -> int:
        """Returns how many payloads of the tenant were emptied."""
        now, total, emptied = self._clock(), 0, _BATCH
        while emptied == _BATCH:
            async with self._database.tenant(organization_id) as tenant:
                emptied = await Deliveries(tenant).empty_payloads(now - self._keep, _BATCH)
            total += emptied
            await asyncio.sleep(_PAUSE_SECONDS)
        async with self._database.tenant(organization_id) as tenant:
            await InstallationClaims(tenant).delete_older(now - CLAIM_KEPT_FOR)
        given_up = _BATCH
        while given_up == _BATCH:
            async with self._database.tenant(organization_id) as tenant:
                given_up = await ChartFiles(tenant).drop_images(now - _PICTURES_KEPT, _BATCH)
            await asyncio.sleep(_PAUSE_SECONDS)
        return total
