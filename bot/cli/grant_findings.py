"""Findings of `doctor` about permissions and events: not requested by the App, or not granted to it."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

from bot.github.app_manifest import Grants
from bot.github.client import GONE, GitHub, GitHubRefusedError, GitHubUnavailableError
from storage.database import Database
from storage.projects import Projects

_ON_THE_APP = "add this on the App's page under “Permissions & events”"


async def grant_findings(database: Database, github: GitHub, tenants: Iterable[int]) -> AsyncIterator[str]:
    """Yield a sentence about the App's missing requests, and one for each tenant that grants less."""
    try:
        app = await github.grants_of_app()
        for finding in _app_findings(app):
            yield finding
        for organization_id in tenants:
            if (grants := await _grants(database, github, organization_id)) is not None:
                for finding in installation_findings(grants, app):
                    yield f"tenant {organization_id}: {finding}"
    except (GitHubUnavailableError, GitHubRefusedError) as problem:
        yield f"the App's permissions could not be read from GitHub: {problem}"


async def _grants(database: Database, github: GitHub, organization_id: int) -> Grants | None:
    """Get the grants of a tenant's account; None if it has no installation."""
    async with database.tenant(organization_id) as tenant:
        projects = await Projects(tenant).active()
    installation = next((project.installation for project in projects if project.installation), None)
    if installation is None:
        return None
    try:
        return await github.grants(installation)
    except GitHubRefusedError as refusal:
        if refusal.status in GONE:
            return None
        raise


def _app_findings(app: Grants) -> Iterator[str]:
    if lacking := _list_grants(app.missing, app.missing_events):
        yield f"the App does not request {lacking}; {_ON_THE_APP}: {app.url}"


def installation_findings(grants: Grants, app: Grants) -> Iterator[str]:
    """Yield the requests of the App that an account has not accepted; an account can accept nothing else."""
    permissions = {name: purpose for name, purpose in grants.missing.items() if name not in app.missing}
    events = {
        name: purpose for name, purpose in grants.missing_events.items() if name not in app.missing_events
    }
    if lacking := _list_grants(permissions, events):
        yield f"the App lacks {lacking}; {grants.owner} must accept this: {grants.url}"


def _list_grants(permissions: Mapping[str, str], events: Mapping[str, str]) -> str:
    """List permissions and events, each with its purpose."""
    kinds = (("permission", permissions), ("event", events))
    return ", ".join(
        f"the {kind} {name} (lets it {purpose})" for kind, names in kinds for name, purpose in names.items()
    )
