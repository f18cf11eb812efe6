"""Turns to change a repository: one command at a time, and each sees what those before it have changed.

A command computes its steps from the recorded history. So it waits until no other change is in progress, and
until GitHub's webhooks about the last changes are recorded; else one of two estimates would be lost.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.publishing.unrecorded_steps import find_unrecorded_step
from commands.framework.changes import decode_steps
from commands.framework.planning import Planning
from storage.changes import RecentChanges
from storage.database import Database, Tenant
from storage.projects import Project, Projects

# GitHub sends a webhook within seconds; one that takes longer may be lost, and is then found at night.
_WEBHOOKS_TAKE = timedelta(seconds=20)
# The pauses between looks, in seconds. A job must not hold one of the worker's places for long.
_PAUSES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
_MOST_TRIES_FOR_WEBHOOKS = 4


class RepositoryBusyError(Exception):
    """Another change of the repository is not finished or recorded yet; retry from `retry_at` on."""

    def __init__(self, message: str, retry_at: datetime) -> None:
        super().__init__(message)
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class Turn:
    """The transaction in which a change is computed and started, and the repository as it is in it."""

    tenant: Tenant
    project: Project


class ChangeTurns:
    """Gives out the turns to change repositories."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    @asynccontextmanager
    async def take(
        self, organization_id: int, project: Project, event_id: int, *, tries: int = 0
    ) -> AsyncIterator[Turn]:
        """Wait for the turn of an event, and hold it until the transaction ends.

        `tries` counts the earlier tries that ended with RepositoryBusyError, which this raises when the wait
        gets long. After some tries, webhooks that do not come are no longer waited for.
        """
        obstacle = ""
        for pause in (*_PAUSES, None):
            async with self._database.tenant(organization_id) as tenant:
                present = await Projects(tenant).get(project.id) or project
                obstacle = await self._find_obstacle(tenant, present, event_id, tries)
                if not obstacle:
                    yield Turn(tenant, present)
                    return
            if pause is not None:
                await asyncio.sleep(pause)
        raise RepositoryBusyError(obstacle, self._clock() + timedelta(seconds=1))

    async def _find_obstacle(self, tenant: Tenant, project: Project, event_id: int, tries: int) -> str:
        """Say why a change cannot be started yet; empty if it can, and then its turn is taken."""
        now = self._clock()
        recent = RecentChanges(tenant, [member.id for member in project.sharing or (project,)])
        if not await recent.take_turn():
            return "another command is being computed"
        if await recent.is_any_in_progress(event_id, now):
            return "another change is in progress"
        applied = [
            step
            for change in await recent.applied_since(now - _WEBHOOKS_TAKE)
            for step in reversed(decode_steps(change.steps))
        ]
        step = await find_unrecorded_step(Planning(tenant, project, now), applied) if applied else None
        if step is None:
            return ""
        if tries >= _MOST_TRIES_FOR_WEBHOOKS:
            self._log.warning("webhooks of a change are missing", target=step.target)
            return ""
        return "the webhooks of the last change are on their way"
