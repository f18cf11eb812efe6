"""A customer's year on the Marketplace: events in any order and repeated lead to the same state."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.services import Services
from github_standin.rest.marketplace import ENTERPRISE, FLAT, FREE, PRO
from tests.support.clock import Clock
from tests.support.stripe.world import DAY, NOW, Shown, World, merged

Act = Callable[[World, datetime], dict[str, Any]]


def buy(plan: int = PRO, units: int | None = 5, **more: Any) -> Act:
    return lambda w, at: w.marketplace.purchase(w.account, w.login, plan, units=units, at=at, **more)


def change(plan: int = PRO, units: int | None = 5, **more: Any) -> Act:
    return lambda w, at: w.marketplace.change(w.account, plan, units=units, at=at, **more)


def announce(plan: int = FREE, units: int | None = None) -> Act:
    return lambda w, at: w.marketplace.announce(w.account, plan, units=units, effective=at + 9 * DAY)


def call_off() -> Act:
    return lambda w, at: w.marketplace.call_off(w.account, at)


def cancel() -> Act:
    return lambda w, at: w.marketplace.cancel(w.account, at)


def trial(units: int = 5) -> Act:
    return lambda w, at: w.marketplace.purchase(
        w.account, w.login, PRO, units=units, trial_ends=at + 14 * DAY, at=at
    )


# (acts, plan, status, seats, is something pending, is deletion due)
YEAR: dict[str, tuple[list[Act], tuple[str, str, int | None, bool, bool]]] = {
    "purchase": ([buy()], ("pro", "active", 5, False, False)),
    "upgrade": ([buy(), change(ENTERPRISE, 7)], ("enterprise", "active", 7, False, False)),
    "monthly to yearly": ([buy(), change(cycle="yearly")], ("pro", "active", 5, False, False)),
    "downgrade pending": ([buy(), announce()], ("pro", "active", 5, True, False)),
    "downgrade pending then cancelled": ([buy(), announce(), call_off()], ("pro", "active", 5, False, False)),
    "downgrade that comes": ([buy(), announce(), change(FREE, None)], ("free", "active", None, False, False)),
    "failed upgrade comes back": (
        [buy(), change(ENTERPRISE), change(PRO)],
        ("pro", "active", 5, False, False),
    ),
    "trial": ([trial()], ("pro", "trialing", 5, False, False)),
    "trial to paid": ([trial(), change()], ("pro", "active", 5, False, False)),
    "trial to nothing": ([trial(), cancel()], ("free", "ended", None, False, True)),
    "cancel": ([buy(), cancel()], ("free", "ended", None, False, True)),
    "cancel and come back": ([buy(), cancel(), buy(units=2)], ("pro", "active", 2, False, False)),
    "cancel, come back, cancel": ([buy(), cancel(), buy(), cancel()], ("free", "ended", None, False, True)),
    "come back to the free plan": (
        [buy(), cancel(), buy(FREE, None)],
        ("free", "active", None, False, False),
    ),
    "quantity up and down": (
        [buy(), change(units=9), announce(PRO, 3), change(units=3)],
        ("pro", "active", 3, False, False),
    ),
    "flat plan": ([buy(FREE, None), change(FLAT, 1)], ("pro", "active", None, False, False)),
    "a whole year": (
        [
            trial(),
            change(),
            change(ENTERPRISE, 9),
            announce(),
            call_off(),
            announce(PRO, 4),
            change(PRO, 4),
            cancel(),
            buy(units=1),
        ],
        ("pro", "active", 1, False, False),
    ),
}


def check(result: Shown | None, wanted: tuple[str, str, int | None, bool, bool]) -> None:
    assert result
    # A purchase that was over before we could ask for it was never seen: nothing was had, nothing has ended.
    status = "ended" if result.status == "none" else result.status
    assert (result.plan, status, result.seats, result.pending is not None, result.due is not None) == wanted


def day(number: int) -> datetime:
    return NOW + number * DAY


@pytest.mark.parametrize("name", YEAR)
async def test_in_order(name: str, base: Services, clock: Clock) -> None:
    acts, wanted = YEAR[name]
    world = World(base)
    await world.install()
    for number, act in enumerate(acts):
        clock.now = day(number)
        await world.hear_for_good(act(world, clock.now))
    check(await world.shown(), wanted)


@pytest.mark.parametrize("name", YEAR)
async def test_purchase_before_installation(name: str, base: Services, clock: Clock) -> None:
    """Nobody has installed anything: the account is known from its purchase."""
    acts, wanted = YEAR[name]
    world = World(base)
    for number, act in enumerate(acts):
        clock.now = day(number)
        await world.hear_for_good(act(world, clock.now))
    tenant_id = await world.install()
    check(await world.shown(), wanted)
    assert tenant_id == await world.install()


_MOST = max(len(acts) for acts, _ in YEAR.values())


@pytest.mark.parametrize("name", YEAR)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    lateness=st.lists(st.sampled_from([0, 1, 2, 30]), min_size=_MOST, max_size=_MOST),
    repeated=st.sets(st.integers(0, _MOST - 1)),
    ties=st.permutations(range(_MOST)),
)
async def test_in_every_order_and_with_duplicates(
    name: str, base: Services, clock: Clock, lateness: list[int], repeated: set[int], ties: list[int]
) -> None:
    acts, wanted = YEAR[name]
    world, events, count = World(base), dict[int, dict[str, Any]](), len(acts)
    await world.install()
    # Each act has a day of its own; of events that come on one day, `ties` says which comes first.
    late = [lateness[number] + ties[number] / (2 * _MOST + 2) for number in range(count)]
    for kind, number in merged(late, {entry for entry in repeated if entry < count}, count):
        if kind == "act":
            clock.now = day(number)
            events[number] = acts[number](world, clock.now)
        else:
            await world.hear_for_good(events[number])
    result = await world.shown()
    check(result, wanted)
    assert result
    if result.due:
        assert result.due == day(count - 1) + 30 * DAY
