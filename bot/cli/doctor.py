"""`doctor`: checks the installation, and explains how to fix problems."""

import argparse
import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence

from bot.billing.findings import find_billing_problems
from bot.billing.issue_findings import find_unreached_owners
from bot.billing.seat_findings import seat_findings
from bot.billing.stripe_findings import stripe_findings
from bot.cli.grant_findings import grant_findings
from bot.services import Services, open_github, open_services
from bot.settings import Settings
from commands.messages.completeness import GAP_REASONS
from sprints.gaps import EventGap, select_unread
from storage.database import Tenant
from storage.deliveries import Deliveries
from storage.gaps import Gaps
from storage.installation_claims import CLAIM_KEPT_FOR, InstallationClaim, InstallationClaims
from storage.item_projections import ItemProjections
from storage.jobs import failed_jobs
from storage.lookups import all_tenants
from storage.missed_deliveries import MissedDeliveries, MissedDelivery
from storage.outbox import Outbox
from storage.posts import Posts
from storage.projects import Project, Projects
from storage.sprints import Sprints
from storage.timeline import Timeline

_SAMPLED_ITEMS = 200


def run(settings: Settings, _: argparse.Namespace) -> int:
    """Print findings. Exit status 1 if there are any."""
    findings = asyncio.run(_examine(settings))
    for finding in findings:
        print(f"✗ {finding}")
    if not findings:
        print("✓ No problems found.")
    return 1 if findings else 0


async def _examine(settings: Settings) -> list[str]:
    async with open_services(settings, has_worker=False) as base:
        findings = [*_settings_findings(settings), *await examine(base)]
    if settings.billing.stripe is not None:
        findings += await stripe_findings(settings.billing.stripe, settings.public_url)
    return findings


async def examine(base: Services) -> list[str]:
    """Find problems, a sentence each; prints statistics of the tenants."""
    findings = [finding async for finding in _job_findings(base)]
    async with base.database.unscoped() as connection:
        tenants = await all_tenants(connection)
    print(f"{len(tenants)} tenant{'' if len(tenants) == 1 else 's'}")
    for organization_id in tenants:
        findings += [finding async for finding in _tenant_findings(base, organization_id)]
        for find in (_refusal_findings, _gap_findings, seat_findings, find_unreached_owners):
            tenant_findings = find(base, organization_id)
            findings += [f"tenant {organization_id}: {finding}" async for finding in tenant_findings]
    findings += [finding async for finding in find_billing_problems(base)]
    if base.settings.github is not None:
        async with open_github(base) as github:
            findings += [finding async for finding in grant_findings(base.database, github, tenants)]
    return findings


def _settings_findings(settings: Settings) -> Iterable[str]:
    if settings.database_url is not None and settings.makes_own_key:
        yield (
            "stored payloads are encrypted with a key in DATA_DIR, which backups of the database do not "
            "contain; set ENCRYPTION_KEYS instead (with that key listed last)"
        )
    if settings.github is None or not settings.webhook_secrets:
        yield (
            "the GitHub App is not set up: `serve` and `work` need GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY "
            "and GITHUB_WEBHOOK_SECRET"
        )
    yield from settings.billing.unknown_names


async def _job_findings(base: Services) -> AsyncIterator[str]:
    async with base.database.unscoped() as connection:
        failed = await failed_jobs(connection)
    for job in failed:
        yield f"job {job.id} ({job.task}) failed {job.attempts} times and will not be retried; see the log"


async def _tenant_findings(base: Services, organization_id: int) -> AsyncIterator[str]:
    async with base.database.tenant(organization_id) as tenant:
        deliveries = Deliveries(tenant)
        counts = await deliveries.counts()
        print(f"tenant {organization_id}: {', '.join(f'{number} {name}' for name, number in counts.items())}")
        if newest := await deliveries.newest_event():
            print(f"tenant {organization_id}: last event {newest[0]} at {newest[1]:%Y-%m-%d %H:%M} UTC")
        corrections = await Timeline(tenant).count_corrections()
        print(f"tenant {organization_id}: {corrections} corrections by comparing with GitHub")
        for delivery, event, why in await deliveries.parked():
            yield (
                f"tenant {organization_id}: delivery {delivery} ({event}) is parked: {why}; once that is "
                "fixed, redeliver it on the App's page under “Advanced”"
            )
        for claim in await InstallationClaims(tenant).since(base.clock() - CLAIM_KEPT_FOR):
            yield f"tenant {organization_id}: {_claim_finding(claim)}"
        for project in await Projects(tenant).active():
            problems = (await Sprints(tenant, project.alone).load(base.clock())).problems
            for milestone, kind in problems.items():
                yield (
                    f"tenant {organization_id}: milestone {milestone} of {project.full_name} cannot be read "
                    f"({kind}) and is left out; see the log"
                )
            async for finding in _projection_findings(tenant, project):
                yield f"tenant {organization_id}: {finding}"
        for finding in _lost_findings(await MissedDeliveries(tenant).lost()):
            yield f"tenant {organization_id}: {finding}"
        missed = await MissedDeliveries(tenant).expected()
        if missed:
            first, last = missed[0].delivered_at, missed[-1].delivered_at
            yield (
                f"tenant {organization_id}: {len(missed)} deliveries failed between {first:%Y-%m-%d %H:%M} "
                f"and {last:%Y-%m-%d %H:%M} UTC and have not arrived since; they are requested again for "
                "3 days, and the nightly comparison restores what running sprints missed"
            )


async def _projection_findings(tenant: Tenant, project: Project) -> AsyncIterator[str]:
    """Compare a sample of the stored projections of a repository's items with the items' events."""
    projections = ItemProjections(tenant, Timeline(tenant))
    if stale := await projections.count_stale(project.id, project.rules):
        print(f"{project.full_name}: {stale} items are being recomputed in the background")
    for item in await projections.list_unreadable(project.id, project.rules):
        yield (f"item {item} of {project.full_name} cannot be read, so answers about it fail; see the log")
    differences = await projections.find_differences(project.id, project.rules, _SAMPLED_ITEMS)
    for difference in differences:
        yield (
            f"the stored state of item {difference.item} of {project.full_name} differs from its events, so "
            "answers may have been wrong; this is a bug, so please report it; it is corrected the next night"
        )


def _lost_findings(deliveries: Sequence[MissedDelivery]) -> Iterable[str]:
    """Summarise the deliveries that are lost permanently, and that no backfill can replace."""
    if not deliveries:
        return
    kinds = Counter(delivery.event for delivery in deliveries)
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    first, last = deliveries[0].delivered_at, deliveries[-1].delivered_at
    number = f"{len(deliveries)} {'delivery is' if len(deliveries) == 1 else 'deliveries are'}"
    yield (
        f"{number} lost ({counts}), sent between {first:%Y-%m-%d %H:%M} and {last:%Y-%m-%d %H:%M} UTC; "
        "GitHub no longer delivers such old events, and has no other record of these; this is shown for 30 "
        "days"
    )


async def _refusal_findings(base: Services, organization_id: int) -> AsyncIterator[str]:
    """Find answers and posts that GitHub refused."""
    async with base.database.tenant(organization_id) as tenant:
        for thread, why in await Outbox(tenant).refused():
            yield f"GitHub rejected our answer in thread {thread}: {why}"
        for name, why in await Posts(tenant).refusals():
            yield f"GitHub rejected our automatic post {name}: {why}"


async def _gap_findings(base: Services, organization_id: int) -> AsyncIterator[str]:
    """Find gaps in repositories' events that have not been backfilled since."""
    async with base.database.tenant(organization_id) as tenant:
        names = {project.id: project.full_name for project in await Projects(tenant).active()}
        gaps_of_all = await Gaps(tenant).of_all()
    unread = dict[EventGap, list[str]]()
    for project_id, gaps in gaps_of_all.items():
        for gap in select_unread(gaps):
            unread.setdefault(gap, []).append(names.get(project_id) or f"project {project_id}")
    for gap, repositories in unread.items():
        others = f" and {len(repositories) - 1} more" if len(repositories) > 1 else ""
        began = f"{gap.began_at:%Y-%m-%d %H:%M}"
        if gap.ended_at is None:  # Nothing that an operator could fix.
            print(
                f"tenant {organization_id}: no events received since {began} UTC from "
                f"{repositories[0]}{others}, because {GAP_REASONS[gap.cause]}"
            )
            continue
        yield (
            f"no events received from {began} to {gap.ended_at:%Y-%m-%d %H:%M} UTC, because "
            f"{GAP_REASONS[gap.cause]}, and the history of {repositories[0]}{others} has not been imported "
            "again yet; this is tried every day; to do it now, run `python -m bot backfill "
            f"{repositories[0]}`"
        )


def _claim_finding(claim: InstallationClaim) -> str:
    """Describe what happened to deliveries whose installation is not recorded for their account."""
    owner = claim.login or f"account {claim.account}"
    if claim.is_denied:
        verdict = f"according to GitHub, installation {claim.installation} does not belong to {owner}"
    else:
        verdict = f"GitHub has not confirmed yet that installation {claim.installation} belongs to {owner}"
    if claim.refused:
        outcome = f"{claim.refused:,} {'delivery' if claim.refused == 1 else 'deliveries'} refused"
    else:
        outcome = "its deliveries are recorded, but not answered"
    return (
        f"{verdict}; {outcome}; the last one arrived on {claim.claimed_at:%Y-%m-%d %H:%M} UTC; if the App is "
        "installed there again, redeliver its `installation` event on the App's page under “Advanced”"
    )
