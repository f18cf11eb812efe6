"""What `doctor` says of permissions and events: which the App does not ask for, and who must accept which."""

from collections.abc import AsyncIterator, Iterable, Iterator

from bot.app_manifest import Grants
from bot.github import GONE, GitHub, GitHubRefusedError, GitHubUnavailableError
from storage.database import Database
from storage.projects import Projects

_ON_THE_APP = "add it on the App's page under “Permissions & events”"


async def grant_findings(database: Database, github: GitHub, tenants: Iterable[int]) -> AsyncIterator[str]:
    """A sentence for each permission and event that is missing, of the App and of each tenant's account."""
    try:
        app = await github.grants_of_app()
        for finding in _of_app(app):
            yield finding
        for organization_id in tenants:
            if (grants := await _grants(database, github, organization_id)) is not None:
                for finding in _of_installation(grants, app):
                    yield f"tenant {organization_id}: {finding}"
    except (GitHubUnavailableError, GitHubRefusedError) as problem:
        yield f"GitHub could not be asked which permissions the App has: {problem}"


async def _grants(database: Database, github: GitHub, organization_id: int) -> Grants | None:
    """What a tenant's account has granted; None if it has no installation (any more)."""
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


def _of_app(app: Grants) -> Iterator[str]:
    for name, purpose in app.missing.items():
        yield f"the App does not ask for the permission {name}, {purpose}; {_ON_THE_APP}: {app.url}"
    for name, purpose in app.missing_events.items():
        yield f"the App is not subscribed to the event {name}, {purpose}; {_ON_THE_APP}: {app.url}"


def _of_installation(grants: Grants, app: Grants) -> Iterator[str]:
    accept = f"{grants.owner} must accept it: {grants.url}"
    for name, purpose in grants.missing.items():
        yield f"the permission {name} is missing, {purpose}; {accept}"
    for name, purpose in grants.missing_events.items():
        if name not in app.missing_events:
            yield f"GitHub does not send the event {name}, {purpose}; {accept}"
