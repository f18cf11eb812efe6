"""Connections and transactions. A transaction sees the rows of the tenant that it names, and no others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

_SET_TENANT = text("select set_config('app.tenant', :tenant, true)")


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant's transaction: what every store is built with."""

    connection: AsyncConnection
    organization_id: int


class Database:
    """A pool of connections to one database, as the application's role."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._engine: AsyncEngine = create_async_engine(
            _with_driver(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 5},
        )

    @asynccontextmanager
    async def tenant(self, organization_id: int) -> AsyncIterator[Tenant]:
        """A transaction in which exactly this tenant's rows exist."""
        async with self._engine.begin() as connection:
            await connection.execute(_SET_TENANT, {"tenant": str(organization_id)})
            yield Tenant(connection, organization_id)

    @asynccontextmanager
    async def nobody(self) -> AsyncIterator[AsyncConnection]:
        """A transaction before a tenant is known: it sees no tenant's rows, only the look-up functions."""
        async with self._engine.begin() as connection:
            yield connection

    async def close(self) -> None:
        await self._engine.dispose()


def _with_driver(url: str) -> str:
    """The same address for SQLAlchemy on psycopg 3."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def plain_url(url: str) -> str:
    """The same address as libpq and psycopg understand it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
