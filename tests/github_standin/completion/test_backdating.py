"""Times of the stand-in: past ones by object, and a clock of the stand-in's own."""

from datetime import UTC, datetime, timedelta
from typing import Any

from github_standin.completion.backdating import Backdating

WORLD = datetime(2020, 2, 3, 9, 30, tzinfo=UTC)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(backdating: Backdating, **fields: Any) -> dict[str, Any]:
    value = {"node_id": "I_1", **fields}
    backdating.apply([{"issue": value}])
    return value


def test_without_a_clock_only_what_was_set_is_replaced() -> None:
    backdating, now = Backdating(), stamp(datetime.now(UTC))
    assert not backdating
    backdating.set({"node_id": "I_1", "created_at": now}, {"created_at": "2020-01-01T00:00:00Z"})

    assert shown(backdating, created_at=now)["created_at"] == "2020-01-01T00:00:00Z"
    assert shown(backdating, updated_at=now)["updated_at"] == now


def test_by_a_clock_an_instant_keeps_the_time_at_which_it_was_seen_first() -> None:
    time = [WORLD]
    backdating = Backdating(lambda: time[0])
    assert backdating
    now = datetime.now(UTC)
    assert shown(backdating, created_at=stamp(now)) == {"node_id": "I_1", "created_at": stamp(WORLD)}

    time[0] = WORLD + timedelta(hours=1)
    assert shown(backdating, created_at=stamp(now))["created_at"] == stamp(WORLD)


def test_a_time_before_the_beginning_and_one_to_come_stay() -> None:
    backdating, now = Backdating(lambda: WORLD), datetime.now(UTC)
    for other in (now - timedelta(days=1), now + timedelta(days=1)):
        assert shown(backdating, closed_at=stamp(other))["closed_at"] == stamp(other)
    assert shown(backdating, closed_at=None)["closed_at"] is None


def test_what_was_made_by_the_clock_can_be_put_into_the_past() -> None:
    backdating = Backdating(lambda: WORLD)
    now = stamp(datetime.now(UTC))
    backdating.set(shown(backdating, created_at=now), {"created_at": "2020-01-01T00:00:00Z"})
    assert shown(backdating, created_at=now)["created_at"] == "2020-01-01T00:00:00Z"


async def test_a_write_after_the_clock_was_moved_gets_a_second_of_its_own() -> None:
    time = [WORLD]
    backdating = Backdating(lambda: time[0])
    written = []
    for moved in (timedelta(), timedelta(milliseconds=400), timedelta(days=3)):
        time[0] += moved
        async with backdating.writing():
            written.append(stamp(datetime.now(UTC)))

    time[0] += timedelta(days=1)
    assert [shown(backdating, created_at=at)["created_at"] for at in written] == [
        stamp(WORLD),
        stamp(WORLD),
        stamp(WORLD + timedelta(days=3, milliseconds=400)),
    ]
