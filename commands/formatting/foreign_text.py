"""The one place where text that others wrote enters our Markdown.

Titles, labels, goals, names and reasons are shown as they read, and do nothing: they format nothing, link
nowhere, call nobody, close nothing, and hold nothing that cannot be seen. What Markdown would read is
escaped. What GitHub would turn into a link or a formula after that is taken apart by a zero-width space,
because a backslash does not stop it: `@name`, `#12`, `GH-12`, addresses, SHAs of commits, `$x$`.

Only a number of seven or more digits is left as it is, although it might be the abbreviated SHA of a commit:
that is so for one commit in 268 million, and a number is there to be copied and searched for.
"""

import re
import unicodedata

# Unicode's Default_Ignorable_Code_Point: nothing of it is drawn by itself.
# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# The blank of Braille and the private use area, in which `commands/framework/parser.py` marks lines, draw
# nothing too.
_EMPTY = re.compile("[\u2800\ue000\ue001]")
# Control, format and half a surrogate pair.
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})
_NON_JOINER, _JOINER = "\u200c", "\u200d"
_VARIATION = frozenset("\ufe0e\ufe0f")
# From Arabic to Sinhala: scripts in which a joiner or non-joiner between letters changes how a word reads.
_JOINING_SCRIPTS = re.compile("[\u0620-\u0dff]")
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|#~&]")
_BREAK = "\u200b"
# What GitHub links without any Markdown, at the place where it is taken apart.
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
    """The text without what cannot be seen: control, format, bidi and zero-width characters.

    What a reader sees the effect of stays: the joiners inside an emoji, the variation selector after a
    symbol, and joiners between letters of scripts that need them.
    """
    if text.isascii() and text.isprintable():
        return text
    kept = list[str]()
    for position, character in enumerate(text):
        if character.isspace():
            kept.append(" ")
        elif not _is_unseen(character) or _has_effect(character, kept, text[position + 1 : position + 2]):
            kept.append(character)
    return "".join(kept)


def one_line(text: str) -> str:
    """The text on one line, with single blanks."""
    return " ".join(visible(text).split())


def inert(text: str) -> str:
    """Text of others where links are made but no Markdown is read, as in titles and messages of commits."""
    unlinked = _LINKED.sub(rf"\g<0>{_BREAK}", one_line(text))
    return _SHA.sub(lambda sha: _PART_OF_SHA.sub(rf"\g<0>{_BREAK}", sha[0]), unlinked)


def plain(text: str) -> str:
    """Text of others for a place where Markdown is read."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", inert(text)).replace("$", _DOLLAR)
    return _BEGINS_BLOCK.sub(lambda match: f"{match['digits'] or ''}\\", escaped)


def code(text: str) -> str:
    """Text of others as a code span, in which nothing is read. Its own backticks become apostrophes."""
    shown = visible(text).strip().replace("`", "'")
    return f"`{shown}`" if shown else "nothing"


def _is_unseen(character: str) -> bool:
    return (
        unicodedata.category(character) in _UNSEEN_CATEGORIES
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
