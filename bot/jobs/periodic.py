"""What is done by the clock, and what is asked of GitHub beside answers: the past, and what was missed."""

from collections.abc import Callable
from datetime import datetime, timedelta

import procrastinate
import structlog

from bot.github.client import GitHub, GitHubRefusedError, GitHubUnavailableError
from bot.isolation import isolated
from bot.jobs.daily_figures import DailyFigures
from bot.jobs.event_processor import REDRAW_EVERY
from bot.jobs.retention import Retention
from bot.jobs.sprint_reports import next_turns
from bot.publishing.posts import AsOfNow, PostPublisher
from bot.sync.backfill.backfill import Backfill, BackfillError
from bot.sync.event_access import heard_since, leave, other_owners
from bot.sync.installation_check import InstallationCheck
from bot.sync.reconciliation import Reconciliation
from bot.sync.redelivery import Redelivery
from bot.sync.repository_check import RepositoryCheck
from bot.sync.settings_file import SettingsFileSync
from bot.sync.shared_summaries import note_shared_summaries
from bot.sync.visibility_check import CHECK_EVERY, VisibilityCheck
from storage.database import Database, Tenant
from storage.gaps import Gaps
from storage.installations import Installations
from storage.jobs import (
    BACKFILL,
    CHECK_VISIBILITY,
    MEASURE,
    OTHERS,
    READ_SETTINGS,
    RECONCILE,
    REDELIVER,
    REPOSITORY_LEFT,
    RETAIN,
    SEND_POSTS,
    SEND_POSTS_LATER,
    TICK,
    Jobs,
)
from storage.lookups import tenants_due
from storage.projects import Project, Projects

_RECONCILE_EVERY = timedelta(days=1)
# That a repository was added may be told after its first events, when a failed delivery is repeated.
_ANNOUNCED_WITHIN = timedelta(days=1)
_SETTINGS_PAUSE = timedelta(seconds=5)
_POSTS_PAUSE = timedelta(seconds=5)
_VISIBILITY_PAUSE = timedelta(minutes=1)


class PeriodicTasks:
    """Registers its jobs with a queue. Each of them can be repeated at any time."""

    def __init__(
        self,
        database: Database,
        github: GitHub,
        jobs: Jobs,
        clock: Callable[[], datetime],
        keep_payloads: timedelta,
        as_of_now: AsOfNow | None = None,
    ) -> None:
        """`as_of_now` says of what waited to be said unasked whether it is to be said now, and how."""
        self._database = database
        self._jobs = jobs
        self._clock = clock
        self._backfill = Backfill(database, github, clock)
        self._reconciliation = Reconciliation(database, github, clock)
        self._redelivery = Redelivery(database, github, clock)
        self._measuring = DailyFigures(database, clock)
        self._settings = SettingsFileSync(database, github, clock)
        self._visibility = VisibilityCheck(database, github, clock)
        self._installations = InstallationCheck(database, github, clock)
        self._repositories = RepositoryCheck(database, github, clock)
        self._posting = PostPublisher(database, github, clock, as_of_now)
        self._retention = Retention(database, clock, keep_payloads)
        self._log = structlog.get_logger(__name__)

    def register(self, queue: procrastinate.App) -> None:
        """Adds the jobs; nothing of one kind runs twice at once for the same tenant."""
        retry = procrastinate.RetryStrategy(max_attempts=2, wait=60)
        queue.task(name=BACKFILL, queue=OTHERS, retry=retry)(self._ask_for_the_past)
        queue.task(name=REPOSITORY_LEFT, queue=OTHERS, retry=retry)(self._leave)
        queue.task(name=MEASURE, queue=OTHERS, retry=retry)(self._measure)
        queue.task(name=RECONCILE, queue=OTHERS, retry=retry)(self._reconcile)
        queue.task(name=READ_SETTINGS, queue=OTHERS, retry=retry)(self._read_settings)
        queue.task(name=CHECK_VISIBILITY, queue=OTHERS, retry=retry)(self._check_visibility)
        queue.task(name=SEND_POSTS, queue=OTHERS, retry=retry)(self._send_posts)
        queue.task(name=SEND_POSTS_LATER, queue=OTHERS, retry=retry)(self._send_posts_later)
        for name, cron, work in (
            (TICK, "* * * * *", self._tick),
            (REDELIVER, "17 * * * *", self._redeliver),
            (RETAIN, "40 3 * * *", self._retain),
        ):
            task = queue.task(name=name, queue=OTHERS, queueing_lock=name, lock=name)(work)
            queue.periodic(cron=cron)(task)

    async def _tick(self, timestamp: int = 0) -> None:  # noqa: ARG002 - the clock's argument
        """Finds out whose turn it is. A turn that was slept through is taken afterwards."""
        now = self._clock()
        async with self._database.unscoped() as connection:
            for organization_id in await tenants_due(connection, "measure", now):
                await self._jobs.measure(connection, organization_id=organization_id)
            for organization_id in await tenants_due(connection, "reconcile", now):
                await self._jobs.reconcile(connection, organization_id=organization_id)
                await self._jobs.read_settings(connection, organization_id=organization_id)
            for organization_id in await tenants_due(connection, "visibility", now):
                await self._jobs.check_visibility(connection, organization_id=organization_id)

    async def _measure(self, organization_id: int) -> None:
        await self._measuring.run(organization_id)
        async with self._database.tenant(organization_id) as tenant:
            for project in await Projects(tenant).active():
                with isolated(self._log, "day not begun", project=project.id):
                    await self._begin_day(tenant, project)

    async def _begin_day(self, tenant: Tenant, project: Project) -> None:
        """Puts off the work that a new day brings for one repository."""
        where, project_id = tenant.organization_id, project.id
        await self._jobs.check(tenant.connection, organization_id=where, project_id=project_id)
        # What a new day brings is told when people are up.
        turns = next_turns(self._clock(), project.rules.calendar, project.settings)
        for turn, at in {"now": None, **turns}.items():
            await self._jobs.redraw(
                tenant.connection, at, organization_id=where, project_id=project_id, turn=turn
            )
        await note_shared_summaries(tenant, project, self._clock())

    async def _reconcile(self, organization_id: int) -> None:
        next_turn = self._clock() + _RECONCILE_EVERY
        try:
            with isolated(self._log, "repositories not compared", organization=organization_id):
                await self._repositories.run(organization_id)
            await self._ask_for_what_is_missing(organization_id)
            await self._ask_for_what_was_never_read(organization_id)
            await self._reconciliation.run(organization_id)
        except GitHubUnavailableError as problem:
            next_turn = problem.retry_at
        except GitHubRefusedError as problem:
            self._log.warning("not reconciled", organization=organization_id, reason=str(problem))
        finally:  # Also after a bug: it must not come back each minute.
            async with self._database.tenant(organization_id) as tenant:
                await Installations(tenant).schedule_reconciliation(next_turn)

    async def _check_visibility(self, organization_id: int) -> None:
        next_turn, changed = self._clock() + CHECK_EVERY, list[int]()
        try:
            await self._installations.check_suspension(organization_id)
            changed = await self._visibility.run(organization_id)
        except GitHubUnavailableError as problem:
            next_turn = min(max(problem.retry_at, self._clock() + _VISIBILITY_PAUSE), next_turn)
        finally:  # Also after a bug: it must not come back each minute.
            async with self._database.tenant(organization_id) as tenant:
                await Installations(tenant).schedule_visibility_check(next_turn)
        await self._ask_for_what_is_missing(organization_id)
        async with self._database.tenant(organization_id) as tenant:
            # What is said unasked is a picture where pictures may be, and Mermaid elsewhere.
            for project_id in changed:
                await self._jobs.redraw(
                    tenant.connection, organization_id=organization_id, project_id=project_id
                )

    async def _read_settings(self, organization_id: int, project_id: int | None = None) -> None:
        try:
            await self._settings.run(organization_id, project_id)
        except GitHubUnavailableError as problem:
            at = max(problem.retry_at, self._clock() + _SETTINGS_PAUSE)
            async with self._database.unscoped() as connection:
                await self._jobs.read_settings(
                    connection, organization_id=organization_id, project_id=project_id, at=at
                )

    async def _send_posts(self, organization_id: int) -> None:
        try:
            await self._posting.send(organization_id)
        except GitHubUnavailableError as problem:
            at = max(problem.retry_at, self._clock() + _POSTS_PAUSE)
            async with self._database.unscoped() as connection:
                await self._jobs.send_posts(connection, organization_id=organization_id, at=at)

    async def _send_posts_later(self, organization_id: int) -> None:
        async with self._database.unscoped() as connection:
            await self._jobs.send_posts(connection, organization_id=organization_id)

    async def _redeliver(self, timestamp: int = 0) -> None:  # noqa: ARG002 - the clock's argument
        try:
            await self._redelivery.run()
            for organization_id in self._redelivery.take_deaf():
                await self._ask_for_what_is_missing(organization_id)
        except (GitHubUnavailableError, GitHubRefusedError) as problem:  # The next hour finds the same.
            self._log.warning("failed deliveries not asked for", reason=str(problem))

    async def _retain(self, timestamp: int = 0) -> None:  # noqa: ARG002 - the clock's argument
        await self._retention.run()

    async def _leave(self, organization_id: int, node_id: str, left_at: str) -> None:
        """A repository was another account's at a moment.

        Where it was heard here later, that account has lost it again, and both are compared with GitHub.
        """
        at = datetime.fromisoformat(left_at)
        async with self._database.tenant(organization_id) as tenant:
            if await leave(tenant, node_id, at):
                self._log.info("repository has left", organization=organization_id)
                return
            heard_at = await heard_since(tenant, node_id, at) or at
            await self._jobs.reconcile(tenant.connection, organization_id=organization_id)
            for owner in (await other_owners(tenant, [node_id])).get(node_id, ()):
                await self._jobs.repository_left(
                    tenant.connection, heard_at, organization_id=owner, node_id=node_id
                )

    async def _ask_for_what_is_missing(self, organization_id: int) -> None:
        """Reads the past of each repository of which events were missed, once it can be heard again."""
        async with self._database.tenant(organization_id) as tenant:
            for project_id in await Gaps(tenant).projects_to_backfill():
                await self._jobs.backfill(
                    tenant.connection, organization_id=organization_id, project_id=project_id
                )

    async def _ask_for_what_was_never_read(self, organization_id: int) -> None:
        """Reads the past of repositories that nobody announced, and that are known from events alone."""
        async with self._database.tenant(organization_id) as tenant:
            for project_id in await Projects(tenant).never_backfilled(self._clock() - _ANNOUNCED_WITHIN):
                await self._jobs.backfill(
                    tenant.connection, organization_id=organization_id, project_id=project_id
                )

    async def _ask_for_the_past(self, organization_id: int, project_id: int, is_wanted: bool = False) -> None:
        where = {"organization_id": organization_id, "project_id": project_id}
        if not is_wanted and not await self._backfill.is_needed(organization_id, project_id):
            return
        try:
            await self._backfill.run(organization_id, project_id)
        except GitHubUnavailableError as problem:
            async with self._database.unscoped() as connection:
                await self._jobs.backfill_later(connection, problem.retry_at, **where, is_wanted=is_wanted)
        except (BackfillError, GitHubRefusedError) as problem:
            self._log.warning("the past was not asked for", project=project_id, reason=str(problem))
        else:
            async with self._database.tenant(organization_id) as tenant:
                if await Gaps(tenant).of_projects({project_id}):
                    await self._tell_what_was_missed(tenant, project_id)

    async def _tell_what_was_missed(self, tenant: Tenant, project_id: int) -> None:
        """What no timeline tells, such as a deleted issue, is found by comparing; then all is drawn anew."""
        connection, where = tenant.connection, tenant.organization_id
        await self._jobs.reconcile(connection, organization_id=where)
        await self._jobs.check(connection, organization_id=where, project_id=project_id)
        await self._jobs.redraw(
            connection, self._clock() + REDRAW_EVERY, organization_id=where, project_id=project_id
        )
