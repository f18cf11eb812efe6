"""Requests the redelivery of failed deliveries, which GitHub itself never repeats."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.github.client import GitHub, GitHubRefusedError
from sprints.gaps import GapCause
from storage.database import Database, Tenant
from storage.deliveries import Deliveries
from storage.gaps import Gaps
from storage.installations import tenant_of_installation
from storage.lookups import all_tenants
from storage.missed_deliveries import (
    FOUND_BY_BACKFILL,
    MissedDeliveries,
    MissedDelivery,
    get_checkpoint,
    set_checkpoint,
)
from storage.work_lookups import tenants_with_missed_deliveries, tenants_with_work

CHECKPOINT = "redelivery"
# When GitHub's list was last read to its end.
LAST_READ = "redelivery-looked"
# GitHub allows 5000 requests an hour; a run uses a small part of it and does not flood the webhook endpoint.
MAX_REQUESTS_PER_RUN = 60
# The pauses between the last attempt and the next request. The endpoint may be down for hours, and a delivery
# is lost after five requests without success.
RETRY_PAUSES = (
    timedelta(0),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=3),
    timedelta(hours=9),
)
_PATH = "/app/hook/deliveries"
# Attempts are listed only after they have ended, and clocks differ.
_OVERLAP = timedelta(hours=1)
_KEPT_BY_GITHUB = timedelta(days=3)
# Lost deliveries of one repository that are further apart are separate gaps: others arrived in between.
_SAME_GAP = timedelta(days=1)


@dataclass(slots=True)
class _Delivery:
    """One delivery with its attempts, newest first."""

    guid: str
    attempts: list[dict[str, Any]] = field(default_factory=list)
    tenant: int | None = None
    asked_again: int = 0

    @property
    def has_arrived(self) -> bool:
        return any(200 <= attempt["status_code"] <= 299 for attempt in self.attempts)

    @property
    def was_repeated(self) -> bool:
        return any(attempt["redelivery"] for attempt in self.attempts)

    @property
    def first_at(self) -> datetime:
        return _delivered_at(self.attempts[-1])

    @property
    def times_asked(self) -> int:
        """The number of requests; recorded ones count, too: older attempts may not be listed any more."""
        return max(self.asked_again, len(self.attempts) - 1)

    def is_given_up(self) -> bool:
        return self.times_asked >= len(RETRY_PAUSES)

    def is_due(self, now: datetime) -> bool:
        return _delivered_at(self.attempts[0]) + RETRY_PAUSES[self.times_asked] <= now

    def to_missed_delivery(self) -> MissedDelivery:
        newest = self.attempts[0]
        repository = newest.get("repository_id")
        return MissedDelivery(
            self.guid, newest["event"], newest["action"], self.first_at, repository_id=repository
        )


class Redelivery:
    """Finds failed deliveries in the App's list and requests their redelivery."""

    def __init__(self, database: Database, github: GitHub, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._github = github
        self._clock = clock
        self._affected_tenants = set[int]()
        self._log = structlog.get_logger(__name__)

    def take_affected_tenants(self) -> list[int]:
        """Return the ids of the tenants that have lost events permanently since the last call."""
        tenants, self._affected_tenants = sorted(self._affected_tenants), set()
        return tenants

    async def run(self) -> int:
        """Request redeliveries; returns their number. Raises GitHubUnavailableError; earlier requests stand.

        Two concurrent runs do no harm: the endpoint stores a delivery only once.
        """
        now = self._clock()
        deliveries = await self._listed_since(await self._since(now))
        await self._note_outage(now)
        await self._find_tenants(deliveries)
        await self._note_recovered(deliveries, now)
        failed = [delivery for delivery in deliveries if not delivery.has_arrived]
        await self._read_counts(failed)
        open_deliveries = [delivery for delivery in failed if not delivery.is_given_up()]
        # Oldest first, in the order in which they would have arrived.
        open_deliveries.sort(key=lambda delivery: delivery.first_at)
        due = [delivery for delivery in open_deliveries if delivery.is_due(now)][:MAX_REQUESTS_PER_RUN]
        for delivery in failed:
            if delivery not in due:
                await self._record(delivery, asked=False)
        for delivery in due:
            await self._request_redelivery(delivery)
        # Deliveries that have not arrived must be listed by the next run as well.
        until = min([now, *(delivery.first_at for delivery in open_deliveries)])
        async with self._database.unscoped() as connection:
            await set_checkpoint(connection, CHECKPOINT, until)
            await set_checkpoint(connection, LAST_READ, now)
        await self._note_lost(now)
        return len(due)

    async def _since(self, now: datetime) -> datetime:
        async with self._database.unscoped() as connection:
            until = await get_checkpoint(connection, CHECKPOINT)
        oldest = now - _KEPT_BY_GITHUB
        return oldest if until is None else max(oldest, until - _OVERLAP)

    async def _note_outage(self, now: datetime) -> None:
        """Record a gap if the list was not read for longer than GitHub keeps it: it may miss failures."""
        async with self._database.unscoped() as connection:
            looked_at = await get_checkpoint(connection, LAST_READ) or await get_checkpoint(
                connection, CHECKPOINT
            )
            oldest = now - _KEPT_BY_GITHUB
            if looked_at is None or looked_at >= oldest:
                return
            # An outage concerns each of them. It lasted for days, so this is rare.
            tenants = await all_tenants(connection)
        self._log.warning("deliveries may be lost", since=looked_at.isoformat(), until=oldest.isoformat())
        for tenant_id in tenants:
            async with self._database.tenant(tenant_id) as tenant:
                await Gaps(tenant).add(GapCause.OUTAGE, looked_at, oldest)
            self._affected_tenants.add(tenant_id)

    async def _note_lost(self, now: datetime) -> None:
        """Mark deliveries as lost if they are too old or were never redelivered; record their gaps."""
        async for tenant_id in tenants_with_work(self._database, tenants_with_missed_deliveries):
            async with self._database.tenant(tenant_id) as tenant:
                lost = await MissedDeliveries(tenant).mark_lost(now - _KEPT_BY_GITHUB, len(RETRY_PAUSES), now)
                by_repository = dict[int | None, list[datetime]]()
                for missed in lost:
                    if missed.event in FOUND_BY_BACKFILL:
                        by_repository.setdefault(missed.repository_id, []).append(missed.delivered_at)
                for repository_id, moments in by_repository.items():
                    await self._note_gaps(tenant, repository_id, moments)

    async def _note_gaps(self, tenant: Tenant, repository_id: int | None, moments: list[datetime]) -> None:
        """Record gaps from the first to the last of lost deliveries close to one another.

        `moments` are in order. Without a repository, which older versions did not record, gaps apply to all.
        """
        project_id = None
        if repository_id is not None:
            project_id = await Deliveries(tenant).project_of(repository_id)
            if project_id is None:  # No event of the repository is recorded.
                return
        for first, last in _spans(moments):
            await Gaps(tenant).add(GapCause.UNDELIVERED, first, last, project_id)
        self._affected_tenants.add(tenant.organization_id)

    async def _listed_since(self, since: datetime) -> list[_Delivery]:
        deliveries = dict[str, _Delivery]()
        async for attempt in self._github.app.pages(f"{_PATH}?per_page=100"):
            if _delivered_at(attempt) < since:
                break
            deliveries.setdefault(attempt["guid"], _Delivery(attempt["guid"])).attempts.append(attempt)
        return list(deliveries.values())

    async def _find_tenants(self, deliveries: Iterable[_Delivery]) -> None:
        """Look up the tenants of deliveries that failed at least once; all others arrived as usual."""
        tenants: dict[int, int | None] = {}
        async with self._database.unscoped() as connection:
            for delivery in deliveries:
                installation = delivery.attempts[0]["installation_id"]
                if installation is None or (delivery.has_arrived and not delivery.was_repeated):
                    continue
                if installation not in tenants:
                    tenants[installation] = await tenant_of_installation(connection, installation)
                delivery.tenant = tenants[installation]

    async def _note_recovered(self, deliveries: Iterable[_Delivery], now: datetime) -> None:
        arrived = dict[int, list[str]]()
        for delivery in deliveries:
            if delivery.tenant is not None and delivery.has_arrived:
                arrived.setdefault(delivery.tenant, []).append(delivery.guid)
        for tenant_id, guids in arrived.items():
            async with self._database.tenant(tenant_id) as tenant:
                if count := await MissedDeliveries(tenant).mark_recovered(guids, now):
                    self._log.info("missed deliveries have arrived", organization=tenant_id, count=count)

    async def _read_counts(self, failed: Iterable[_Delivery]) -> None:
        for delivery in failed:
            if delivery.tenant is not None:
                async with self._database.tenant(delivery.tenant) as tenant:
                    delivery.asked_again = await MissedDeliveries(tenant).asked_again(delivery.guid)

    async def _request_redelivery(self, delivery: _Delivery) -> None:
        try:
            await self._github.app.post(f"{_PATH}/{delivery.attempts[0]['id']}/attempts", {})
        except GitHubRefusedError as refusal:
            # Counted as a request, so that a delivery that GitHub refuses to repeat is given up in time.
            self._log.warning("GitHub refuses to redeliver", delivery=delivery.guid, status=refusal.status)
        else:
            self._log.info("redelivery requested", delivery=delivery.guid, organization=delivery.tenant)
        await self._record(delivery, asked=True)

    async def _record(self, delivery: _Delivery, *, asked: bool) -> None:
        """Record a missed delivery, unless its installation is unknown: then the log entry must do."""
        if delivery.tenant is not None:
            async with self._database.tenant(delivery.tenant) as tenant:
                await MissedDeliveries(tenant).record(delivery.to_missed_delivery(), asked=asked)


def _spans(moments: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    """The first and the last of each group of moments, oldest first, that lie close to one another."""
    spans = list[tuple[datetime, datetime]]()
    for moment in moments:
        if spans and moment - spans[-1][1] <= _SAME_GAP:
            spans[-1] = spans[-1][0], moment
        else:
            spans.append((moment, moment))
    return spans


def _delivered_at(attempt: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(attempt["delivered_at"])
