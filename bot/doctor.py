"""`doctor`: what is wrong, and how to mend it."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterable

from bot.services import Services, services
from bot.settings import Settings
from storage.deliveries import Deliveries
from storage.lookups import all_tenants
from storage.missed import MissedDeliveries
from storage.outbox import Outbox
from storage.posts import Posts
from storage.timeline import Timeline


def run(settings: Settings, _: argparse.Namespace) -> int:
    """Prints findings. Exit status 1 if anything needs mending."""
    findings = asyncio.run(_examine(settings))
    for finding in findings:
        print(f"✗ {finding}")
    if not findings:
        print("✓ Nothing is wrong.")
    return 1 if findings else 0


async def _examine(settings: Settings) -> list[str]:
    async with services(settings) as base:
        return [*_settings(settings), *await examine(base)]


async def examine(base: Services) -> list[str]:
    """What needs mending, a sentence each; prints what there is."""
    findings = [finding async for finding in _jobs(base)]
    async with base.database.nobody() as connection:
        tenants = await all_tenants(connection)
    print(f"{len(tenants)} tenant{'' if len(tenants) == 1 else 's'}")
    for organization_id in tenants:
        findings += [finding async for finding in _tenant(base, organization_id)]
    return findings


def _settings(settings: Settings) -> Iterable[str]:
    if settings.database_url is not None and settings.makes_own_key:
        yield (
            "stored payloads are encrypted with a key kept in DATA_DIR, away from the database and its "
            "backups; set ENCRYPTION_KEYS instead (with that key listed last)"
        )
    if settings.github is None or not settings.webhook_secrets:
        yield (
            "the GitHub App is not set up: `serve` and `work` need GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY "
            "and GITHUB_WEBHOOK_SECRET"
        )


async def _jobs(base: Services) -> AsyncIterator[str]:
    for job in await base.queue.job_manager.list_jobs_async(status="failed"):
        yield f"job {job.id} ({job.task_name}) failed {job.attempts} times and was given up; the log says why"


async def _tenant(base: Services, organization_id: int) -> AsyncIterator[str]:
    async with base.database.tenant(organization_id) as tenant:
        deliveries, outbox = Deliveries(tenant), Outbox(tenant)
        counts = await deliveries.counts()
        print(f"tenant {organization_id}: {', '.join(f'{number} {name}' for name, number in counts.items())}")
        if newest := await deliveries.newest():
            print(f"tenant {organization_id}: last event {newest[0]} at {newest[1]:%Y-%m-%d %H:%M} UTC")
        print(f"tenant {organization_id}: {await Timeline(tenant).corrections()} corrections by reconciling")
        for delivery, event, why in await deliveries.parked():
            yield (
                f"tenant {organization_id}: delivery {delivery} ({event}) is parked: {why}; once mended, "
                "redeliver it on the App's page under “Advanced”"
            )
        missed = await MissedDeliveries(tenant).open()
        if missed:
            first, last = missed[0].delivered_at, missed[-1].delivered_at
            yield (
                f"tenant {organization_id}: {len(missed)} deliveries failed between {first:%Y-%m-%d %H:%M} "
                f"and {last:%Y-%m-%d %H:%M} UTC and have not come since; they are asked for again "
                "for 3 days, and what running sprints lost is found by the nightly comparison"
            )
        for thread, why in await outbox.refused():
            yield f"tenant {organization_id}: GitHub would not take our answer in thread {thread}: {why}"
        for name, why in await Posts(tenant).refusals():
            yield f"tenant {organization_id}: GitHub would not take what we say unasked, {name}: {why}"
