"""Values of fields in whatever shape GitHub tells them: text, numbers, options, iterations, what comes next.

They are kept as they are, because nobody can ask for them later, and within bounds, because people write
them.
"""

import hashlib

import msgspec

from handlers.payloads import clean

MOST_CHARACTERS = 1_000
MOST_BYTES = 4_096
_DEEPEST = 8
_CUT = "…"
# How a payload without the value looks to a Struct. Null is a value: the field was empty.
ABSENT = msgspec.Raw(b"")


class FieldChange(msgspec.Struct):
    """What a value was, and what it is now."""

    from_: msgspec.Raw = msgspec.field(name="from", default=ABSENT)
    to: msgspec.Raw = ABSENT


def kept_value(value: msgspec.Raw) -> object:
    """The value for the timeline.

    Text is cut after 1,000 characters. In the place of anything else that is too large or too deep, or cannot
    be read, stands `{"omitted": …}` with its size in bytes.
    """
    try:
        plain = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _omitted(value)
    if isinstance(plain, str):
        text = clean(plain)
        return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + _CUT
    if len(bytes(value)) > MOST_BYTES or _is_deeper(plain, _DEEPEST):
        return _omitted(value)
    return plain


def digest(*values: object) -> str:
    """Tells changes of one second apart, and recognizes one that is told again."""
    return hashlib.sha256(msgspec.json.encode(values, order="sorted")).hexdigest()[:16]


def _omitted(value: msgspec.Raw) -> dict[str, int]:
    return {"omitted": len(bytes(value))}


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(part, levels - 1) for part in inner)
