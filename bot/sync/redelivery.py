"""Asks GitHub to deliver again what did not arrive. GitHub itself never repeats a failed delivery."""

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

CHECKPOINT = "redelivery"
# When GitHub's list was last read to its end.
LAST_READ = "redelivery-looked"
# GitHub allows 5000 requests an hour; a run is to be a small part of it, and no flood at our door.
MAX_REQUESTS_PER_RUN = 60
# How long we wait after the last attempt before each request: our door may be closed for hours, and what was
# asked for in vain five times within it would be lost.
RETRY_PAUSES = (
    timedelta(0),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=3),
    timedelta(hours=9),
)
_PATH = "/app/hook/deliveries"
# Attempts are listed only once they are over, and not all clocks agree.
_OVERLAP = timedelta(hours=1)
_KEPT_BY_GITHUB = timedelta(days=3)
# Lost deliveries of one repository that are further apart are gaps of their own: others arrived in between.
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
        return any(200 <= one["status_code"] <= 299 for one in self.attempts)

    @property
    def was_repeated(self) -> bool:
        return any(one["redelivery"] for one in self.attempts)

    @property
    def first_at(self) -> datetime:
        return _delivered_at(self.attempts[-1])

    @property
    def times_asked(self) -> int:
        """Older attempts may lie outside of what was listed; then we still know what we asked for."""
        return max(self.asked_again, len(self.attempts) - 1)

    def is_given_up(self) -> bool:
        return self.times_asked >= len(RETRY_PAUSES)

    def is_due(self, now: datetime) -> bool:
        return _delivered_at(self.attempts[0]) + RETRY_PAUSES[self.times_asked] <= now

    def told(self) -> MissedDelivery:
        newest = self.attempts[0]
        repository = newest.get("repository_id")
        return MissedDelivery(
            self.guid, newest["event"], newest["action"], self.first_at, repository_id=repository
        )


class Redelivery:
    """Finds failed deliveries in the App's list and asks for them again."""

    def __init__(self, database: Database, github: GitHub, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._github = github
        self._clock = clock
        self._deaf = set[int]()
        self._log = structlog.get_logger(__name__)

    def take_affected_tenants(self) -> list[int]:
        """The tenants of which events were found to be lost for good, since this was asked last."""
        deaf, self._deaf = sorted(self._deaf), set()
        return deaf

    async def run(self) -> int:
        """Returns how many were asked for. Raises GitHubUnavailableError; what was done until then stays.

        Two runs at once do no harm: our door takes a delivery only once.
        """
        now = self._clock()
        found = await self._listed_since(await self._since(now))
        await self._note_outage(now)
        await self._find_tenants(found)
        await self._note_recovered(found, now)
        failed = [one for one in found if not one.has_arrived]
        await self._read_counts(failed)
        hopeful = [one for one in failed if not one.is_given_up()]
        # Oldest first, as they would have come.
        hopeful.sort(key=lambda one: one.first_at)
        due = [one for one in hopeful if one.is_due(now)][:MAX_REQUESTS_PER_RUN]
        for one in failed:
            if one not in due:
                await self._note(one, asked=False)
        for one in due:
            await self._ask_again(one)
        # What has not arrived must be seen by the next run as well.
        until = min([now, *(one.first_at for one in hopeful)])
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
        """Where nobody looked for longer than GitHub keeps its list, what failed before cannot be found."""
        async with self._database.unscoped() as connection:
            looked_at = await get_checkpoint(connection, LAST_READ) or await get_checkpoint(
                connection, CHECKPOINT
            )
            oldest = now - _KEPT_BY_GITHUB
            if looked_at is None or looked_at >= oldest:
                return
            tenants = await all_tenants(connection)
        self._log.warning("deliveries may be lost", since=looked_at.isoformat(), until=oldest.isoformat())
        for tenant_id in tenants:
            async with self._database.tenant(tenant_id) as tenant:
                await Gaps(tenant).add(GapCause.OUTAGE, looked_at, oldest)
            self._deaf.add(tenant_id)

    async def _note_lost(self, now: datetime) -> None:
        """What was asked for in vain, or is too old to be asked for, is lost; the past tells it as well."""
        async with self._database.unscoped() as connection:
            tenants = await all_tenants(connection)
        for tenant_id in tenants:
            async with self._database.tenant(tenant_id) as tenant:
                lost = await MissedDeliveries(tenant).mark_lost(now - _KEPT_BY_GITHUB, len(RETRY_PAUSES), now)
                places = dict[int | None, list[datetime]]()
                for missed in lost:
                    if missed.event in FOUND_BY_BACKFILL:
                        places.setdefault(missed.repository_id, []).append(missed.delivered_at)
                for repository_id, moments in places.items():
                    await self._note_gaps(tenant, repository_id, moments)

    async def _note_gaps(self, tenant: Tenant, repository_id: int | None, moments: list[datetime]) -> None:
        """From the first to the last of lost deliveries close to one another, oldest first.

        Older versions noted no repository: then it may have been any.
        """
        project_id = None
        if repository_id is not None:
            project_id = await Deliveries(tenant).project_of(repository_id)
            if project_id is None:  # We were never told of anything there.
                return
        for first, last in _spans(moments):
            await Gaps(tenant).add(GapCause.UNDELIVERED, first, last, project_id)
        self._deaf.add(tenant.organization_id)

    async def _listed_since(self, since: datetime) -> list[_Delivery]:
        found = dict[str, _Delivery]()
        async for attempt in self._github.app.pages(f"{_PATH}?per_page=100"):
            if _delivered_at(attempt) < since:
                break
            found.setdefault(attempt["guid"], _Delivery(attempt["guid"])).attempts.append(attempt)
        return list(found.values())

    async def _find_tenants(self, found: Iterable[_Delivery]) -> None:
        """Only of those that were ever missed: all others have come in the usual way."""
        tenants: dict[int, int | None] = {}
        async with self._database.unscoped() as connection:
            for one in found:
                installation = one.attempts[0]["installation_id"]
                if installation is None or (one.has_arrived and not one.was_repeated):
                    continue
                if installation not in tenants:
                    tenants[installation] = await tenant_of_installation(connection, installation)
                one.tenant = tenants[installation]

    async def _note_recovered(self, found: Iterable[_Delivery], now: datetime) -> None:
        arrived = dict[int, list[str]]()
        for one in found:
            if one.tenant is not None and one.has_arrived:
                arrived.setdefault(one.tenant, []).append(one.guid)
        for tenant_id, guids in arrived.items():
            async with self._database.tenant(tenant_id) as tenant:
                if count := await MissedDeliveries(tenant).mark_recovered(guids, now):
                    self._log.info("missed deliveries have arrived", organization=tenant_id, count=count)

    async def _read_counts(self, failed: Iterable[_Delivery]) -> None:
        for one in failed:
            if one.tenant is not None:
                async with self._database.tenant(one.tenant) as tenant:
                    one.asked_again = await MissedDeliveries(tenant).asked_again(one.guid)

    async def _ask_again(self, one: _Delivery) -> None:
        try:
            await self._github.app.post(f"{_PATH}/{one.attempts[0]['id']}/attempts", {})
        except GitHubRefusedError as refusal:
            # It counts as asked for, so that a delivery that GitHub will not repeat is given up in time.
            self._log.warning("GitHub will not repeat a delivery", delivery=one.guid, status=refusal.status)
        else:
            self._log.info("missed delivery asked for again", delivery=one.guid, organization=one.tenant)
        await self._note(one, asked=True)

    async def _note(self, one: _Delivery, *, asked: bool) -> None:
        """Of an unknown installation there is nobody to remember it for; that it was asked for is logged."""
        if one.tenant is not None:
            async with self._database.tenant(one.tenant) as tenant:
                await MissedDeliveries(tenant).record(one.told(), asked=asked)


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
