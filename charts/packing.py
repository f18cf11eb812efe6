"""Charts as JSON and back: the stored form of a picture, from which it can be drawn again."""

from dataclasses import dataclass, replace
from typing import get_args

import msgspec

from charts.locales import ENGLISH, Locale, find_locale
from charts.render import Chart
from charts.themes import Theme

_KINDS: dict[str, type] = {kind.__name__: kind for kind in get_args(Chart)}


class _Packed(msgspec.Struct):
    """The stored form: a kind's name, a value of it, and the picture's locale, present year and theme.

    A renamed kind must still be found by its old name.
    """

    kind: str
    chart: msgspec.Raw
    locale: str = ENGLISH.name
    year: int | None = None
    theme: Theme = Theme.LIGHT


def pack(chart: Chart, locale: Locale = ENGLISH, theme: Theme = Theme.LIGHT) -> bytes:
    """Encode a chart with its locale and theme as JSON."""
    raw = msgspec.Raw(msgspec.json.encode(chart))
    return msgspec.json.encode(_Packed(type(chart).__name__, raw, locale.name, locale.year, theme))


def unpack(inputs: bytes) -> tuple[Chart, Locale, Theme]:
    """Decode a chart with its locale and theme.

    Raises msgspec.ValidationError if another version packed it, with other charts.
    """
    stored = msgspec.json.decode(inputs, type=_Packed)
    if stored.kind not in _KINDS:
        raise msgspec.ValidationError(f"there is no chart called {stored.kind}")
    chart: Chart = msgspec.json.decode(stored.chart, type=_KINDS[stored.kind])
    return chart, replace(find_locale(stored.locale), year=stored.year), stored.theme


@dataclass(frozen=True, slots=True)
class PackedForm:
    """The name of a packed chart's kind, also one of another version, and its theme."""

    kind: str | None
    theme: Theme


def read_form(inputs: bytes) -> PackedForm:
    """Read what a packed chart is, undecoded. What cannot be read has no kind and is light."""
    try:
        stored = msgspec.json.decode(inputs, type=_Packed)
    except msgspec.MsgspecError:
        return PackedForm(None, Theme.LIGHT)
    return PackedForm(stored.kind, stored.theme)
