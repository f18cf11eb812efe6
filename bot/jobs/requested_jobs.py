"""The jobs that recorded deliveries ask for, to be deferred with the transaction that records them."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from bot.sync.event_access import other_owners
from bot.sync.settings_file import ORGANIZATION
from handlers.delivery import (
    CheckWanted,
    CommandsFound,
    MergeGroupQueued,
    Outcome,
    Pressed,
    SettingsChanged,
)
from storage.database import Tenant
from storage.deliveries import StoredEvent
from storage.jobs import (
    ANSWER,
    BACKFILL,
    CHECK,
    PRESS,
    READ_SETTINGS,
    REPORT_MERGE_GROUP,
    REPOSITORY_LEFT,
    Jobs,
)
from storage.projects import Projects


@dataclass(frozen=True, slots=True)
class Deferral:
    """A job to be deferred. Those of one task are deferred in the order of `key`."""

    task: str
    key: tuple[int | str, ...]
    defer: Callable[[], Awaitable[None]]


async def first_jobs(jobs: Jobs, tenant: Tenant, project_ids: Sequence[int]) -> list[Deferral]:
    """What a repository needs when it is added: its past, unless it is known, and the settings that hold."""
    deferrals, where = list[Deferral](), tenant.organization_id
    for project_id in project_ids:
        for settings_of in (project_id, ORGANIZATION):
            settings = partial(
                jobs.read_settings, tenant.connection, organization_id=where, project_id=settings_of
            )
            deferrals.append(Deferral(READ_SETTINGS, (settings_of,), settings))
    known = [await Projects(tenant).get(project_id) for project_id in project_ids]
    new = [project.id for project in known if project is not None and project.synced_at is None]
    return deferrals + past_jobs(jobs, tenant, new)


def past_jobs(
    jobs: Jobs, tenant: Tenant, project_ids: Iterable[int], *, is_wanted: bool = False
) -> list[Deferral]:
    """Asking for the past of repositories: of those that lack some of it, or of all where that is wanted."""
    defer = partial(
        jobs.backfill, tenant.connection, organization_id=tenant.organization_id, is_wanted=is_wanted
    )
    return [
        Deferral(BACKFILL, (project_id,), partial(defer, project_id=project_id)) for project_id in project_ids
    ]


async def jobs_of_other_owners(
    jobs: Jobs, tenant: Tenant, node_ids: Iterable[str], at: datetime
) -> list[Deferral]:
    """Telling those that still look after a repository that it was this tenant's at a moment."""
    return [
        Deferral(
            REPOSITORY_LEFT,
            (owner, node_id),
            partial(
                jobs.repository_left,
                tenant.connection,
                at,
                organization_id=owner,
                node_id=node_id,
            ),
        )
        for node_id, owners in (await other_owners(tenant, node_ids)).items()
        for owner in owners
    ]


def requested_jobs(
    jobs: Jobs, tenant: Tenant, event: StoredEvent, project_id: int, outcome: Outcome
) -> list[Deferral]:
    """The jobs that an event asks for in its repository."""
    connection, where = tenant.connection, tenant.organization_id
    match outcome:
        case CommandsFound():
            thread = f"thread:{project_id}:{outcome.number}"
            answer = partial(jobs.answer, connection, organization_id=where, event_id=event.id, thread=thread)
            return [Deferral(ANSWER, (), answer)]
        case Pressed():
            press = partial(
                jobs.press, connection, organization_id=where, event_id=event.id, project_id=project_id
            )
            return [Deferral(PRESS, (), press)]
        case SettingsChanged():
            settings = partial(jobs.read_settings, connection, organization_id=where, project_id=project_id)
            return [Deferral(READ_SETTINGS, (project_id,), settings)]
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
            return [Deferral(CHECK, (project_id, *pull_request), check)]
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
            return [Deferral(REPORT_MERGE_GROUP, (project_id, outcome.head, outcome.is_rerun), report)]
    return []
