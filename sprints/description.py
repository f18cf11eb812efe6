"""What a sprint's frame looks like in its milestone's description: the lines that milestone.py reads."""

import re
from datetime import date

_START_LINE = re.compile(r"^[^\S\n]*start:[^\S\n]*\d{4}-\d\d-\d\d[^\S\n]*$", re.IGNORECASE | re.MULTILINE)


def with_start(description: str, day: date) -> str:
    """A description that states this start, in place of the one that it states; all else stays."""
    line = f"Start: {day.isoformat()}"
    if _START_LINE.search(description):
        return _START_LINE.sub(line, description, count=1)
    return f"{line}\n{description}".rstrip()


def states_start(description: str) -> bool:
    """Whether a start is stated at all."""
    return _START_LINE.search(description) is not None
