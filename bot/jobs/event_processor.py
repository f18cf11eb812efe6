"""Works off stored deliveries: each is read by its handlers, and what they found goes on the timeline.

Deliveries are taken in batches that share a transaction, because a commit costs more than a row. Should the
database refuse a batch, its deliveries are taken one by one, so that only the guilty one fails.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from cachetools import LRUCache
from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from bot.jobs.comment_reader import CommentReader
from bot.jobs.requested_jobs import Deferral, first_jobs, jobs_of_other_owners, past_jobs, requested_jobs
from bot.pauses import CooperativePause
from bot.publishing.refusals import forgive
from bot.services import Services
from bot.sync.event_access import (
    follow_installation,
    follow_repositories,
    happened_at,
    leave,
    may_have_left,
    seen,
)
from handlers import handle
from handlers.delivery import (
    AccountRenamed,
    Delivery,
    Frame,
    InstallationChanged,
    Outcome,
    Recorded,
    RepositoriesChanged,
    RepositoryTransferred,
    UnusableError,
    VisibilityChanged,
    WritingAllowed,
)
from handlers.payloads import Account, clean
from sprints.model import ActivityEvent, Event
from sprints.people import NOBODY_IDS, is_person
from storage.cipher import PayloadCipher
from storage.database import Database, Tenant
from storage.deliveries import Deliveries, StoredEvent, open_payload
from storage.gaps import Gaps
from storage.installations import InstallationRelation, Installations, SeenLogin
from storage.jobs import (
    CHECK_VISIBILITY,
    READ_SETTINGS,
    RECONCILE,
    TELL_OWNER,
    Jobs,
)
from storage.lookups import all_tenants
from storage.projects import Projects
from storage.timeline import Timeline, TimelineRow
from storage.visibility import VisibilityHistory

_BATCH = 100
# Ten events in a row make one redraw of what is said unasked, and what changes so often can still be read.
REDRAW_EVERY = timedelta(minutes=3)
_NEVER = datetime.min.replace(tzinfo=UTC)
# Of an installation.
_MAKES_US_HEAR = {"created", "unsuspend", "new_permissions_accepted"}
_MAY_MAKE_US_HEAR = (InstallationChanged, RepositoriesChanged, RepositoryTransferred)
CHECK_EVERY = timedelta(minutes=10)


_PEOPLE = {"User", "EnterpriseUserAccount"}

# Who was seen with which login last, by tenant and person and by tenant and login.
_People = dict[tuple[int, int | str], SeenLogin]


@dataclass(slots=True)
class _Read:
    """What a batch says, before anything of it is written."""

    found: list[tuple[StoredEvent, Frame, list[Outcome]]] = field(default_factory=list)
    unusable: dict[int, str | None] = field(default_factory=dict)
    failed: list[tuple[StoredEvent, str]] = field(default_factory=list)


class EventProcessor:
    """Turns one tenant's waiting deliveries into history."""

    def __init__(
        self,
        database: Database,
        cipher: PayloadCipher,
        jobs: Jobs | None,
        clock: Callable[[], datetime],
        reading: CommentReader | None = None,
    ) -> None:
        """Without `jobs`, what was asked stays unanswered: old deliveries are told, not acted on.

        Without `reading`, long texts are read here too, and whatever else runs here waits for that.
        """
        self._database = database
        self._cipher = cipher
        self._jobs = jobs
        self._clock = clock
        self._reading = reading
        # Only who has been committed: what goes with a transaction that fails is stored by the next one.
        self._met: LRUCache[tuple[int, int | str], SeenLogin] = LRUCache(maxsize=20_000)
        self._log = structlog.get_logger(__name__)

    async def process_pending(self, organization_id: int, most: int | None = None) -> int:
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
            async with self._database.tenant(organization_id, durable=False) as tenant:
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
        read = await self._read(tenant.organization_id, events)
        projects, rows, deferrals = Projects(tenant), list[TimelineRow](), list[Deferral]()
        changed, hidden, may_hear_anew = set[int](), await projects.hidden(), False
        for event, frame, outcomes in read.found:
            facts = [outcome.fact for outcome in outcomes if isinstance(outcome, Recorded)]
            changes_hearing = any(isinstance(outcome, _MAY_MAKE_US_HEAR) for outcome in outcomes)
            if changes_hearing:  # It is compared with what was heard before.
                await Timeline(tenant).record(rows)
                changed, rows = changed | _projects_of(rows), []
            project_id = await self._project_of(tenant, event, frame, outcomes)
            if frame.repository is not None and frame.repository.key in hidden and not changes_hearing:
                deferrals += await self._bring_back(tenant, event, frame, facts, hidden)
                changes_hearing = True
            rows += [TimelineRow(project_id, fact) for fact in facts]
            if self._jobs is not None and any(map(_is_publication, facts)):
                tell = partial(
                    self._jobs.tell_owner, tenant.connection, organization_id=tenant.organization_id
                )
                deferrals.append(Deferral(TELL_OWNER, (), tell))
            for outcome in outcomes:
                deferrals += await self._follow(tenant, event, project_id, outcome)
            if changes_hearing:
                hidden, may_hear_anew = await projects.hidden(), True
        if self._jobs is not None and may_hear_anew:
            deferrals += past_jobs(self._jobs, tenant, await Gaps(tenant).unread())
        people = await self._meet(tenant, _sightings_in(read))
        await Timeline(tenant).record(rows)
        # In one order everywhere: two transactions that defer the same jobs wait and do not dead-lock.
        # Answers, of which none is the same as another, stay in the order of their events.
        for deferral in sorted(deferrals, key=lambda deferral: (deferral.task, deferral.key)):
            await deferral.defer()
        await self._defer_follow_ups(tenant, changed | _projects_of(rows))
        done: dict[int, str | None] = {event.id: None for event, _, _ in read.found}
        await Deliveries(tenant).mark_processed(done | read.unusable, self._clock())
        for event, why in read.failed:
            await self._fail(tenant, event, why)
        return people

    async def _project_of(
        self, tenant: Tenant, event: StoredEvent, frame: Frame, outcomes: Sequence[Outcome]
    ) -> int | None:
        """The repository that an event is about, which is called as the event shows it from now on."""
        if frame.repository is None:
            return None
        projects = Projects(tenant)
        if may_have_left(outcomes, event.account):
            # It may be called by its new owner's name, which says nothing of what it was here.
            presence = await projects.presence(frame.repository.key)
            return presence.id if presence else None
        times = (outcome.fact.at for outcome in outcomes if isinstance(outcome, Recorded))
        return await projects.remember(seen(frame.repository, max(times, default=_NEVER)))

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
        # In the order of the ids, as above and in bot/jobs/periodic.py.
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
    ) -> Sequence[Deferral]:
        """What an event changes beside its place on the timeline. Returns the jobs that it asks for."""
        match outcome:
            case InstallationChanged():
                return await self._follow_installation(tenant, outcome)
            case RepositoriesChanged():
                return await self._follow_repositories(tenant, outcome, event)
            case RepositoryTransferred():
                return await self._follow_transfer(tenant, outcome, event)
            case AccountRenamed():
                await Projects(tenant).rename_owner(outcome.before, outcome.after)
            case VisibilityChanged() if project_id is not None:
                await VisibilityHistory(tenant).record_change(
                    project_id, outcome.at, is_private=outcome.is_private
                )
            case WritingAllowed() if self._jobs is not None:
                due = await forgive(self._jobs, tenant, self._clock(), project_id, outcome.thread)
                return [Deferral(task, key, defer) for task, key, defer in due]
        if self._jobs is None or project_id is None:
            return []
        return requested_jobs(self._jobs, tenant, event, project_id, outcome)

    async def _follow_installation(self, tenant: Tenant, change: InstallationChanged) -> list[Deferral]:
        is_in_order = await follow_installation(tenant, change)
        if self._jobs is None:
            return []
        where = tenant.organization_id
        if not is_in_order:
            ask = partial(self._jobs.check_visibility, tenant.connection, organization_id=where)
            return [Deferral(CHECK_VISIBILITY, (), ask)]
        deferrals = list[Deferral]()
        if change.change in _MAKES_US_HEAR:  # Pushes that changed settings were not heard.
            read = partial(self._jobs.read_settings, tenant.connection, organization_id=where)
            deferrals.append(Deferral(READ_SETTINGS, (-1,), read))
        if change.change == "new_permissions_accepted":  # Nobody tells which of them are new.
            project_ids = [project.id for project in await Projects(tenant).active()]
            deferrals += past_jobs(self._jobs, tenant, project_ids, is_wanted=True)
        return deferrals

    async def _follow_repositories(
        self, tenant: Tenant, change: RepositoriesChanged, event: StoredEvent
    ) -> list[Deferral]:
        at = happened_at(change.stated_at, event.received_at)
        followed = await follow_repositories(tenant, change, at)
        if self._jobs is None:
            return []
        deferrals = self._ask_which_are_visible(tenant) if followed.is_doubtful else []
        if followed.added:
            node_ids = [repository.key for repository in change.added]
            deferrals += await first_jobs(self._jobs, tenant, followed.added)
            deferrals += await jobs_of_other_owners(self._jobs, tenant, node_ids, at)
        return deferrals

    async def _follow_transfer(
        self, tenant: Tenant, transfer: RepositoryTransferred, event: StoredEvent
    ) -> list[Deferral]:
        """A repository has come to this account, or left it.

        Where GitHub does not name the owner, it is asked which repositories can be seen.
        """
        has_left = transfer.has_left(event.account)
        deferrals = self._ask_which_are_visible(tenant) if transfer.owner is None else []
        if has_left is None:
            return deferrals
        if not has_left:
            change = RepositoriesChanged(added=[transfer.repository], stated_at=transfer.stated_at)
            return deferrals + await self._follow_repositories(tenant, change, event)
        at = happened_at(transfer.stated_at, event.received_at)
        if not await leave(tenant, transfer.repository.key, at):
            deferrals += self._ask_which_are_visible(tenant)
        return deferrals

    async def _bring_back(
        self,
        tenant: Tenant,
        event: StoredEvent,
        frame: Frame,
        facts: Sequence[Event],
        hidden: Mapping[str, datetime],
    ) -> list[Deferral]:
        """Look again after a repository that was taken to have left, where an event shows that it is here.

        Only an event of the account's present installation does so. GitHub is asked where the event may be
        from before the repository left.
        """
        repository = frame.repository
        if (
            repository is None
            or repository.archived
            or repository.owner is None
            or repository.owner.id != event.account
            or frame.installation is None
            or await Installations(tenant).relation(frame.installation) is not InstallationRelation.PRESENT
        ):
            return []
        # What is no item or milestone may be dated by when it came.
        stated_at = max((fact.at for fact in facts if not isinstance(fact, ActivityEvent)), default=None)
        if stated_at is None or happened_at(stated_at, event.received_at) <= hidden[repository.key]:
            return self._ask_which_are_visible(tenant)
        change = RepositoriesChanged(added=[repository], stated_at=stated_at)
        return await self._follow_repositories(tenant, change, event)

    def _ask_which_are_visible(self, tenant: Tenant) -> list[Deferral]:
        """Comparing the tenant's repositories with GitHub's list at once."""
        if self._jobs is None:
            return []
        where = tenant.organization_id
        reconcile = partial(self._jobs.reconcile, tenant.connection, organization_id=where)
        return [Deferral(RECONCILE, (), reconcile)]

    async def _meet(self, tenant: Tenant, sightings: Iterable[SeenLogin]) -> _People:
        """Stores people who were not met before, or under another login. Returns what is known of them."""
        new, fresh = _People(), list[SeenLogin]()
        for sighting in sightings:
            by_id, by_login = (
                (tenant.organization_id, sighting.github_id),
                (tenant.organization_id, sighting.login.lower()),
            )
            last = new.get(by_id, self._met.get(by_id))
            holder = new.get(by_login, self._met.get(by_login))
            # The same, unless somebody else had the login meanwhile, or the person another one.
            if (
                last is not None
                and last is holder
                and last.login == sighting.login
                and last.at <= sighting.at
            ):
                continue
            fresh.append(sighting)
            new[by_id] = new[by_login] = sighting
        await Installations(tenant).meet(fresh)
        return new

    async def _read(self, organization_id: int, events: Sequence[StoredEvent]) -> _Read:
        read, breather = _Read(), CooperativePause()
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
                outcomes = await self._handle(organization_id, delivery, frame)
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

    async def _handle(self, organization_id: int, delivery: Delivery, frame: Frame) -> list[Outcome]:
        """What all handlers make of a delivery. Raises UnusableError if that can be recorded nowhere."""
        if self._reading is None:
            outcomes, problems = handle(delivery)
        else:
            outcomes, problems = await self._reading.handle(organization_id, delivery)
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


def _projects_of(rows: Iterable[TimelineRow]) -> set[int]:
    return {row.project_id for row in rows if row.project_id is not None}


def _is_publication(fact: Event) -> bool:
    """Whether everybody may read a repository from now on, so that nothing of money may stay there."""
    return isinstance(fact, ActivityEvent) and (fact.kind, fact.event) == ("repository", "publicized")


def _needs_repository(outcome: Outcome) -> bool:
    return isinstance(outcome, Recorded) and not isinstance(outcome.fact, ActivityEvent)


def _sightings_in(read: _Read) -> Iterator[SeenLogin]:
    """All people whom deliveries tell of, with their logins at those moments, in the deliveries' order."""
    for event, frame, outcomes in read.found:
        happened_at = event.received_at
        for outcome in outcomes:
            if isinstance(outcome, Recorded):
                at = min(outcome.fact.at, event.received_at)
                yield from _people_among(outcome.accounts, at)
                if outcome.fact.actor:
                    happened_at = min(happened_at, at)
        if frame.sender is not None:
            yield from _people_among((frame.sender,), happened_at)


def _people_among(accounts: Iterable[Account], at: datetime) -> Iterator[SeenLogin]:
    for account in accounts:
        login = clean(account.login)
        if account.type in _PEOPLE and account.id not in NOBODY_IDS and is_person(login):
            yield SeenLogin(account.id, login, at)


def _is_away(problem: DBAPIError) -> bool:
    """Whether the database is away. A dead-lock is an OperationalError too, but over with its transaction."""
    is_operational = isinstance(problem, OperationalError | InterfaceError)
    return is_operational and not isinstance(problem.orig, DeadlockDetected)


async def until_processed(base: Services, progress: Callable[[int], object] = lambda _: None) -> None:
    """Returns when no tenant's delivery waits any more. `progress` is told how many do."""
    while waiting := await _waiting(base):
        progress(waiting)
        await asyncio.sleep(0.05)
    progress(0)


async def _waiting(base: Services) -> int:
    async with base.database.unscoped() as connection:
        tenants = await all_tenants(connection)
    waiting = 0
    for organization_id in tenants:
        async with base.database.tenant(organization_id) as tenant:
            waiting += (await Deliveries(tenant).counts())["waiting"]
    return waiting
