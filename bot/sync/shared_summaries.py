"""What was summed up for several repositories at once is not summed up again by one that leaves them."""

from datetime import datetime

from storage.database import Tenant
from storage.posts import Posts
from storage.projects import Project
from storage.sprints import Sprints

_SUMMARY = "summary:"


async def note_shared_summaries(tenant: Tenant, leader: Project, now: datetime) -> None:
    """Notes in each repository which of its milestones were summed up where their sprint is led.

    It is done while they share, because nobody can tell it afterwards. A summary that GitHub does not have,
    because it waits, was refused or was withdrawn, sums up nothing.
    """
    if not leader.sharing or leader.is_led:
        return
    posts = Posts(tenant)
    fates = await posts.statuses(leader.id, _SUMMARY)
    summed_up = {key for key, fate in fates.items() if fate.sent_at is not None}
    members = {(member.full_name or "").lower(): member.id for member in leader.sharing}
    for sprint in await Sprints(tenant, leader).all(now) if summed_up else ():
        if f"{_SUMMARY}{sprint.milestone}" in summed_up:
            for part in sprint.parts:
                await posts.suppress(members[part.repository.lower()], f"{_SUMMARY}{part.milestone}", now)
