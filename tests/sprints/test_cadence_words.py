"""Periods in words, as people say how often a sprint begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprints.cadence import normalize_period, parse_period


@pytest.mark.parametrize(
    ("text", "period"),
    [
        *((text, "2 weeks") for text in ("two weeks", "fortnightly", "biweekly", "Every 2 weeks", "2 Weeks")),
        *((text, "2 weeks") for text in ("every two weeks", "every other week", "2-weekly")),
        *((text, "1 week") for text in ("weekly", "every week", "a week", "1 week", "every 1 weeks")),
        ("14 days", "14 days"),
        ("daily", None),
        ("every day", None),
        ("9 weeks", None),
        ("monthly", None),
        ("", None),
    ],
)
def test_a_period_is_read_in_words(text: str, period: str | None) -> None:
    assert normalize_period(text) == period


@given(st.text() | st.from_regex(r"(every )?[0-9]{1,3} (week|day)s?", fullmatch=True))
def test_what_is_read_is_a_period(text: str) -> None:
    period = normalize_period(text)

    assert period is None or parse_period(period)
    if parse_period(text):
        assert parse_period(text) == parse_period(period)
