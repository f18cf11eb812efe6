"""The delivery writer commits without needless waiting, in whatever order callbacks run."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from bot.webhooks.delivery_writer import DatabaseUnavailableError, DeliveryWriter
from storage.cipher import PayloadCipher, new_key
from storage.database import Database
from storage.deliveries import ReceivedDelivery, ReceiveOutcome
from tests.support.stepping import dawdle, run_in_any_order

_CIPHER = PayloadCipher([new_key()])


class SlowDatabase:
    """Store deliveries after a while, and refuse deliveries whose id begins with `bad`."""

    def __init__(self, random: Random) -> None:
        self.stored: Counter[str] = Counter()
        self.commits = 0
        self._random = random
        self._open = 0

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator["SlowDatabase"]:
        self._open += 1
        assert self._open <= 2
        try:
            yield self
        finally:
            self._open -= 1

    def now(self) -> None:
        """The database's own clock will do."""

    async def scalar(self, _: object, values: dict[str, Any]) -> list[str]:
        deliveries = [received["delivery"] for received in json.loads(values["descriptions"])]
        assert len(deliveries) == len(set(deliveries)) <= 16
        await dawdle(self._random)
        if any(delivery.startswith("bad") for delivery in deliveries):
            raise DBAPIError("select", {}, ValueError("refused"))
        self.commits += 1
        outcomes = [
            ReceiveOutcome.REPEATED if self.stored[delivery] else ReceiveOutcome.STORED
            for delivery in deliveries
        ]
        self.stored.update(deliveries)
        return [outcome.value for outcome in outcomes]


def inbox_on(disk: SlowDatabase) -> DeliveryWriter:
    return DeliveryWriter(cast(Database, disk), _CIPHER)


def delivery_called(name: str) -> ReceivedDelivery:
    return ReceivedDelivery(name, "issues", "opened", 1, 1, "acme", "Organization", 1, b"{}")


async def answer_of(put: Coroutine[Any, Any, ReceiveOutcome]) -> str:
    try:
        return (await put).value
    except (DBAPIError, DatabaseUnavailableError) as problem:
        return type(problem).__name__


async def bring(inbox: DeliveryWriter, names: list[str], random: Random) -> list[str]:
    """Puts deliveries at any moment; returns once each was answered."""

    async def later(name: str) -> str:
        await dawdle(random, 12)
        return await answer_of(inbox.store(delivery_called(name)))

    return await asyncio.gather(*map(later, names))


@given(st.integers(0, 2**32).map(Random), st.lists(st.integers(0, 40), min_size=1, max_size=60))
def test_every_delivery_is_answered_in_any_callback_order(random: Random, ids: list[int]) -> None:
    disk, names = SlowDatabase(random), [f"delivery-{number}" for number in ids]

    answers = run_in_any_order(bring(inbox_on(disk), names, random), random)

    assert Counter(answers) == Counter(stored=len(set(ids)), repeated=len(ids) - len(set(ids))) + Counter()


@given(st.integers(0, 2**32).map(Random), st.integers(1, 9))
def test_repetitions_of_one_delivery_go_when_the_first_is_stored(random: Random, times: int) -> None:
    answers = run_in_any_order(bring(inbox_on(SlowDatabase(random)), ["delivery"] * times, random), random)

    assert sorted(answers) == ["repeated"] * (times - 1) + ["stored"]


@given(st.integers(0, 2**32).map(Random), st.lists(st.sampled_from(["bad", "good"]), min_size=1, max_size=40))
def test_one_that_the_database_refuses_takes_nobody_with_it(random: Random, kinds: list[str]) -> None:
    names = [f"{kind}-{number}" for number, kind in enumerate(kinds)]

    answers = run_in_any_order(bring(inbox_on(SlowDatabase(random)), names, random), random)

    assert answers == ["DBAPIError" if kind == "bad" else "stored" for kind in kinds]


@given(st.integers(0, 2**32).map(Random), st.integers(1, 60))
def test_a_commit_that_is_cancelled_leaves_nobody_waiting(random: Random, number: int) -> None:
    async def cancelled() -> list[str]:
        inbox = inbox_on(SlowDatabase(random))
        names = [f"delivery-{n}" for n in range(number)]
        putting = asyncio.ensure_future(bring(inbox, names, random))
        await dawdle(random, 40)
        for commit in list(inbox._commits):
            commit.cancel()
        return await putting

    assert set(run_in_any_order(cancelled(), random)) <= {"stored", "DatabaseUnavailableError"}


def test_those_that_come_together_share_a_commit() -> None:
    disk = SlowDatabase(Random(1))

    async def together() -> None:
        inbox = inbox_on(disk)
        await asyncio.gather(*(inbox.store(delivery_called(f"delivery-{n}")) for n in range(33)))

    asyncio.run(together())
    assert disk.commits <= 4


@pytest.mark.parametrize("given_up", [0, 1])
async def test_a_request_that_was_given_up_does_not_lose_its_delivery(given_up: int) -> None:
    disk = SlowDatabase(Random(1))
    inbox = inbox_on(disk)
    puts = [asyncio.ensure_future(inbox.store(delivery_called(f"delivery-{n}"))) for n in range(2)]
    await asyncio.sleep(0)
    puts[given_up].cancel()

    assert await puts[1 - given_up] is ReceiveOutcome.STORED
    assert await inbox.store(delivery_called("delivery-2")) is ReceiveOutcome.STORED
    assert set(disk.stored) == {"delivery-0", "delivery-1", "delivery-2"}
