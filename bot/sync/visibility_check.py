"""Asks GitHub which repositories are still visible, because charts are linked in them.

GitHub sends events if a repository becomes private, or if the App is uninstalled, suspended or resumed; this
check finds changes whose delivery was lost. With `CACHE_DURATION` (bot/webhooks/chart_route.py), the time for
which caches keep charts, it takes less than an hour from the change to the end of a link.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from bot.github.client import GitHub, GitHubRefusedError, Installation
from handlers.lenient import convert_leniently
from handlers.payloads import RepositoryPayload, clean
from sprints.gaps import GapCause
from storage.database import Database, Tenant
from storage.gaps import Gaps
from storage.installations import Installations
from storage.projects import Project, Projects, RepositoryName
from storage.repository_presence import RepositoryPresence

CHECK_EVERY = timedelta(minutes=40)
_PER_PAGE = 100
# The App is suspended or uninstalled, or has lost the permission.
_OUT_OF_SIGHT = {403, 404}


class VisibilityCheck:
    """Compares the recorded visibility of a tenant's repositories with GitHub's list for its installation."""

    def __init__(self, database: Database, github: GitHub, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._github = github
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def run(self, organization_id: int) -> list[int]:
        """Update repositories with charts. Returns the ids whose change of visibility had been missed.

        Raises GitHubUnavailableError; then nothing changes.
        """
        async with self._database.tenant(organization_id) as tenant:
            before = await Projects(tenant).with_charts()
        installation = next((project.installation for project in before if project.installation), None)
        if installation is None:
            return []
        now = self._clock()
        visible = await self._visible(organization_id, self._github.installation(installation))
        if visible is None:
            return []
        async with self._database.tenant(organization_id) as tenant:
            if visible:
                await Installations(tenant).record_working(installation, now)
                await Gaps(tenant).close(GapCause.SUSPENDED, now)
            for project in before:
                await _update(tenant, project, visible.get(project.node_id), now)
            after = {project.id: project for project in await Projects(tenant).with_charts()}
        return [project.id for project in before if after[project.id].is_private != project.is_private]

    async def _visible(
        self, organization_id: int, installation: Installation
    ) -> Mapping[str, RepositoryPayload] | None:
        """The repositories that the installation can see, by their possible keys; None if that is unknown."""
        try:
            return await list_repositories(installation)
        except GitHubRefusedError as refusal:
            self._log.warning(
                "GitHub does not show an installation's repositories",
                organization=organization_id,
                status=refusal.status,
            )
            # Other refusals, such as for an unknown private key, say nothing about repositories.
            return {} if refusal.status in _OUT_OF_SIGHT else None


async def list_repositories(installation: Installation) -> Mapping[str, RepositoryPayload]:
    """List the repositories that an installation can see, by their possible keys: node id and number."""
    visible, listed, page = dict[str, RepositoryPayload](), 0, 1
    while True:
        answer = await installation.get(f"/installation/repositories?per_page={_PER_PAGE}&page={page}")
        repositories = convert_leniently(list[RepositoryPayload], answer["repositories"])
        for repository in repositories:
            visible[repository.key] = visible[f"repository:{repository.id}"] = repository
        listed, page = listed + len(answer["repositories"]), page + 1
        if not answer["repositories"] or listed >= answer["total_count"]:
            return visible


async def _update(tenant: Tenant, project: Project, shown: RepositoryPayload | None, now: datetime) -> None:
    await RepositoryPresence(tenant).set_hidden(project.node_id, None if shown else now)
    if shown:
        await remember_repository(Projects(tenant), project.node_id, shown, now)


async def remember_repository(
    projects: Projects, node_id: str, shown: RepositoryPayload, now: datetime
) -> None:
    """Record a repository's name and visibility as GitHub shows them now."""
    await projects.remember(
        RepositoryName(
            node_id=node_id,
            full_name=clean(shown.full_name),
            is_private=shown.private,
            description=clean(shown.description) if shown.description else None,
            seen_at=now,
        )
    )
