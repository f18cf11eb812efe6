import re
from decimal import Decimal

import pytest
from hypothesis import given

from charts.mermaid import MOST_POINTS, write_burndown
from sprints.burndown import Burndown
from tests.support.charts.builders import CASES
from tests.support.charts.strategies import burndowns

NUMBER = r"\d+(?:\.\d+)?"
# What the grammar of Mermaid's XY chart accepts: no signs, exponents or gaps between commas.
BLOCK = re.compile(
    r"```mermaid\n"
    r'%%\{init: \{"themeVariables": \{"xyChart": \{"plotColorPalette": "#\w{6}(?:, #\w{6})?"\}\}\}\}%%\n'
    r"xychart-beta\n"
    r'    title "Burndown: [a-z (),]+"\n'
    r"    x-axis \[(?P<names>.+)\]\n"
    rf'    y-axis "(?:points|items)" 0 --> (?P<top>{NUMBER})\n'
    rf'(?:    line "ideal" \[(?P<ideal>{NUMBER}(?:, {NUMBER})+)\]\n)?'
    rf'(?:    line "left" \[(?P<left>{NUMBER}(?:, {NUMBER})+)\]\n)?'
    rf'(?:    bar "planned" \[(?P<planned>{NUMBER})\]\n)?'
    r"```"
)


def parts(value: Burndown) -> dict[str, list[str]]:
    match = BLOCK.fullmatch(write_burndown(value))
    assert match
    return {name: text.split(", ") for name, text in match.groupdict().items() if text}


def test_remaining_line_ends_today_and_the_ideal_goes_on() -> None:
    result = parts(CASES["behind"])
    assert result["left"] == ["34", "34", "31", "31", "29", "26", "26", "26", "17"]
    assert result["ideal"] == [
        *("34", "30.6", "27.2", "23.8", "20.4", "17", "17", "17"),
        *("13.6", "10.2", "6.8", "3.4", "0", "0", "0"),
    ]
    shown = [name for name in result["names"] if name.strip('"\u200b\u200c')]
    assert shown == ['"start"', *(f'"{day} Nov"' for day in range(17, 30, 2))]


@pytest.mark.parametrize(("name", "lines"), [("not_started", {"ideal"}), ("open_ended", {"left"})])
def test_lines_that_there_are(name: str, lines: set[str]) -> None:
    assert parts(CASES[name]).keys() - {"names", "top"} == lines


@pytest.mark.parametrize("name", ["open_not_started", "no_days"])
def test_without_any_line_there_is_a_bar(name: str) -> None:
    """A chart without data does not render at all."""
    assert parts(CASES[name]).keys() == {"names", "top", "planned"}


def test_all_zero_has_an_axis_with_height() -> None:
    assert parts(CASES["nothing_at_all"])["top"] == ["1"]


@given(burndowns(longest=900))
def test_every_burndown_is_valid(value: Burndown) -> None:
    result = parts(value)
    names = result["names"]
    assert len(names) == len(set(names)), "categories of one name fall together"
    assert len(names) <= MOST_POINTS
    for line in ("ideal", "left"):
        assert len(result.get(line, [])) <= len(names) or len(result[line]) == 2
        assert all(Decimal(number) <= Decimal(result["top"][0]) for number in result.get(line, []))
    latest = value.latest
    if latest is not None:
        assert Decimal(result["left"][-1]) == latest.remaining
