"""Compares the tracked repositories with the repositories that the installation can see.

GitHub sends an event when a repository comes or goes, but may send it to one side only: to the new account of
a transferred repository, and not to the old one. So the list is compared each day.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from bot.github.client import GitHub, GitHubRefusedError, Installation
from bot.sync.access_tracking import track_repositories
from bot.sync.visibility_check import list_repositories, remember_repository
from handlers.delivery import RepositoriesChanged
from handlers.lenient import convert_leniently
from handlers.payloads import MalformedError, RepositoryPayload
from storage.database import Database
from storage.installations import Installations
from storage.projects import Projects
from storage.repository_presence import KnownRepository, RepositoryPresence

_NOT_THERE = {301, 404, 410}


class RepositoryCheck:
    """Finds repositories that have left or come back without an event."""

    def __init__(self, database: Database, github: GitHub, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._github = github
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def run(self, organization_id: int) -> None:
        """Bring one tenant's repositories up to date. Raises GitHubUnavailableError."""
        async with self._database.tenant(organization_id) as tenant:
            installations = Installations(tenant)
            present, is_suspended = await installations.current(), await installations.suspended_since()
            account = await installations.account()
            repositories = await RepositoryPresence(tenant).all()
        if present is None or is_suspended or not repositories:
            return
        installation, now = self._github.installation(present), self._clock()
        try:
            visible = await list_repositories(installation)
        except GitHubRefusedError as refusal:
            self._log.warning(
                "GitHub does not show an installation's repositories",
                organization=organization_id,
                status=refusal.status,
            )
            return
        left_repositories = [
            repository
            for repository in repositories
            if repository.is_active
            and repository.node_id not in visible
            and not await _is_there(installation, repository, account)
        ]
        returned = _find_returned(repositories, visible)
        async with self._database.tenant(organization_id) as tenant:
            for repository in left_repositories:
                self._log.info("repository has left without an event", project=repository.id)
                await RepositoryPresence(tenant).mark_hidden(repository.node_id, now)
            await track_repositories(tenant, RepositoriesChanged(added=returned), now)
            # Whether people need a seat depends on the visibility of the repository in which they work.
            for repository in repositories:
                if shown := visible.get(repository.node_id):
                    await remember_repository(Projects(tenant), repository.node_id, shown, now)


def _find_returned(
    repositories: list[KnownRepository], visible: Mapping[str, RepositoryPayload]
) -> list[RepositoryPayload]:
    """Find the hidden repositories that are visible again, except archived ones."""
    hidden = [
        repository.node_id for repository in repositories if repository.is_hidden and not repository.is_active
    ]
    shown = [visible[node_id] for node_id in hidden if node_id in visible]
    return [repository for repository in shown if not repository.archived]


async def _is_there(installation: Installation, repository: KnownRepository, account: int) -> bool:
    """Whether a repository that is missing in the list exists, and is still this account's."""
    if repository.full_name is None:
        return True
    try:
        shown = convert_leniently(RepositoryPayload, await installation.get(f"/repos/{repository.full_name}"))
    except GitHubRefusedError as refusal:
        return refusal.status not in _NOT_THERE
    except MalformedError:  # It exists, even if its fields are malformed.
        return True
    is_same = repository.node_id in (shown.node_id, f"repository:{shown.id}")
    return is_same and (shown.owner is None or shown.owner.id == account)
