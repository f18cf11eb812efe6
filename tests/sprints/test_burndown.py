"""The burndown: remaining work per local day beside the ideal line, and the pace between them."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sprints.burndown import Burndown, build_burndown, compute_pace
from tests.support.builders import Box, Card, Json

TEN_DAYS: Json = {"start": "11-16", "due": "2026-11-27"}  # Monday to Friday of the week after


def cards(*closed: str | None, points: int = 5) -> list[Card]:
    """Items of so many points each in the sprint from before its start; closed when it says."""
    result = []
    for number, when in enumerate(closed, start=1):
        card = Card(number).opened("11-10", f"points: {points}").joined("11-12")
        result.append(card.closed(when) if when else card)
    return result


def burndown(*closed: str | None, as_of: str = "12-31", unit: str | None = None, **shown: Any) -> Burndown:
    return build_burndown(Box("11-10", **(TEN_DAYS | shown)).facts(*cards(*closed), as_of=as_of), unit)


def ideal(shown: Burndown) -> list[Decimal]:
    return [day.ideal for day in shown.days if day.ideal is not None]


def test_the_ideal_line_falls_on_working_days_and_is_flat_on_days_off() -> None:
    line = ideal(burndown(None, None))

    assert line == [9, 8, 7, 6, 5, 5, 5, 4, 3, 2, 1, 0]


def test_the_ideal_line_begins_at_the_commitment_and_is_never_based_on_additions() -> None:
    late = Card(9).opened("11-10", "points: 40").joined("11-18")
    shown = build_burndown(Box("11-10", **TEN_DAYS).facts(*cards(None, None), late))

    assert shown.committed == 10
    assert ideal(shown)[0] == 9


def test_a_sprint_of_a_weekend_falls_on_its_days_off() -> None:
    assert ideal(burndown(None, None, start="11-21", due="2026-11-22")) == [5, 0]


def test_a_sprint_of_a_day() -> None:
    assert ideal(burndown(None, start="11-18", due="2026-11-18")) == [0]


def test_without_a_due_date_there_is_no_ideal_line_and_no_pace() -> None:
    shown = build_burndown(Box("11-10", start="11-16").facts(*cards(None), as_of="11-18 12:00"))

    assert ideal(shown) == []
    assert shown.is_open_ended
    assert [day.date.day for day in shown.days] == [16, 17, 18]
    assert compute_pace(shown) is None


def test_the_future_is_empty() -> None:
    shown = burndown(None, "11-17 10:00", as_of="11-18 12:00")

    assert [day.remaining for day in shown.days] == [10, 5, 5] + [None] * 9
    assert shown.as_of_day == 2


def test_before_the_start_there_is_only_the_plan() -> None:
    shown = burndown(None, None, as_of="11-13")

    assert shown.as_of_day == -1
    assert shown.latest is None
    assert compute_pace(shown) is None
    assert len(ideal(shown)) == 12


def test_after_the_end_it_stands_still() -> None:
    assert burndown("11-30", as_of="12-31").days == burndown(None, as_of="11-28").days


def test_closed_early_has_no_days_after_that() -> None:
    shown = build_burndown(Box("11-10", **TEN_DAYS).closed("11-20 10:00").facts(*cards(None)))

    assert [day.date.day for day in shown.days] == [16, 17, 18, 19, 20]
    assert ideal(shown)[-1] == 0


def test_a_milestone_made_after_its_start_is_drawn_from_its_commitment() -> None:
    card = Card().opened("11-10", "points: 5").joined("11-18 10:00")
    shown = build_burndown(Box("11-18 09:00", **TEN_DAYS).facts(card, as_of="11-20"))

    assert [day.remaining for day in shown.days[:4]] == [5, 5, 5, 5]


def test_by_count_it_counts_items() -> None:
    shown = burndown(None, "11-16 10:00", unit="count", as_of="11-17")

    assert shown.unit == "count"
    assert [shown.committed, shown.days[0].remaining] == [2, 1]


# The pace


def test_behind_the_ideal_line_at_the_end_of_a_day() -> None:
    assert compute_pace(burndown(None, None, as_of="11-18")) == 2


def test_ahead_of_the_ideal_line_is_negative() -> None:
    assert compute_pace(burndown("11-16 10:00", None, as_of="11-17")) == -4


def test_while_a_day_runs_anything_between_its_beginning_and_its_end_is_on_the_line() -> None:
    assert compute_pace(burndown(None, None, as_of="11-16 10:00")) == 0
    assert compute_pace(burndown("11-16 09:00", None, as_of="11-16 10:00")) == -4
    assert compute_pace(burndown(None, None, as_of="11-18 10:00")) == 2


def test_a_midnight_that_the_clocks_skip_ends_a_day_too() -> None:
    """In Santiago, 6 September 2026 begins at one o'clock."""
    box = Box("2026-09-01", description="Start: 2026-09-04", due="2026-09-10")
    card = Card().opened("2026-09-01", "points: 5").joined("2026-09-02")
    facts = box.facts(card, as_of="2026-09-06T04:00Z", zone=ZoneInfo("America/Santiago"))

    assert [day.date.day for day in facts.days] == [4, 5]
    assert build_burndown(facts).is_day_complete


def test_a_milestone_without_a_due_date_has_no_ideal_line_even_when_it_was_closed() -> None:
    burndown = build_burndown(Box("11-16 09:00", due=None).closed("11-20 12:00").facts())
    assert [day.ideal for day in burndown.days] == [None] * 5
    assert not burndown.is_open_ended
