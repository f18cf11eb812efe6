"""The issues that GitHub would link with a pull request for the words of its description."""

import re
from html import unescape

from markdown_it import MarkdownIt

_CLOSING = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?[ \t]+(?:([\w.-]+/[\w.-]+))?#(\d+)\b", re.IGNORECASE
)
_UNHEARD = re.compile(r"<!--.*?(?:-->|\Z)|<(pre|code|blockquote|a)\b.*?(?:</\1>|\Z)", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def closing_words(description: str) -> list[tuple[str, int]]:
    """Repository (empty: the own one) and number of each issue that the text says it closes."""
    page = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(description)
    shown = unescape(_TAG.sub("\n", _UNHEARD.sub("\n", page)))
    return [(repository, int(number)) for repository, number in _CLOSING.findall(shown)]
