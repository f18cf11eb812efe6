"""The teams' settings files as they were last read, and where each setting comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, select, update

from storage.database import Tenant
from storage.projects import FILE_NOTES
from storage.tables import organizations, projects

# Beside the settings that are in force stands what the file's last version had wrong, which settings that
# cost (none: the whole file), and whether the file was out of sight when it was last looked for.
PROBLEMS, WRONG, OUT_OF_SIGHT = "problems", "wrong", "out_of_sight"
_NOTES = {PROBLEMS, *FILE_NOTES}


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A settings file as we know it: the settings in force, and what is wrong with the version `sha`.

    `sha` is that of the content on GitHub; None where there is no file. `wrong` are the settings that
    problems cost; problems that cost none cost the whole file. Of a file that `is_out_of_sight` the last
    good settings are in force.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    sha: str | None = None
    wrong: tuple[str, ...] = ()
    is_out_of_sight: bool = False


@dataclass(frozen=True, slots=True)
class SettingOrigins:
    """All that a repository's settings are made of, the later winning."""

    operator: Mapping[str, Any]
    organization: KeptFile
    operator_here: Mapping[str, Any]
    repository: KeptFile
    said: Mapping[str, Any]


class SettingsFiles:
    """One tenant's settings files."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def of_organization(self) -> KeptFile:
        query = select(organizations.c.file, organizations.c.file_sha).where(self._organization)
        return _kept(*(await self._connection.execute(query)).one())

    async def of_project(self, project_id: int) -> KeptFile:
        query = select(projects.c.file, projects.c.file_sha).where(self._project(project_id))
        return _kept(*(await self._connection.execute(query)).one())

    async def keep_of_organization(self, file: KeptFile) -> None:
        """From now on this holds for all repositories."""
        await self._connection.execute(
            update(organizations).where(self._organization).values(file=_told(file), file_sha=file.sha)
        )

    async def keep_of_project(self, project_id: int, file: KeptFile) -> None:
        """From now on this holds for the repository."""
        await self._connection.execute(
            update(projects).where(self._project(project_id)).values(file=_told(file), file_sha=file.sha)
        )

    async def keep_other_bots(self, project_id: int, verbs: Sequence[str]) -> None:
        """The words that other bots answer to in a repository."""
        await self._connection.execute(
            update(projects).where(self._project(project_id)).values(other_bots=list(verbs))
        )

    async def origins(self, project_id: int) -> SettingOrigins:
        """Where the settings of a repository come from."""
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
        return SettingOrigins(row[0], _kept(row[1], row[2]), row[3], _kept(row[4], row[5]), row[6])

    @property
    def _organization(self) -> ColumnElement[bool]:
        return organizations.c.id == self._organization_id

    def _project(self, project_id: int) -> ColumnElement[bool]:
        return (projects.c.organization_id == self._organization_id) & (projects.c.id == project_id)


def _kept(told: Mapping[str, Any], sha: str | None) -> KeptFile:
    settings = {key: value for key, value in told.items() if key not in _NOTES}
    problems, wrong = tuple(told.get(PROBLEMS, ())), tuple(told.get(WRONG, ()))
    return KeptFile(settings, problems, sha, wrong, told.get(OUT_OF_SIGHT) is True)


def _told(file: KeptFile) -> dict[str, Any]:
    notes = {PROBLEMS: list(file.problems), WRONG: list(file.wrong), OUT_OF_SIGHT: file.is_out_of_sight}
    return {**file.settings, **{name: note for name, note in notes.items() if note}}
