"""Read references to issues and pull requests: `#71`, `71`, `GH-71`, `owner/repo#71`, and their addresses."""

import re

from commands.framework.plain_input import narrow_marks

_REFERENCE = re.compile(
    r"(?:(?P<repository>[\w.-]{1,100}/[\w.-]{1,100}))?#(?P<number>[1-9]\d{0,9})", re.ASCII
)
_SHORT = re.compile(r"GH-(?P<number>[1-9]\d{0,9})", re.IGNORECASE | re.ASCII)
_BARE = re.compile(r"[1-9]\d{0,9}", re.ASCII)
_ADDRESS = re.compile(
    r"<?(?:https?://)?(?P<host>[\w.-]+\.[\w.-]+|localhost)(?::\d{1,5})?/"
    r"(?P<repository>[\w.-]{1,100}/[\w.-]{1,100})/(?:issues|pull|pulls)/(?P<number>[1-9]\d{0,9})"
    r"(?:[/?#][^\s>]*)?>?",
    re.IGNORECASE | re.ASCII,
)
_LOOKS_LIKE_ITEM = re.compile(r"#|<?https?://|GH-\d|[\w.-]+/[\w.-]+#", re.IGNORECASE)
_FILLERS = {"and", "&", "+", "issue", "issues", "item", "items", "pr", "prs", "pull", "request", "requests"}
_LONGEST = 400


def read_items(text: str, repository: str, *, allows_bare: bool) -> tuple[str, ...]:
    """The items of one word, which may hold several with commas.

    They are returned as `#12`, or `owner/repo#12` of another repository. Raises ValueError for anything else.
    `allows_bare` tells whether `71` is an item.
    """
    parts = [part for part in narrow_marks(text).split(",") if part]
    items = tuple(_read_item(part, repository, allows_bare=allows_bare) for part in parts)
    if not items:
        raise ValueError(text)
    return items


def is_filler(text: str) -> bool:
    """Whether a word only joins the items of a list, such as “and”."""
    return text.lower().rstrip(",:") in _FILLERS or not any(map(str.isalnum, text))


def looks_like_item(text: str) -> bool:
    """Whether a word can only be meant as an item, well written or not."""
    return _LOOKS_LIKE_ITEM.match(narrow_marks(text)) is not None


def _read_item(text: str, repository: str, *, allows_bare: bool) -> str:
    if len(text) > _LONGEST:
        raise ValueError(text)
    plain = text.rstrip(".,;:!?…。！)").lstrip("(")
    match = _REFERENCE.fullmatch(plain) or _ADDRESS.fullmatch(plain)
    if match:
        place = match["repository"] or ""
        is_own = not place or place.lower() == repository.lower()
        return f"#{match['number']}" if is_own else f"{place}#{match['number']}"
    if match := _SHORT.fullmatch(plain):
        return f"#{match['number']}"
    if allows_bare and _BARE.fullmatch(plain):
        return f"#{plain}"
    raise ValueError(text)
