"""The burnup: scope and work done apart, where a burndown shows their difference."""

from sprints.burndown import build_burndown
from sprints.burnup import build_burnup
from tests.support.builders import Box, Card, Json

TEN_DAYS: Json = {"start": "11-16", "due": "2026-11-27"}  # Monday to Friday of the week after


def test_done_raises_one_line_and_what_is_taken_out_lowers_the_other() -> None:
    done = Card(1).opened("11-10", "points: 5").joined("11-12").closed("11-17 12:00")
    taken_out = Card(2).opened("11-10", "points: 3").joined("11-12").left("11-18 12:00")
    added = Card(3).opened("11-10", "points: 2").joined("11-19 12:00")
    facts = Box("11-10", **TEN_DAYS).facts(done, taken_out, added, as_of="11-20 12:00")

    shown = build_burnup(facts)

    assert shown.scope[:6] == [8, 8, 8, 5, 7, 7]
    assert shown.done[:6] == [0, 0, 5, 5, 5, 5]
    assert set(shown.scope[6:]) == set(shown.done[6:]) == {None}
    assert shown.sprint == build_burndown(facts)


def test_the_ideal_line_rises_to_the_commitment_and_stays_there() -> None:
    item = Card(1).opened("11-10", "points: 10").joined("11-12")
    late = Card(2).opened("11-10", "points: 40").joined("11-18")
    shown = build_burnup(Box("11-10", **TEN_DAYS).facts(item, late))
    assert shown.ideal == [0, 1, 2, 3, 4, 5, 5, 5, 6, 7, 8, 9, 10]


def test_by_count_and_without_a_due_date() -> None:
    item = Card(1).opened("11-10", "points: 10").joined("11-12").closed("11-16 12:00")
    shown = build_burnup(Box("11-10", start="11-16").facts(item, as_of="11-17 12:00"), "count")
    assert shown.scope == [1, 1, 1]
    assert shown.done == [0, 1, 1]
    assert shown.ideal == [0, None, None]
