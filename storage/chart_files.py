"""Drawn pictures, by a name that nobody can guess and that changes with the picture and its repository."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, any_, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tenant
from storage.projects import Project
from storage.tables import chart_files, organizations, projects

_TOKEN_BYTES = 24


@dataclass(frozen=True, slots=True)
class ChartFile:
    """A stored picture: its bytes, unless they were given up, and what it is drawn from.

    `is_in_sight` is whether the App can see every repository whose work it shows, and none of them is more
    private than the one of `project_id`, in which it is linked.
    """

    png: bytes | None = field(repr=False)
    inputs: bytes | None = field(repr=False)
    used_at: datetime
    project_id: int
    is_in_sight: bool


class ChartFiles:
    """One tenant's pictures."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def token_of(self, project: Project, content_key: str) -> str | None:
        """The name of the picture with this content in this repository, if it was drawn before."""
        query = select(chart_files.c.token).where(
            chart_files.c.organization_id == self._organization_id,
            chart_files.c.project_id == project.id,
            chart_files.c.content_key == content_key,
        )
        return await self._connection.scalar(query)

    async def keep(self, project: Project, content_key: str, png: bytes, inputs: bytes) -> str:
        """Stores a picture and returns its name. One with the same content keeps the name it has here.

        `inputs` are what it is drawn from, should its bytes be given up.
        """
        statement = insert(chart_files).values(
            organization_id=self._organization_id,
            project_id=project.id,
            shared_with=_shared_with(project),
            token=secrets.token_urlsafe(_TOKEN_BYTES),
            content_key=content_key,
            png=png,
            inputs=inputs,
        )
        await self._connection.execute(statement.on_conflict_do_nothing())
        return await self.token_of(project, content_key) or ""

    async def get(self, token: str) -> ChartFile | None:
        """The picture of this name."""
        mine = chart_files.c.organization_id == self._organization_id
        shown = projects.alias("shown")
        is_hidden = exists().where(
            shown.c.organization_id == self._organization_id,
            or_(shown.c.id == projects.c.id, shown.c.id == any_(chart_files.c.shared_with)),
            or_(shown.c.hidden_since.is_not(None), and_(shown.c.is_private, ~projects.c.is_private)),
        )
        query = (
            select(
                chart_files.c.png,
                chart_files.c.inputs,
                chart_files.c.used_at,
                chart_files.c.project_id,
                and_(
                    organizations.c.github_installation_id.is_not(None),
                    organizations.c.suspended_at.is_(None),
                    ~is_hidden,
                ),
            )
            .join(
                projects,
                and_(
                    projects.c.organization_id == self._organization_id,
                    projects.c.id == chart_files.c.project_id,
                ),
            )
            .join(organizations, organizations.c.id == chart_files.c.organization_id)
            .where(mine, chart_files.c.token == token)
        )
        row = (await self._connection.execute(query)).first()
        return ChartFile(*row) if row is not None else None

    async def restore(self, token: str, png: bytes) -> None:
        """The bytes of a picture that had been given up."""
        await self._update(chart_files.c.token == token, png=png, used_at=func.app_now())

    async def note_use(self, token: str) -> None:
        """Somebody has looked at it."""
        await self._update(chart_files.c.token == token, used_at=func.app_now())

    async def give_up(self, before: datetime, most: int) -> int:
        """Gives up the bytes of pictures that nobody has looked at since a moment. Returns of how many."""
        old = (
            select(chart_files.c.id)
            .where(chart_files.c.organization_id == self._organization_id)
            .where(chart_files.c.png.is_not(None), chart_files.c.inputs.is_not(None))
            .where(chart_files.c.used_at < before)
            .order_by(chart_files.c.used_at)
            .limit(most)
        )
        found = await self._connection.execute(
            update(chart_files)
            .where(chart_files.c.organization_id == self._organization_id, chart_files.c.id.in_(old))
            .values(png=None)
            .returning(chart_files.c.id)
        )
        return len(found.all())

    async def _update(self, condition: ColumnElement[bool], **values: object) -> None:
        await self._connection.execute(
            update(chart_files)
            .where(chart_files.c.organization_id == self._organization_id, condition)
            .values(**values)
        )


def _shared_with(project: Project) -> list[int]:
    """The other repositories whose work is in this one's charts."""
    return [member.id for member in project.sharing if member.id != project.id]
