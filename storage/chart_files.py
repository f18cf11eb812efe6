"""Drawn pictures, by a name that nobody can guess and that changes with the picture."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tenant
from storage.tables import chart_files

_TOKEN_BYTES = 24


@dataclass(frozen=True, slots=True)
class Picture:
    """A stored picture: its bytes, unless they were given up, and what it is drawn from."""

    png: bytes | None
    inputs: bytes | None
    used_at: datetime


class ChartFiles:
    """One tenant's pictures."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def token_of(self, content_key: str) -> str | None:
        """The name of the picture with this content, if it was drawn before."""
        query = select(chart_files.c.token).where(
            chart_files.c.organization_id == self._organization_id,
            chart_files.c.content_key == content_key,
        )
        return await self._connection.scalar(query)

    async def keep(self, content_key: str, png: bytes, inputs: bytes) -> str:
        """Stores a picture and returns its name. One with the same content keeps the name it has.

        `inputs` are what it is drawn from, should its bytes be given up.
        """
        statement = insert(chart_files).values(
            organization_id=self._organization_id,
            token=secrets.token_urlsafe(_TOKEN_BYTES),
            content_key=content_key,
            png=png,
            inputs=inputs,
        )
        await self._connection.execute(statement.on_conflict_do_nothing())
        return await self.token_of(content_key) or ""

    async def get(self, token: str) -> Picture | None:
        """The picture of this name."""
        query = select(chart_files.c.png, chart_files.c.inputs, chart_files.c.used_at).where(
            chart_files.c.organization_id == self._organization_id, chart_files.c.token == token
        )
        row = (await self._connection.execute(query)).first()
        return Picture(*row) if row is not None else None

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
