"""Boxes to tick: how a preview offers a change, and which boxes of a comment are ticked.

A box names its change openly. It counts only in a comment that our own App wrote, in the thread that the
change belongs to, and who ticks it needs the level of the command; so a copied box changes nothing.
"""

import re

_BOX = re.compile(
    r"^- \[(?P<tick>[ xX])\] .*<!-- agile-github-suite:change:(?P<change>\d{1,18}) -->", re.MULTILINE
)


def box_for(change_id: int) -> str:
    """An empty box that lets a change be carried out."""
    return f"- [ ] **Do it** <!-- agile-github-suite:change:{change_id} -->"


def ticked_boxes(text: str) -> set[int]:
    """The ids of the changes whose boxes are ticked in a comment."""
    return {int(box["change"]) for box in _BOX.finditer(text) if box["tick"] != " "}
