"""Deletes payloads, pictures and claims after a set time, in small batches; the timeline stays.

The data of a picture stays, so that it is drawn again where an old comment shows it.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.isolation import isolated
from storage.chart_files import ChartFiles
from storage.database import Database
from storage.deliveries import Deliveries
from storage.installation_claims import CLAIM_KEPT_FOR, InstallationClaims
from storage.work_lookups import tenants_to_clean_up, tenants_with_work

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
        """Clean up the tenants that have such data. Returns how many payloads were emptied."""
        now, total = self._clock(), 0
        look_up = partial(
            tenants_to_clean_up,
            payloads_before=now - self._keep,
            pictures_before=now - _PICTURES_KEPT,
            claims_before=now - CLAIM_KEPT_FOR,
        )
        async for organization_id in tenants_with_work(self._database, look_up):
            with isolated(self._log, "payloads not emptied", organization=organization_id):
                total += await self._clean_up_tenant(organization_id, now)
        return total

    async def _clean_up_tenant(self, organization_id: int, now: datetime) -> int:
        """Returns how many payloads of the tenant were emptied."""
        total, emptied = 0, _BATCH
        while emptied == _BATCH:
            async with self._database.tenant(organization_id) as tenant:
                emptied = await Deliveries(tenant).empty_payloads(now - self._keep, _BATCH)
            total += emptied
            await _pause_after(emptied)
        async with self._database.tenant(organization_id) as tenant:
            await InstallationClaims(tenant).delete_older(now - CLAIM_KEPT_FOR)
        given_up = _BATCH
        while given_up == _BATCH:
            async with self._database.tenant(organization_id) as tenant:
                given_up = await ChartFiles(tenant).drop_images(now - _PICTURES_KEPT, _BATCH)
            await _pause_after(given_up)
        return total


async def _pause_after(changed: int) -> None:
    """Let other writers have their turn after a full batch. A small one has hardly held them up."""
    if changed == _BATCH:
        await asyncio.sleep(_PAUSE_SECONDS)
