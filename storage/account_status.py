"""How we stand with a tenant: what came last, what waits, what was missed, what runs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text

from storage.database import Tenant
from storage.deliveries import Deliveries
from storage.jobs import BACKFILL, READ_SETTINGS, RECONCILE
from storage.missed_deliveries import MissedDeliveries, MissedDelivery
from storage.outbox import Outbox
from storage.tables import organizations
from storage.timeline import Timeline

_RUNNING = text("select * from running_tasks(cast(:names as text[]))")


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """All of a tenant, over its repositories.

    `newest` is the kind and time of the last event; `missed` when deliveries failed that have not come since;
    `lost` those that will not come any more, and that nothing else tells of;
    `corrections` how many facts comparing with GitHub has had to add, `next_comparison` when that is done
    again; `running` the jobs under way or waiting.
    """

    newest: tuple[str, datetime] | None
    waiting: int
    parked: int
    missed: tuple[datetime, ...]
    refused: int
    corrections: int
    next_comparison: datetime | None
    running: frozenset[str]
    lost: tuple[MissedDelivery, ...] = ()

    @property
    def is_comparing(self) -> bool:
        return RECONCILE in self.running

    @property
    def is_reading_the_past(self) -> bool:
        return BACKFILL in self.running


async def load_account_status(tenant: Tenant) -> AccountStatus:
    """How we stand now."""
    deliveries = Deliveries(tenant)
    counts = await deliveries.counts()
    names = [BACKFILL, RECONCILE, READ_SETTINGS]
    running = await tenant.connection.scalars(_RUNNING, {"names": names})
    next_comparison = await tenant.connection.scalar(
        select(organizations.c.next_reconcile_at).where(organizations.c.id == tenant.organization_id)
    )
    return AccountStatus(
        newest=await deliveries.newest(),
        waiting=counts["waiting"],
        parked=counts["parked"],
        missed=tuple(missed.delivered_at for missed in await MissedDeliveries(tenant).expected()),
        refused=len(await Outbox(tenant).refused()),
        corrections=await Timeline(tenant).corrections(),
        next_comparison=next_comparison,
        running=frozenset(running),
        lost=tuple(await MissedDeliveries(tenant).lost()),
    )
