"""The price of one more seat, and amounts of money as text."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.formatting.money import money
from marketplace.seat_price import prorate

START = datetime(2026, 11, 3, tzinfo=UTC)
AMOUNTS = st.integers(0, 10_000_000)
SECONDS = st.integers(0, 400 * 86_400)


@given(AMOUNTS, st.integers(1, 400 * 86_400), SECONDS, SECONDS)
def test_the_rest_of_a_period_costs_its_share_and_less_each_second(
    amount: int, length: int, earlier: int, later: int
) -> None:
    end = START + timedelta(seconds=length)
    costs = [prorate(amount, START, end, START + timedelta(seconds=at)) for at in sorted((earlier, later))]
    assert amount >= costs[0] >= costs[1] >= 0
    assert prorate(amount, START, end, START) == amount
    assert prorate(amount, START, end, end) == prorate(amount, end, START, START) == 0


def test_a_half_is_rounded_up() -> None:
    end = START + timedelta(days=2)
    assert prorate(601, START, end, START + timedelta(days=1)) == 301


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (600, "usd", "$6.00"),
        (123_456_789, "EUR", "€1,234,567.89"),
        (5, "gbp", "£0.05"),
        (1200, "jpy", "1,200 JPY"),
        (1500, "kwd", "1.500 KWD"),
        (990, "chf", "9.90 CHF"),
        (-320, "usd", "−$3.20"),
        (-5, "usd", "−$0.05"),
        (-1234, "tnd", "−1.234 TND"),
        (12_345, "bhd", "12.345 BHD"),
        # Stripe's special cases: without decimals, and counted in hundredths all the same.
        (500, "ugx", "5.00 UGX"),
        (500, "isk", "5.00 ISK"),
        (500, "huf", "5.00 HUF"),
        (500, "twd", "5.00 TWD"),
        (600, "a_b", "6.00 A\\_B"),
    ],
)
def test_an_amount_is_written_in_its_currency(amount: int, currency: str, expected: str) -> None:
    assert money(amount, currency) == expected
