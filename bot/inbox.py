"""Deliveries on their way into the database: those that arrive together share one commit."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from storage.database import Database
from storage.deliveries import Outcome, Received, receive

_MOST_PER_COMMIT = 64


class DatabaseAwayError(Exception):
    """Nothing can be stored now; the sender must try again."""


class Inbox:
    """Stores deliveries durably, as many at once as came while the last ones were being stored."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Received, asyncio.Future[Outcome]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def put(self, delivery: Received) -> Outcome:
        """Returns when the delivery is safe on disk. Raises DatabaseAwayError if it is not."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, future))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        return await future

    async def _flush(self) -> None:
        while self._waiting:
            batch = self._next_batch()
            try:
                outcomes = await self._store([delivery for delivery, _ in batch])
            except Exception as problem:  # noqa: BLE001 - each waiting request raises it
                for _, future in batch:
                    _settle(future, problem)
            else:
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    _settle(future, outcome)

    def _next_batch(self) -> list[tuple[Received, asyncio.Future[Outcome]]]:
        """What waits, without two of the same delivery: the second one goes with the next batch."""
        batch, later, seen = list[tuple[Received, asyncio.Future[Outcome]]](), [], set[str]()
        for entry in self._waiting:
            if len(batch) < _MOST_PER_COMMIT and entry[0].delivery not in seen:
                seen.add(entry[0].delivery)
                batch.append(entry)
            else:
                later.append(entry)
        self._waiting = later
        return batch

    async def _store(self, batch: Sequence[Received]) -> list[Outcome | Exception]:
        try:
            return list(await self._commit(batch))
        except DBAPIError as problem:
            if len(batch) == 1:
                return [problem]
            # One of them is to blame; alone, it takes nobody else with it.
            return [outcome for one in batch for outcome in await self._store([one])]

    async def _commit(self, batch: Sequence[Received]) -> list[Outcome]:
        try:
            async with self._database.nobody() as connection:
                return await receive(connection, batch)
        except (OperationalError, InterfaceError, PoolTimeoutError, OSError) as problem:
            raise DatabaseAwayError from problem


def _settle(future: asyncio.Future[Outcome], result: Outcome | Exception) -> None:
    if future.done():  # The request was given up meanwhile.
        return
    if isinstance(result, Outcome):
        future.set_result(result)
    else:
        future.set_exception(result)
