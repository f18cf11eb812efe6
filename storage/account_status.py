"""The processing status of a tenant: last delivery, waiting and missed deliveries, running jobs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text

from storage.database import Tenant
from storage.deliveries import Deliveries
from storage.job_types import BackfillJob, ReadSettingsJob, ReconcileJob
from storage.missed_deliveries import MissedDeliveries, MissedDelivery
from storage.outbox import Outbox
from storage.tables import organizations
from storage.timeline import Timeline

_RUNNING = text("select * from running_tasks(cast(:names as text[]))")


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """The processing status of a tenant over all of its repositories.

    `newest` is the kind and time of the last event. `missed` are the times of failed deliveries that may
    still come; `lost` are deliveries that will not come any more and that no backfill can replace.
    `refused` counts messages that GitHub rejected. `corrections` counts the facts that reconciliation had to
    add, and `next_comparison` is when it runs next. `running` are the names of jobs that run or wait.
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
        return ReconcileJob.name in self.running

    @property
    def is_backfilling(self) -> bool:
        return BackfillJob.name in self.running


async def load_account_status(tenant: Tenant) -> AccountStatus:
    """Load the present status of the transaction's tenant."""
    deliveries = Deliveries(tenant)
    counts = await deliveries.counts()
    names = [BackfillJob.name, ReconcileJob.name, ReadSettingsJob.name]
    running = await tenant.connection.scalars(_RUNNING, {"names": names})
    next_comparison = await tenant.connection.scalar(
        select(organizations.c.next_reconcile_at).where(organizations.c.id == tenant.organization_id)
    )
    return AccountStatus(
        newest=await deliveries.newest_event(),
        waiting=counts["waiting"],
        parked=counts["parked"],
        missed=tuple(missed.delivered_at for missed in await MissedDeliveries(tenant).expected()),
        refused=len(await Outbox(tenant).refused()),
        corrections=await Timeline(tenant).count_corrections(),
        next_comparison=next_comparison,
        running=frozenset(running),
        lost=tuple(await MissedDeliveries(tenant).lost()),
    )
