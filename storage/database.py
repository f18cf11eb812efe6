"""Connections and transactions. A transaction sees the rows of the tenant that it names, and no others."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.types.array import ListBinaryDumper
from sqlalchemy import AdaptedConnection, Engine, ExceptionContext, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

_SET_NOW = text("select set_config('app.now', :now, true)")
_SET_TENANT = text("select set_config('app.now', :now, true), set_config('app.tenant', :tenant, true)")
_SET_TENANT_NOT_DURABLE = text(
    "select set_config('app.now', :now, true), set_config('app.tenant', :tenant, true), "
    "set_config('synchronous_commit', 'off', true)"
)


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant's transaction: what every store is built with."""

    connection: AsyncConnection
    organization_id: int


class Blobs(list[bytes]):
    """Several byte strings for one statement, sent as they are. As text, which other lists are sent as, they
    cost more than all the rest of their delivery."""


class Database:
    """A pool of connections to one database, as the application's role.

    Rows are dated by `clock`: each transaction tells the database its moment, which column defaults and
    functions take from `app_now()`. Without a clock they take the database's own.
    """

    def __init__(self, url: str, clock: Callable[[], datetime] | None = None, *, pool_size: int = 10) -> None:
        self._clock = clock
        self._engine: AsyncEngine = create_async_engine(
            _with_driver(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 5},
            hide_parameters=True,
        )
        # For single statements: no round trips for a ping, a beginning and an end.
        self._at_once = create_async_engine(
            _with_driver(url),
            pool_size=2,
            max_overflow=0,
            pool_timeout=5,
            isolation_level="AUTOCOMMIT",
            connect_args={"connect_timeout": 5},
            hide_parameters=True,
        )

        event.listen(self._at_once.sync_engine, "connect", _send_blobs_as_they_are)
        for engine in (self._engine, self._at_once):
            hide_values(engine.sync_engine)

    @asynccontextmanager
    async def tenant(self, organization_id: int, *, durable: bool = True) -> AsyncIterator[Tenant]:
        """A transaction in which exactly this tenant's rows exist.

        One that does not wait for the disk when it commits may be lost, whole, if the server dies within the
        next second; a later transaction that does wait saves it as well. For what is then simply done again.
        """
        begin = _SET_TENANT if durable else _SET_TENANT_NOT_DURABLE
        async with self._engine.begin() as connection:
            await connection.execute(begin, {"now": self._now(), "tenant": str(organization_id)})
            yield Tenant(connection, organization_id)

    @asynccontextmanager
    async def unscoped(self) -> AsyncIterator[AsyncConnection]:
        """A transaction before a tenant is known: it sees no tenant's rows, only the look-up functions."""
        async with self._engine.begin() as connection:
            await connection.execute(_SET_NOW, {"now": self._now()})
            yield connection

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncConnection]:
        """Like `unscoped`, but each statement is a transaction of its own; the connection may be stale."""
        async with self._at_once.connect() as connection:
            yield connection

    def now(self) -> datetime | None:
        """The moment that rows are dated with; None where the database is to take its own."""
        return self._clock() if self._clock else None

    def _now(self) -> str:
        now = self.now()
        return now.isoformat() if now else ""

    async def close(self) -> None:
        await self._at_once.dispose()
        await self._engine.dispose()


def _send_blobs_as_they_are(connection: AdaptedConnection, _: object) -> None:
    connection.driver_connection.adapters.register_dumper(Blobs, ListBinaryDumper)


def hide_values(engine: Engine) -> None:
    """Keep values of rows and parameters out of the texts of an engine's errors, which end up in logs.

    `hide_parameters` of SQLAlchemy hides what it adds itself. PostgreSQL's own messages quote values as well:
    in details ("Key (…)=(…) already exists", "Failing row contains (…)") and where it cannot read one.
    """
    event.listen(engine, "handle_error", _hide_values)


def _hide_values(context: ExceptionContext) -> None:
    problem, wrapped = context.original_exception, context.sqlalchemy_exception
    if not isinstance(problem, psycopg.Error):
        return
    message = _without_values(problem)
    problem.args = (message,)
    if isinstance(wrapped, DBAPIError):
        wrapped.args = (f"({type(problem).__module__}.{type(problem).__name__}) {message}",)


def _without_values(problem: psycopg.Error) -> str:
    """What PostgreSQL said went wrong, without what it said of the values."""
    primary = problem.diag.message_primary
    if isinstance(problem, psycopg.DataError):
        # The message itself quotes the value: "invalid input syntax for type integer: …".
        return f"a value does not fit its type (SQLSTATE {problem.sqlstate})"
    if primary is None:  # Not PostgreSQL's: psycopg's own, or of a connection that failed.
        return str(problem)
    return f"{primary} (SQLSTATE {problem.sqlstate})"


def _with_driver(url: str) -> str:
    """The same address for SQLAlchemy on psycopg 3."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def plain_url(url: str) -> str:
    """The same address as libpq and psycopg understand it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
