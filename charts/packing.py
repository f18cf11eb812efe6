"""Charts as JSON and back: the stored form of a picture, from which it can be drawn again."""

from dataclasses import replace
from typing import get_args

import msgspec

from charts.locales import ENGLISH, Locale, find_locale
from charts.render import Chart

_KINDS: dict[str, type] = {kind.__name__: kind for kind in get_args(Chart)}


class _Packed(msgspec.Struct):
    """The stored form: a kind's name, a value of it, and the locale's name and present year of the picture.

    A renamed kind must still be found by its old name.
    """

    kind: str
    chart: msgspec.Raw
    locale: str = ENGLISH.name
    year: int | None = None


def pack(chart: Chart, locale: Locale = ENGLISH) -> bytes:
    """Encode a chart and its locale as JSON."""
    raw = msgspec.Raw(msgspec.json.encode(chart))
    return msgspec.json.encode(_Packed(type(chart).__name__, raw, locale.name, locale.year))


def unpack(inputs: bytes) -> tuple[Chart, Locale]:
    """Decode a chart and its locale.

    Raises msgspec.ValidationError if another version packed it, with other charts.
    """
    stored = msgspec.json.decode(inputs, type=_Packed)
    if stored.kind not in _KINDS:
        raise msgspec.ValidationError(f"there is no chart called {stored.kind}")
    chart: Chart = msgspec.json.decode(stored.chart, type=_KINDS[stored.kind])
    return chart, replace(find_locale(stored.locale), year=stored.year)


def read_kind(inputs: bytes) -> str | None:
    """Read the name of a packed chart's kind, also one of another version. None if nothing can be read."""
    try:
        return msgspec.json.decode(inputs, type=_Packed).kind
    except msgspec.MsgspecError:
        return None
