"""Reads the teams' settings files through the API, stores them, and reports their problems.

An invalid setting keeps its last valid value, and so do all settings while the file cannot be parsed or seen.
Problems are reported as a check run on the commit that introduced them, once for each version of the file; so
is a file that has become valid again.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from bot.github.client import GitHub, GitHubRefusedError, Installation
from bot.github.repositories import find_file
from bot.isolation import isolated
from bot.sync.shared_summaries import note_shared_summaries
from commands.agile.help import all_commands
from commands.framework.ports import File
from commands.messages.config import in_force_text_with
from commands.settings.file import ORGANIZATION_REPOSITORY, PATH, Problem, SettingsFile, check_settings_file
from handlers.push import OTHER_BOT_FILES
from storage.database import Database, Tenant
from storage.projects import Project, Projects
from storage.settings_files import SettingsFiles, StoredSettingsFile

# Stands in place of a project's id for the organization's file, which applies to all repositories.
ORGANIZATION = 0
_CHECK = "Agile settings"
_GONE = 404
# The stored version of a file whose problems GitHub refused to take: none, so that it is read again.
_UNREPORTED = ""
# The commands of Prow's plugins (kubernetes-sigs/prow, pkg/plugins). The App shares `/help` with them.
PROW_VERBS = (
    *("approve", "area", "assign", "auto-cc", "bark", "bugzilla", "cc", "cherrypick", "close", "committee"),
    *("good-first-issue", "help", "hold", "honk", "joke", "kind", "label", "language", "lgtm", "lifecycle"),
    *("link-issue", "lint", "meow", "milestone", "ok-to-test", "override", "pin-issue", "pony", "priority"),
    *("project", "refresh", "release-note", "reopen", "retest", "retitle", "shrug", "sig", "skip", "stage"),
    *("status", "test", "transfer", "triage", "unassign", "uncc", "unhold", "verify-owners", "wg", "woof"),
)


@dataclass(frozen=True, slots=True)
class _FileLocation:
    """The location of a settings file; `before` is its last stored state."""

    installation: Installation
    full_name: str
    before: StoredSettingsFile
    is_organization: bool


class SettingsFileSync:
    """Updates the stored settings files. May be repeated at any time."""

    def __init__(self, database: Database, github: GitHub, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._github = github
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def run(self, organization_id: int, project_id: int | None) -> None:
        """Read one repository's file, the organization's (`ORGANIZATION`), or (None) all files of a tenant.

        Raises GitHubUnavailableError; files read until then are stored.
        """
        async with self._database.tenant(organization_id) as tenant:
            accessible = [project for project in await Projects(tenant).active() if project.is_accessible]
        projects = (
            accessible
            if project_id is None
            else [project for project in accessible if project.id == project_id]
        )
        if accessible and (project_id in {None, ORGANIZATION} or any(map(_is_for_all, projects))):
            await self._guarded(self._read_organization, organization_id, accessible[0])
        for project in projects:
            if not _is_for_all(project):
                await self._guarded(self._read_project, organization_id, project)

    async def _guarded(self, read: Callable[[int, Project], Any], tenant: int, project: Project) -> None:
        """Read a file and log failures, so that the other repositories' files are still read."""
        try:
            with isolated(self._log, "settings file failed", project=project.id):
                await read(tenant, project)
        except GitHubRefusedError as refusal:
            self._log.warning("settings not read", project=project.id, status=refusal.status)

    async def _read_organization(self, organization_id: int, project: Project) -> None:
        owner = (project.full_name or "").partition("/")[0]
        async with self._database.tenant(organization_id) as tenant:
            before = await SettingsFiles(tenant).of_organization()
        installation = self._github.installation(project.installation or 0)
        full_name = f"{owner}/{ORGANIZATION_REPOSITORY}"
        stored = await self._read_current(
            _FileLocation(installation, full_name, before, is_organization=True)
        )
        if stored is not None:
            async with self._database.tenant(organization_id) as tenant:
                # Any repository may lead shared sprints, and the new settings may end that sharing.
                for leader in await Projects(tenant).active():
                    await note_shared_summaries(tenant, leader, self._clock())
                await SettingsFiles(tenant).keep_of_organization(stored)

    async def _read_project(self, organization_id: int, project: Project) -> None:
        installation = self._github.installation(project.installation or 0)
        root = await _list_root(installation, project.full_name or "")
        if root is None:
            await self._note_out_of_sight(organization_id, project)
            return
        verbs = PROW_VERBS if any(name in root for name in OTHER_BOT_FILES) else ()
        async with self._database.tenant(organization_id) as tenant:
            before = await SettingsFiles(tenant).of_project(project.id)
            if verbs != project.other_bots:
                await SettingsFiles(tenant).keep_other_bots(project.id, verbs)
        location = _FileLocation(installation, project.full_name or "", before, is_organization=False)
        stored = await self._read_current(location)
        if stored is not None:
            async with self._database.tenant(organization_id) as tenant:
                await self._keep(tenant, project, stored)

    async def _note_out_of_sight(self, organization_id: int, project: Project) -> None:
        """Mark a file as inaccessible, and keep its settings: the repository may be visible again later."""
        async with self._database.tenant(organization_id) as tenant:
            files = SettingsFiles(tenant)
            if (before := await files.of_project(project.id)).sha is not None:
                await files.keep_of_project(project.id, replace(before, is_out_of_sight=True))

    async def _keep(self, tenant: Tenant, project: Project, stored: StoredSettingsFile) -> None:
        await SettingsFiles(tenant).keep_of_project(project.id, stored)
        self._log.info("settings read", project=project.id, problems=len(stored.problems))

    async def _read_current(self, location: _FileLocation) -> StoredSettingsFile | None:
        """Read a file and report its problems. Returns the state to store; None if it has not changed."""
        file, before = await find_file(location.installation, location.full_name, PATH), location.before
        if file is None and before.sha is None:
            return None
        if file is None:
            # The file is deleted only if its repository can be seen.
            is_visible = await _list_root(location.installation, location.full_name) is not None
            return StoredSettingsFile() if is_visible else replace(before, is_out_of_sight=True)
        if file.sha == before.sha and not before.problems:
            return replace(before, is_out_of_sight=False) if before.is_out_of_sight else None
        # Parsing a malicious file takes up to a second; in a thread it does not block the event loop.
        read = await asyncio.to_thread(parse_settings_file, file, is_organization=location.is_organization)
        problems = tuple(map(str, read.problems))
        # An unchanged file with problems is read again, because a newer version of the App may accept it; it
        # is reported again only if it has become valid.
        is_reported = file.sha == before.sha and bool(problems)
        if not is_reported:
            is_reported = await self._report(location, read) if problems or before.problems else True
        # A report that GitHub refused is tried again at the next reading.
        sha = file.sha if is_reported else _UNREPORTED
        stored = StoredSettingsFile(read.in_force_after(before.settings), problems, sha, read.wrong)
        return None if stored == before else stored

    async def _report(self, location: _FileLocation, read: SettingsFile) -> bool:
        """Post a check run on the newest commit that touched the file. False if GitHub refuses it."""
        repository = f"/repos/{location.full_name}"
        commits = await location.installation.get(f"{repository}/commits?path={PATH}&per_page=1")
        if not commits:
            return True
        try:
            data = settings_check_run(commits[0]["sha"], read, location.before.settings)
            await location.installation.post(f"{repository}/check-runs", data)
        except GitHubRefusedError as refusal:
            # Without the permission, `/agile config validate` and `/agile health` show the problems.
            self._log.warning("settings' problems not reported", status=refusal.status)
            return False
        return True


def parse_settings_file(file: File, *, is_organization: bool) -> SettingsFile:
    """Parse a file of settings."""
    if file.content is None:
        problem = Problem(0, f"`{PATH}` must be a file of text.")
        return SettingsFile(problems=(problem,), is_unreadable=True)
    return check_settings_file(file.content, command_names(), is_organization=is_organization)


def command_names() -> tuple[str, ...]:
    """The names of all commands."""
    return tuple(command.name for command in all_commands())


def settings_check_run(commit: str, read: SettingsFile, before: Mapping[str, Any]) -> dict[str, Any]:
    """Build the check run about a file; the settings `before` were in force until its commit."""
    problems, title, summary = read.problems, "The settings are good", "They are in force."
    if problems:
        title = f"{len(problems)} problem{'' if len(problems) == 1 else 's'} in {PATH}"
        lines = "\n".join(f"- {problem}" for problem in problems)
        summary = (
            f"{lines}\n\n{in_force_text_with(read, before)}\n\n"
            "All settings are listed in `docs/settings.md` of Agile GitHub Suite. To check the file again, "
            "comment `/agile config validate`."
        )
    annotations = [
        {
            "path": PATH,
            "start_line": max(problem.line, 1),
            "end_line": max(problem.line, 1),
            "annotation_level": "failure",
            "message": _unformatted(problem.text),
        }
        for problem in problems
    ]
    return {
        "name": _CHECK,
        "head_sha": commit,
        "status": "completed",
        "conclusion": "failure" if problems else "success",
        "output": {"title": title, "summary": summary, "annotations": annotations},
    }


def _unformatted(text: str) -> str:
    """Remove Markdown's escapes, because annotations are shown as plain text."""
    return re.sub(r"\\(.)", r"\1", text)


async def _list_root(installation: Installation, full_name: str) -> set[str] | None:
    """List the names at a repository's root; None if the repository cannot be seen."""
    try:
        return {str(entry["name"]) for entry in await installation.get(f"/repos/{full_name}/contents/")}
    except GitHubRefusedError as refusal:
        if refusal.status != _GONE:
            raise
        return set() if "empty" in str(refusal).lower() else None


def _is_for_all(project: Project) -> bool:
    return (project.full_name or "").rpartition("/")[2] == ORGANIZATION_REPOSITORY
