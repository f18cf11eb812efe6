"""Cuts texts that are too long for a comment, so that they stay well-formed."""

import re

# GitHub takes 65,536 characters; the difference is for the marker and for characters that count twice.
MOST_CHARACTERS = 60_000
_CUT_NOTE = "\n\n_The rest was cut, because GitHub takes no longer comments._"


def truncate(body: str, most: int = MOST_CHARACTERS) -> str:
    """Cut a body to at most `most` characters, at a line's end, and close open fences and details."""
    if len(body) <= most:
        return body
    text = body[: most - 200]
    text = text[: max(text.rfind("\n"), 1)]
    if len(re.findall(r"^```", text, re.MULTILINE)) % 2:
        text += "\n```"
    text += "\n\n</details>" * (text.count("<details>") - text.count("</details>"))
    return text + _CUT_NOTE
