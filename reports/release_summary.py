"""A summary that belongs into a release: which one that is, and what is said until it is published."""

from datetime import UTC, datetime

from commands.formatting.wording import plain
from commands.framework.planning import Planning
from sprints.milestone import Sprint
from sprints.releases import Release, find_release
from storage.history import History

# The setting `summaries` with which a summary goes into a release.
IN_RELEASE = "release"
_EVER = datetime.min.replace(tzinfo=UTC)


async def release_meant(planning: Planning, sprint: Sprint) -> Release | None:
    """The release that is called like the milestone, once we were told that it is published."""
    # Of this repository alone: those that share its sprints have releases of their own.
    history = History(planning.tenant, planning.project.alone)
    return find_release(sprint.title, await history.activity("release", _EVER, planning.now))


def place_text(sprint: Sprint, release: Release | None) -> str:
    """Where the summary is, said where the sprint was followed; or what it waits for."""
    title = plain(sprint.title)
    if release is not None:
        return f"**{title} is over.** Its summary stands in the release {plain(release.tag)}."
    return (
        f"**{title} is over.** Its summary comes into the release of that name once it is published: its tag "
        f"or its title must be {title}, a `v` before it makes no difference. `/summary` shows it here now."
    )
