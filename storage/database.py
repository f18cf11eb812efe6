"""Connections and transactions. A transaction sees only the rows of the tenant that it is opened for."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.types.array import ListBinaryDumper
from sqlalchemy import AdaptedConnection, Engine, ExceptionContext, TextClause, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

_SET_NOW = "set_config('app.now', :now, true)"
_SET_TENANT = f"{_SET_NOW}, set_config('app.tenant', :tenant, true)"
_NOT_DURABLE = ", set_config('synchronous_commit', 'off', true)"
# The lock is released immediately: whoever takes it from now on is not waited for.
_WAIT_FOR_LOCK = ", pg_advisory_lock(key), pg_advisory_unlock(key) from hashtextextended(:lock, 0) as key"
_BEGIN_UNSCOPED = text(f"select {_SET_NOW}")
_BEGIN = {
    (is_durable, waits): text(
        f"select {_SET_TENANT}{'' if is_durable else _NOT_DURABLE}{_WAIT_FOR_LOCK if waits else ''}"
    )
    for is_durable in (True, False)
    for waits in (True, False)
}


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool's most connections, those in use, and how often one had to be waited for since the start."""

    size: int
    checked_out: int
    waits: int


@dataclass(frozen=True, slots=True)
class Tenant:
    """A transaction of one tenant, with which every store is constructed."""

    connection: AsyncConnection
    organization_id: int


class Blobs(list[bytes]):
    """Several byte strings for one statement, sent in binary form.

    As text, the form in which other lists are sent, they would cost more than all else about a delivery.
    """


class Database:
    """A pool of connections to one database, as the application's role.

    Rows are dated by `clock`: each transaction passes its moment to the database, where column defaults and
    functions read it as `app_now()`. Without a clock, the database's own time is used.

    With `is_pooled`, `url` leads to a pooler in transaction mode: each transaction may have another
    connection to the server, which others use afterwards. So nothing may outlast a transaction. Settings do
    not, because they are set for a transaction alone; statements are not prepared, because they would.
    """

    def __init__(
        self,
        url: str,
        clock: Callable[[], datetime] | None = None,
        *,
        pool_size: int = 10,
        is_pooled: bool = False,
    ) -> None:
        self._clock = clock
        arguments: dict[str, int | None] = {"connect_timeout": 5}
        if is_pooled:
            arguments["prepare_threshold"] = None
        self._engine: AsyncEngine = create_async_engine(
            _with_driver(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            connect_args=arguments,
            hide_parameters=True,
        )
        # For single statements: saves the round trips of a begin and a commit.
        self._autocommit_engine = create_async_engine(
            _with_driver(url),
            pool_size=2,
            max_overflow=0,
            pool_timeout=5,
            isolation_level="AUTOCOMMIT",
            connect_args=arguments,
            hide_parameters=True,
        )

        event.listen(self._autocommit_engine.sync_engine, "connect", _send_blobs_in_binary)
        for engine in (self._engine, self._autocommit_engine):
            hide_values(engine.sync_engine)
        self._waits = {self._engine: 0, self._autocommit_engine: 0}

    @asynccontextmanager
    async def tenant(
        self, organization_id: int, *, durable: bool = True, waits_for: str | None = None
    ) -> AsyncIterator[Tenant]:
        """Open a transaction in which exactly one tenant's rows exist.

        A transaction that is not `durable` does not wait for the disk when it commits: it may be lost as a
        whole if the server dies within the next second, unless a durable one commits later. Use it for work
        that is then simply repeated. With `waits_for`, it begins once all transactions have ended that hold
        the advisory lock of that name now.
        """
        values = {"now": self._now(), "tenant": str(organization_id)}
        if waits_for is not None:
            values["lock"] = waits_for
        async with self._transaction(_BEGIN[durable, waits_for is not None], values) as connection:
            yield Tenant(connection, organization_id)

    @asynccontextmanager
    async def unscoped(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction without a tenant: it sees no tenant's rows, but may call look-up functions."""
        async with self._transaction(_BEGIN_UNSCOPED, {"now": self._now()}) as connection:
            yield connection

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection without a tenant where each statement commits by itself; it may be stale."""
        self._count_wait(self._autocommit_engine)
        async with self._autocommit_engine.connect() as connection:
            yield connection

    def now(self) -> datetime | None:
        """The moment with which rows are dated; None where the database uses its own clock."""
        return self._clock() if self._clock else None

    def _now(self) -> str:
        now = self.now()
        return now.isoformat() if now else ""

    def pool_states(self) -> dict[str, PoolState]:
        """The state of each pool: of `transactions`, and of `single_statements` that commit by themselves."""
        engines = {"transactions": self._engine, "single_statements": self._autocommit_engine}
        return {name: self._pool_state(engine) for name, engine in engines.items()}

    def _pool_state(self, engine: AsyncEngine) -> PoolState:
        pool = _pool_of(engine)
        return PoolState(pool.size(), pool.checkedout(), self._waits[engine])

    def _count_wait(self, engine: AsyncEngine) -> None:
        """Count a request for a connection that must wait, because all of the pool are in use."""
        pool = _pool_of(engine)
        self._waits[engine] += pool.checkedout() >= pool.size()

    @asynccontextmanager
    async def _transaction(
        self, begin: TextClause, values: Mapping[str, str]
    ) -> AsyncIterator[AsyncConnection]:
        """Open a transaction whose first statement is `begin`.

        That statement also shows whether the server closed the connection while it was idle in the pool. If
        so, all idle connections are replaced.
        """
        async with AsyncExitStack() as stack:
            try:
                connection = await self._begin(stack, begin, values)
            except DBAPIError as problem:
                if not problem.connection_invalidated:
                    raise
                connection = await self._begin(stack, begin, values)
            yield connection

    async def _begin(
        self, stack: AsyncExitStack, begin: TextClause, values: Mapping[str, str]
    ) -> AsyncConnection:
        self._count_wait(self._engine)
        async with AsyncExitStack() as attempt:
            connection = await attempt.enter_async_context(self._engine.begin())
            await connection.execute(begin, values)
            stack.push_async_exit(attempt.pop_all())
            return connection

    async def close(self) -> None:
        await self._autocommit_engine.dispose()
        await self._engine.dispose()


def _pool_of(engine: AsyncEngine) -> QueuePool:
    """The engine's pool, of the kind that `create_async_engine` makes."""
    pool = engine.pool
    if not isinstance(pool, QueuePool):
        raise TypeError(f"the pool is a {type(pool).__name__}, which does not count its connections")
    return pool


def _send_blobs_in_binary(connection: AdaptedConnection, _: object) -> None:
    connection.driver_connection.adapters.register_dumper(Blobs, ListBinaryDumper)


def hide_values(engine: Engine) -> None:
    """Keep values of rows and parameters out of the texts of an engine's errors, which end up in logs.

    `hide_parameters` of SQLAlchemy hides only what SQLAlchemy adds. PostgreSQL's own messages quote values as
    well: in details ("Key (…)=(…) already exists", "Failing row contains (…)") and for malformed values.
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
    """PostgreSQL's error message without the values that it quotes."""
    primary = problem.diag.message_primary
    if isinstance(problem, psycopg.DataError):
        # The message itself quotes the value: "invalid input syntax for type integer: …".
        return f"a value does not fit its type (SQLSTATE {problem.sqlstate})"
    if primary is None:  # An error of psycopg itself, or of a connection that failed.
        return str(problem)
    return f"{primary} (SQLSTATE {problem.sqlstate})"


def _with_driver(url: str) -> str:
    """Convert a database URL to SQLAlchemy's form for psycopg 3."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def plain_url(url: str) -> str:
    """Convert a database URL to the form that libpq and psycopg understand."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
