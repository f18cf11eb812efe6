"""Escaping of untrusted text: the only way for text of others into the bot's Markdown.

Titles, labels, goals, names and reasons are shown as written, but have no effect: they format nothing, link
nowhere, mention nobody, close nothing, and contain nothing invisible. Markdown is escaped. References that
GitHub links or renders after Markdown (`@name`, `#12`, `GH-12`, addresses, SHAs of commits, `$x$`) are broken
up with a zero-width space, because a backslash does not stop them.

A number of seven or more digits is not changed, although it might be the abbreviated SHA of a commit: that
holds for one commit in 268 million, and people copy numbers and search for them.
"""

import re
import unicodedata

# Unicode's Default_Ignorable_Code_Point: characters that are not drawn by themselves.
# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# The blank of Braille, and the characters of the private use area with which
# `commands/framework/parser.py` marks lines, are invisible, too.
_EMPTY = re.compile("[\u2800\ue000\ue001]")
# Control characters, format characters, and halves of surrogate pairs.
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})
_NON_JOINER, _JOINER = "\u200c", "\u200d"
_VARIATION = frozenset("\ufe0e\ufe0f")
# From Arabic to Sinhala: scripts in which a joiner or non-joiner between letters changes how a word reads.
_JOINING_SCRIPTS = re.compile("[\u0620-\u0dff]")
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|#~&]")
_BREAK = "\u200b"
# References that GitHub links without any Markdown, each up to the place at which it is broken up.
# https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
_LINKED = re.compile(
    r"(?P<mention>@)|(?P<number>\#(?=\d))|(?P<short>\bGH-(?=\d))|(?P<host>www(?=\.))|(?P<scheme>:(?=//))"
    r"|(?P<mail>\b(?:mailto|xmpp):)",
    re.IGNORECASE,
)
# GitHub links the SHA of a commit, whole or abbreviated, where there is such a commit.
_SHA = re.compile(r"(?<![0-9a-z])(?=[0-9]*[a-f])[0-9a-f]{7,40}(?![0-9a-z])", re.IGNORECASE | re.ASCII)
# The longest part of a SHA that GitHub does not take for an abbreviated one.
_PART_OF_SHA = re.compile(r"[0-9a-f]{6}(?=.)", re.IGNORECASE)
# GitHub looks for formulas after Markdown was rendered, so a backslash does not hide a dollar sign from it.
# No formula begins after a zero-width space; a second one keeps `$$` and "$`" apart. The backslash is for
# other readers of Markdown.
# https://github.com/github/markup/issues/1742, https://github.com/3b/3bmd/pull/69
_DOLLAR = f"{_BREAK}\\${_BREAK}"
# At the beginning of a line these would be a list, a rule or the underline of a heading.
_BEGINS_BLOCK = re.compile(r"^(?:(?P<digits>\d{1,9})(?=[.)](?: |$))|(?=[-+](?: |$))|(?=-+$|=+$))")


def visible(text: str) -> str:
    """Remove invisible characters from a text: control, format, bidi and zero-width characters.

    Characters with a visible effect stay: the joiners inside an emoji, the variation selector after a
    symbol, and joiners between letters of scripts that need them.
    """
    if text.isascii() and text.isprintable():
        return text
    characters = list[str]()
    for position, character in enumerate(text):
        if character.isspace():
            characters.append(" ")
        elif not _is_invisible(character) or _has_effect(
            character, characters, text[position + 1 : position + 2]
        ):
            characters.append(character)
    return "".join(characters)


def one_line(text: str) -> str:
    """Put a text on one line, with single spaces and without invisible characters."""
    return " ".join(visible(text).split())


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: blanks and invisible characters only."""
    return not one_line(text)


def can_stand_in_code(text: str) -> bool:
    """Whether a text looks in a line of code as it is, so that the line can be copied from there."""
    return one_line(text) == text and "`" not in text


def inert(text: str) -> str:
    """Escape text of others where GitHub links but renders no Markdown, as in titles and commit messages."""
    unlinked = _LINKED.sub(rf"\g<0>{_BREAK}", one_line(text))
    return _SHA.sub(lambda sha: _PART_OF_SHA.sub(rf"\g<0>{_BREAK}", sha[0]), unlinked)


def plain(text: str) -> str:
    """Escape text of others for a place where Markdown is rendered."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", inert(text)).replace("$", _DOLLAR)
    return _BEGINS_BLOCK.sub(lambda match: f"{match['digits'] or ''}\\", escaped)


def code(text: str) -> str:
    """Format text of others as a code span. Its own backticks become apostrophes."""
    shown = visible(text).strip().replace("`", "'")
    return f"`{shown}`" if shown else "nothing"


def _is_invisible(character: str) -> bool:
    return (
        unicodedata.category(character) in _INVISIBLE_CATEGORIES
        or _INVISIBLE.match(character) is not None
        or _EMPTY.match(character) is not None
    )


def _has_effect(character: str, before: list[str], after: str) -> bool:
    """Whether an invisible character changes how its visible neighbours are drawn."""
    previous = before[-1] if before else ""
    if character in _VARIATION:
        return _is_symbol(previous)
    if character not in {_JOINER, _NON_JOINER} or not previous or not after:
        return False
    if character == _JOINER and (_is_symbol(previous) or previous in _VARIATION) and _is_symbol(after):
        return True
    return bool(_JOINING_SCRIPTS.match(previous) and _JOINING_SCRIPTS.match(after))


def _is_symbol(character: str) -> bool:
    """Whether a character may be an emoji: pictures, arrows, and the skin tones that follow them."""
    return bool(character) and not character.isascii() and unicodedata.category(character)[0] == "S"
