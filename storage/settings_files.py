"""Settings files as they were last read, and the origins of each setting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, select, update

from storage.database import Tenant
from storage.projects import FILE_NOTES
from storage.tables import organizations, projects

# Stored beside the settings in force: the problems of the file's last version, the settings that they
# invalidate (none: the whole file), and whether the file could not be seen when it was last looked for.
PROBLEMS, WRONG, OUT_OF_SIGHT = "problems", "wrong", "out_of_sight"
_NOTES = {PROBLEMS, *FILE_NOTES}


@dataclass(frozen=True, slots=True)
class StoredSettingsFile:
    """A stored settings file: the settings in force, and the problems of the version `sha`.

    `sha` is the Git hash of the content on GitHub; None where there is no file. `wrong` are the keys of the
    settings that the problems invalidate; with problems and no keys the whole file is invalid. For a file
    that `is_out_of_sight` the last valid settings stay in force.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    sha: str | None = None
    wrong: tuple[str, ...] = ()
    is_out_of_sight: bool = False


@dataclass(frozen=True, slots=True)
class SettingOrigins:
    """The origins of a repository's settings, in the order in which later ones win."""

    operator: Mapping[str, Any]
    organization: StoredSettingsFile
    operator_here: Mapping[str, Any]
    repository: StoredSettingsFile
    from_commands: Mapping[str, Any]


class SettingsFiles:
    """The settings files of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def of_organization(self) -> StoredSettingsFile:
        query = select(organizations.c.file, organizations.c.file_sha).where(self._organization)
        return _parse(*(await self._connection.execute(query)).one())

    async def of_project(self, project_id: int) -> StoredSettingsFile:
        query = select(projects.c.file, projects.c.file_sha).where(self._project(project_id))
        return _parse(*(await self._connection.execute(query)).one())

    async def keep_of_organization(self, file: StoredSettingsFile) -> None:
        """Store the organization's settings file, which applies to all repositories."""
        await self._connection.execute(
            update(organizations)
            .where(self._organization)
            .values(file=_build_columns(file), file_sha=file.sha)
        )

    async def keep_of_project(self, project_id: int, file: StoredSettingsFile) -> None:
        """Store the settings file of a repository."""
        await self._connection.execute(
            update(projects)
            .where(self._project(project_id))
            .values(file=_build_columns(file), file_sha=file.sha)
        )

    async def keep_other_bots(self, project_id: int, verbs: Sequence[str]) -> None:
        """Store the command words that other bots answer to in a repository."""
        await self._connection.execute(
            update(projects).where(self._project(project_id)).values(other_bots=list(verbs))
        )

    async def origins(self, project_id: int) -> SettingOrigins:
        """Load the origins of a repository's settings."""
        query = (
            select(
                organizations.c.settings,
                organizations.c.file,
                organizations.c.file_sha,
                projects.c.settings,
                projects.c.file,
                projects.c.file_sha,
                projects.c.said,
            )
            .join(organizations, organizations.c.id == projects.c.organization_id)
            .where(self._project(project_id))
        )
        row = (await self._connection.execute(query)).one()
        return SettingOrigins(row[0], _parse(row[1], row[2]), row[3], _parse(row[4], row[5]), row[6])

    @property
    def _organization(self) -> ColumnElement[bool]:
        return organizations.c.id == self._organization_id

    def _project(self, project_id: int) -> ColumnElement[bool]:
        return (projects.c.organization_id == self._organization_id) & (projects.c.id == project_id)


def _parse(stored: Mapping[str, Any], sha: str | None) -> StoredSettingsFile:
    settings = {key: value for key, value in stored.items() if key not in _NOTES}
    problems, wrong = tuple(stored.get(PROBLEMS, ())), tuple(stored.get(WRONG, ()))
    return StoredSettingsFile(settings, problems, sha, wrong, stored.get(OUT_OF_SIGHT) is True)


def _build_columns(file: StoredSettingsFile) -> dict[str, Any]:
    notes = {PROBLEMS: list(file.problems), WRONG: list(file.wrong), OUT_OF_SIGHT: file.is_out_of_sight}
    return {**file.settings, **{name: note for name, note in notes.items() if note}}
