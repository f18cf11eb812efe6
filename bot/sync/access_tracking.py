"""What changes whether we hear GitHub: of an account as a whole, and of its repositories.

Where events did not reach us for a while, that is noted as a gap (storage/gaps.py), and the past is asked for
again. Deliveries come in any order, more than once, or not at all.
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
from storage.projects import Presence, Projects
from storage.projects import RepositoryName as SeenRepository
from storage.timeline import Timeline

# The permissions for what the numbers of sprints are made of. Every version of the App has asked for them.
_PLANNING = {"issues", "pull_requests"}
# So long GitHub keeps deliveries, and repeats those that failed.
_REPEATED_FOR = timedelta(days=3)
# GitHub tells of one return more than once: by `transferred`, and by what was added to the installation.
_SAME_RETURN = timedelta(hours=1)


async def track_installation(tenant: Tenant, change: InstallationChanged) -> bool:
    """Keep whether the account's installation works, and since when it did not.

    False if the news came out of order, so that GitHub is to be asked how it stands.
    """
    installations, gaps = Installations(tenant), Gaps(tenant)
    await gaps.lock()
    is_present = await installations.relation(change.installation) is InstallationRelation.PRESENT
    is_alive = is_present and change.change not in ("created", "deleted")
    if is_alive and await gaps.close(GapCause.UNINSTALLED, change.at):
        # It is there, so it was installed, although nobody told us of that, nor of its repositories.
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
    """Keep what GitHub says of the present installation when it is asked. Returns whether that was news."""
    installations, gaps = Installations(tenant), Gaps(tenant)
    await gaps.lock()
    known = await installations.suspended_since()
    if (known is None) == (suspended_at is None):
        return False
    await installations.set_suspended(suspended_at)
    if known is not None:
        # GitHub's clock may be ahead of ours.
        ended_at = max(now, known)
        if not await gaps.close(GapCause.SUSPENDED, ended_at):
            # The beginning was known without a gap, as of an installation that was confirmed as suspended.
            await gaps.add(GapCause.SUSPENDED, known, ended_at)
    elif suspended_at is not None:
        await gaps.add(GapCause.SUSPENDED, suspended_at, None)
    return True


async def record_confirmation(
    tenant: Tenant, installation: int, suspended_at: datetime | None, now: datetime
) -> None:
    """Keep what it means that GitHub has confirmed an installation whose event did not reach us.

    Where the account had another one before, nothing was heard in between, and is looked for.
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
    """What following a change of repositories came to.

    `added` are the ids of those that were added. News `is_doubtful` if it contradicts what was heard later:
    then GitHub is to be asked which repositories can be seen.
    """

    added: tuple[int, ...]
    is_doubtful: bool


def estimate_event_time(stated_at: datetime | None, received_at: datetime) -> datetime:
    """When something happened by GitHub's clock, or else when it reached us.

    A delivery comes no later than three days after its event: an older time is of something else, such as an
    earlier change of the same repository.
    """
    if stated_at is None or not received_at - _REPEATED_FOR <= stated_at <= received_at:
        return received_at
    return stated_at


async def track_repositories(tenant: Tenant, change: RepositoriesChanged, at: datetime) -> RepositoryTracking:
    """Keep which repositories can be seen and get work by the clock, as it was at a moment.

    What a former installation tells late takes nothing from the present one and brings nothing back.
    """
    added, removed = change.added, change.removed
    if change.installation is not None:
        relation = await Installations(tenant).relation(change.installation)
        if relation in (InstallationRelation.REPLACED, InstallationRelation.ENDED):
            added = ()
        if relation is InstallationRelation.REPLACED:
            removed = ()
    projects, is_doubtful = Projects(tenant), False
    for repository in change.archived:
        await projects.set_active(
            await projects.remember(to_repository_name(repository, at)), is_active=False
        )
    for repository in removed:
        # What we know keeps its name: it may be called by its new owner's by now.
        if await projects.presence(repository.key) is None:
            await projects.remember(to_repository_name(repository, at))
        is_doubtful = not await stop_tracking(tenant, repository.key, at) or is_doubtful
    added_ids = list[int]()
    for repository in added:
        presence = await projects.presence(repository.key)
        if presence is not None and presence.hidden_since is not None and presence.hidden_since > at:
            is_doubtful = True  # It has left since then.
        else:
            added_ids.append(await _track_added(tenant, projects, repository, at))
    return RepositoryTracking(tuple(added_ids), is_doubtful)


def may_have_left(outcomes: Iterable[Outcome], account: int) -> bool:
    """Whether an event tells `account` that its repository is another one's now, or leaves that open."""
    return any(
        isinstance(outcome, RepositoryTransferred) and outcome.has_left(account) is not False
        for outcome in outcomes
    )


async def stop_tracking(tenant: Tenant, node_id: str, at: datetime) -> bool:
    """Stop looking after a repository that has been out of the account's reach since a moment.

    False if it was heard here later than that: then it stays, and GitHub is to be asked where it is.
    """
    if await last_heard_after(tenant, node_id, at) is not None:
        return False
    await Projects(tenant).mark_hidden(node_id, at)
    return True


async def last_heard_after(tenant: Tenant, node_id: str, at: datetime) -> datetime | None:
    """When a repository that can be seen was heard, or came back, last; None if that was before a moment."""
    presence = await Projects(tenant).presence(node_id)
    if presence is None or presence.hidden_since is not None:
        return None
    returned_at = await Gaps(tenant).last_return(presence.id)
    heard_at = await Timeline(tenant).last_webhook_event(presence.id)
    is_later = (heard_at is not None and heard_at > at) or (returned_at is not None and returned_at >= at)
    return max(moment for moment in (heard_at, returned_at) if moment is not None) if is_later else None


async def find_other_owners(tenant: Tenant, node_ids: Iterable[str]) -> Mapping[str, list[int]]:
    """The tenants that still look after repositories that are this tenant's now, by node id."""
    found = dict[str, list[int]]()
    for node_id in node_ids:
        if ":" in node_id:  # A key of our own, which tells nothing elsewhere.
            continue
        tenants = await tenants_of_node(tenant.connection, node_id)
        others = [one for one in tenants if one != tenant.organization_id]
        if others:
            found[node_id] = others
    return found


def to_repository_name(repository: RepositoryPayload, at: datetime) -> SeenRepository:
    """The repository as it was called at a moment."""
    return SeenRepository(
        node_id=repository.key,
        full_name=clean(repository.full_name),
        is_private=repository.private,
        description=clean(repository.description) if repository.description else None,
        seen_at=at,
    )


async def _record_installed(tenant: Tenant, change: InstallationChanged) -> bool:
    """A first installation begins hearing; a later one hears again."""
    installations, gaps = Installations(tenant), Gaps(tenant)
    await installations.record_suspension(change.installation, None)
    await gaps.close(GapCause.SUSPENDED, change.at)
    if await gaps.close(GapCause.UNINSTALLED, change.at):
        return True
    is_first = not await installations.has_former(change.installation)
    return is_first or await _end_gap(tenant, GapCause.UNINSTALLED, change)


async def _end_gap(tenant: Tenant, cause: GapCause, change: InstallationChanged) -> bool:
    last_heard_at = await Deliveries(tenant).last_received_before(change.at)
    return await Gaps(tenant).end(cause, change.at, stated_at=change.stated_at, last_heard_at=last_heard_at)


async def _accept_permissions(tenant: Tenant, change: InstallationChanged) -> None:
    """Note a gap where the new permissions let us hear what the numbers are made of.

    Older versions did not note the permissions of an installation. It cannot have lacked those that they
    asked for, but until the past has been read again, nobody knows.
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
    """It is looked after from now on. If it was before, it has been out of our sight for a while."""
    before = await projects.presence(repository.key)
    project_id = await projects.remember(to_repository_name(repository, at))
    await projects.set_active(project_id, is_active=True)
    await projects.set_hidden(repository.key, None)
    began_at = await _find_hidden_since(tenant, before, at) if before else None
    if began_at is not None:
        known = await Gaps(tenant).of_projects({project_id})
        # That the App was not on the account at all has been noted for all repositories at once.
        is_noted = any(
            gap.contains(at) and (before is None or before.is_active or gap.contains(began_at))
            for gap in known
        )
        if not is_noted:
            await Gaps(tenant).add(GapCause.REMOVED, began_at, at, project_id)
    return project_id


async def _find_hidden_since(tenant: Tenant, before: Presence, at: datetime) -> datetime | None:
    """Since when we had not heard a repository that is added; None if it is new, or was only archived."""
    if before.hidden_since is not None:
        return before.hidden_since if before.hidden_since < at else None
    if not before.is_active or before.synced_at is None:
        return None
    # That it had gone was never told.
    returned_at = await Gaps(tenant).last_return(before.id)
    since = max(before.synced_at, returned_at or before.synced_at)
    if at - since < _SAME_RETURN:
        return None
    return await Timeline(tenant).last_webhook_event(before.id, at) or before.synced_at
