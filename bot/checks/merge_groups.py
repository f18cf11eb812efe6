"""The check “Sprint impact” on merge groups, so that a merge queue that requires it never waits forever.

Pull requests are judged by their own checks, and a group is not judged again: its check always succeeds, even
if checks are off, paused or not in the plan, or if there is no sprint. The check is reported
immediately, without the pacing of unasked posts.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from bot.github.check_runs import check_run_fields
from bot.github.client import GitHub, GitHubRefusedError, Installation
from handlers.check_run import CHECK_NAME, MERGE_GROUP_ID
from reports.sprint_impact import CheckCard
from storage.database import Database
from storage.posts import Posts
from storage.projects import Project, Projects
from storage.pull_requests import PullRequests


class MergeGroups:
    """Reports the checks of merge groups' commits."""

    def __init__(self, database: Database, github: GitHub, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._github = github
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def report(
        self, organization_id: int, project_id: int, head: str, number: int | None, *, is_rerun: bool
    ) -> None:
        """Report the check of a commit as completed; once, unless a re-run is requested.

        Raises GitHubUnavailableError.
        """
        async with self._database.tenant(organization_id) as tenant:
            project = await Projects(tenant).get(project_id)
            if project is None or project.installation is None or project.full_name is None:
                return
            title = await _own_check_title(Posts(tenant), PullRequests(tenant, project.id), project, number)
        installation = self._github.installation(project.installation)
        data = check_run_fields(CHECK_NAME, head, merge_group_card(number, title), self._clock())
        data["external_id"] = MERGE_GROUP_ID
        try:
            if is_rerun or not await _is_reported(installation, project.full_name, head):
                await installation.post(f"/repos/{project.full_name}/check-runs", data)
        except GitHubRefusedError as refusal:  # The group was deleted, or the permission is missing.
            self._log.warning("merge group not reported", project=project.id, status=refusal.status)


def merge_group_card(number: int | None, title: str) -> CheckCard:
    """Build the check of a merge group. `title` is that of the pull request's own check, if any."""
    if not number or not title:
        return CheckCard(
            "Merge groups are not checked",
            "This check always succeeds for merge groups.",
            "success",
        )
    return CheckCard(
        "Checked before it entered the queue",
        f"#{number} was checked before it entered the merge queue. Merge groups are not checked again, so "
        f"this check always succeeds.\n\n#{number}: {title}",
        "success",
    )


async def _own_check_title(posts: Posts, pulls: PullRequests, project: Project, number: int | None) -> str:
    """The title of a pull request's own check; empty if none was sent."""
    pull = await pulls.get(number) if number else None
    status = await posts.status(project.id, f"check:{pull.head}") if pull else None
    output: Any = status.post.data.get("output") if status and status.sent_at else None
    return str(output["title"]) if isinstance(output, dict) and "title" in output else ""


async def _is_reported(installation: Installation, full_name: str, head: str) -> bool:
    path = f"/repos/{full_name}/commits/{head}/check-runs?check_name={CHECK_NAME.replace(' ', '%20')}"
    runs = (await installation.get(path))["check_runs"]
    identity = await installation.identity()
    return any(identity.has_made(run) and run["status"] == "completed" for run in runs)
