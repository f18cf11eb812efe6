"""Drawn pictures, by a name that nobody can guess and that changes with the picture."""

import secrets

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tenant
from storage.tables import chart_files

_TOKEN_BYTES = 24


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

    async def keep(self, content_key: str, png: bytes) -> str:
        """Stores a picture and returns its name. One with the same content keeps the name it has."""
        statement = insert(chart_files).values(
            organization_id=self._organization_id,
            token=secrets.token_urlsafe(_TOKEN_BYTES),
            content_key=content_key,
            png=png,
        )
        await self._connection.execute(statement.on_conflict_do_nothing())
        return await self.token_of(content_key) or ""

    async def png(self, token: str) -> bytes | None:
        query = select(chart_files.c.png).where(
            chart_files.c.organization_id == self._organization_id, chart_files.c.token == token
        )
        return await self._connection.scalar(query)
