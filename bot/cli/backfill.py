"""`backfill`: reads the history of a repository from GitHub, and waits while GitHub limits requests."""

import argparse
import asyncio
import sys
from typing import Any

import msgspec
from tqdm import tqdm

from bot.cli.repository_name import find_name_problem
from bot.github.client import GitHub, GitHubRefusedError, GitHubUnavailableError
from bot.jobs.event_processor import EventProcessor
from bot.services import Services, open_github, open_services
from bot.settings import Settings
from bot.sync.backfill.backfill import Backfill, BackfillError, BackfillPosition
from storage.cipher import delivery_place
from storage.deliveries import ReceivedDelivery, receive_deliveries
from storage.installation_claims import CLAIM_KEPT_FOR, InstallationClaims
from storage.lookups import all_tenants, tenants_of_repository
from storage.projects import Projects

_MOST_OUTAGES = 20


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Backfill a repository. Exit status 1 if it is unknown or GitHub refuses, 2 for a malformed name."""
    if problem := find_name_problem(options.repository):
        print(problem, file=sys.stderr)
        return 2
    try:
        end = asyncio.run(_backfill(settings, options.repository))
    except (BackfillError, GitHubRefusedError, GitHubUnavailableError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{end.items} issues and pull requests imported")
    if end.lost:
        print(f"{end.lost} changes of milestones left out, because those milestones no longer exist")
    return 0


async def _backfill(settings: Settings, repository: str) -> BackfillPosition:
    async with open_services(settings, has_worker=False) as base, open_github(base) as github:
        organization_id, project_id = await _find(base, github, repository)
        backfill = Backfill(base.database, github, base.clock)
        with tqdm(desc="imported", unit=" items", disable=not sys.stderr.isatty()) as bar:

            def update_bar(done: int, total: int) -> None:
                bar.total = total
                bar.update(max(done - bar.n, 0))

            for _ in range(_MOST_OUTAGES):
                try:
                    return await backfill.resume(organization_id, project_id, update_bar)
                except GitHubUnavailableError as problem:
                    bar.write(f"{problem}; continuing at {problem.retry_at:%H:%M:%S} UTC", file=sys.stderr)
                    await asyncio.sleep(max((problem.retry_at - base.clock()).total_seconds(), 1))
        raise BackfillError(
            "GitHub could not be reached for a long time; run this again to continue where it stopped"
        )


async def _find(base: Services, github: GitHub, repository: str) -> tuple[int, int]:
    """Find the tenant and the project; an unknown repository is looked up on GitHub and recorded."""
    if ids := await _find_known(base, repository):
        return ids
    try:
        installation = await github.app.get(f"/repos/{repository}/installation")
        payload = await github.installation(installation["id"]).get(f"/repos/{repository}")
    except GitHubRefusedError:
        raise BackfillError(
            f"the repository {repository} does not exist, or the App is not installed on it"
        ) from None
    await _record_added(base, installation, payload)
    if ids := await _find_known(base, payload["full_name"]):
        return ids
    raise BackfillError(f"{repository} could not be recorded; for the reason, run `python -m bot doctor`")


async def _find_known(base: Services, repository: str) -> tuple[int, int] | None:
    async with base.database.unscoped() as connection:
        tenants = await tenants_of_repository(connection, repository)
    candidates = list[tuple[int, int]]()
    for organization_id in tenants:
        async with base.database.tenant(organization_id) as tenant:
            project = await Projects(tenant).by_name(repository)
        if project is not None:
            # Another account may have had a repository of this name.
            candidates.insert(0 if project.is_accessible else len(candidates), (organization_id, project.id))
    return candidates[0] if candidates else None


async def _record_added(base: Services, installation: Any, repository: Any) -> None:
    """Record the webhook that GitHub would have sent when the repository was added to the installation."""
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
        # GitHub has just named the installation's account, as in an `installation` event.
        async with base.database.tenant(organization_id) as tenant:
            for claim in await InstallationClaims(tenant).since(base.clock() - CLAIM_KEPT_FOR):
                if (claim.installation, claim.account) == (installation["id"], account["id"]):
                    await InstallationClaims(tenant).confirm(claim)
        await EventProcessor(base.database, base.cipher, None, base.clock).process_pending(organization_id)
