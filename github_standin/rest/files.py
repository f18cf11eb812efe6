"""File contents as GitHub encodes them."""

from __future__ import annotations

import re
from typing import Any

_CONTENTS = re.compile(r"^/repos/[^/]+/[^/]+/(?:contents(?:/.*)?|readme)$")
_LINE_LENGTH = 60


def wrap_base64(path: str, body: Any) -> Any:
    """Break a file's base64 content into lines of 60 characters, as GitHub does; leave other bodies alone."""
    if not _CONTENTS.match(path) or not isinstance(body, dict) or body.get("encoding") != "base64":
        return body
    text = body["content"]
    lines = [f"{text[start : start + _LINE_LENGTH]}\n" for start in range(0, len(text), _LINE_LENGTH)]
    return {**body, "content": "".join(lines)}
