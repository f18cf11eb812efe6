"""Keeps a repository that stops sharing sprints from posting summaries that were posted for all together."""

from datetime import datetime

from storage.database import Tenant
from storage.posts import Posts
from storage.projects import Project
from storage.sprints import Sprints

_SUMMARY = "summary:"


async def note_shared_summaries(tenant: Tenant, leader: Project, now: datetime) -> None:
    """Suppress in each member repository the summaries that the leading repository has posted.

    This happens while they still share, because afterwards the milestones of a shared sprint are unknown. A
    summary that was not sent, because it waits, was refused or was withdrawn, does not count.
    """
    if not leader.sharing or leader.is_led:
        return
    posts = Posts(tenant)
    statuses = await posts.statuses(leader.id, _SUMMARY)
    summed_up = {key for key, status in statuses.items() if status.sent_at is not None}
    members = {(member.full_name or "").lower(): member.id for member in leader.sharing}
    for sprint in await Sprints(tenant, leader).all(now) if summed_up else ():
        if f"{_SUMMARY}{sprint.milestone}" in summed_up:
            for part in sprint.parts:
                await posts.suppress(members[part.repository.lower()], f"{_SUMMARY}{part.milestone}", now)
