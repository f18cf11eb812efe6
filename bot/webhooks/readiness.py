"""Readiness probe: however often it is asked, the database is checked once a second at most."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from storage import schema
from storage.database import Database

_CHECK_EVERY_SECONDS = 1.0
_TIMEOUT_SECONDS = 3.0
_DATABASE_AWAY = "the database is unavailable"


class ReadinessProbe:
    """Checks that the database answers and has the schema of this version.

    The probe has its own connection: it takes none from requests and jobs, and does not wait for theirs.
    """

    def __init__(
        self,
        database_url: str,
        *,
        check_every_seconds: float = _CHECK_EVERY_SECONDS,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        # Not prepared, as behind a pooler in transaction mode: that gains nothing at one check a second.
        self._database = Database(database_url, pool_size=1, is_pooled=True)
        self._check_every_seconds = check_every_seconds
        self._timeout_seconds = timeout_seconds
        self._lock = asyncio.Lock()
        self._checked_at: float | None = None
        self._problem: str | None = None
        self.check_count = 0

    async def find_problem(self) -> str | None:
        """Return why the process is not ready, as of a second ago at most. None if it is ready."""
        async with self._lock:  # Waiting callers get the result of the check under way.
            now = asyncio.get_running_loop().time()
            if self._checked_at is None or now - self._checked_at >= self._check_every_seconds:
                self._problem = await self._check()
                self._checked_at = asyncio.get_running_loop().time()
            return self._problem

    async def _check(self) -> str | None:
        self.check_count += 1
        try:
            async with asyncio.timeout(self._timeout_seconds), self._database.unscoped() as connection:
                await schema.check(connection)
        except schema.SchemaError as problem:
            return str(problem)
        except (SQLAlchemyError, OSError):  # A TimeoutError is an OSError.
            return _DATABASE_AWAY
        return None

    async def close(self) -> None:
        """Close the connection."""
        await self._database.close()
