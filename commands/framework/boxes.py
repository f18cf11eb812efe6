"""Checkboxes with which a preview offers a change, and which of them are ticked in a comment.

A box names its change openly. It counts only in a comment that the App itself wrote, in the thread to which
the change belongs, and the person who ticks it needs the level of the command; so a copied box changes
nothing.
"""

import re

_BOX = re.compile(
    r"^- \[(?P<tick>[ xX])\] .*<!-- agile-github-suite:change:(?P<change>\d{1,18}) -->", re.MULTILINE
)


def render_box(change_id: int) -> str:
    """The Markdown of an empty checkbox that applies a change when ticked."""
    return f"- [ ] **Do it** <!-- agile-github-suite:change:{change_id} -->"


def untick_box(text: str, change_id: int) -> str:
    """The text of a comment without the tick in the box of a change."""

    def without_tick(box: re.Match[str]) -> str:
        tick = box.start("tick") - box.start()
        return box[0][:tick] + " " + box[0][tick + 1 :] if int(box["change"]) == change_id else box[0]

    return _BOX.sub(without_tick, text)


def find_ticked_boxes(text: str) -> set[int]:
    """The ids of the changes whose boxes are ticked in a comment's text."""
    return {int(box["change"]) for box in _BOX.finditer(text) if box["tick"] != " "}
