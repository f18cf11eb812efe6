"""Reads the teams' settings files through the API, keeps them, and tells what is wrong with them.

What is wrong with a setting costs that setting: what it was last stays in force, and so does the whole file
while it cannot be read or seen. Problems are told as a Check Run on the commit that brought them, once for
each version; so is that the file has become good again.
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
from commands.agile.help import known
from commands.framework.ports import File
from commands.messages.config import in_force_with
from commands.settings.file import ORGANIZATION_REPOSITORY, PATH, Problem, SettingsFile, read_settings
from handlers.push import OTHER_BOT_FILES
from storage.database import Database, Tenant
from storage.projects import Project, Projects
from storage.settings_files import SettingsFiles, StoredSettingsFile

# Instead of a repository's id: the file that holds for all of them.
ORGANIZATION = 0
_CHECK = "Agile settings"
_GONE = 404
# The version of a file whose problems GitHub did not let us tell: none, so that it is read again.
_UNREPORTED = ""
# What the plugins of Prow answer to (kubernetes-sigs/prow, pkg/plugins). Of ours it is `/help` today.
PROW_VERBS = (
    *("approve", "area", "assign", "auto-cc", "bark", "bugzilla", "cc", "cherrypick", "close", "committee"),
    *("good-first-issue", "help", "hold", "honk", "joke", "kind", "label", "language", "lgtm", "lifecycle"),
    *("link-issue", "lint", "meow", "milestone", "ok-to-test", "override", "pin-issue", "pony", "priority"),
    *("project", "refresh", "release-note", "reopen", "retest", "retitle", "shrug", "sig", "skip", "stage"),
    *("status", "test", "transfer", "triage", "unassign", "uncc", "unhold", "verify-owners", "wg", "woof"),
)


@dataclass(frozen=True, slots=True)
class _FileLocation:
    """Where a file lies and how what it says is kept; `before` is what was kept last."""

    installation: Installation
    full_name: str
    before: StoredSettingsFile
    is_organization: bool


class SettingsFileSync:
    """Brings what we know of settings files up to date. Safe to be repeated at any time."""

    def __init__(self, database: Database, github: GitHub, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._github = github
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def run(self, organization_id: int, project_id: int | None) -> None:
        """Reads one repository's file, ORGANIZATION's, or (None) all of a tenant's.

        Raises GitHubUnavailableError; what was read until then is kept.
        """
        async with self._database.tenant(organization_id) as tenant:
            known = [project for project in await Projects(tenant).active() if project.is_accessible]
        wanted = known if project_id is None else [one for one in known if one.id == project_id]
        if known and (project_id in {None, ORGANIZATION} or any(map(_is_for_all, wanted))):
            await self._guarded(self._read_organization, organization_id, known[0])
        for project in wanted:
            if not _is_for_all(project):
                await self._guarded(self._read_project, organization_id, project)

    async def _guarded(self, read: Callable[[int, Project], Any], tenant: int, project: Project) -> None:
        """Where GitHub refuses, all stays as it was; another repository may be open to us all the same."""
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
        kept = await self._now(_FileLocation(installation, full_name, before, is_organization=True))
        if kept is not None:
            async with self._database.tenant(organization_id) as tenant:
                for leader in await Projects(tenant).active():  # Those who may share no longer.
                    await note_shared_summaries(tenant, leader, self._clock())
                await SettingsFiles(tenant).keep_of_organization(kept)

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
        place = _FileLocation(installation, project.full_name or "", before, is_organization=False)
        kept = await self._now(place)
        if kept is not None:
            async with self._database.tenant(organization_id) as tenant:
                await self._keep(tenant, project, kept)

    async def _note_out_of_sight(self, organization_id: int, project: Project) -> None:
        """Gone, or closed to us: no reason to forget its settings."""
        async with self._database.tenant(organization_id) as tenant:
            files = SettingsFiles(tenant)
            if (before := await files.of_project(project.id)).sha is not None:
                await files.keep_of_project(project.id, replace(before, is_out_of_sight=True))

    async def _keep(self, tenant: Tenant, project: Project, kept: StoredSettingsFile) -> None:
        await SettingsFiles(tenant).keep_of_project(project.id, kept)
        self._log.info("settings read", project=project.id, problems=len(kept.problems))

    async def _now(self, place: _FileLocation) -> StoredSettingsFile | None:
        """What to keep from now on; None if it is what is kept already."""
        found, before = await find_file(place.installation, place.full_name, PATH), place.before
        if found is None and before.sha is None:
            return None
        if found is None:
            # Not to be seen is not the same as gone: without its repository we cannot tell.
            is_visible = await _list_root(place.installation, place.full_name) is not None
            return StoredSettingsFile() if is_visible else replace(before, is_out_of_sight=True)
        if found.sha == before.sha and not before.problems:
            return replace(before, is_out_of_sight=False) if before.is_out_of_sight else None
        # What was made to be hard to read takes a second, in which the event loop serves others.
        read = await asyncio.to_thread(parse_settings_file, found, is_organization=place.is_organization)
        problems = tuple(map(str, read.problems))
        # The same version is read again where it had problems, because a newer version of us may know more;
        # it is told again only if it has become good.
        is_told = found.sha == before.sha and bool(problems)
        if not is_told:
            is_told = await self._tell(place, read) if problems or before.problems else True
        # What GitHub would not take is told at the next reading.
        sha = found.sha if is_told else _UNREPORTED
        kept = StoredSettingsFile(read.in_force_after(before.settings), problems, sha, read.wrong)
        return None if kept == before else kept

    async def _tell(self, place: _FileLocation, read: SettingsFile) -> bool:
        """A Check Run on the newest commit that touched the file. False if GitHub refuses it."""
        repository = f"/repos/{place.full_name}"
        commits = await place.installation.get(f"{repository}/commits?path={PATH}&per_page=1")
        if not commits:
            return True
        try:
            data = settings_check_run(commits[0]["sha"], read, place.before.settings)
            await place.installation.post(f"{repository}/check-runs", data)
        except GitHubRefusedError as refusal:
            # Without the permission, `/agile config validate` and `/agile health` tell it all the same.
            self._log.warning("settings' problems not told", status=refusal.status)
            return False
        return True


def parse_settings_file(found: File, *, is_organization: bool) -> SettingsFile:
    """What a file says."""
    if found.content is None:
        problem = Problem(0, f"`{PATH}` must be a file of text.")
        return SettingsFile(problems=(problem,), is_unreadable=True)
    return read_settings(found.content, command_names(), is_organization=is_organization)


def command_names() -> tuple[str, ...]:
    """The names of all commands."""
    return tuple(command.name for command in known())


def settings_check_run(commit: str, read: SettingsFile, before: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of a file on the commit that brought it, after which `before` was in force."""
    problems, title, summary = read.problems, "The settings are good", "They are in force."
    if problems:
        title = f"{len(problems)} problem{'' if len(problems) == 1 else 's'} in {PATH}"
        lines = "\n".join(f"- {problem}" for problem in problems)
        summary = (
            f"{lines}\n\n{in_force_with(read, before)}\n\n"
            "`docs/settings.md` of Agile GitHub Suite tells every setting; `/agile config validate` in a "
            "comment checks the file again."
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
    """What stands beside a line of a file is shown as it is."""
    return re.sub(r"\\(.)", r"\1", text)


async def _list_root(installation: Installation, full_name: str) -> set[str] | None:
    """The names at a repository's root; None if it is not to be seen."""
    try:
        return {str(one["name"]) for one in await installation.get(f"/repos/{full_name}/contents/")}
    except GitHubRefusedError as refusal:
        if refusal.status != _GONE:
            raise
        return set() if "empty" in str(refusal).lower() else None


def _is_for_all(project: Project) -> bool:
    return (project.full_name or "").rpartition("/")[2] == ORGANIZATION_REPOSITORY
