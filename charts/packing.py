"""Charts as JSON and back: what is kept of a picture, so that it can be drawn again."""

from dataclasses import replace
from typing import get_args

import msgspec

from charts.locales import ENGLISH, Locale, locale_of
from charts.render import Chart

_KINDS: dict[str, type] = {kind.__name__: kind for kind in get_args(Chart)}


class _Packed(msgspec.Struct):
    """The name of a kind, a value of it, and the locale's name and present year in which it is drawn.

    A kind that is renamed must still be found by its old name.
    """

    kind: str
    chart: msgspec.Raw
    locale: str = ENGLISH.name
    year: int | None = None


def packed(chart: Chart, locale: Locale = ENGLISH) -> bytes:
    """All that its picture shows."""
    raw = msgspec.Raw(msgspec.json.encode(chart))
    return msgspec.json.encode(_Packed(type(chart).__name__, raw, locale.name, locale.year))


def unpacked(inputs: bytes) -> tuple[Chart, Locale]:
    """The chart and its locale again.

    Raises msgspec.ValidationError if another program packed it, with other charts.
    """
    found = msgspec.json.decode(inputs, type=_Packed)
    if found.kind not in _KINDS:
        raise msgspec.ValidationError(f"there is no chart called {found.kind}")
    chart: Chart = msgspec.json.decode(found.chart, type=_KINDS[found.kind])
    return chart, replace(locale_of(found.locale), year=found.year)
