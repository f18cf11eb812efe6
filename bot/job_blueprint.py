"""Declarations of jobs beside their code: a blueprint per area, one decorated function per job."""

from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import procrastinate
from procrastinate import JobContext

from bot.metrics.instruments import Instruments
from storage.database import Database
from storage.job_priority import Priority
from storage.jobs import OTHERS, JobMessage, Jobs

_Part = TypeVar("_Part")
_Job = TypeVar("_Job", bound=JobMessage)
# The key of the services in procrastinate's `additional_context`.
_SERVICES = "services"


@dataclass(frozen=True, slots=True)
class JobServices:
    """The objects that jobs need at run time. Built by the worker and handed to each job.

    `parts` holds the objects that do the work, such as `Backfill` or `SprintReports`, by their class.
    `attempts` counts the earlier runs of the running job, which the worker `worker_id` runs.
    """

    database: Database
    jobs: Jobs
    clock: Callable[[], datetime]
    parts: Mapping[type, object]
    instruments: Instruments
    attempts: int = 0
    worker_id: int | None = None

    def get(self, kind: type[_Part]) -> _Part:
        """The part of a class. Raises KeyError if this worker has none."""
        part = self.parts[kind]
        if not isinstance(part, kind):
            raise TypeError(f"the part for {kind.__name__} is of another class")
        return part

    def find(self, kind: type[_Part]) -> _Part | None:
        """The part of a class. None if this worker has none."""
        return self.get(kind) if kind in self.parts else None

    @property
    def context(self) -> dict[str, Any]:
        """The `additional_context` of procrastinate's worker."""
        return {_SERVICES: self}


_Function = Callable[[JobServices, _Job], Awaitable[None]]
_PeriodicFunction = Callable[[JobServices], Awaitable[None]]


class JobBlueprint(procrastinate.Blueprint):
    """The jobs of one area. Only declares them; `add_jobs` makes them run in an app."""

    def job(
        self, kind: type[_Job], *, retry: procrastinate.RetryStrategy | None = None, alias: str | None = None
    ) -> Callable[[_Function[_Job]], _Function[_Job]]:
        """Declare the function that runs jobs of a kind. With `alias`, the task has another name."""

        def declare(function: _Function[_Job]) -> _Function[_Job]:
            async def run(context: JobContext, /, **arguments: Any) -> None:
                services: JobServices = context.additional_context[_SERVICES]
                running = replace(services, attempts=context.job.attempts, worker_id=context.job.worker_id)
                with services.instruments.time_job(name):
                    await function(running, msgspec.convert(arguments, kind))

            name = alias or kind.name
            self.task(name=name, queue=kind.queue, retry=retry or False, pass_context=True)(run)
            return function

        return declare

    def periodic_job(
        self, name: str, cron: str, *, is_exclusive: bool, priority: Priority = Priority.PERIODIC
    ) -> Callable[[_PeriodicFunction], _PeriodicFunction]:
        """Declare a periodic task; at most one run of it waits at a time.

        If `is_exclusive`, the next run does not begin before the last one has ended. Tasks that others rely
        on, or that have a deadline, have a higher `priority`: they are no tenant's and few, and delay nobody.
        """

        def declare(function: _PeriodicFunction) -> _PeriodicFunction:
            async def run(context: JobContext, /, timestamp: int = 0) -> None:  # noqa: ARG001 - procrastinate gives it
                services: JobServices = context.additional_context[_SERVICES]
                with services.instruments.time_job(name):
                    await function(services)

            lock = name if is_exclusive else None
            declare_task = self.task(
                name=name,
                queue=OTHERS,
                lock=lock,
                queueing_lock=name,
                priority=int(priority),
                pass_context=True,
            )
            self.periodic(cron=cron)(declare_task(run))
            return function

        return declare


def add_jobs(app: procrastinate.App, blueprint: JobBlueprint) -> None:
    """Make an app run the jobs of a blueprint, under the names that they were declared with.

    `App.add_tasks_from` would put a namespace before the names, and would bind the blueprint to this app for
    good; in tests, several workers run in one process.
    """
    bound = dict[procrastinate.tasks.Task[Any, Any, Any], procrastinate.tasks.Task[Any, Any, Any]]()
    for name, declared in blueprint.tasks.items():
        task = bound[declared] = copy(declared)
        task.blueprint = app
        app.tasks[name] = task
    for periodic in blueprint.periodic_registry.periodic_tasks.values():
        app.periodic_registry.register_task(
            task=bound[periodic.task],
            cron=periodic.cron,
            periodic_id=periodic.periodic_id,
            # A copy: procrastinate writes the arguments of the next run into it.
            configure_kwargs=periodic.configure_kwargs.copy(),
        )
