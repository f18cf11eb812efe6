"""Texts for dates and amounts: whole sentences at every edge."""

from dataclasses import replace
from datetime import date

import pytest

from charts.locales import find_locale, use_locale
from commands.messages.forecast import amounts_card, dates_card, forecast_details, forecast_head
from sprints.calendar import Calendar
from sprints.facts import Facts
from sprints.forecast import Refusal
from sprints.forecast_dates import DateForecast, ItemForecast, create_empty_sprint, restart_today
from tests.support.builders import Box, Card, at

FROM = "From 6 finished sprints of the team."
SURE = DateForecast(date(2026, 11, 20), date(2026, 11, 24), date(2027, 1, 8), 0.99, FROM)
PARTLY = DateForecast(date(2028, 3, 3), None, None, 0.7, FROM)
NEVER = DateForecast(None, None, None, 0.02, FROM)
TODAY = create_empty_sprint(Calendar(), at("11-11 12:00"))


def running(*, due: str | None = "2026-11-23") -> Facts:
    cards = [Card(n).opened("11-08", "points: 2").joined("11-08") for n in (1, 2)]
    return Box("11-06", start="11-09", due=due).facts(*cards, as_of="11-11 12:00")


def test_dates_for_items() -> None:
    card = dates_card(SURE, 8, running())

    assert card == (
        "**8 items** will be done by **24 Nov 2026**, 85 times in 100.\n\n"
        "| Chance | Done by |\n| :-- | --: |\n"
        "| 50 % | 20 Nov 2026 |\n| 85 % | 24 Nov 2026 |\n| 95 % | 8 Jan 2027 |\n\n"
        f"{FROM} The open items of Sprint 12 come first, starting with the smallest."
    )
    assert dates_card(SURE, 8, TODAY).endswith(f"{FROM} Calculated as for a sprint that starts today.")


def test_what_takes_more_than_two_years_is_stated_in_a_whole_sentence() -> None:
    assert dates_card(NEVER, 10_000, TODAY).split("\n\n")[:2] == [
        "**10,000 items** are unlikely to be done within two years: the chance is less than 1 in 10.",
        f"{FROM} Calculated as for a sprint that starts today.",
    ]
    assert dates_card(NEVER, 1, TODAY).startswith("**1 item** is unlikely to be done")
    partly = dates_card(PARTLY, 600, TODAY)
    assert partly.startswith(
        "**600 items** will be done by **3 Mar 2028**, 50 times in 100. The chance that this takes at most two "
        "years is 7 in 10."
    )
    assert "| 85 % | in more than two years |" in partly


def test_thousands_are_set_apart_as_the_locale_does() -> None:
    with use_locale(find_locale("de")):
        assert dates_card(NEVER, 10_000, TODAY).startswith("**10.000 items** are")
        assert "| 50 % | 1.200 or more |" in amounts_card(
            ItemForecast(1200, 1100, 1000, 1.0, 300, FROM), date(2027, 12, 31), TODAY
        )


def test_items_by_a_day() -> None:
    with use_locale(find_locale("en", date(2026, 11, 11))):
        card = amounts_card(ItemForecast(9, 7, 5, 0.99, 20, FROM), date(2027, 1, 8), TODAY)

    assert card == (
        "**7 items or more** will be done by Fri 8 Jan 2027, 85 times in 100.\n\n"
        "| Chance | Items |\n| :-- | --: |\n| 50 % | 9 or more |\n| 85 % | 7 or more |\n| 95 % | 5 or more |\n\n"
        f"{FROM} Calculated as for a sprint that starts today."
    )


@pytest.mark.parametrize(
    ("amounts", "sentence"),
    [
        (
            ItemForecast(3, 0, 0, 0.8, 4, FROM),
            "**3 items or more** will be done by Fri 20 Nov, 50 times in 100. The chance of at least one is 8 in 10.",
        ),
        (
            ItemForecast(0, 0, 0, 0.2, 1, FROM),
            "There is a **2 in 10** chance of finishing even one item by Fri 20 Nov.",
        ),
        (
            ItemForecast(0, 0, 0, 0.0, 0, FROM),
            "**No working days are left** until Fri 20 Nov, so no item is expected to be done by then.",
        ),
    ],
)
def test_none_is_never_called_0_or_more(amounts: ItemForecast, sentence: str) -> None:
    card = amounts_card(amounts, date(2026, 11, 20), TODAY)

    assert card.startswith(f"{sentence}\n\n")
    assert " 0 " not in card


def test_when_all_that_is_open_may_be_done() -> None:
    folded = forecast_details(running(), None, None, SURE)
    assert "When all open work may be done" not in folded, "it is the answer itself where there is no other"
    answer = forecast_head(running(), None, None, SURE)
    assert (
        "The 2 open items will be done by **24 Nov 2026**, 1 day after the due date, 85 times in 100."
        in answer
    )
    assert "Each is the chance to finish the sprint if it were due on that day." in answer
    early = replace(SURE, p85=date(2026, 11, 23))
    assert "by **23 Nov 2026**, 85 times" in forecast_head(running(), None, None, early)


def test_without_a_due_date_it_is_as_if_the_sprint_began_today() -> None:
    answer = forecast_head(running(due=None), None, None, SURE)
    assert answer.endswith(f"{FROM} Calculated as for a sprint that starts today.")
    assert restart_today(running(due=None)).sprint.due is None


def test_a_reason_takes_the_place_of_dates() -> None:
    assert "No past." in forecast_head(running(), None, None, Refusal("No past."))
