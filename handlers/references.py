"""References to issues in a text: issues that it closes by GitHub's keywords, and issues that it mentions.

GitHub follows its keywords in running text only: not in code, HTML comments or quotations. Of links it
follows bare addresses of its own host. The issues that GitHub itself lists as linked take precedence
(bot/github/linked_issues.py).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from commands.formatting.markdown import MOST_AT_ONCE, MOST_CHARACTERS, current_skim, extract_running_text

# https://docs.github.com/en/issues/tracking-your-work-with-issues/linking-a-pull-request-to-an-issue
_CLOSING = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b:?[ \t]+"
    r"(?:(?:https?://(?P<host>[^/\s]+)/)?(?P<repository>[\w.-]+/[\w.-]+)(?:#|/issues/)|#|gh-)(?P<number>\d{1,9})\b",
    re.IGNORECASE,
)
# Not owner/repo#12, which is an issue elsewhere, nor an HTML entity or the fragment of an address.
_MENTION = re.compile(r"(?<![\w/&#])#(?P<number>[0-9]{1,9})\b")
MOST_MENTIONS = 20
_GITHUB_HOST = "github.com"
# A text without any of these has no references and need not be parsed.
_MAY_REFER = re.compile(r"#\d|&#|/issues/\d|\bgh-\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class References:
    """The numbers of the issues, in the text's own repository, that a text closes or mentions."""

    closes: tuple[int, ...] = ()
    mentions: tuple[int, ...] = ()


_NONE = References()


def find_references(markdown: str, full_name: str | None, page: str | None = None) -> References:
    """Find the references in the description of a pull request in the repository `full_name`.

    `page` is the address of any page of that GitHub, which need not be github.com. A long description is
    passed over while skimming (see commands/formatting/markdown.py).
    """
    if len(markdown) > MOST_CHARACTERS or not _MAY_REFER.search(markdown):
        return _NONE
    skim = current_skim()
    if skim is not None and len(markdown) > MOST_AT_ONCE:
        skim.has_unread_references = True
        return _NONE
    text = _running_text(markdown)
    return References(closed_numbers(text, full_name, page), mentioned_numbers(text))


@lru_cache(maxsize=4)  # Several handlers read the same payload.
def _running_text(markdown: str) -> str:
    return extract_running_text(markdown)


def closed_numbers(text: str, full_name: str | None, page: str | None = None) -> tuple[int, ...]:
    """Find the issues of repository `full_name` that running text closes by keyword. `page` is as above."""
    host, numbers = _parse_host(page), set[int]()
    for match in _CLOSING.finditer(text):
        repository = match["repository"]
        is_own = repository is None or repository.lower() == (full_name or "").lower()
        if is_own and (match["host"] or host).lower() == host:
            numbers.add(int(match["number"]))
    return tuple(sorted(numbers))


def _parse_host(page: str | None) -> str:
    """The host of a page of GitHub, with its port if it has one."""
    try:
        return urlsplit(page or "").netloc.lower() or _GITHUB_HOST
    except ValueError:
        return _GITHUB_HOST


def mentioned_numbers(text: str) -> tuple[int, ...]:
    """Find the first issues of the own repository that running text mentions, `MOST_MENTIONS` at most."""
    numbers = dict.fromkeys(int(match["number"]) for match in _MENTION.finditer(text))
    return tuple(numbers)[:MOST_MENTIONS]
