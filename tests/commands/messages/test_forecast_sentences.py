"""Sentences for chances and amounts contradict neither each other nor the sprint's numbers."""

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.messages.forecast import dates_card, forecast_head
from commands.messages.forecast_sentences import band_sentence, chance_sentence
from sprints.forecast import Basis, Forecast, Refusal
from sprints.forecast_amounts import Band
from sprints.forecast_dates import DateForecast
from sprints.forecast_wording import round_band
from sprints.outlook import Outlook, TrackRecord, build_outlook
from tests.support.unit_weeks import ITEM_KINDS, MOMENTS, UNIT_RECORDS, make_running_mixed_week

AMOUNTS = st.floats(0, 120, allow_nan=False)


def outlook(kinds: list[tuple[int | None, bool]], as_of: str = "11-11 12:00") -> Outlook:
    result = build_outlook(make_running_mixed_week(kinds, as_of), TrackRecord(UNIT_RECORDS, (), 1))
    assert isinstance(result, Outlook)
    return result


def forecast(chance: float, band: tuple[float, float, float] = (6, 8, 9)) -> Forecast:
    low, middle, high = band
    return Forecast(chance, None, Band(low, low, middle, high, high), Basis.OWN, 6, 0, 0)


@pytest.mark.parametrize(
    ("kinds", "unit", "chance", "sentence"),
    [
        ([(5, True), (5, False)], "points", 0.4, "**4 in 10** chance that the remaining 5 points are done by Fri 13 Nov."),
        (
            [(5, True), (5, False), (None, False)],
            "points",
            0.4,
            "**4 in 10** chance that the remaining 5 points and 1 item without an estimate are done by Fri 13 Nov.",
        ),
        (
            [(5, True), (5, False), (None, False)],
            "count",
            0.4,
            ("**4 in 10** chance that the remaining 2 items are done by Fri 13 Nov. "
            "1 open item has no estimate, so this forecast counts items."),
        ),
        (
            [(5, True), (0, False), (None, False)],
            "count",
            0.95,
            ("**More than 9 in 10** chance that the remaining 2 items are done by Fri 13 Nov. "
            "2 open items have no points, so this forecast counts items."),
        ),
        (
            [(None, True), (None, False)],
            "count",
            0.04,
            "**Less than 1 in 10** chance that the remaining item is done by Fri 13 Nov.",
        ),
        (
            [(5, True), (5, False), (None, False)],
            "points",
            0.0,
            "**No working days are left** for the 5 points and 1 item without an estimate that are open.",
        ),
        ([(5, True), (1, False)], "points", 0.0, "**No working days are left** for the 1 point that is open."),
        ([(5, True)], "points", 1.0, "Everything in the sprint is done."),
    ],
)  # fmt: skip
def test_the_chance(kinds: list[tuple[int | None, bool]], unit: str, chance: float, sentence: str) -> None:
    assert chance_sentence(replace(outlook(kinds), unit=unit), forecast(chance)) == sentence


@pytest.mark.parametrize(
    ("chance", "band", "sentence"),
    [
        (
            0.2,
            (6.2, 8.4, 11.1),
            (
                "At the end about 8 points are expected to be done; 8 in 10 times it is between 6 and 11. "
                "Anything above 10 is work added until then."
            ),
        ),
        (
            0.05,
            (6.2, 8.4, 9.4),
            "At the end about 8 points are expected to be done; 8 in 10 times it is between 6 and 9.",
        ),
        (0.0, (5, 5, 5), "At the end 5 points are expected to be done."),
    ],
)
def test_the_band(chance: float, band: tuple[float, float, float], sentence: str) -> None:
    assert band_sentence(outlook([(5, True), (5, False)]), forecast(chance, band)) == sentence


def test_of_a_sprint_that_is_done_no_amount_is_expected() -> None:
    result = outlook([(5, True)])
    card = forecast_head(result.facts, result, forecast(1.0, (5, 5, 5)), Refusal("Nothing is open."))

    assert card.endswith("Everything in the sprint is done.")


def test_items_of_a_sprint_that_is_done_are_further_ones() -> None:
    dates = DateForecast(date(2026, 11, 20), None, None, 0.6, "From 6 finished sprints of the team.")
    card = dates_card(dates, 3, outlook([(5, True)]).facts)

    assert card.endswith(
        "From 6 finished sprints of the team. This comes on top of what is done in Sprint 12."
    )


@given(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS).map(sorted), st.integers(1, 480).map(lambda n: n / 4))
def test_whole_numbers_lie_on_the_side_of_the_scope_where_the_amounts_do(
    amounts: list[float], scope: float
) -> None:
    low, middle, high = amounts
    whole = round_band(Band(low, low, middle, high, high), scope)

    assert sorted(whole) == list(whole)
    for shown, value in zip(whole, amounts, strict=True):
        assert (shown >= scope) == (value >= scope - 1e-9)
        assert abs(shown - value) < 2
    assert whole[2] <= max(high, whole[1], scope + 1), "rounded down, as beside the picture"


@given(ITEM_KINDS, MOMENTS)
def test_no_sentence_calls_a_sprint_with_open_items_done(
    kinds: list[tuple[int | None, bool]], as_of: str
) -> None:
    facts = make_running_mixed_week(kinds, as_of)
    result = build_outlook(facts, TrackRecord(UNIT_RECORDS, (), 1))
    expected = result.forecast() if isinstance(result, Outlook) else None
    if not isinstance(result, Outlook) or not isinstance(expected, Forecast) or not facts.open_items:
        return
    text = chance_sentence(result, expected)

    assert not re.search(r"certain|is done\.$|\b0 (points|items)", text, re.IGNORECASE)
    assert re.search(r"\d in 10\*\* chance that the remaining|No working days are left", text)
