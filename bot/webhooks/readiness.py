"""Whether the process can work: asked as often as anybody likes, looked at once a second at most."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from storage import schema
from storage.database import Database

_LOOKS_EVERY_SECONDS = 1.0
_PATIENCE_SECONDS = 3.0
_AWAY = "the database is away"


class Readiness:
    """The database answers and has the schema of this version.

    It has a connection of its own: a probe takes none from those who work, and does not wait for theirs.
    """

    def __init__(
        self,
        database_url: str,
        *,
        every_seconds: float = _LOOKS_EVERY_SECONDS,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._database = Database(database_url, pool_size=1)
        self._every = every_seconds
        self._patience = patience_seconds
        self._looking = asyncio.Lock()
        self._looked_at: float | None = None
        self._problem: str | None = None
        self.looks = 0

    async def problem(self) -> str | None:
        """Why the process is not ready, as of a second ago at most. None if it is."""
        async with self._looking:  # Whoever waits here reads what the one before has seen.
            now = asyncio.get_running_loop().time()
            if self._looked_at is None or now - self._looked_at >= self._every:
                self._problem = await self._look()
                self._looked_at = asyncio.get_running_loop().time()
            return self._problem

    async def _look(self) -> str | None:
        self.looks += 1
        try:
            async with asyncio.timeout(self._patience), self._database.unscoped() as connection:
                await schema.check(connection)
        except schema.SchemaError as problem:
            return str(problem)
        except (SQLAlchemyError, OSError):  # A TimeoutError is an OSError.
            return _AWAY
        return None

    async def close(self) -> None:
        """Closes the connection."""
        await self._database.close()
