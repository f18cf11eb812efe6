"""What finished sprints brought."""

import json
import random
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sprints.facts import Facts
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
from tests.support.outcomes import make_amount, make_january_outcome
from tests.support.sprints_strategies import NOWS, History, histories

EVERY = settings(max_examples=60, deadline=None)


def sprint() -> Box:
    """From Monday, 16 November, to Friday, 27 November 2026."""
    return Box("11-10 09:00", start="11-16", due="2026-11-27")


def committed(number: int = 1, points: int | None = 5) -> Card:
    labels = [] if points is None else [f"points: {points}"]
    return Card(number).opened("11-10 10:00", *labels).joined("11-12 09:00")


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
        committed=make_amount(17, 4),
        completed=make_amount(7, 2),
        kept=make_amount(5),
        late=make_amount(8),
        carried=make_amount(11, 2),
    )


def test_say_do_is_the_part_of_the_commitment_that_was_kept() -> None:
    facts = sprint().facts(
        committed(1, 5).closed("11-20"),
        committed(2, 5),
        *(Card(n).opened("11-18", "points: 5").joined("11-18").closed("11-20") for n in (3, 4)),
    )
    outcome = compute_outcome(facts)

    assert outcome.say_do() == Decimal("0.5")


def test_say_do_takes_the_estimates_of_the_commitment() -> None:
    outcome = compute_outcome(sprint().facts(committed(1, 5).estimated("11-18", 8).closed("11-20")))

    assert outcome.say_do() == 1


def test_with_nothing_committed_there_is_no_ratio() -> None:
    added = Card(1).opened("11-18", "points: 5").joined("11-18").closed("11-20")
    outcome = compute_outcome(sprint().facts(added))
    assert outcome.say_do() is None

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
    result = compute_velocity(
        [make_january_outcome(1, 20), make_january_outcome(2, 5), make_january_outcome(3, 31)]
    )

    assert (result.median, result.least, result.most) == numbers(20, 5, 31)
    assert (result.n, result.unit, result.is_too_few) == (3, "points", False)


def test_of_an_even_number_the_median_is_the_mean_of_the_two_in_the_middle() -> None:
    assert compute_velocity(
        [make_january_outcome(n, points) for n, points in enumerate((8, 5, 13, 40))]
    ).median == Decimal("10.5")


def test_the_last_seven_count_by_their_ends() -> None:
    outcomes = [make_january_outcome(n, n) for n in range(1, 11)]
    random.Random(3).shuffle(outcomes)
    result = compute_velocity(outcomes)

    assert result.values == numbers(*range(4, 11))
    assert [outcome.number for outcome in result.outcomes] == list(range(4, 11))
    assert result.median == result.n == 7


@pytest.mark.parametrize("n", [0, 1, 2])
def test_fewer_than_three_are_too_few(n: int) -> None:
    result = compute_velocity([make_january_outcome(entry + 1, 5) for entry in range(n)])

    assert result.is_too_few
    assert (result.n, result.median, result.least, result.most) == (n, None, None, None)


def test_units_are_never_mixed() -> None:
    outcomes = [
        make_january_outcome(1, 20, 4),
        make_january_outcome(2, 0, 6, unit="count"),
        make_january_outcome(3, 30, 5),
    ]
    assert compute_velocity(outcomes) == Velocity("count", tuple(outcomes), numbers(4, 6, 5))
    assert compute_velocity(outcomes, "points").values == numbers(20, 0, 30)

    older = [make_january_outcome(n + 1, 10, 2) for n in range(3, 10)]
    assert compute_velocity([*outcomes, *older]).unit == "points"  # The one counted in items is too long ago.


def test_an_abandoned_sprint_is_no_velocity() -> None:
    result = compute_velocity(
        [
            make_january_outcome(1, 20),
            make_january_outcome(2, 5, is_abandoned=True),
            make_january_outcome(3, 30),
            make_january_outcome(4, 40),
        ]
    )

    assert result.values == numbers(20, 30, 40)


def test_what_was_done_late_does_not_count() -> None:
    outcomes = [make_january_outcome(n, 5, late=make_amount(n)) for n in (1, 2, 3)]

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
    result = list_carry_over(facts)

    assert [(item.item.number, item.crossed) for item in result.items] == [(1, 1), (2, 1), (3, 1)]
    assert result.amount == make_amount(8, 3)
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
    assert [item.crossed for item in list_carry_over(facts, boxes).items] == [3, 2, 1]
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
    outcome = compute_outcome(facts)

    for unit in ("points", "count"):
        ratio = outcome.say_do(unit)
        assert ratio is None or 0 <= ratio <= 1
    assert outcome.completed + outcome.carried == facts.scope
    assert outcome.late.count <= outcome.carried.count
    assert list_carry_over(facts).amount == outcome.carried
    assert all(item.crossed == (not outcome.is_abandoned) for item in list_carry_over(facts).items)
    assert parse_outcome(facts.sprint, json.loads(json.dumps(convert_facts(facts)))) == outcome


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 9), st.sampled_from(["points", "count"]))))
@EVERY
def test_velocity_lies_within_its_range_in_whatever_order_sprints_are_reported(
    sprints: list[tuple[int, int, str]],
) -> None:
    outcomes = [
        make_january_outcome(n + 1, points, count, unit=unit)
        for n, (points, count, unit) in enumerate(sprints)
    ]
    result = compute_velocity(outcomes)

    assert compute_velocity(reversed(outcomes)) == result
    assert result.n == min(len(outcomes), 7)
    assert result.is_too_few == (result.n < 3)
    if result.median is not None and result.least is not None and result.most is not None:
        assert result.least <= result.median <= result.most
    if result.unit == "points":
        assert all(outcome.unit == "points" for outcome in result.outcomes)
