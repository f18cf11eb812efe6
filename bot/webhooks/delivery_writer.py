"""Writes deliveries to the database in batches: deliveries that arrive together share one commit."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.webhooks.request_bodies import run_in_thread_if_large
from storage.cipher import PayloadCipher, delivery_place
from storage.database import Database
from storage.deliveries import ReceivedDelivery, ReceiveOutcome, receive_deliveries
from storage.installations import account_of_installation

_MOST_PER_COMMIT = 16
# While one commit waits for the disk, the next one is being made.
_COMMITS_AT_ONCE = 2

# The errors of a database that is down, restarting or overloaded.
DATABASE_AWAY_ERRORS = (OperationalError, InterfaceError, PoolTimeoutError, OSError)

_Entry = tuple[ReceivedDelivery, asyncio.Future[ReceiveOutcome]]


class DatabaseUnavailableError(Exception):
    """The database cannot store anything now; the sender must try again."""


class DeliveryWriter:
    """Stores deliveries durably. Deliveries that arrive during a commit form the next batch.

    Only two events change the waiting list and the set of running commits, and neither awaits anything: a
    delivery arrives, or a commit ends. Each of them then starts all commits that are possible. So in
    whatever order the event loop runs them, no delivery waits while a commit could be started for it.
    """

    def __init__(self, database: Database, cipher: PayloadCipher) -> None:
        self._database = database
        self._cipher = cipher
        self._waiting: list[_Entry] = []
        self._commits: dict[asyncio.Task[None], list[_Entry]] = {}
        self._in_flight: set[str] = set()

    async def store(self, delivery: ReceivedDelivery) -> ReceiveOutcome:
        """Store a delivery and return once it is on disk. Raises DatabaseUnavailableError otherwise."""
        future: asyncio.Future[ReceiveOutcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, future))
        self._start_commits()
        return await future

    async def find_account(self, installation: int) -> int | None:
        """Return GitHub's id of the account that has an installation. Raises DatabaseUnavailableError."""
        try:
            async with self._database.autocommit() as connection:
                return await account_of_installation(connection, installation)
        except DATABASE_AWAY_ERRORS as problem:
            raise DatabaseUnavailableError from problem

    def _start_commits(self) -> None:
        while len(self._commits) < _COMMITS_AT_ONCE and (batch := self._next_batch()):
            commit = asyncio.create_task(self._store_batch(batch))
            self._commits[commit] = batch
            commit.add_done_callback(self._end_commit)

    def _end_commit(self, commit: asyncio.Task[None]) -> None:
        """Start the next commits; a repeated delivery waited for the commit of its first copy to end."""
        batch = self._commits.pop(commit)
        self._in_flight -= {delivery.delivery for delivery, _ in batch}
        for _, future in batch:  # All are resolved already, unless the commit was cancelled.
            _resolve(future, DatabaseUnavailableError())
        if not commit.cancelled():
            self._start_commits()
            return
        # The loop is being shut down: a new commit would outlive it.
        waiting, self._waiting = self._waiting, []
        for _, future in waiting:
            _resolve(future, DatabaseUnavailableError())

    async def _store_batch(self, batch: Sequence[_Entry]) -> None:
        try:
            outcomes = await self._store([delivery for delivery, _ in batch])
        except Exception as problem:  # noqa: BLE001 - each waiting request raises it
            for _, future in batch:
                _resolve(future, problem)
        else:
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                _resolve(future, outcome)

    def _next_batch(self) -> list[_Entry]:
        """Take a batch from the waiting list, without deliveries whose first copy is still being stored.

        It is sorted by id, so that two processes that store the same deliveries wait instead of deadlocking.
        """
        batch, remaining = list[_Entry](), list[_Entry]()
        for entry in self._waiting:
            if len(batch) < _MOST_PER_COMMIT and entry[0].delivery not in self._in_flight:
                self._in_flight.add(entry[0].delivery)
                batch.append(entry)
            else:
                remaining.append(entry)
        self._waiting = remaining
        return sorted(batch, key=lambda entry: entry[0].delivery)

    async def _store(self, batch: Sequence[ReceivedDelivery]) -> list[ReceiveOutcome | Exception]:
        try:
            return list(await self._commit(batch))
        except DBAPIError as problem:
            if len(batch) == 1:
                return [problem]
            # One delivery causes the error: stored one by one, it does not fail the others.
            return [outcome for delivery in batch for outcome in await self._store([delivery])]

    async def _commit(self, batch: Sequence[ReceivedDelivery]) -> list[ReceiveOutcome]:
        try:
            try:
                return await self._insert(batch)
            except OperationalError:  # The connection may be from before a restart: try a new one.
                return await self._insert(batch)
        except DATABASE_AWAY_ERRORS as problem:
            raise DatabaseUnavailableError from problem

    async def _insert(self, batch: Sequence[ReceivedDelivery]) -> list[ReceiveOutcome]:
        async with self._database.autocommit() as connection:
            accounts = [await _find_account(connection, delivery) for delivery in batch]
            size = sum(len(delivery.payload) for delivery in batch)
            sealed = await run_in_thread_if_large(size, self._seal, batch, accounts)
            return await receive_deliveries(connection, batch, sealed, self._database.now())

    def _seal(self, batch: Sequence[ReceivedDelivery], accounts: Sequence[int | None]) -> list[bytes]:
        return [
            self._cipher.seal(delivery.payload, delivery_place(account, delivery.delivery))
            for delivery, account in zip(batch, accounts, strict=True)
        ]


async def _find_account(connection: AsyncConnection, delivery: ReceivedDelivery) -> int | None:
    """Return the account of a delivery. A few name only an installation, and belong to its account."""
    if delivery.account is None and delivery.installation is not None:
        return await account_of_installation(connection, delivery.installation)
    return delivery.account


def _resolve(future: asyncio.Future[ReceiveOutcome], result: ReceiveOutcome | Exception) -> None:
    if future.done():  # The request was cancelled meanwhile.
        return
    if isinstance(result, ReceiveOutcome):
        future.set_result(result)
    else:
        future.set_exception(result)
