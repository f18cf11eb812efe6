"""The boxes of task lists in a comment's Markdown, in the order in which they are shown."""

from __future__ import annotations

import re

_BOX = re.compile(r"^(\s*(?:>\s*)*(?:[-*+]|\d{1,9}[.)])\s+\[)([ xX])(\]\s)")
_FENCE = re.compile(r"^\s*(?:>\s*)*(`{3,}|~{3,})")


def set_box(markdown: str, position: int, *, is_ticked: bool) -> str | None:
    """Tick a box, or untick it. Returns the new Markdown; None if there is no such box."""
    lines, fence, boxes = markdown.split("\n"), "", 0
    for n, line in enumerate(lines):
        if match := _FENCE.match(line):
            fence = "" if fence and match[1].startswith(fence) else fence or match[1]
        elif not fence and (box := _BOX.match(f"{line} ")):
            if boxes == position:
                lines[n] = f"{box[1]}{'x' if is_ticked else ' '}{line[box.end(2) :]}"
                return "\n".join(lines)
            boxes += 1
    return None
