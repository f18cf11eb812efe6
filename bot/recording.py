"""Works off stored deliveries: each is read by its handlers, and what they found goes on the timeline.

Deliveries are taken in batches that share a transaction, because a commit costs more than a row. Should the
database refuse a batch, its deliveries are taken one by one, so that only the guilty one fails.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from cachetools import LRUCache
from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from bot.pauses import Breather
from bot.services import Services
from bot.settings_file import ORGANIZATION
from commands.parser import skimming
from handlers import ROUTES
from handlers.delivery import (
    Asked,
    CheckWanted,
    Delivery,
    Frame,
    InstallationChanged,
    Outcome,
    Pressed,
    Recorded,
    RepositoriesChanged,
    SettingsChanged,
    UnusableError,
)
from handlers.payloads import Account, Repository, clean
from storage.cipher import PayloadCipher
from storage.database import Database, Tenant
from storage.deliveries import Deliveries, StoredEvent, open_payload
from storage.installations import Installations
from storage.jobs import Jobs
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
        projects, rows = Projects(tenant), list[TimelineRow]()
        for event, frame, outcomes in read.found:
            facts = [outcome.fact for outcome in outcomes if isinstance(outcome, Recorded)]
            project_id = None
            if frame.repository is not None:
                seen_at = max((fact.at for fact in facts), default=_NEVER)
                project_id = await projects.remember(_seen(frame.repository, seen_at))
            rows += [TimelineRow(project_id, fact) for fact in facts]
            for outcome in outcomes:
                await self._follow(tenant, event, project_id, outcome)
        people = await self._meet(tenant, [frame.sender for _, frame, _ in read.found])
        await Timeline(tenant).record(rows)
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
        # In one order everywhere: two transactions that defer the same jobs wait and do not dead-lock.
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
    ) -> None:
        """What an event asks for, beside its place on the timeline."""
        match outcome:
            case Asked() if self._jobs is not None and project_id is not None:
                await self._jobs.answer(
                    tenant.connection,
                    organization_id=tenant.organization_id,
                    event_id=event.id,
                    thread=f"thread:{project_id}:{outcome.number}",
                )
            case InstallationChanged(change="deleted"):
                await Installations(tenant).ended(outcome.installation)
            case InstallationChanged(change="suspend" | "unsuspend"):
                since = outcome.at if outcome.change == "suspend" else None
                await Installations(tenant).suspended(since)
            case SettingsChanged() if self._jobs is not None and project_id is not None:
                await self._jobs.read_settings(
                    tenant.connection, organization_id=tenant.organization_id, project_id=project_id
                )
            case CheckWanted() if self._jobs is not None and project_id is not None:
                await self._jobs.check(
                    tenant.connection,
                    organization_id=tenant.organization_id,
                    project_id=project_id,
                    number=outcome.number,
                    head=outcome.head,
                    is_rerun=outcome.is_rerun,
                )
            case Pressed() if self._jobs is not None and project_id is not None:
                await self._jobs.press(
                    tenant.connection,
                    organization_id=tenant.organization_id,
                    event_id=event.id,
                    project_id=project_id,
                )
            case RepositoriesChanged():
                await self._look_after(tenant, outcome, event.received_at)

    async def _look_after(self, tenant: Tenant, change: RepositoriesChanged, at: datetime) -> None:
        projects = Projects(tenant)
        for repository in (*change.removed, *change.archived):
            await projects.set_active(await projects.remember(_seen(repository, at)), is_active=False)
        for repository in change.removed:
            await projects.set_hidden(repository.key, at)
        for repository in change.added:
            project_id = await projects.remember(_seen(repository, at))
            await projects.set_active(project_id, is_active=True)
            await projects.set_hidden(repository.key, None)
            if self._jobs is not None:
                await self._jobs.backfill(
                    tenant.connection, organization_id=tenant.organization_id, project_id=project_id
                )
                for one in (project_id, ORGANIZATION):
                    await self._jobs.read_settings(
                        tenant.connection, organization_id=tenant.organization_id, project_id=one
                    )

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
                with skimming():  # What is long is read by who answers, off the event loop.
                    outcomes = [
                        outcome
                        for handler in ROUTES.get((event.event, event.action), ())
                        for outcome in handler(delivery)
                    ]
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

    async def _fail(self, tenant: Tenant, event: StoredEvent, why: str) -> None:
        parked = await Deliveries(tenant).mark_failed(event, why, self._clock())
        self._log.warning(
            "delivery parked" if parked else "delivery put off", delivery=event.delivery, reason=why
        )


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
