"""`backfill`: asks GitHub for the past of a repository, and waits out its limits."""

import argparse
import asyncio
import sys
from typing import Any

import msgspec
from tqdm import tqdm

from bot.github.client import GitHub, GitHubRefusedError, GitHubUnavailableError
from bot.jobs.event_processor import EventProcessor
from bot.services import Services, github_of, services
from bot.settings import Settings
from bot.sync.backfill.backfill import Backfill, BackfillError, BackfillPosition
from storage.cipher import delivery_place
from storage.deliveries import ReceivedDelivery, receive_deliveries
from storage.installation_claims import CLAIM_KEPT_FOR, InstallationClaims
from storage.lookups import all_tenants, tenants_of_repository
from storage.projects import Projects

_MOST_OUTAGES = 20


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Exit status 1 if the repository is not known, or GitHub will not tell of it."""
    try:
        end = asyncio.run(_backfill(settings, options.repository))
    except (BackfillError, GitHubRefusedError, GitHubUnavailableError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{end.items} issues and pull requests were told")
    if end.lost:
        print(f"{end.lost} times one joined or left a milestone that nobody knows any more; left out")
    return 0


async def _backfill(settings: Settings, repository: str) -> BackfillPosition:
    async with services(settings) as base, github_of(base) as github:
        organization_id, project_id = await _find(base, github, repository)
        backfill = Backfill(base.database, github, base.clock)
        with tqdm(desc="asked for", unit=" items", disable=not sys.stderr.isatty()) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(max(done - bar.n, 0))

            for _ in range(_MOST_OUTAGES):
                try:
                    return await backfill.resume(organization_id, project_id, show)
                except GitHubUnavailableError as problem:
                    bar.write(f"{problem}; going on at {problem.retry_at:%H:%M:%S} UTC", file=sys.stderr)
                    await asyncio.sleep(max((problem.retry_at - base.clock()).total_seconds(), 1))
        raise BackfillError("GitHub could not be reached for long; run this again, it goes on where it was")


async def _find(base: Services, github: GitHub, repository: str) -> tuple[int, int]:
    """The tenant and project; one that we never heard of is looked up on GitHub."""
    if found := await _find_known(base, repository):
        return found
    try:
        installation = await github.app.get(f"/repos/{repository}/installation")
        told = await github.installation(installation["id"]).get(f"/repos/{repository}")
    except GitHubRefusedError:
        raise BackfillError(
            f"the App is not installed on {repository}, or there is no such repository"
        ) from None
    await _record_added(base, installation, told)
    if found := await _find_known(base, told["full_name"]):
        return found
    raise BackfillError(f"{repository} could not be recorded; `python -m bot doctor` says why")


async def _find_known(base: Services, repository: str) -> tuple[int, int] | None:
    async with base.database.unscoped() as connection:
        tenants = await tenants_of_repository(connection, repository)
    known = list[tuple[int, int]]()
    for organization_id in tenants:
        async with base.database.tenant(organization_id) as tenant:
            project = await Projects(tenant).by_name(repository)
        if project is not None:
            # Another account may have had a repository of this name.
            known.insert(0 if project.is_accessible else len(known), (organization_id, project.id))
    return known[0] if known else None


async def _record_added(base: Services, installation: Any, repository: Any) -> None:
    """Records what GitHub's webhook would have said when the repository was added to the installation."""
    account = installation["account"]
    payload = msgspec.json.encode(
        {
            "action": "added",
            "installation": {"id": installation["id"], "account": account},
            "repositories_added": [repository],
            "repositories_removed": [],
        }
    )
    delivery = ReceivedDelivery(
        delivery=f"introduced:{repository['node_id']}",
        event="installation_repositories",
        action="added",
        installation=installation["id"],
        account=account["id"],
        login=account["login"],
        account_type=account.get("type"),
        repository=None,
        payload=payload,
    )
    sealed = base.cipher.seal(payload, delivery_place(delivery.account, delivery.delivery))
    async with base.database.autocommit() as connection:
        await receive_deliveries(connection, [delivery], [sealed], base.clock())
    async with base.database.unscoped() as connection:
        tenants = await all_tenants(connection)
    for organization_id in tenants:
        # GitHub has just told whose installation it is, as it does in an `installation` event.
        async with base.database.tenant(organization_id) as tenant:
            for claim in await InstallationClaims(tenant).since(base.clock() - CLAIM_KEPT_FOR):
                if (claim.installation, claim.account) == (installation["id"], account["id"]):
                    await InstallationClaims(tenant).confirm(claim)
        await EventProcessor(base.database, base.cipher, None, base.clock).process_pending(organization_id)
