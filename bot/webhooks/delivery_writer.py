"""Deliveries on their way into the database: those that arrive together share one commit."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.webhooks.request_bodies import run_aside
from storage.cipher import PayloadCipher, delivery_place
from storage.database import Database
from storage.deliveries import ReceivedDelivery, ReceiveOutcome, receive_deliveries
from storage.installations import account_of_installation

_MOST_PER_COMMIT = 16
# While one commit waits for the disk, the next one is being made.
_COMMITS_AT_ONCE = 2

_AWAY = (OperationalError, InterfaceError, PoolTimeoutError, OSError)

_Entry = tuple[ReceivedDelivery, asyncio.Future[ReceiveOutcome]]


class DatabaseAwayError(Exception):
    """Nothing can be stored now; the sender must try again."""


class DeliveryWriter:
    """Stores deliveries durably, as many at once as came while the last ones were being stored.

    Two things alone change what is waiting and what is being stored, and none of them awaits: a delivery that
    comes, and a commit that has ended. Each then begins the commits that are possible. So whatever order the
    event loop calls them in, no delivery waits while a commit could be made for it.
    """

    def __init__(self, database: Database, cipher: PayloadCipher) -> None:
        self._database = database
        self._cipher = cipher
        self._waiting: list[_Entry] = []
        self._commits: dict[asyncio.Task[None], list[_Entry]] = {}
        self._in_flight: set[str] = set()

    async def put(self, delivery: ReceivedDelivery) -> ReceiveOutcome:
        """Returns when the delivery is safe on disk. Raises DatabaseAwayError if it is not."""
        future: asyncio.Future[ReceiveOutcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, future))
        self._begin_commits()
        return await future

    async def account_of(self, installation: int) -> int | None:
        """GitHub's id of the account whose installation this is. Raises DatabaseAwayError."""
        try:
            async with self._database.autocommit() as connection:
                return await account_of_installation(connection, installation)
        except _AWAY as problem:
            raise DatabaseAwayError from problem

    def _begin_commits(self) -> None:
        while len(self._commits) < _COMMITS_AT_ONCE and (batch := self._next_batch()):
            commit = asyncio.create_task(self._store_batch(batch))
            self._commits[commit] = batch
            commit.add_done_callback(self._end_commit)

    def _end_commit(self, commit: asyncio.Task[None]) -> None:
        """Makes room for the next commit, also for a delivery whose repetition was being stored."""
        batch = self._commits.pop(commit)
        self._in_flight -= {delivery.delivery for delivery, _ in batch}
        for _, future in batch:  # All are answered already, unless the commit was cancelled.
            _settle(future, DatabaseAwayError())
        if not commit.cancelled():
            self._begin_commits()
            return
        # The loop is being shut down: a new commit would outlive it.
        waiting, self._waiting = self._waiting, []
        for _, future in waiting:
            _settle(future, DatabaseAwayError())

    async def _store_batch(self, batch: Sequence[_Entry]) -> None:
        try:
            outcomes = await self._store([delivery for delivery, _ in batch])
        except Exception as problem:  # noqa: BLE001 - each waiting request raises it
            for _, future in batch:
                _settle(future, problem)
        else:
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                _settle(future, outcome)

    def _next_batch(self) -> list[_Entry]:
        """What waits, but for deliveries that are being stored already: they go when that is done.

        In the order of their ids, so that two doors that store the same deliveries wait and do not dead-lock.
        """
        batch, later = list[_Entry](), list[_Entry]()
        for entry in self._waiting:
            if len(batch) < _MOST_PER_COMMIT and entry[0].delivery not in self._in_flight:
                self._in_flight.add(entry[0].delivery)
                batch.append(entry)
            else:
                later.append(entry)
        self._waiting = later
        return sorted(batch, key=lambda entry: entry[0].delivery)

    async def _store(self, batch: Sequence[ReceivedDelivery]) -> list[ReceiveOutcome | Exception]:
        try:
            return list(await self._commit(batch))
        except DBAPIError as problem:
            if len(batch) == 1:
                return [problem]
            # One of them is to blame; alone, it takes nobody else with it.
            return [outcome for delivery in batch for outcome in await self._store([delivery])]

    async def _commit(self, batch: Sequence[ReceivedDelivery]) -> list[ReceiveOutcome]:
        try:
            try:
                return await self._receive(batch)
            except OperationalError:  # A connection from before the database's restart: a new one may do.
                return await self._receive(batch)
        except _AWAY as problem:
            raise DatabaseAwayError from problem

    async def _receive(self, batch: Sequence[ReceivedDelivery]) -> list[ReceiveOutcome]:
        async with self._database.autocommit() as connection:
            accounts = [await _account_of(connection, delivery) for delivery in batch]
            size = sum(len(delivery.payload) for delivery in batch)
            sealed = await run_aside(size, self._seal, batch, accounts)
            return await receive_deliveries(connection, batch, sealed, self._database.now())

    def _seal(self, batch: Sequence[ReceivedDelivery], accounts: Sequence[int | None]) -> list[bytes]:
        return [
            self._cipher.seal(delivery.payload, delivery_place(account, delivery.delivery))
            for delivery, account in zip(batch, accounts, strict=True)
        ]


async def _account_of(connection: AsyncConnection, delivery: ReceivedDelivery) -> int | None:
    """Whose delivery it is. Few name nothing but their installation; those are of whoever has it."""
    if delivery.account is None and delivery.installation is not None:
        return await account_of_installation(connection, delivery.installation)
    return delivery.account


def _settle(future: asyncio.Future[ReceiveOutcome], result: ReceiveOutcome | Exception) -> None:
    if future.done():  # The request was given up meanwhile.
        return
    if isinstance(result, ReceiveOutcome):
        future.set_result(result)
    else:
        future.set_exception(result)
