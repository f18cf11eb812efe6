"""Effects of an event beside the timeline (access, names, visibility), and the jobs that it requests."""

from collections.abc import Mapping
from datetime import datetime

from bot.jobs.delivery_reader import ReadEvent
from bot.jobs.requested_jobs import backfill_jobs, first_jobs, jobs_of_other_owners, requested_jobs
from bot.publishing.refusals import retry_refused
from bot.sync.access_tracking import (
    estimate_event_time,
    stop_tracking,
    track_installation,
    track_repositories,
)
from handlers.delivery import (
    AccountRenamed,
    FactRecorded,
    InstallationChanged,
    Outcome,
    RepositoriesChanged,
    RepositoryTransferred,
    VisibilityChanged,
    WritingAllowed,
)
from sprints.model import ActivityEvent
from storage.database import Tenant
from storage.deliveries import StoredEvent
from storage.installations import InstallationRelation, Installations
from storage.job_types import CheckVisibilityJob, ReadSettingsJob, ReconcileJob
from storage.jobs import JobMessage
from storage.projects import Projects
from storage.visibility import VisibilityHistory

# Changes of an installation after which its events arrive again.
_RESUMES_EVENTS = {"created", "unsuspend", "new_permissions_accepted"}


class EventEffects:
    """Applies the outcomes of one tenant's events within a transaction."""

    def __init__(self, tenant: Tenant, now: datetime, *, retries_refused: bool) -> None:
        """With `retries_refused`, writes that GitHub refused are due again when it allows writing again."""
        self._tenant = tenant
        self._now = now
        self._retries_refused = retries_refused

    async def apply(self, event: StoredEvent, project_id: int | None, outcome: Outcome) -> list[JobMessage]:
        """Write the effects of an outcome beside the timeline. Returns the jobs that it requests."""
        tenant = self._tenant
        match outcome:
            case InstallationChanged():
                return await self._change_installation(outcome)
            case RepositoriesChanged():
                return await self._change_repositories(outcome, event)
            case RepositoryTransferred():
                return await self._transfer(outcome, event)
            case AccountRenamed():
                await Projects(tenant).rename_owner(outcome.before, outcome.after)
            case VisibilityChanged() if project_id is not None:
                await VisibilityHistory(tenant).record_change(
                    project_id, outcome.at, is_private=outcome.is_private
                )
            case WritingAllowed() if self._retries_refused:
                return await retry_refused(tenant, self._now, project_id, outcome.thread)
        return [] if project_id is None else requested_jobs(tenant, event, project_id, outcome)

    async def resume_tracking(self, read: ReadEvent, hidden: Mapping[str, datetime]) -> list[JobMessage]:
        """Track a repository again that was assumed to have left, if an event shows that it is here.

        Only an event of the account's present installation does so. If the event may be from before the
        repository left, GitHub is asked. `hidden` holds when repositories left, by their node ids.
        """
        event, frame, repository = read.event, read.envelope, read.envelope.repository
        if (
            repository is None
            or repository.archived
            or repository.owner is None
            or repository.owner.id != event.account
            or frame.installation is None
            or await Installations(self._tenant).relation(frame.installation)
            is not InstallationRelation.PRESENT
        ):
            return []
        facts = [outcome.fact for outcome in read.outcomes if isinstance(outcome, FactRecorded)]
        # Facts about anything but items and milestones may be dated by their arrival.
        stated_at = max((fact.at for fact in facts if not isinstance(fact, ActivityEvent)), default=None)
        if stated_at is None or estimate_event_time(stated_at, event.received_at) <= hidden[repository.key]:
            return self._comparison()
        change = RepositoriesChanged(added=[repository], stated_at=stated_at)
        return await self._change_repositories(change, event)

    async def _change_installation(self, change: InstallationChanged) -> list[JobMessage]:
        where = self._tenant.organization_id
        if not await track_installation(self._tenant, change):
            return [CheckVisibilityJob(organization_id=where)]
        jobs = list[JobMessage]()
        if change.change in _RESUMES_EVENTS:  # Pushes that changed settings did not arrive.
            jobs.append(ReadSettingsJob(organization_id=where))
        if change.change == "new_permissions_accepted":  # GitHub does not say which of them are new.
            project_ids = [project.id for project in await Projects(self._tenant).active()]
            jobs += backfill_jobs(self._tenant, project_ids, is_wanted=True)
        return jobs

    async def _change_repositories(self, change: RepositoriesChanged, event: StoredEvent) -> list[JobMessage]:
        at = estimate_event_time(change.stated_at, event.received_at)
        followed = await track_repositories(self._tenant, change, at)
        jobs = self._comparison() if followed.is_doubtful else []
        if followed.added:
            node_ids = [repository.key for repository in change.added]
            jobs += await first_jobs(self._tenant, followed.added)
            jobs += await jobs_of_other_owners(self._tenant, node_ids, at)
        return jobs

    async def _transfer(self, transfer: RepositoryTransferred, event: StoredEvent) -> list[JobMessage]:
        """Follow a repository that has come to this account, or left it.

        If the event does not name the owner, GitHub is asked which repositories can be seen.
        """
        has_left = transfer.has_left(event.account)
        jobs = self._comparison() if transfer.owner is None else []
        if has_left is None:
            return jobs
        if not has_left:
            change = RepositoriesChanged(added=[transfer.repository], stated_at=transfer.stated_at)
            return jobs + await self._change_repositories(change, event)
        at = estimate_event_time(transfer.stated_at, event.received_at)
        if not await stop_tracking(self._tenant, transfer.repository.key, at):
            jobs += self._comparison()
        return jobs

    def _comparison(self) -> list[JobMessage]:
        """Compare the tenant's repositories with GitHub's list now."""
        return [ReconcileJob(organization_id=self._tenant.organization_id)]
