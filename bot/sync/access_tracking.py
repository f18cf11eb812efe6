"""Tracks which installations and repositories send events to the App.

A time in which events were missed is recorded as a gap (storage/gaps.py), and the past is backfilled again.
Deliveries come in any order, more than once, or not at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.delivery import InstallationChanged, Outcome, RepositoriesChanged, RepositoryTransferred
from handlers.payloads import RepositoryPayload, clean
from sprints.gaps import GapCause
from storage.database import Tenant
from storage.deliveries import Deliveries
from storage.gaps import Gaps
from storage.installations import InstallationRelation, Installations
from storage.lookups import tenants_of_node
from storage.projects import Projects, RepositoryName
from storage.repository_presence import RepositoryPresence, TrackingState
from storage.timeline import Timeline

# The permissions that the numbers of sprints depend on. Every version of the App has requested them.
_PLANNING = {"issues", "pull_requests"}
# GitHub keeps deliveries for this time, and redelivers failed ones on request.
_REPEATED_FOR = timedelta(days=3)
# One return causes several events: `transferred`, and `added` of the installation's repositories.
_SAME_RETURN = timedelta(hours=1)


async def track_installation(tenant: Tenant, change: InstallationChanged) -> bool:
    """Record a change of the account's installation, and the gap that it begins or ends.

    False if the event came out of order, so that GitHub must be asked for the present state.
    """
    installations, gaps = Installations(tenant), Gaps(tenant)
    await gaps.lock()
    is_present = await installations.relation(change.installation) is InstallationRelation.PRESENT
    is_active = is_present and change.change not in ("created", "deleted")
    if is_active and await gaps.close(GapCause.UNINSTALLED, change.at):
        # It was installed in between, but the events about that and about its repositories were missed.
        await installations.schedule_reconciliation(change.at)
    match change.change:
        case "deleted":
            await installations.record_uninstalled(change.installation)
            return not is_present or await gaps.begin(GapCause.UNINSTALLED, change.at)
        case "created" if is_present:
            return await _record_installed(tenant, change)
        case "suspend" if is_present:
            if not await gaps.begin(GapCause.SUSPENDED, change.stated_at or change.at):
                return False
            await installations.record_suspension(change.installation, change.stated_at or change.at)
        case "unsuspend" if is_present:
            if not await _end_gap(tenant, GapCause.SUSPENDED, change):
                return False
            await installations.record_suspension(change.installation, None)
        case "new_permissions_accepted" if is_present:
            await _accept_permissions(tenant, change)
    return True


async def record_suspension(tenant: Tenant, suspended_at: datetime | None, now: datetime) -> bool:
    """Record whether GitHub has suspended the present installation. Returns whether that has changed."""
    installations, gaps = Installations(tenant), Gaps(tenant)
    await gaps.lock()
    recorded_since = await installations.suspended_since()
    if (recorded_since is None) == (suspended_at is None):
        return False
    await installations.set_suspended(suspended_at)
    if recorded_since is not None:
        # GitHub's clock may be ahead of ours.
        ended_at = max(now, recorded_since)
        if not await gaps.close(GapCause.SUSPENDED, ended_at):
            # An installation that was confirmed as suspended has a recorded beginning, but no gap.
            await gaps.add(GapCause.SUSPENDED, recorded_since, ended_at)
    elif suspended_at is not None:
        await gaps.add(GapCause.SUSPENDED, suspended_at, None)
    return True


async def record_confirmation(
    tenant: Tenant, installation: int, suspended_at: datetime | None, now: datetime
) -> None:
    """Record the gap before an installation that GitHub has confirmed and whose event was missed.

    If the account had another installation before, the events in between are missing, and are backfilled.
    """
    installations, gaps = Installations(tenant), Gaps(tenant)
    await gaps.lock()
    if not await installations.has_former(installation):
        return
    await gaps.close(GapCause.SUSPENDED, now)
    await gaps.end(
        GapCause.UNINSTALLED, now, last_heard_at=await Deliveries(tenant).last_processed_before(now)
    )
    if suspended_at is not None:
        await gaps.add(GapCause.SUSPENDED, suspended_at, None)
    await installations.schedule_reconciliation(now)


@dataclass(frozen=True, slots=True)
class RepositoryTracking:
    """The result of a change of repositories.

    `added` are the project ids of the added ones. A change `is_doubtful` if it contradicts later events: then
    GitHub must be asked which repositories can be seen.
    """

    added: tuple[int, ...]
    is_doubtful: bool


def estimate_event_time(stated_at: datetime | None, received_at: datetime) -> datetime:
    """Estimate when an event happened: its stated time if plausible, or else when it was received.

    A delivery comes no later than three days after its event. An older stated time belongs to something else,
    such as an earlier change of the same repository.
    """
    if stated_at is None or not received_at - _REPEATED_FOR <= stated_at <= received_at:
        return received_at
    return stated_at


async def track_repositories(tenant: Tenant, change: RepositoriesChanged, at: datetime) -> RepositoryTracking:
    """Record which repositories can be seen and get periodic work, as of a moment.

    A late event of a former installation neither removes nor adds any.
    """
    added, removed = change.added, change.removed
    if change.installation is not None:
        relation = await Installations(tenant).relation(change.installation)
        if relation in (InstallationRelation.REPLACED, InstallationRelation.ENDED):
            added = ()
        if relation is InstallationRelation.REPLACED:
            removed = ()
    projects, presence, is_doubtful = Projects(tenant), RepositoryPresence(tenant), False
    for repository in change.archived:
        await projects.set_active(
            await projects.remember(to_repository_name(repository, at)), is_active=False
        )
    for repository in removed:
        # A known repository keeps its name: the payload may have its new owner's name.
        if await presence.tracking_state(repository.key) is None:
            await projects.remember(to_repository_name(repository, at))
        is_doubtful = not await stop_tracking(tenant, repository.key, at) or is_doubtful
    added_ids = list[int]()
    for repository in added:
        state = await presence.tracking_state(repository.key)
        if state is not None and state.hidden_since is not None and state.hidden_since > at:
            is_doubtful = True  # It was removed again since.
        else:
            added_ids.append(await _track_added(tenant, projects, repository, at))
    return RepositoryTracking(tuple(added_ids), is_doubtful)


def may_have_left(outcomes: Iterable[Outcome], account: int) -> bool:
    """Whether, by an event, `account` has or may have transferred its repository to another account."""
    return any(
        isinstance(outcome, RepositoryTransferred) and outcome.has_left(account) is not False
        for outcome in outcomes
    )


async def stop_tracking(tenant: Tenant, node_id: str, at: datetime) -> bool:
    """Stop tracking a repository that left the account at a moment.

    False if it sent events later than that: then it stays, and GitHub must be asked where it is.
    """
    if await last_heard_after(tenant, node_id, at) is not None:
        return False
    await RepositoryPresence(tenant).mark_hidden(node_id, at)
    return True


async def last_heard_after(tenant: Tenant, node_id: str, at: datetime) -> datetime | None:
    """The time of a visible repository's last event or return, if later than a moment; None otherwise."""
    tracking_state = await RepositoryPresence(tenant).tracking_state(node_id)
    if tracking_state is None or tracking_state.hidden_since is not None:
        return None
    returned_at = await Gaps(tenant).last_return(tracking_state.id)
    heard_at = await Timeline(tenant).last_webhook_event(tracking_state.id)
    is_later = (heard_at is not None and heard_at > at) or (returned_at is not None and returned_at >= at)
    return max(moment for moment in (heard_at, returned_at) if moment is not None) if is_later else None


async def find_other_owners(tenant: Tenant, node_ids: Iterable[str]) -> Mapping[str, list[int]]:
    """Find the tenants that still track repositories which are this tenant's now, by node id."""
    owners = dict[str, list[int]]()
    for node_id in node_ids:
        if ":" in node_id:  # A key without a node id, which is not unique among tenants.
            continue
        tenants = await tenants_of_node(tenant.connection, node_id)
        others = [tenant_id for tenant_id in tenants if tenant_id != tenant.organization_id]
        if others:
            owners[node_id] = others
    return owners


def to_repository_name(repository: RepositoryPayload, at: datetime) -> RepositoryName:
    """Convert a payload to the repository's name as of a moment."""
    return RepositoryName(
        node_id=repository.key,
        full_name=clean(repository.full_name),
        is_private=repository.private,
        description=clean(repository.description) if repository.description else None,
        seen_at=at,
    )


async def _record_installed(tenant: Tenant, change: InstallationChanged) -> bool:
    """Record a new installation; if it is not the account's first, end the gap before it."""
    installations, gaps = Installations(tenant), Gaps(tenant)
    await installations.record_suspension(change.installation, None)
    await gaps.close(GapCause.SUSPENDED, change.at)
    if await gaps.close(GapCause.UNINSTALLED, change.at):
        return True
    is_first = not await installations.has_former(change.installation)
    return is_first or await _end_gap(tenant, GapCause.UNINSTALLED, change)


async def _end_gap(tenant: Tenant, cause: GapCause, change: InstallationChanged) -> bool:
    """End the gap of a cause, which began at the latest with the last received delivery."""
    last_heard_at = await Deliveries(tenant).last_received_before(change.at)
    return await Gaps(tenant).end(cause, change.at, stated_at=change.stated_at, last_heard_at=last_heard_at)


async def _accept_permissions(tenant: Tenant, change: InstallationChanged) -> None:
    """Record a gap if the new permissions bring events that the numbers depend on.

    Older versions did not record an installation's permissions. It must have had the requested ones, but the
    past is backfilled to be sure.
    """
    before = await Timeline(tenant).permissions_before(str(change.installation), change.at)
    if before is None:
        await Gaps(tenant).add(GapCause.PERMISSIONS, change.at, change.at)
    elif any(name in change.permissions and name not in before for name in _PLANNING):
        began_at = await Installations(tenant).first_seen_at()
        await Gaps(tenant).add(GapCause.PERMISSIONS, min(began_at, change.at), change.at)


async def _track_added(
    tenant: Tenant, projects: Projects, repository: RepositoryPayload, at: datetime
) -> int:
    """Track an added repository. If it was tracked before, record the gap in which it was not."""
    presence = RepositoryPresence(tenant)
    before = await presence.tracking_state(repository.key)
    project_id = await projects.remember(to_repository_name(repository, at))
    await projects.set_active(project_id, is_active=True)
    await presence.set_hidden(repository.key, None)
    began_at = await _find_hidden_since(tenant, before, at) if before else None
    if began_at is not None:
        gaps = await Gaps(tenant).of_projects({project_id})
        # A gap in which the App was not installed at all is recorded for all repositories together.
        is_noted = any(
            gap.contains(at) and (before is None or before.is_active or gap.contains(began_at))
            for gap in gaps
        )
        if not is_noted:
            await Gaps(tenant).add(GapCause.REMOVED, began_at, at, project_id)
    return project_id


async def _find_hidden_since(tenant: Tenant, before: TrackingState, at: datetime) -> datetime | None:
    """Find since when events of an added repository were missed; None if it was only archived."""
    if before.hidden_since is not None:
        return before.hidden_since if before.hidden_since < at else None
    if not before.is_active or before.synced_at is None:
        return None
    # The event about its removal was missed.
    returned_at = await Gaps(tenant).last_return(before.id)
    since = max(before.synced_at, returned_at or before.synced_at)
    if at - since < _SAME_RETURN:
        return None
    return await Timeline(tenant).last_webhook_event(before.id, at) or before.synced_at
