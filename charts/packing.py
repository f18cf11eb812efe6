"""Charts as JSON and back: what is kept of a picture, so that it can be drawn again."""

from typing import get_args

import msgspec

from charts.render import Chart

_KINDS: dict[str, type] = {kind.__name__: kind for kind in get_args(Chart)}


class _Packed(msgspec.Struct):
    """The name of a kind, and a value of it. A kind that is renamed must still be found by its old name."""

    kind: str
    chart: msgspec.Raw


def packed(chart: Chart) -> bytes:
    """All that its picture shows."""
    return msgspec.json.encode(_Packed(type(chart).__name__, msgspec.Raw(msgspec.json.encode(chart))))


def unpacked(inputs: bytes) -> Chart:
    """The chart again. Raises msgspec.ValidationError if another program packed it, with other charts."""
    found = msgspec.json.decode(inputs, type=_Packed)
    if found.kind not in _KINDS:
        raise msgspec.ValidationError(f"there is no chart called {found.kind}")
    chart: Chart = msgspec.json.decode(found.chart, type=_KINDS[found.kind])
    return chart
