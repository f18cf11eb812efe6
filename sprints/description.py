"""Reading and writing the start line of a milestone's description (see milestone.py)."""

import re
from datetime import date

_START_LINE = re.compile(r"^[^\S\n]*start:[^\S\n]*\d{4}-\d\d-\d\d[^\S\n]*$", re.IGNORECASE | re.MULTILINE)


def set_start_line(description: str, day: date) -> str:
    """Replace the description's start line, or add one before everything else."""
    line = f"Start: {day.isoformat()}"
    if _START_LINE.search(description):
        return _START_LINE.sub(line, description, count=1)
    return f"{line}\n{description}".rstrip()


def has_start_line(description: str) -> bool:
    """Return whether the description has a start line."""
    return _START_LINE.search(description) is not None
