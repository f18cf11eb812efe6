"""Rendered charts, under unguessable names that depend on the content and the repository."""

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
    """A stored chart: its bytes, and the inputs that it is drawn from.

    It has no bytes before it was drawn, and after they were dropped because nobody looked at it for long.
    `is_visible` is whether the App can see every repository whose work the chart shows, and none of them is
    more private than the one of `project_id`, in which the chart is linked.
    """

    png: bytes | None = field(repr=False)
    inputs: bytes | None = field(repr=False)
    used_at: datetime
    project_id: int
    stored_at: datetime
    is_visible: bool


class ChartFiles:
    """The charts of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def token_of(self, project: Project, content_key: str) -> str | None:
        """Return the name of the chart with this content in a repository, if it is stored."""
        query = select(chart_files.c.token).where(
            chart_files.c.organization_id == self._organization_id,
            chart_files.c.project_id == project.id,
            chart_files.c.content_key == content_key,
        )
        return await self._connection.scalar(query)

    async def store(self, project: Project, content_key: str, inputs: bytes) -> str:
        """Store a chart that is not drawn yet, and return its name.

        A chart with the same content in the repository keeps its name. `inputs` are what it is drawn from.
        """
        statement = insert(chart_files).values(
            organization_id=self._organization_id,
            project_id=project.id,
            shared_with=_shared_with(project),
            token=secrets.token_urlsafe(_TOKEN_BYTES),
            content_key=content_key,
            inputs=inputs,
        )
        statement = statement.on_conflict_do_nothing()
        token: str | None = await self._connection.scalar(statement.returning(chart_files.c.token))
        return token or await self.token_of(project, content_key) or ""

    async def get(self, token: str) -> ChartFile | None:
        """Return the chart with a name."""
        is_mine = chart_files.c.organization_id == self._organization_id
        shown = projects.alias("shown")
        is_hidden = exists().where(
            shown.c.organization_id == self._organization_id,
            or_(shown.c.id == projects.c.id, shown.c.id == any_(chart_files.c.shared_with)),
            or_(
                shown.c.hidden_since.is_not(None),
                and_(shown.c.is_private, ~projects.c.is_private),
            ),
        )
        query = (
            select(
                chart_files.c.png,
                chart_files.c.inputs,
                chart_files.c.used_at,
                chart_files.c.project_id,
                chart_files.c.created_at,
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
            .where(is_mine, chart_files.c.token == token)
        )
        row = (await self._connection.execute(query)).first()
        return ChartFile(*row) if row is not None else None

    async def set_image(self, token: str, png: bytes) -> None:
        """Store the bytes of a chart that was drawn, for the first time or again."""
        await self._update(chart_files.c.token == token, png=png, used_at=func.app_now())

    async def record_use(self, token: str) -> None:
        """Record that a chart was looked at now."""
        await self._update(chart_files.c.token == token, used_at=func.app_now())

    async def drop_images(self, before: datetime, most: int) -> int:
        """Drop the bytes of at most `most` charts last looked at before a moment; return how many."""
        old = (
            select(chart_files.c.id)
            .where(chart_files.c.organization_id == self._organization_id)
            .where(chart_files.c.png.is_not(None), chart_files.c.inputs.is_not(None))
            .where(chart_files.c.used_at < before)
            .order_by(chart_files.c.used_at)
            .limit(most)
        )
        dropped = await self._connection.execute(
            update(chart_files)
            .where(chart_files.c.organization_id == self._organization_id, chart_files.c.id.in_(old))
            .values(png=None)
            .returning(chart_files.c.id)
        )
        return len(dropped.all())

    async def _update(self, condition: ColumnElement[bool], **values: object) -> None:
        await self._connection.execute(
            update(chart_files)
            .where(chart_files.c.organization_id == self._organization_id, condition)
            .values(**values)
        )


def _shared_with(project: Project) -> list[int]:
    """The ids of the other repositories whose work the charts of a repository show."""
    return [member.id for member in project.sharing if member.id != project.id]
