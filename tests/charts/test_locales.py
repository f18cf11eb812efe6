"""Numbers and dates in the form of a locale, and where it holds."""

import asyncio
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts.locales import ENGLISH, LOCALES, find_locale, get_locale, use_locale
from charts.mermaid import write_burndown
from charts.reading import number, short_day, whole
from charts.render import compute_content_key, describe_chart, render
from charts.sample import SAMPLE
from charts.scale import write_value
from commands.formatting.wording import full_day, weekday

DAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("en", ["−1,234.5", "12,345", "0.25", "20 Nov", "Fri 20 Nov", "20 Nov 2026"]),
        ("en-US", ["−1,234.5", "12,345", "0.25", "Nov 20", "Fri Nov 20", "Nov 20, 2026"]),
        ("de", ["−1.234,5", "12.345", "0,25", "20 Nov", "Fri 20 Nov", "20 Nov 2026"]),
        ("de-CH", ["−1’234.5", "12’345", "0.25", "20 Nov", "Fri 20 Nov", "20 Nov 2026"]),
        ("fr", ["−1\u202f234,5", "12\u202f345", "0,25", "20 Nov", "Fri 20 Nov", "20 Nov 2026"]),
        ("pl", ["−1\u00a0234,5", "12\u00a0345", "0,25", "20 Nov", "Fri 20 Nov", "20 Nov 2026"]),
        ("ja", ["−1,234.5", "12,345", "0.25", "Nov 20", "Fri Nov 20", "2026-11-20"]),
    ],
)
def test_every_form(name: str, written: list[str]) -> None:
    with use_locale(LOCALES[name]):
        data = [number(Decimal("-1234.5")), whole(12345), write_value(0.25)]
        assert [*data, short_day(DAY), weekday(DAY), full_day(DAY)] == written


@pytest.mark.parametrize(
    ("value", "name"),
    [("de", "de"), ("de-DE", "de"), ("pt-BR", "pt-BR"), ("xx", "en"), (None, "en"), (5, "en"), ("", "en")],
)
def test_a_region_that_is_not_known_has_the_form_of_its_language(value: object, name: str) -> None:
    assert find_locale(value).name == name


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from(sorted(LOCALES)))
def test_only_the_marks_differ(value: Decimal, name: str) -> None:
    locale = LOCALES[name]
    with use_locale(locale):
        data = number(value)
    marks = str.maketrans({locale.group: ",", locale.decimal: "."})
    assert data.translate(marks) == number(value)


def test_it_holds_within_and_not_after_nor_beside() -> None:
    async def write(name: str) -> str:
        with use_locale(LOCALES[name]):
            await asyncio.sleep(0)
            return number(Decimal("1.5"))

    async def both() -> list[str]:
        return list(await asyncio.gather(write("de"), write("en")))

    assert asyncio.run(both()) == ["1,5", "1.5"]
    with pytest.raises(ValueError, match="stop"), use_locale(LOCALES["de"]):
        raise ValueError("stop")
    assert get_locale() is ENGLISH


def test_pictures_differ_by_locale_and_mermaid_stays_readable_for_mermaid() -> None:
    german, american = LOCALES["de"], LOCALES["en-US"]
    assert (
        len(
            {
                compute_content_key(SAMPLE),
                compute_content_key(SAMPLE, german),
                compute_content_key(SAMPLE, american),
            }
        )
        == 3
    )
    assert compute_content_key(SAMPLE) == compute_content_key(SAMPLE, ENGLISH)
    with use_locale(american):
        assert render(SAMPLE) != render(SAMPLE, american)  # What is drawn hangs on what it is told alone.
    data, twin = describe_chart(SAMPLE), write_burndown(SAMPLE)
    with use_locale(german):
        assert describe_chart(SAMPLE) == data.replace("13.6", "13,6") != data
        assert write_burndown(SAMPLE) == twin
