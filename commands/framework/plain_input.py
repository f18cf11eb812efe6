"""Characters that look alike, as phones, word processors and chats put them into what people type."""

import re

# Not drawn, and without effect on their neighbours: zero-width spaces, soft hyphens, marks of direction, and
# two private codes. The joiners within an emoji are none of them.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ue000\ue001\x00-\x08\x0e-\x1f\x7f]"
)
_BLANK = re.compile(r"[^\S ]")
_JOINERS = re.compile("[\u200c\u200d\ufe0e\ufe0f]")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")
# Of all characters that Unicode folds, only these: a raised digit is no digit, 5² is not 52.
_NARROW_FORMS = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_NARROW_MARKS = {wide: _NARROW_FORMS[wide] for wide in map(ord, "：＝＃，／")}
_CLOSING_MARKS = ".,;!?…。！"


def clean_line(line: str) -> str:
    """Remove invisible characters from a line, and make every blank a space."""
    return _BLANK.sub(" ", _INVISIBLE.sub("", line))


def narrow_marks(line: str) -> str:
    """Replace full-width colons, commas and the like by the usual ones, position by position."""
    return line.translate(_NARROW_MARKS)


def simplify(text: str) -> str:
    """A value in its simplest spelling: usual digits, dashes and blanks, in lower case.

    The marks that end a sentence are removed. Only for values that are not shown as typed.
    """
    plain = _JOINERS.sub("", clean_line(text)).translate(_NARROW_FORMS).translate(_DASHES)
    return " ".join(plain.casefold().rstrip(_CLOSING_MARKS + " ").split())
