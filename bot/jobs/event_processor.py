"""Processes stored deliveries: handlers read each of them, and their facts are recorded on the timeline.

Deliveries are processed in batches that share a transaction, because a commit costs more than a row. If the
database refuses a batch, its deliveries are processed one by one, so that only the guilty one fails.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from bot.jobs.comment_reader import CommentReader
from bot.jobs.delivery_reader import DeliveryReader, ReadEvent
from bot.jobs.event_effects import EventEffects
from bot.jobs.people_in_events import LastLogins, PeopleStore, find_logins
from bot.jobs.requested_jobs import backfill_jobs
from bot.metrics.instruments import Instruments
from bot.services import Services
from bot.sync.access_tracking import may_have_left, to_repository_name
from handlers.delivery import (
    AccountRenamed,
    FactRecorded,
    InstallationChanged,
    RepositoriesChanged,
    RepositoryTransferred,
    VisibilityChanged,
)
from sprints.model import ActivityEvent, Event
from sprints.reviews import REVIEW_REQUEST
from storage.cipher import PayloadCipher
from storage.database import Database, Tenant
from storage.deliveries import ClaimedEvents, Deliveries, StoredEvent, writers_lock
from storage.fair_jobs import StartJob
from storage.gaps import Gaps
from storage.installation_claims import InstallationClaims
from storage.job_types import AnswerJob, CheckJob, RedrawJob, TellOwnerJob
from storage.jobs import JobMessage, Jobs
from storage.known_projects import KnownProjects
from storage.lookups import all_tenants
from storage.projects import Projects
from storage.recorder import Recorder, TimelineRow
from storage.repository_presence import RepositoryPresence

_BATCH = 100
# Ten events in a row cause one redraw of the posts, and a post that changes at this rate is still readable.
REDRAW_EVERY = timedelta(minutes=3)
CHECK_EVERY = timedelta(minutes=10)
# What became of a delivery, as it is counted.
_RECORDED, _UNUSABLE, _POSTPONED, _PARKED = "recorded", "unusable", "postponed", "parked"
_NEVER = datetime.min.replace(tzinfo=UTC)
_MAY_CHANGE_ACCESS = (InstallationChanged, RepositoriesChanged, RepositoryTransferred)
_MAY_CHANGE_PROJECTS = (AccountRenamed, VisibilityChanged)


class UncheckedInstallationError(Exception):
    """GitHub is to be asked about an installation of the tenant before its deliveries are processed."""


@dataclass(frozen=True, slots=True)
class StartedAnswer:
    """An answer that a worker has begun in the queue, by the job's id, and must give now."""

    id: int
    job: AnswerJob


@dataclass(frozen=True, slots=True)
class Processed:
    """How many deliveries were processed, and the answer that was started with them."""

    deliveries: int
    started: StartedAnswer | None = None


class EventProcessor:
    """Processes one tenant's waiting deliveries into events of the timeline."""

    def __init__(
        self,
        database: Database,
        cipher: PayloadCipher,
        jobs: Jobs | None,
        clock: Callable[[], datetime],
        comments: CommentReader | None = None,
        instruments: Instruments | None = None,
    ) -> None:
        """Without `jobs`, deliveries are only recorded: no command is answered and no post is written.

        Without `comments`, long texts are read on the event loop, and block it meanwhile. Without
        `instruments`, nobody watches.
        """
        self._database = database
        self._jobs = jobs
        self._clock = clock
        self._reader = DeliveryReader(cipher, comments)
        self._people = PeopleStore()
        self._instruments = instruments or Instruments(clock)
        self._instruments.expect_processed((_RECORDED, _UNUSABLE, _POSTPONED, _PARKED))
        self._log = structlog.get_logger(__name__)

    async def process_pending(
        self,
        organization_id: int,
        most: int | None = None,
        *,
        needs_checked_installations: bool = False,
        start: StartJob | None = None,
    ) -> Processed:
        """Process a tenant's waiting deliveries.

        With `most`, stop after that number of deliveries, or up to a batch more. If
        `needs_checked_installations`, raises UncheckedInstallationError, and processes nothing, while GitHub
        is to be asked about an installation. With `start`, the first answer of the last batch is started if
        its thread is free; the caller must give the answer.
        """
        total, processed = 0, Processed(_BATCH)
        # Deliveries that arrive after a smaller batch have a job of their own.
        while processed.deliveries == _BATCH and (most is None or total < most):
            processed = await self._process_batch(
                organization_id,
                needs_checked_installations=needs_checked_installations and total == 0,
                start=start,
            )
            total += processed.deliveries
        return replace(processed, deliveries=total)

    async def _process_batch(
        self, organization_id: int, *, needs_checked_installations: bool, start: StartJob | None
    ) -> Processed:
        events: Sequence[StoredEvent] = ()
        started = None
        try:
            # If this is lost in a crash, it is repeated: the deliveries themselves are durable.
            async with self._database.tenant(
                organization_id, durable=False, waits_for=writers_lock(organization_id)
            ) as tenant:
                claimed = await Deliveries(tenant).claim(_BATCH, self._clock())
                if needs_checked_installations and await _has_unchecked_installation(tenant, claimed):
                    raise UncheckedInstallationError
                events = claimed.events
                # After a full batch, more deliveries wait to be processed, and the answer should not wait.
                batch = await self._process(tenant, events, start if len(events) < _BATCH else None)
            self._note(batch)
            started = batch.started
        except DBAPIError as problem:
            if _is_away(problem):  # The deliveries wait where they are.
                raise
            started = None
            for event in events:
                await self._process_alone(organization_id, event)
        return Processed(len(events), started)

    async def _process_alone(self, organization_id: int, event: StoredEvent) -> None:
        try:
            async with self._database.tenant(organization_id) as tenant:
                claimed = await Deliveries(tenant).claim(1, self._clock(), only=event.id)
                batch = await self._process(tenant, claimed.events)
            self._note(batch)
        except DBAPIError as problem:
            if _is_away(problem):
                raise
            async with self._database.tenant(organization_id) as tenant:
                reason = f"the database refused it: {type(problem.orig).__name__}"
                result = await self._fail(tenant, event, reason)
            self._instruments.processed.labels(result).inc()

    def _note(self, batch: "_RecordedBatch") -> None:
        """Remember and count what was processed, once it is committed."""
        self._people.remember(batch.logins)
        for result in batch.results:
            self._instruments.processed.labels(result).inc()
        now = self._clock()
        for received_at in batch.received_at:
            self._instruments.recording.observe((now - received_at).total_seconds())

    async def _process(
        self, tenant: Tenant, events: Sequence[StoredEvent], start: StartJob | None = None
    ) -> "_RecordedBatch":
        """Record a batch, and queue its jobs. With `start`, start an answer."""
        batch = await self._reader.read(tenant.organization_id, events)
        effects = EventEffects(tenant, self._clock(), retries_refused=self._jobs is not None)
        repositories = (read.envelope.repository for read in batch.events)
        projects = KnownProjects(tenant, {repository.key for repository in repositories if repository})
        rows, jobs, changed, may_receive_again = list[TimelineRow](), list[JobMessage](), set[int](), False
        for read in batch.events:
            facts = _list_facts(read)
            changes_access = any(isinstance(outcome, _MAY_CHANGE_ACCESS) for outcome in read.outcomes)
            if changes_access:  # It is compared with the facts before it, which must be on the timeline.
                await Recorder(tenant).record(rows)
                changed, rows = changed | _list_changed_projects(rows), []
            project_id = await self._project_of(tenant, projects, read)
            repository, hidden = read.envelope.repository, await projects.hidden()
            if repository is not None and repository.key in hidden and not changes_access:
                jobs += await effects.resume_tracking(read, hidden)
                changes_access = True
            rows += [TimelineRow(project_id, fact) for fact in facts]
            if any(map(_is_publication, facts)):
                jobs.append(TellOwnerJob(organization_id=tenant.organization_id))
            for outcome in read.outcomes:
                jobs += await effects.apply(read.event, project_id, outcome)
            if changes_access or any(isinstance(outcome, _MAY_CHANGE_PROJECTS) for outcome in read.outcomes):
                projects.forget()
            may_receive_again = may_receive_again or changes_access
        if may_receive_again:
            jobs += backfill_jobs(tenant, await Gaps(tenant).projects_to_backfill())
        logins = await self._people.store(tenant, find_logins(batch.events))
        await Recorder(tenant).record(rows)
        started = await self._defer(tenant, projects, jobs, changed | _list_changed_projects(rows), start)
        processed: dict[int, str | None] = {read.event.id: None for read in batch.events}
        await Deliveries(tenant).mark_processed(processed | batch.unusable, self._clock())
        failures = [await self._fail(tenant, event, reason) for event, reason in batch.failed]
        results = [*[_RECORDED] * len(batch.events), *[_UNUSABLE] * len(batch.unusable), *failures]
        return _RecordedBatch(logins, results, [read.event.received_at for read in batch.events], started)

    async def _project_of(self, tenant: Tenant, projects: KnownProjects, read: ReadEvent) -> int | None:
        """The repository that an event is about. Its name is the event's from now on."""
        repository = read.envelope.repository
        if repository is None:
            return None
        if may_have_left(read.outcomes, read.event.account):
            # The event may show its new owner's name, which says nothing of its name here.
            tracking_state = await RepositoryPresence(tenant).tracking_state(repository.key)
            return tracking_state.id if tracking_state else None
        times = (fact.at for fact in _list_facts(read))
        return await projects.remember(to_repository_name(repository, max(times, default=_NEVER)))

    async def _defer(
        self,
        tenant: Tenant,
        projects: KnownProjects,
        jobs: Iterable[JobMessage],
        changed: Collection[int],
        start: StartJob | None,
    ) -> StartedAnswer | None:
        """Queue the jobs of a batch, and the jobs that follow from changes in the projects `changed`.

        Returns the answer that was started by `start`.
        """
        if self._jobs is None:
            return None
        # In one order everywhere: two transactions that defer the same jobs wait and do not dead-lock.
        # Answers, of which none is the same as another, stay in the order of their events.
        requested = [(job, None) for job in sorted(jobs, key=lambda job: (job.name, job.sort_key))]
        follow_ups = await self._follow_ups(tenant, projects, changed)
        ids = await self._jobs.defer_all(tenant.connection, [*requested, *follow_ups])
        queued = zip(ids, requested, strict=False)  # The ids of the follow-ups come last.
        answers = [
            StartedAnswer(job_id, job) for job_id, (job, _) in queued if job_id and isinstance(job, AnswerJob)
        ]
        if answers and start is not None and await start(tenant, answers[0].id):
            return answers[0]
        return None

    async def _follow_ups(
        self, tenant: Tenant, projects: KnownProjects, changed: Collection[int]
    ) -> list[tuple[JobMessage, datetime]]:
        """The redraws of the posts about the changed repositories' sprints.

        The checks of all open pull requests follow as well, less often: they are many.
        """
        redraws, checks, where = set(changed), set(changed), tenant.organization_id
        for project_id in changed:
            if not await projects.may_share(project_id):
                continue
            if project := await Projects(tenant).get(project_id):
                # Posts about shared sprints are in the repository that leads them.
                redraws.add(project.leader.id)
                checks |= {member.id for member in project.sharing}
        now = self._clock()
        # In the order of the ids, as above and in bot/jobs/periodic.py.
        return [
            *(
                (RedrawJob(organization_id=where, project_id=project_id), now + REDRAW_EVERY)
                for project_id in sorted(redraws)
            ),
            *(
                (CheckJob(organization_id=where, project_id=project_id), now + CHECK_EVERY)
                for project_id in sorted(checks)
            ),
        ]

    async def _fail(self, tenant: Tenant, event: StoredEvent, reason: str) -> str:
        """Postpone a delivery, or park it. Returns which of the two."""
        is_parked = await Deliveries(tenant).mark_failed(event, reason, self._clock())
        self._log.warning(
            "delivery parked" if is_parked else "delivery postponed", delivery=event.delivery, reason=reason
        )
        return _PARKED if is_parked else _POSTPONED


@dataclass(frozen=True, slots=True)
class _RecordedBatch:
    """A processed batch: the logins that were stored, and what became of each of its deliveries.

    `received_at` holds when each of the recorded deliveries was stored.
    """

    logins: LastLogins
    results: Sequence[str]
    received_at: Sequence[datetime]
    started: StartedAnswer | None


async def _has_unchecked_installation(tenant: Tenant, claimed: ClaimedEvents) -> bool:
    """Whether GitHub is to be asked about an installation. Refused deliveries ask for it without events."""
    if claimed.events:
        return claimed.has_unchecked_installation
    return bool(await InstallationClaims(tenant).unchecked())


def _list_facts(read: ReadEvent) -> list[Event]:
    return [outcome.fact for outcome in read.outcomes if isinstance(outcome, FactRecorded)]


def _list_changed_projects(rows: Iterable[TimelineRow]) -> set[int]:
    """The repositories of which a post or a check may change. None shows who is asked for a review."""
    return {
        row.project_id
        for row in rows
        if row.project_id is not None
        and not (isinstance(row.fact, ActivityEvent) and row.fact.kind == REVIEW_REQUEST)
    }


def _is_publication(fact: Event) -> bool:
    """Whether everybody may read a repository from now on, so that nothing of money may stay there."""
    return isinstance(fact, ActivityEvent) and (fact.kind, fact.event) == ("repository", "publicized")


def _is_away(problem: DBAPIError) -> bool:
    """Whether the database is unreachable. A deadlock is an OperationalError, too, but ends by itself."""
    is_operational = isinstance(problem, OperationalError | InterfaceError)
    return is_operational and not isinstance(problem.orig, DeadlockDetected)


async def wait_until_processed(base: Services, progress: Callable[[int], object] = lambda _: None) -> None:
    """Wait until no tenant has a waiting delivery. `progress` is called with their number."""
    while waiting := await _count_waiting(base):
        progress(waiting)
        await asyncio.sleep(0.05)
    progress(0)


async def _count_waiting(base: Services) -> int:
    async with base.database.unscoped() as connection:
        tenants = await all_tenants(connection)
    waiting = 0
    for organization_id in tenants:
        async with base.database.tenant(organization_id) as tenant:
            waiting += (await Deliveries(tenant).counts())["waiting"]
    return waiting
