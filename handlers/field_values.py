"""Values of project and issue fields in whatever shape GitHub sends: text, numbers, options, iterations.

They are stored as they are, because they cannot be asked for later, and with a maximum size, because people
write them.
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
    """A value before and after a change."""

    from_: msgspec.Raw = msgspec.field(name="from", default=ABSENT)
    to: msgspec.Raw = ABSENT


def to_stored_value(value: msgspec.Raw) -> object:
    """Decode a value for the timeline.

    Text is cut after 1,000 characters. Any other value that is too large, nested too deeply or malformed is
    replaced by `{"omitted": …}` with its size in bytes.
    """
    try:
        decoded = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _omitted(value)
    if isinstance(decoded, str):
        text = clean(decoded)
        return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + _CUT
    if len(bytes(value)) > MOST_BYTES or _is_deeper(decoded, _DEEPEST):
        return _omitted(value)
    return decoded


def digest(*values: object) -> str:
    """Digest values, to distinguish changes within one second and to recognise a repeated one."""
    return hashlib.sha256(msgspec.json.encode(values, order="sorted")).hexdigest()[:16]


def _omitted(value: msgspec.Raw) -> dict[str, int]:
    return {"omitted": len(bytes(value))}


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(part, levels - 1) for part in inner)
