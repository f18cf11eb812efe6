"""What finished sprints brought."""

import json
import random
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sprints.facts import Amount, Facts
from sprints.milestone import Phase
from sprints.plain import convert_facts
from sprints.velocity import (
    SprintOutcome,
    Velocity,
    compute_outcome,
    compute_velocity,
    count_crossings,
    list_carry_over,
    parse_outcome,
)
from tests.support.builders import OTHER_SPRINT, SPRINT, Box, Card, at
from tests.support.sprints_strategies import NOWS, History, histories

EVERY = settings(max_examples=60, deadline=None)


def sprint() -> Box:
    """From Monday, 16 November, to Friday, 27 November 2026."""
    return Box("11-10 09:00", start="11-16", due="2026-11-27")


def committed(number: int = 1, points: int | None = 5) -> Card:
    labels = [] if points is None else [f"points: {points}"]
    return Card(number).opened("11-10 10:00", *labels).joined("11-12 09:00")


def amount(points: float, count: int = 1) -> Amount:
    return Amount(Decimal(str(points)), count)


def outcome(number: int, points: float, count: int = 1, **more: object) -> SprintOutcome:
    """Sprint `number` ended in the night to that day of January."""
    done = amount(points, count)
    told = {
        "milestone": number,
        "number": number,
        "title": f"Sprint {number}",
        "end": at("2026-01-01") + timedelta(days=number - 1),
        "committed": done,
        "completed": done,
        "kept": done,
    }
    return SprintOutcome(**told | more)  # type: ignore[arg-type]


def numbers(*values: float) -> tuple[Decimal, ...]:
    return tuple(Decimal(str(value)) for value in values)


# One sprint


def test_an_outcome_is_what_the_facts_say() -> None:
    facts = sprint().facts(
        committed(1, 5).closed("11-20"),
        committed(2, 3),
        Card(3).opened("11-18", "points: 2").joined("11-18 10:00").closed("11-24"),
        committed(4, 8).closed("11-29"),
        committed(5, 1).dropped("11-20"),
    )

    assert compute_outcome(facts) == SprintOutcome(
        milestone=SPRINT,
        number=12,
        title="Sprint 12",
        end=at("11-28"),
        committed=amount(17, 4),
        completed=amount(7, 2),
        kept=amount(5),
        late=amount(8),
        carried=amount(11, 2),
    )


def test_say_do_is_the_part_of_the_commitment_that_was_kept() -> None:
    facts = sprint().facts(
        committed(1, 5).closed("11-20"),
        committed(2, 5),
        *(Card(n).opened("11-18", "points: 5").joined("11-18").closed("11-20") for n in (3, 4)),
    )
    found = compute_outcome(facts)

    assert found.say_do() == Decimal("0.5")


def test_say_do_takes_the_estimates_of_the_commitment() -> None:
    found = compute_outcome(sprint().facts(committed(1, 5).estimated("11-18", 8).closed("11-20")))

    assert found.say_do() == 1


def test_with_nothing_committed_there_is_no_ratio() -> None:
    added = Card(1).opened("11-18", "points: 5").joined("11-18").closed("11-20")
    found = compute_outcome(sprint().facts(added))
    assert found.say_do() is None

    unestimated = compute_outcome(sprint().facts(committed(1, None).closed("11-20")))
    assert (unestimated.unit, unestimated.say_do("points")) == ("count", None)
    assert unestimated.say_do("count") == 1


def test_only_a_completed_sprint_has_an_outcome() -> None:
    with pytest.raises(ValueError, match="Sprint 12 is not completed"):
        compute_outcome(sprint().facts(as_of="11-27"))
    with pytest.raises(ValueError, match="not completed"):
        compute_outcome(sprint().facts(as_of="11-28"))  # Somebody may still close it.
    with pytest.raises(ValueError, match="not completed"):
        compute_outcome(Box(start="11-16").facts())

    assert compute_outcome(sprint().facts(as_of="12-01")).end == at("11-28")
    assert compute_outcome(sprint().closed("11-28 09:00").facts(as_of="11-28 12:00")).end == at("11-28")
    assert compute_outcome(sprint().closed("11-26 09:00").facts(as_of="11-26 12:00")).end == at("11-26 09:00")


def test_a_deleted_milestone_and_one_closed_before_its_start_are_abandoned() -> None:
    assert compute_outcome(sprint().deleted("11-20").facts()).is_abandoned
    assert compute_outcome(sprint().closed("11-14").facts()).is_abandoned
    assert not compute_outcome(sprint().closed("11-20").facts()).is_abandoned


# Velocity


def test_velocity_is_the_median_of_what_was_completed_with_its_range() -> None:
    found = compute_velocity([outcome(1, 20), outcome(2, 5), outcome(3, 31)])

    assert (found.median, found.least, found.most) == numbers(20, 5, 31)
    assert (found.n, found.unit, found.is_too_few) == (3, "points", False)


def test_of_an_even_number_the_median_is_the_mean_of_the_two_in_the_middle() -> None:
    assert compute_velocity(
        [outcome(n, points) for n, points in enumerate((8, 5, 13, 40))]
    ).median == Decimal("10.5")


def test_the_last_seven_count_by_their_ends() -> None:
    outcomes = [outcome(n, n) for n in range(1, 11)]
    random.Random(3).shuffle(outcomes)
    found = compute_velocity(outcomes)

    assert found.values == numbers(*range(4, 11))
    assert [one.number for one in found.outcomes] == list(range(4, 11))
    assert found.median == found.n == 7


@pytest.mark.parametrize("n", [0, 1, 2])
def test_fewer_than_three_are_too_few(n: int) -> None:
    found = compute_velocity([outcome(one + 1, 5) for one in range(n)])

    assert found.is_too_few
    assert (found.n, found.median, found.least, found.most) == (n, None, None, None)


def test_units_are_never_mixed() -> None:
    outcomes = [outcome(1, 20, 4), outcome(2, 0, 6, unit="count"), outcome(3, 30, 5)]
    assert compute_velocity(outcomes) == Velocity("count", tuple(outcomes), numbers(4, 6, 5))
    assert compute_velocity(outcomes, "points").values == numbers(20, 0, 30)

    older = [outcome(n + 1, 10, 2) for n in range(3, 10)]
    assert compute_velocity([*outcomes, *older]).unit == "points"  # The one counted in items is too long ago.


def test_an_abandoned_sprint_is_no_velocity() -> None:
    found = compute_velocity(
        [outcome(1, 20), outcome(2, 5, is_abandoned=True), outcome(3, 30), outcome(4, 40)]
    )

    assert found.values == numbers(20, 30, 40)


def test_what_was_done_late_does_not_count() -> None:
    outcomes = [outcome(n, 5, late=amount(n)) for n in (1, 2, 3)]

    assert compute_velocity(outcomes).values == numbers(5, 5, 5)


# Carry-over


def test_carry_over_is_what_was_open_at_the_end() -> None:
    facts = sprint().facts(
        committed(1, 5),
        committed(2, 3).moved("11-28 10:00"),
        committed(3, None).closed("11-29"),
        committed(4, 8).closed("11-20"),
        committed(5, 8).dropped("11-20"),
        committed(6, 8).left("11-20"),
    )
    found = list_carry_over(facts)

    assert [(one.item.number, one.crossed) for one in found.items] == [(1, 1), (2, 1), (3, 1)]
    assert found.amount == amount(8, 3)
    assert list_carry_over(sprint().facts(committed(1), as_of="11-20")).items == ()


def ended(milestone: int, due: str) -> Facts:
    return Box("10-01", milestone=milestone, start="10-02", due=due).facts()


def test_an_item_crosses_the_end_of_each_sprint_in_which_it_was_left_open() -> None:
    first, second = ended(601, "2026-10-16").sprint, ended(602, "2026-10-30").sprint
    later = ended(603, "2026-12-04").sprint
    gone = Box("10-01", milestone=604, start="10-02", due="2026-10-20").deleted("10-10").sprint()
    boxes = [
        (later, ["item-1"]),
        (second, {"item-1", "item-2"}),
        (first, ("item-1",)),
        (first, ["item-1"]),
        (gone, ["item-1"]),
    ]
    facts = sprint().facts(committed(1), committed(2), committed(3))

    assert count_crossings(boxes) == {"item-1": 3, "item-2": 1}
    assert [one.crossed for one in list_carry_over(facts, boxes).items] == [3, 2, 1]
    told_too = [*boxes, (facts.sprint, ["item-1", "item-2", "item-3"])]
    assert list_carry_over(facts, told_too) == list_carry_over(facts, boxes)


def test_an_open_sprint_has_no_end_to_cross() -> None:
    endless = Box(milestone=OTHER_SPRINT, start="11-16").sprint()

    assert count_crossings([(endless, ["item-1"])]) == {}


# What holds for every history


@given(histories(), NOWS)
@EVERY
def test_an_outcome_adds_up(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    assume(facts.sprint.phase(as_of) is Phase.COMPLETED)
    found = compute_outcome(facts)

    for unit in ("points", "count"):
        ratio = found.say_do(unit)
        assert ratio is None or 0 <= ratio <= 1
    assert found.completed + found.carried == facts.scope
    assert found.late.count <= found.carried.count
    assert list_carry_over(facts).amount == found.carried
    assert all(one.crossed == (not found.is_abandoned) for one in list_carry_over(facts).items)
    assert parse_outcome(facts.sprint, json.loads(json.dumps(convert_facts(facts)))) == found


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 9), st.sampled_from(["points", "count"]))))
@EVERY
def test_velocity_lies_within_its_range_in_whatever_order_sprints_are_told(
    told: list[tuple[int, int, str]],
) -> None:
    outcomes = [outcome(n + 1, points, count, unit=unit) for n, (points, count, unit) in enumerate(told)]
    found = compute_velocity(outcomes)

    assert compute_velocity(reversed(outcomes)) == found
    assert found.n == min(len(outcomes), 7)
    assert found.is_too_few == (found.n < 3)
    if found.median is not None and found.least is not None and found.most is not None:
        assert found.least <= found.median <= found.most
    if found.unit == "points":
        assert all(one.unit == "points" for one in found.outcomes)
