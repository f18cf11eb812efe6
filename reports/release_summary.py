"""Summaries in releases: find the sprint's release, and say where the summary will be until then."""

from datetime import UTC, datetime

from commands.formatting.wording import plain
from commands.framework.planning import Planning
from sprints.milestone import Sprint
from sprints.releases import Release, find_release
from storage.history import History

# The setting `summaries` with which a summary goes into a release.
IN_RELEASE = "release"
_EVER = datetime.min.replace(tzinfo=UTC)


async def find_sprint_release(planning: Planning, sprint: Sprint) -> Release | None:
    """Find the published release whose tag or title is the milestone's title; None if there is none yet."""
    # Of this repository alone: repositories that share its sprints have their own releases.
    history = History(planning.tenant, planning.project.alone)
    return find_release(sprint.title, await history.activity("release", _EVER, planning.now))


def summary_location_text(sprint: Sprint, release: Release | None) -> str:
    """Name, in the sprint's thread, the release that has the summary or that the summary waits for."""
    title = plain(sprint.title)
    if release is not None:
        return f"**{title} is over.** Its summary is in the release {plain(release.tag)}."
    return (
        f"**{title} is over.** I will add its summary to the GitHub release whose tag or title is {title} "
        "(with or without a leading `v`), as soon as that is published. To see the summary now, run "
        "`/summary`."
    )
