"""GitHub's closing keywords: the issues that a pull request's description links."""

import re
from html import unescape

from markdown_it import MarkdownIt

_CLOSING = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?[ \t]+(?:([\w.-]+/[\w.-]+))?#(\d+)\b",
    re.IGNORECASE,
)
_IGNORED = re.compile(r"<!--.*?(?:-->|\Z)|<(pre|code|blockquote|a)\b.*?(?:</\1>|\Z)", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def find_closing_references(description: str) -> list[tuple[str, int]]:
    """Find repository ("" for the same one) and number of each issue that the text says it closes."""
    html = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(description)
    text = unescape(_TAG.sub("\n", _IGNORED.sub("\n", html)))
    return [(repository, int(number)) for repository, number in _CLOSING.findall(text)]
