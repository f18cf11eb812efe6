"""Lenient decoding of payloads: a malformed value is dropped, and everything else is read.

GitHub's descriptions allow null in lists of people and labels, and its payloads change without notice. A
value that does not have the expected shape counts as absent: a field falls back to its default, an element
of a list is left out. Only where a field has no default does its object go as well. Half a surrogate pair in
a text becomes U+FFFD.
"""

import json
import types
import typing
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from handlers.payloads import MalformedError, decode, replace_half_pairs

T = TypeVar("T")

# Text that is not Unicode is dropped like any other malformed value.
_ODD = (msgspec.DecodeError, UnicodeDecodeError)


def decode_leniently(shape: msgspec.json.Decoder[T], body: bytes | msgspec.Raw) -> T:
    """Decode a body without its malformed values.

    Raises MalformedError if it is not JSON, or if a required value at its top level is malformed.
    """
    try:
        return decode(shape, bytes(body))
    except MalformedError as problem:
        try:
            return typing.cast(T, _read(shape.type, msgspec.Raw(replace_half_pairs(bytes(body)))))
        except (*_ODD, RecursionError):
            raise problem from None


def convert_leniently(shape: type[T], answer: object) -> T:
    """Convert an answer of GitHub's API, without its malformed values. Raises MalformedError as above."""
    try:
        body = msgspec.json.encode(answer)
    except UnicodeEncodeError:  # Half a surrogate pair, which json escapes.
        body = json.dumps(answer).encode()
    return decode_leniently(msgspec.json.Decoder(shape), body)


def _read(kind: Any, value: msgspec.Raw) -> Any:
    """Decode a value as `kind`; only if that fails, decode its parts one by one."""
    try:
        return msgspec.json.decode(value, type=kind)
    except _ODD:
        for option in _options(kind):
            if typing.get_origin(option) is list:
                return list(_read_elements(typing.get_args(option)[0], value))
            if isinstance(option, type) and issubclass(option, msgspec.Struct):
                return _read_struct(option, value)
        raise


def _options(kind: Any) -> tuple[Any, ...]:
    """The types of a union, or the type itself if it is none."""
    is_union = typing.get_origin(kind) in {typing.Union, types.UnionType}
    return typing.get_args(kind) if is_union else (kind,)


def _read_elements(kind: Any, value: msgspec.Raw) -> Iterator[Any]:
    for element in msgspec.json.decode(value, type=list[msgspec.Raw]):
        try:
            yield _read(kind, element)
        except _ODD:
            continue


def _read_struct(shape: type[msgspec.Struct], value: msgspec.Raw) -> msgspec.Struct:
    parts = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
    readable = {}
    for field in msgspec.structs.fields(shape):
        try:
            readable[field.name] = _read(field.type, parts[field.encode_name])
        except (*_ODD, KeyError):
            if field.required:
                raise msgspec.ValidationError(f"`{field.encode_name}` is missing or odd") from None
    return shape(**readable)
