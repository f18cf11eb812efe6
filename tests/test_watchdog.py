"""The watchdog barks at what holds the event loop, and at nothing else."""

import asyncio
import time
from collections.abc import Coroutine
from types import CodeType
from typing import Any

import pytest
import uvloop

from tests.support.watchdog import WATCHDOG, Offence, Watchdog

_PRODUCT = "commands/invented.py"


def product(source: str, **names: Any) -> Any:
    """A function as if it lay in the product."""
    path = f"{__file__.rpartition('/tests/')[0]}/{_PRODUCT}"
    code = compile(source, path, "exec")
    assert isinstance(code, CodeType)
    namespace = names | {"time": time, "asyncio": asyncio}
    exec(code, namespace)
    return namespace["work"]


def run(work: Coroutine[Any, Any, Any]) -> list[Offence]:
    """What a watchdog of its own has to say of a coroutine, on the loop that the product runs on."""
    watchdog = Watchdog()

    async def main() -> None:
        await asyncio.create_task(work)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        watchdog.watch(runner.get_loop())
        runner.run(main())
    return watchdog.take()


COMPUTING = """
def compute(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        sum(range(1000))

async def work():
    await asyncio.sleep(0)
    compute({seconds})
    {after}
"""


@pytest.mark.parametrize("after", ["pass", "await asyncio.sleep(0)", "1 / 0"])
def test_slow_callback_is_reported(after: str) -> None:
    work = product(COMPUTING.format(seconds=0.2, after=after))()
    if after == "1 / 0":

        async def tolerant() -> None:
            with pytest.raises(ZeroDivisionError):
                await asyncio.create_task(work)

        (offence,) = run(tolerant())
    else:
        (offence,) = run(work)

    assert 0.15 < offence.cpu_seconds < 1
    assert [place.name for place in offence.stack if place.file == _PRODUCT] == ["work", "compute"]
    assert "held the event loop for" in str(offence)


def test_the_same_in_small_steps_or_waiting_is_no_offence() -> None:
    small = "async def work():\n    for _ in range(10):\n        await asyncio.sleep(0)\n        sum(range(1000))\n"
    waiting = "async def work():\n    time.sleep(0.3)\n"

    assert run(product(small)()) == []
    assert run(product(waiting)()) == []


def test_computation_of_tests_is_no_offence() -> None:
    async def own() -> None:
        product(
            COMPUTING.format(seconds=0.2, after="pass").replace("async def work", "async def ignored")
            + "\nwork = compute"
        )(0.2)

    assert run(own()) == []


async def test_every_test_s_loop_is_watched() -> None:
    await asyncio.create_task(product(COMPUTING.format(seconds=0.2, after="pass"))())

    (offence,) = WATCHDOG.take()
    assert offence.cpu_seconds > 0.15
