"""Locks for changes of a repository: one command at a time, and each sees what those before it have changed.

A command computes its steps from the recorded history. So it waits until no other change is in progress, and
until GitHub's webhooks about the last changes are recorded; else one of two estimates would be lost.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.publishing.change_applier import ChangeTask
from bot.publishing.unrecorded_steps import find_unrecorded_step
from commands.framework.planning import Planning
from storage.changes import RecentChanges
from storage.database import Database, Tenant
from storage.projects import Project, Projects

# GitHub sends a webhook within seconds; one that takes longer may be lost, and is then found at night.
_WEBHOOKS_TAKE = timedelta(seconds=20)
# The pauses between tries, in seconds. An event that waits for the first time holds one of the worker's
# places, of which there are few; later, all that wait for one repository share a lock, and so hold one place.
_FIRST_PAUSES = (0.05, 0.1, 0.2)
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.5, 0.75, 1.0, 1.0, 1.0)
_PAUSE_BETWEEN_JOBS = timedelta(seconds=1)
_MOST_TRIES_FOR_WEBHOOKS = 4


class RepositoryBusyError(Exception):
    """Another change of the repository is not finished or recorded yet.

    Retry at `retry_at`, with the job's lock `waiting_lock`.
    """

    def __init__(self, message: str, waiting_lock: str, retry_at: datetime) -> None:
        super().__init__(message)
        self.waiting_lock = waiting_lock
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class OpenRepository:
    """A transaction of a tenant, and one of the tenant's repositories as it is in it."""

    tenant: Tenant
    project: Project


class RepositoryLocks:
    """The locks under which changes of repositories are computed and started."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    @asynccontextmanager
    async def acquire(self, task: ChangeTask, *, needs_history: bool = True) -> AsyncIterator[OpenRepository]:
        """Lock the repository of an event's changes until the transaction ends.

        Raises RepositoryBusyError if that takes long. Only what `needs_history` waits for webhooks, and after
        some tries not even that: they may be lost.
        """
        obstacle = ""
        for pause in (*(_PAUSES if task.busy_tries else _FIRST_PAUSES), None):
            async with self._database.tenant(task.organization_id) as tenant:
                project = await Projects(tenant).get(task.project.id) or task.project
                opened = OpenRepository(tenant, project)
                obstacle = await self._try_to_lock(opened, task, needs_history=needs_history)
                if not obstacle:
                    yield opened
                    return
            if pause is not None:
                await asyncio.sleep(pause)
        pause_until = self._clock() + (_PAUSE_BETWEEN_JOBS if task.busy_tries else timedelta())
        raise RepositoryBusyError(obstacle, f"changes:{task.project.leader.id}", pause_until)

    async def _try_to_lock(self, opened: OpenRepository, task: ChangeTask, *, needs_history: bool) -> str:
        """Lock the repository. Returns the reason if that is not possible yet, and else an empty text."""
        now, project = self._clock(), opened.project
        recent = RecentChanges(opened.tenant, [member.id for member in project.sharing or (project,)])
        if not await recent.try_to_lock():
            return "another command is being computed"
        if await recent.is_any_in_progress(task.event_id, now):
            return "another change is in progress"
        applied = await recent.applied_since(now - _WEBHOOKS_TAKE) if needs_history else []
        if not applied:
            return ""
        app = await task.repository.read_own_login()
        step = await find_unrecorded_step(Planning(opened.tenant, project, now), applied, app)
        if step is None:
            return ""
        if task.busy_tries >= _MOST_TRIES_FOR_WEBHOOKS:
            self._log.warning("webhooks of a change are missing", step=type(step).__name__)
            return ""
        return f"webhooks of the last change are on their way ({type(step).__name__})"
