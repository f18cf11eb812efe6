"""The jobs that recorded deliveries ask for, to be deferred with the transaction that records them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.sync.access_tracking import find_other_owners
from bot.sync.settings_file import ORGANIZATION
from handlers.delivery import (
    ButtonPressed,
    CheckRequested,
    CommandsFound,
    MergeGroupQueued,
    Outcome,
    SettingsChanged,
)
from storage.database import Tenant
from storage.deliveries import StoredEvent
from storage.job_types import (
    AnswerJob,
    BackfillJob,
    CheckJob,
    PressJob,
    ReadSettingsJob,
    ReportMergeGroupJob,
    RepositoryLeftJob,
)
from storage.jobs import JobMessage
from storage.projects import Projects


async def first_jobs(tenant: Tenant, project_ids: Sequence[int]) -> list[JobMessage]:
    """The first jobs of added repositories: read the settings, and backfill if that has not happened yet."""
    where = tenant.organization_id
    settings = [
        ReadSettingsJob(organization_id=where, project_id=settings_of)
        for project_id in project_ids
        for settings_of in (project_id, ORGANIZATION)
    ]
    projects = [await Projects(tenant).get(project_id) for project_id in project_ids]
    new = [project.id for project in projects if project is not None and project.synced_at is None]
    return [*settings, *backfill_jobs(tenant, new)]


def backfill_jobs(tenant: Tenant, project_ids: Iterable[int], *, is_wanted: bool = False) -> list[JobMessage]:
    """Jobs that backfill repositories: only what is missing, or everything if `is_wanted`."""
    return [
        BackfillJob(organization_id=tenant.organization_id, project_id=project_id, is_wanted=is_wanted)
        for project_id in project_ids
    ]


async def jobs_of_other_owners(tenant: Tenant, node_ids: Iterable[str], at: datetime) -> list[JobMessage]:
    """Jobs that inform tenants which still track a repository that it was this tenant's at a time."""
    return [
        RepositoryLeftJob(organization_id=owner, node_id=node_id, left_at=at)
        for node_id, owners in (await find_other_owners(tenant, node_ids)).items()
        for owner in owners
    ]


def requested_jobs(tenant: Tenant, event: StoredEvent, project_id: int, outcome: Outcome) -> list[JobMessage]:
    """The jobs that an outcome of an event requests in its repository."""
    where = tenant.organization_id
    match outcome:
        case CommandsFound():
            thread = f"thread:{project_id}:{outcome.number}"
            return [AnswerJob(organization_id=where, event_id=event.id, thread=thread)]
        case ButtonPressed():
            return [PressJob(organization_id=where, event_id=event.id, project_id=project_id)]
        case SettingsChanged():
            return [ReadSettingsJob(organization_id=where, project_id=project_id)]
        case CheckRequested():
            check = CheckJob(
                organization_id=where,
                project_id=project_id,
                number=outcome.number,
                head=outcome.head,
                is_rerun=outcome.is_rerun,
            )
            return [check]
        case MergeGroupQueued():
            report = ReportMergeGroupJob(
                organization_id=where,
                project_id=project_id,
                head=outcome.head,
                number=outcome.number,
                is_rerun=outcome.is_rerun,
            )
            return [report]
    return []
