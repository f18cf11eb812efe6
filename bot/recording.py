"""Works off stored deliveries: each is read by its handlers, and what they found goes on the timeline.

Deliveries are taken in batches that share a transaction, because a commit costs more than a row. Should the
database refuse a batch, its deliveries are taken one by one, so that only the guilty one fails.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from cachetools import LRUCache
from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from bot.pauses import Breather
from bot.refusals import forgive
from bot.services import Services
from bot.settings_file import ORGANIZATION
from commands.parser import skimming
from handlers import handle
from handlers.delivery import (
    Asked,
    CheckWanted,
    Delivery,
    Frame,
    InstallationChanged,
    MergeGroupQueued,
    Outcome,
    Pressed,
    Recorded,
    RepositoriesChanged,
    SettingsChanged,
    UnusableError,
    WritingAllowed,
)
from handlers.payloads import Account, Repository, clean
from sprints.model import ActivityEvent
from storage.cipher import PayloadCipher
from storage.database import Database, Tenant
from storage.deliveries import Deliveries, StoredEvent, open_payload
from storage.installations import Installations, Relation
from storage.jobs import ANSWER, BACKFILL, CHECK, PRESS, READ_SETTINGS, REPORT_MERGE_GROUP, Jobs
from storage.lookups import all_tenants
from storage.projects import Projects
from storage.projects import Repository as SeenRepository
from storage.timeline import Timeline, TimelineRow

_BATCH = 100
# Ten events in a row make one redraw of what is said unasked, and what changes so often can still be read.
REDRAW_EVERY = timedelta(minutes=3)
_NEVER = datetime.min.replace(tzinfo=UTC)
CHECK_EVERY = timedelta(minutes=10)


# Logins by tenant and person.
_People = dict[tuple[int, int], str]


@dataclass(slots=True)
class _Read:
    """What a batch says, before anything of it is written."""

    found: list[tuple[StoredEvent, Frame, list[Outcome]]] = field(default_factory=list)
    unusable: dict[int, str | None] = field(default_factory=dict)
    failed: list[tuple[StoredEvent, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Deferral:
    """A job to be deferred. Those of one task are deferred in the order of `key`."""

    task: str
    key: tuple[int | str, ...]
    defer: Callable[[], Awaitable[None]]


class Recording:
    """Turns one tenant's waiting deliveries into history."""

    def __init__(
        self, database: Database, cipher: PayloadCipher, jobs: Jobs | None, clock: Callable[[], datetime]
    ) -> None:
        """Without `jobs`, what was asked stays unanswered: old deliveries are told, not acted on."""
        self._database = database
        self._cipher = cipher
        self._jobs = jobs
        self._clock = clock
        # Only who has been committed: what goes with a transaction that fails is stored by the next one.
        self._met: LRUCache[tuple[int, int], str] = LRUCache(maxsize=10_000)
        self._log = structlog.get_logger(__name__)

    async def work_off(self, organization_id: int, most: int | None = None) -> int:
        """Works off what waits for a tenant and returns how many deliveries that were.

        With `most` it stops after so many, or up to a batch more.
        """
        total, worked = 0, _BATCH
        # After a smaller batch, whatever comes has a job of its own.
        while worked == _BATCH and (most is None or total < most):
            worked = await self._batch(organization_id)
            total += worked
        return total

    async def _batch(self, organization_id: int) -> int:
        events: Sequence[StoredEvent] = ()
        try:
            # Lost in a crash, it is done again: the deliveries themselves are safe.
            async with self._database.tenant(organization_id, waits=False) as tenant:
                await Deliveries(tenant).let_the_door_finish()
                events = await Deliveries(tenant).claim(_BATCH, self._clock())
                people = await self._process(tenant, events)
            self._met.update(people)
        except DBAPIError as problem:
            if _is_away(problem):  # The deliveries wait where they are.
                raise
            for event in events:
                await self._alone(organization_id, event)
        return len(events)

    async def _alone(self, organization_id: int, event: StoredEvent) -> None:
        try:
            async with self._database.tenant(organization_id) as tenant:
                claimed = await Deliveries(tenant).claim(1, self._clock(), only=event.id)
                people = await self._process(tenant, claimed)
            self._met.update(people)
        except DBAPIError as problem:
            if _is_away(problem):
                raise
            async with self._database.tenant(organization_id) as tenant:
                await self._fail(tenant, event, f"the database refused it: {type(problem.orig).__name__}")

    async def _process(self, tenant: Tenant, events: Sequence[StoredEvent]) -> _People:
        read = await self._read(events)
        projects, rows, deferrals = Projects(tenant), list[TimelineRow](), list[_Deferral]()
        for event, frame, outcomes in read.found:
            facts = [outcome.fact for outcome in outcomes if isinstance(outcome, Recorded)]
            project_id = None
            if frame.repository is not None:
                seen_at = max((fact.at for fact in facts), default=_NEVER)
                project_id = await projects.remember(_seen(frame.repository, seen_at))
            rows += [TimelineRow(project_id, fact) for fact in facts]
            for outcome in outcomes:
                deferrals += await self._follow(tenant, event, project_id, outcome)
        people = await self._meet(tenant, [frame.sender for _, frame, _ in read.found])
        await Timeline(tenant).record(rows)
        # In one order everywhere: two transactions that defer the same jobs wait and do not dead-lock.
        # Answers, of which none is the same as another, stay in the order of their events.
        for deferral in sorted(deferrals, key=lambda deferral: (deferral.task, deferral.key)):
            await deferral.defer()
        await self._defer_follow_ups(tenant, {row.project_id for row in rows if row.project_id is not None})
        done: dict[int, str | None] = {event.id: None for event, _, _ in read.found}
        await Deliveries(tenant).mark_processed(done | read.unusable, self._clock())
        for event, why in read.failed:
            await self._fail(tenant, event, why)
        return people

    async def _defer_follow_ups(self, tenant: Tenant, changed: Collection[int]) -> None:
        """What is said of the repositories' sprints follows what was recorded, after a while.

        The checks of all open pull requests follow as well, less often: they are many.
        """
        if self._jobs is None:
            return
        redraws, checks = set(changed), set(changed)
        for project_id in changed:
            if project := await Projects(tenant).get(project_id):
                # What it shares with others is told where that is led.
                redraws.add(project.leader.id)
                checks |= {member.id for member in project.sharing}
        now = self._clock()
        # In the order of the ids, as above and in bot/clockwork.py.
        for project_id in sorted(redraws):
            await self._jobs.redraw(
                tenant.connection,
                now + REDRAW_EVERY,
                organization_id=tenant.organization_id,
                project_id=project_id,
            )
        for project_id in sorted(checks):
            await self._jobs.check_later(
                tenant.connection,
                now + CHECK_EVERY,
                organization_id=tenant.organization_id,
                project_id=project_id,
            )

    async def _follow(
        self, tenant: Tenant, event: StoredEvent, project_id: int | None, outcome: Outcome
    ) -> Sequence[_Deferral]:
        """What an event changes beside its place on the timeline. Returns the jobs that it asks for."""
        match outcome:
            case InstallationChanged():
                await _change_installation(Installations(tenant), outcome)
            case RepositoriesChanged():
                added = await _look_after(tenant, outcome, event.received_at)
                return [] if self._jobs is None else _first_jobs(self._jobs, tenant, added)
            case WritingAllowed() if self._jobs is not None:
                due = await forgive(self._jobs, tenant, self._clock(), project_id, outcome.thread)
                return [_Deferral(task, key, defer) for task, key, defer in due]
        if self._jobs is None or project_id is None:
            return []
        return _requested_jobs(self._jobs, tenant, event, project_id, outcome)

    async def _meet(self, tenant: Tenant, senders: Iterable[Account | None]) -> _People:
        """Stores people who were not met before, or under another login. Returns them by tenant and id."""
        new = {
            (tenant.organization_id, sender.id): sender.login
            for sender in senders
            if sender is not None
            and sender.type == "User"
            and self._met.get((tenant.organization_id, sender.id)) != sender.login
        }
        await Installations(tenant).meet({person: clean(login) for (_, person), login in new.items()})
        return new

    async def _read(self, events: Sequence[StoredEvent]) -> _Read:
        read, breather = _Read(), Breather()
        for event in events:
            await breather.pause_if_long()
            try:
                delivery = Delivery(
                    id=event.delivery,
                    event=event.event,
                    action=event.action,
                    body=open_payload(self._cipher, event),
                    received_at=event.received_at,
                )
                frame = delivery.frame
                outcomes = self._handle(delivery, frame)
            except UnusableError as problem:
                self._log.info(
                    "delivery carries nothing usable", delivery=event.delivery, reason=str(problem)
                )
                read.unusable[event.id] = f"nothing usable: {problem}"
            except Exception as problem:  # noqa: BLE001 - a bug with one delivery stops no other
                self._log.exception("delivery failed", delivery=event.delivery, github_event=event.event)
                read.failed.append((event, f"{type(problem).__name__} in its handler"))
            else:
                read.found.append((event, frame, outcomes))
        return read

    def _handle(self, delivery: Delivery, frame: Frame) -> list[Outcome]:
        """What all handlers make of a delivery. Raises UnusableError if that can be recorded nowhere."""
        with skimming():  # What is long is read by who answers, off the event loop.
            outcomes, problems = handle(delivery)
        for problem in problems:
            self._log.info("part of a delivery is odd", delivery=delivery.id, reason=str(problem))
        if frame.repository is None and any(_needs_repository(outcome) for outcome in outcomes):
            raise UnusableError("it names no repository")
        return outcomes

    async def _fail(self, tenant: Tenant, event: StoredEvent, why: str) -> None:
        parked = await Deliveries(tenant).mark_failed(event, why, self._clock())
        self._log.warning(
            "delivery parked" if parked else "delivery put off", delivery=event.delivery, reason=why
        )


def _needs_repository(outcome: Outcome) -> bool:
    return isinstance(outcome, Recorded) and not isinstance(outcome.fact, ActivityEvent)


async def _change_installation(installations: Installations, change: InstallationChanged) -> None:
    if change.change == "deleted":
        await installations.ended(change.installation)
    elif change.change in ("created", "unsuspend"):
        await installations.suspended(change.installation, None)
    elif change.change == "suspend":
        await installations.suspended(change.installation, change.at)


async def _look_after(tenant: Tenant, change: RepositoriesChanged, at: datetime) -> list[int]:
    """Keep which repositories can be seen and get work by the clock. Returns the ids of those added.

    What a former installation tells late takes nothing from the present one and brings nothing back.
    """
    added, removed = change.added, change.removed
    if change.installation is not None:
        relation = await Installations(tenant).relation(change.installation)
        if relation in (Relation.REPLACED, Relation.ENDED):
            added = ()
        if relation is Relation.REPLACED:
            removed = ()
    projects, added_ids = Projects(tenant), list[int]()
    for repository in (*removed, *change.archived):
        await projects.set_active(await projects.remember(_seen(repository, at)), is_active=False)
    for repository in removed:
        await projects.set_hidden(repository.key, at)
    for repository in added:
        project_id = await projects.remember(_seen(repository, at))
        await projects.set_active(project_id, is_active=True)
        await projects.set_hidden(repository.key, None)
        added_ids.append(project_id)
    return added_ids


def _first_jobs(jobs: Jobs, tenant: Tenant, project_ids: Iterable[int]) -> list[_Deferral]:
    """What a repository needs when it is added: its past, and the settings that hold for it."""
    deferrals, where = list[_Deferral](), tenant.organization_id
    for project_id in project_ids:
        past = partial(jobs.backfill, tenant.connection, organization_id=where, project_id=project_id)
        deferrals.append(_Deferral(BACKFILL, (project_id,), past))
        for settings_of in (project_id, ORGANIZATION):
            settings = partial(
                jobs.read_settings, tenant.connection, organization_id=where, project_id=settings_of
            )
            deferrals.append(_Deferral(READ_SETTINGS, (settings_of,), settings))
    return deferrals


def _requested_jobs(
    jobs: Jobs, tenant: Tenant, event: StoredEvent, project_id: int, outcome: Outcome
) -> list[_Deferral]:
    """The jobs that an event asks for in its repository."""
    connection, where = tenant.connection, tenant.organization_id
    match outcome:
        case Asked():
            thread = f"thread:{project_id}:{outcome.number}"
            answer = partial(jobs.answer, connection, organization_id=where, event_id=event.id, thread=thread)
            return [_Deferral(ANSWER, (), answer)]
        case Pressed():
            press = partial(
                jobs.press, connection, organization_id=where, event_id=event.id, project_id=project_id
            )
            return [_Deferral(PRESS, (), press)]
        case SettingsChanged():
            settings = partial(jobs.read_settings, connection, organization_id=where, project_id=project_id)
            return [_Deferral(READ_SETTINGS, (project_id,), settings)]
        case CheckWanted():
            check = partial(
                jobs.check,
                connection,
                organization_id=where,
                project_id=project_id,
                number=outcome.number,
                head=outcome.head,
                is_rerun=outcome.is_rerun,
            )
            pull_request = (outcome.number or 0, outcome.head or "", outcome.is_rerun)
            return [_Deferral(CHECK, (project_id, *pull_request), check)]
        case MergeGroupQueued():
            report = partial(
                jobs.report_merge_group,
                connection,
                organization_id=where,
                project_id=project_id,
                head=outcome.head,
                number=outcome.number,
                is_rerun=outcome.is_rerun,
            )
            return [_Deferral(REPORT_MERGE_GROUP, (project_id, outcome.head, outcome.is_rerun), report)]
    return []


def _is_away(problem: DBAPIError) -> bool:
    """Whether the database is away. A dead-lock is an OperationalError too, but over with its transaction."""
    is_operational = isinstance(problem, OperationalError | InterfaceError)
    return is_operational and not isinstance(problem.orig, DeadlockDetected)


def _seen(repository: Repository, at: datetime) -> SeenRepository:
    """The repository as it was called at a moment."""
    return SeenRepository(
        node_id=repository.key,
        full_name=clean(repository.full_name),
        is_private=repository.private,
        description=clean(repository.description) if repository.description else None,
        seen_at=at,
    )


async def until_processed(base: Services, progress: Callable[[int], object] = lambda _: None) -> None:
    """Returns when no tenant's delivery waits any more. `progress` is told how many do."""
    while waiting := await _waiting(base):
        progress(waiting)
        await asyncio.sleep(0.05)
    progress(0)


async def _waiting(base: Services) -> int:
    async with base.database.nobody() as connection:
        tenants = await all_tenants(connection)
    waiting = 0
    for organization_id in tenants:
        async with base.database.tenant(organization_id) as tenant:
            waiting += (await Deliveries(tenant).counts())["waiting"]
    return waiting
