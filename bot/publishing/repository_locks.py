"""Locks for changes of a repository: one command at a time, and each sees what those before it have changed.

A command computes its steps from the recorded history. So it waits until no other change is in progress, and
until GitHub's webhooks about the last changes are recorded; else one of two estimates would be lost.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
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
# The pauses between looks, in seconds. A job that waits longer gives its place to others.
_PAUSES = (0.05, 0.1, 0.2)
# Within a comment whose first commands are done, the rest waits where it is.
_LONG_PAUSES = (*_PAUSES, *(0.5,) * 40)
_PAUSE_BETWEEN_ATTEMPTS = timedelta(seconds=0.5)
_MOST_ATTEMPTS_FOR_WEBHOOKS = 30


class RepositoryBusyError(Exception):
    """Another change of the repository is not finished or recorded yet; retry at `retry_at`."""

    def __init__(self, message: str, retry_at: datetime) -> None:
        super().__init__(message)
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
    async def acquire(
        self, task: ChangeTask, *, needs_history: bool = True, is_patient: bool = False
    ) -> AsyncIterator[OpenRepository]:
        """Lock the repository of an event's changes until the transaction ends.

        Raises RepositoryBusyError if that takes long, which it may if `is_patient`. Only what `needs_history`
        waits for webhooks, and in the end not even that: they may be lost.
        """
        obstacle, is_last_look = "", False
        pauses = _LONG_PAUSES if is_patient else _PAUSES
        for pause in (*pauses, None):
            is_last_look = pause is None and (is_patient or task.attempts >= _MOST_ATTEMPTS_FOR_WEBHOOKS)
            async with self._database.tenant(task.organization_id) as tenant:
                project = await Projects(tenant).get(task.project.id) or task.project
                opened = OpenRepository(tenant, project)
                obstacle = await self._try_to_lock(opened, task)
                if not obstacle and needs_history:
                    obstacle = await self._find_unrecorded(opened, task, is_last_look=is_last_look)
                if not obstacle:
                    yield opened
                    return
            if pause is not None:
                await asyncio.sleep(pause)
        raise RepositoryBusyError(obstacle, self._clock() + _PAUSE_BETWEEN_ATTEMPTS)

    async def _try_to_lock(self, opened: OpenRepository, task: ChangeTask) -> str:
        """Lock the repository. Returns the reason if that is not possible yet, and else an empty text."""
        recent = RecentChanges(opened.tenant, [member.id for member in _list_sharing(opened.project)])
        if not await recent.try_to_lock():
            return "another command is being computed"
        if await recent.is_any_in_progress(task.event_id, self._clock()):
            return "another change is in progress"
        return ""

    async def _find_unrecorded(self, opened: OpenRepository, task: ChangeTask, *, is_last_look: bool) -> str:
        """Say which of the last changes is not recorded yet; empty if all are."""
        now, members = self._clock(), _list_sharing(opened.project)
        recent = RecentChanges(opened.tenant, [member.id for member in members])
        for member in members:
            applied = await recent.applied_since(member.id, now - _WEBHOOKS_TAKE)
            if not applied:
                continue
            app = await task.repository.read_own_login()
            step = await find_unrecorded_step(Planning(opened.tenant, member, now), applied, app)
            if step is not None and is_last_look:
                self._log.warning("webhooks of a change are missing", step=type(step).__name__)
            elif step is not None:
                return f"webhooks of the last change are on their way ({type(step).__name__})"
        return ""


def _list_sharing(project: Project) -> list[Project]:
    """The repositories that share the sprints of a repository, which is one of them."""
    return [replace(member, sharing=project.sharing) for member in project.sharing] or [project]
