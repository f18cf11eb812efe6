"""All kinds of jobs except billing, as messages: a job's arguments, its priority and its locks.

They are here, and not beside the functions that run them, because rooms below those functions defer them.
"""

from datetime import datetime
from typing import Any, Final

import msgspec

from storage.job_priority import Priority
from storage.jobs import EVENTS, JobMessage, RunLaterJob, TenantJob

# Periodic tasks, without arguments; their priority is declared with them.
SWEEP = "sweep"
TICK = "tick"
WAKE_POSTS = "wake_posts"
REDELIVER = "redeliver"
RETAIN = "retain"


class ProcessEventsJob(TenantJob, frozen=True, kw_only=True):
    """Processes a tenant's waiting deliveries. The database queues it together with a delivery."""

    name = "process_events"
    priority = Priority.RECORDING
    queue = EVENTS


def changes_lock(project_id: int) -> str:
    """The lock of the jobs that change a repository on somebody's request."""
    return f"changes:{project_id}"


class AnswerJob(TenantJob, frozen=True, kw_only=True):
    """Answers the commands of an event.

    Answers in one thread are given one after another. Those that may change the repository are handed over
    to the lock of its changes, in the same order.
    """

    name = "answer"
    priority = Priority.ANSWERS

    event_id: int
    # `thread:PROJECT:NUMBER`
    thread: str
    is_changing: bool = False
    # How often GitHub could not be reached for it.
    tries: int = 0

    @property
    def lock(self) -> str:
        return changes_lock(int(self.thread.split(":")[1])) if self.is_changing else self.thread


class ExpirePreviewJob(TenantJob, frozen=True, kw_only=True):
    """Takes the box of a change out of its comment when it can no longer be ticked."""

    name = "expire_preview"
    priority = Priority.POSTS

    project_id: int
    change_id: int
    # `thread:PROJECT:NUMBER`, for the text in place of the preview.
    thread: str

    @property
    def lock(self) -> str:
        return changes_lock(self.project_id)  # A tick and the end of its time do not cross.

    @property
    def queueing_lock(self) -> str:
        return f"expire_preview:{self.project_id}:{self.change_id}"

    @property
    def sort_key(self) -> tuple[int | str, ...]:
        return (self.project_id, self.change_id)


class BackfillJob(TenantJob, frozen=True, kw_only=True):
    """Reads a repository's past from GitHub: if some of it is missing, or all of it if `is_wanted`.

    It waits as itself, because the account's status counts waiting ones.
    """

    name = "backfill"
    priority = Priority.BACKFILL
    waits_as_itself = True

    project_id: int
    is_wanted: bool = False

    @property
    def lock(self) -> str:  # Two concurrent jobs would ask for the same.
        return f"backfill:{self.project_id}"

    @property
    def queueing_lock(self) -> str:
        return f"backfill:{self.project_id}{':wanted' if self.is_wanted else ''}"

    @property
    def sort_key(self) -> tuple[int | str, ...]:
        return (self.project_id,)


class RepositoryLeftJob(TenantJob, frozen=True, kw_only=True):
    """Records for a tenant that another account has had a repository since a time (`left_at`)."""

    name = "repository_left"
    priority = Priority.RECORDING

    # GitHub's global node id.
    node_id: str
    left_at: datetime

    @property
    def queueing_lock(self) -> str:
        return f"left:{self.organization_id}:{self.node_id}"

    @property
    def sort_key(self) -> tuple[int | str, ...]:
        return (self.organization_id, self.node_id)


class MeasureJob(TenantJob, frozen=True, kw_only=True):
    """Measures a tenant's sprints and people."""

    name = "measure"
    priority = Priority.PERIODIC

    @property
    def queueing_lock(self) -> str:
        return f"measure:{self.organization_id}"


class PlanSprintJob(TenantJob, frozen=True, kw_only=True):
    """Makes a repository's next sprint ahead, if its cadence says so."""

    name = "plan_sprint"
    priority = Priority.PERIODIC

    project_id: int

    @property
    def lock(self) -> str:  # Two concurrent jobs might both make it.
        return f"plan_sprint:{self.project_id}"

    @property
    def queueing_lock(self) -> str:
        return f"plan_sprint:{self.project_id}"

    @property
    def sort_key(self) -> tuple[int | str, ...]:
        return (self.project_id,)


class RefreshProjectionsJob(TenantJob, frozen=True, kw_only=True):
    """Computes the stale projections of a repository's items anew."""

    name = "refresh_projections"
    priority = Priority.CHECKS

    project_id: int

    @property
    def queueing_lock(self) -> str:
        return f"refresh_projections:{self.project_id}"

    @property
    def sort_key(self) -> tuple[int | str, ...]:
        return (self.project_id,)


class ReconcileJob(TenantJob, frozen=True, kw_only=True):
    """Compares a tenant's running sprints and repositories with GitHub."""

    name = "reconcile"
    priority = Priority.PERIODIC

    @property
    def queueing_lock(self) -> str:
        return f"reconcile:{self.organization_id}"


class CheckVisibilityJob(TenantJob, frozen=True, kw_only=True):
    """Asks GitHub which of a tenant's repositories can be seen."""

    name = "check_visibility"
    priority = Priority.PERIODIC

    @property
    def queueing_lock(self) -> str:
        return f"visibility:{self.organization_id}"


class ReadSettingsJob(TenantJob, frozen=True, kw_only=True):
    """Reads the settings file of a repository, or all of the tenant's files without `project_id`."""

    name = "read_settings"
    priority = Priority.CHECKS
    waits_as_itself = True

    project_id: int | None = None

    @property
    def lock(self) -> str:  # The slower of two concurrent jobs might store an older answer.
        return f"settings:{self.organization_id}"

    @property
    def queueing_lock(self) -> str:
        return f"settings:{self.organization_id}:{'all' if self.project_id is None else self.project_id}"

    @property
    def sort_key(self) -> tuple[int | str, ...]:
        return (-1 if self.project_id is None else self.project_id,)


class TellOwnerJob(TenantJob, frozen=True, kw_only=True):
    """Brings an account's billing issue up to date."""

    name = "tell_owner"
    priority = Priority.CHECKS

    @property
    def lock(self) -> str:
        return f"tell-owner:{self.organization_id}"

    @property
    def queueing_lock(self) -> str:
        return f"tell-owner:{self.organization_id}"

    def queueing_lock_until(self, at: datetime) -> str:
        return f"{self.queueing_lock}:{at.isoformat()}"


class SendPostsJob(TenantJob, frozen=True, kw_only=True):
    """Brings a tenant's unsent posts to GitHub."""

    name = "send_posts"
    priority = Priority.POSTS

    @property
    def lock(self) -> str:  # Two concurrent jobs might both send the same post.
        return f"posts:{self.organization_id}"

    @property
    def queueing_lock(self) -> str:
        return f"posts:{self.organization_id}"

    def queueing_lock_until(self, at: datetime) -> str:  # noqa: ARG002 - one for all times
        return f"posts-later:{self.organization_id}"


# Without the usual turn, a worker of an older version can still run the job.
class RedrawJob(TenantJob, frozen=True, kw_only=True, omit_defaults=True):
    """Brings the posts about a repository's sprints up to date.

    One waiting job of each `turn` is enough for any number of events.
    """

    name = "redraw"
    priority = Priority.CHECKS

    project_id: int
    turn: str = "soon"

    @property
    def lock(self) -> str:  # Two concurrent jobs might post the same under two keys.
        return f"redraw:{self.project_id}"

    @property
    def queueing_lock(self) -> str:
        return f"redraw:now:{self.project_id}"

    def queueing_lock_until(self, at: datetime) -> str:  # noqa: ARG002 - one for all times
        return f"redraw:{self.turn}:{self.project_id}"


class CheckJob(TenantJob, frozen=True, kw_only=True):
    """Works out the check of one pull request, named by number or by head SHA, or of all open ones.

    A re-run is sent to GitHub even if the check says the same as before.
    """

    name = "check"
    priority = Priority.CHECKS

    project_id: int
    number: int | None = None
    head: str | None = None
    is_rerun: bool = False

    @property
    def lock(self) -> str:  # The slower of two concurrent jobs might store an older result.
        return f"checks:{self.project_id}"

    @property
    def queueing_lock(self) -> str:
        pull_request = self.head or self.number or "all"
        return f"check:{self.project_id}:{pull_request}{':again' if self.is_rerun else ''}"

    def queueing_lock_until(self, at: datetime) -> str:  # noqa: ARG002 - one for all times
        return f"checks-later:{self.project_id}"

    @property
    def sort_key(self) -> tuple[int | str, ...]:
        return (self.project_id, self.number or 0, self.head or "", self.is_rerun)


class PressJob(TenantJob, frozen=True, kw_only=True):
    """Carries out the request of a person who pressed a check's button."""

    name = "press"
    priority = Priority.ANSWERS

    event_id: int
    project_id: int

    @property
    def lock(self) -> str:
        return changes_lock(self.project_id)


class ReportMergeGroupJob(TenantJob, frozen=True, kw_only=True):
    """Reports the check of a merge group's commit (`head`, a SHA)."""

    name = "report_merge_group"
    priority = Priority.ANSWERS
    waits_as_itself = True

    project_id: int
    head: str
    number: int | None = None
    is_rerun: bool = False

    @property
    def lock(self) -> str:  # Two concurrent jobs might both create the check.
        return f"merge-group:{self.project_id}:{self.head}"

    @property
    def queueing_lock(self) -> str:
        return f"merge-group:{self.project_id}:{self.head}{':again' if self.is_rerun else ''}"

    @property
    def sort_key(self) -> tuple[int | str, ...]:
        return (self.project_id, self.head, self.is_rerun)


TENANT_JOBS: Final[tuple[type[TenantJob], ...]] = (
    ProcessEventsJob,
    AnswerJob,
    ExpirePreviewJob,
    BackfillJob,
    RepositoryLeftJob,
    MeasureJob,
    PlanSprintJob,
    RefreshProjectionsJob,
    ReconcileJob,
    CheckVisibilityJob,
    ReadSettingsJob,
    TellOwnerJob,
    SendPostsJob,
    RedrawJob,
    CheckJob,
    PressJob,
    ReportMergeGroupJob,
    RunLaterJob,
)
_BY_NAME = {kind.name: kind for kind in TENANT_JOBS}


def build_job(task: str, arguments: dict[str, Any]) -> JobMessage:
    """The job that a task's name and its stored arguments stand for. Raises KeyError for an unknown task."""
    return msgspec.convert(arguments, _BY_NAME[task])
