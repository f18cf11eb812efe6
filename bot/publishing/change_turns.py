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

from bot.publishing.change_applier import ChangeTask
from bot.publishing.unrecorded_steps import find_unrecorded_step
from commands.framework.planning import Planning
from storage.changes import RecentChanges
from storage.database import Database, Tenant
from storage.projects import Project, Projects

# GitHub sends a webhook within seconds; one that takes longer may be lost, and is then found at night.
_WEBHOOKS_TAKE = timedelta(seconds=20)
# The pauses between looks, in seconds. Who waits for the first time holds one of the worker's places, of
# which there are few; later, all who wait for one repository stand in line and hold a single one.
_FIRST_PAUSES = (0.05, 0.1, 0.2)
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.5, 0.75, 1.0, 1.0, 1.0)
_PAUSE_IN_LINE = timedelta(seconds=1)
_MOST_TRIES_FOR_WEBHOOKS = 4


class RepositoryBusyError(Exception):
    """Another change of the repository is not finished or recorded yet; retry in `line` at `retry_at`."""

    def __init__(self, message: str, line: str, retry_at: datetime) -> None:
        super().__init__(message)
        self.line = line
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
    async def take(self, task: ChangeTask, *, needs_history: bool = True) -> AsyncIterator[Turn]:
        """Wait for the turn of an event, and hold it until the transaction ends.

        Raises RepositoryBusyError when the wait gets long. Only what `needs_history` waits for webhooks, and
        after some tries not even that: they may be lost.
        """
        obstacle = ""
        for pause in (*(_PAUSES if task.tries else _FIRST_PAUSES), None):
            async with self._database.tenant(task.organization_id) as tenant:
                project = await Projects(tenant).get(task.project.id) or task.project
                turn = Turn(tenant, project)
                obstacle = await self._find_obstacle(turn, task, needs_history=needs_history)
                if not obstacle:
                    yield turn
                    return
            if pause is not None:
                await asyncio.sleep(pause)
        pause_until = self._clock() + (_PAUSE_IN_LINE if task.tries else timedelta())
        raise RepositoryBusyError(obstacle, f"turn:{task.project.leader.id}", pause_until)

    async def _find_obstacle(self, turn: Turn, task: ChangeTask, *, needs_history: bool) -> str:
        """Say why a change cannot be started yet; empty if it can, and then its turn is taken."""
        now, project = self._clock(), turn.project
        recent = RecentChanges(turn.tenant, [member.id for member in project.sharing or (project,)])
        if not await recent.take_turn():
            return "another command is being computed"
        if await recent.is_any_in_progress(task.event_id, now):
            return "another change is in progress"
        applied = await recent.applied_since(now - _WEBHOOKS_TAKE) if needs_history else []
        if not applied:
            return ""
        app = await task.repository.read_own_login()
        step = await find_unrecorded_step(Planning(turn.tenant, project, now), applied, app)
        if step is None:
            return ""
        if task.tries >= _MOST_TRIES_FOR_WEBHOOKS:
            self._log.warning("webhooks of a change are missing", step=type(step).__name__)
            return ""
        return f"webhooks of the last change are on their way ({type(step).__name__})"
