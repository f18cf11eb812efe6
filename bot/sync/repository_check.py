"""Compares which repositories we look after with those that the installation sees.

GitHub tells when a repository comes or goes, but it may tell one side only: the new account of one that was
transferred, and not the old one. So it is asked each day.
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
from storage.projects import KnownRepository, Projects

_NOT_THERE = {301, 404, 410}


class RepositoryCheck:
    """Finds repositories that have left, or come back, unheard."""

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
            known = await Projects(tenant).all()
        if present is None or is_suspended or not known:
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
        gone = [
            repository
            for repository in known
            if repository.is_active
            and repository.node_id not in visible
            and not await _is_there(installation, repository, account)
        ]
        back = _find_returned(known, visible)
        async with self._database.tenant(organization_id) as tenant:
            for repository in gone:
                self._log.info("repository has left unheard", project=repository.id)
                await Projects(tenant).mark_hidden(repository.node_id, now)
            await track_repositories(tenant, RepositoriesChanged(added=back), now)
            # Whether work needs a seat depends on its repository's visibility.
            for repository in known:
                if shown := visible.get(repository.node_id):
                    await remember_repository(Projects(tenant), repository.node_id, shown, now)


def _find_returned(
    known: list[KnownRepository], visible: Mapping[str, RepositoryPayload]
) -> list[RepositoryPayload]:
    """Those that had gone out of our sight. What is archived stays as it is."""
    hidden = [repository.node_id for repository in known if repository.is_hidden and not repository.is_active]
    shown = [visible[node_id] for node_id in hidden if node_id in visible]
    return [repository for repository in shown if not repository.archived]


async def _is_there(installation: Installation, repository: KnownRepository, account: int) -> bool:
    """Whether a repository that is not on the list is there all the same, and still this account's."""
    if repository.full_name is None:
        return True
    try:
        shown = convert_leniently(RepositoryPayload, await installation.get(f"/repos/{repository.full_name}"))
    except GitHubRefusedError as refusal:
        return refusal.status not in _NOT_THERE
    except MalformedError:  # It is there, whatever is odd about it.
        return True
    is_same = repository.node_id in (shown.node_id, f"repository:{shown.id}")
    return is_same and (shown.owner is None or shown.owner.id == account)
