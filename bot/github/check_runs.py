"""A check run as GitHub takes it: the one place that knows its limits, and keeps them by cutting.

The limits: https://docs.github.com/en/rest/checks/runs. That of a text is meant in bytes, although it is
called characters (https://github.com/github/docs/issues/35252).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from commands.formatting.foreign_text import one_line
from reports.sprint_impact import Card, CheckButton

_MOST_TITLE = 255
_MOST_TEXT_BYTES = 65_535
_MOST_BUTTONS, _MOST_LABEL, _MOST_DESCRIPTION, _MOST_IDENTIFIER = 3, 20, 40, 20
_MOST_ALT = 1000
_CUT_NOTE = "\n\n<sub>Cut here: GitHub takes no more.</sub>"


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that a check shows. Whoever knows its address can see it."""

    alt: str
    url: str = field(repr=False)


def check_run(
    name: str, head: str, card: Card, completed_at: datetime, images: Sequence[Image] = ()
) -> dict[str, Any]:
    """The fields of a completed check run. All are always there, so that an edit takes away what is gone."""
    output: dict[str, Any] = {
        "title": shortened(card.title, _MOST_TITLE) or name,
        "summary": _text(card.summary) if card.summary.strip() else name,
    }
    if images:
        output["images"] = [{"alt": shortened(one.alt, _MOST_ALT), "image_url": one.url} for one in images]
    return {
        "name": name,
        "head_sha": head,
        "status": "completed",
        "conclusion": card.conclusion,
        "completed_at": moment_of(completed_at),
        "output": output,
        "actions": [_button(one) for one in _usable(card.buttons)],
    }


def moment_of(at: datetime) -> str:
    """A time as GitHub writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shortened(text: str, most: int) -> str:
    """On one line, without what cannot be seen, and with an ellipsis where it is cut."""
    line = one_line(text)
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def _usable(buttons: Iterable[CheckButton]) -> list[CheckButton]:
    """An identifier that were cut would mean something else, so a button with a longer one is left out."""
    usable = [
        button
        for button in buttons
        if 0 < len(button.identifier) <= _MOST_IDENTIFIER
        and one_line(button.label)
        and one_line(button.description)
    ]
    return usable[:_MOST_BUTTONS]


def _button(button: CheckButton) -> dict[str, str]:
    return {
        "label": shortened(button.label, _MOST_LABEL),
        "description": shortened(button.description, _MOST_DESCRIPTION),
        "identifier": button.identifier,
    }


def _text(text: str) -> str:
    """Markdown of at most so many bytes: it ends at a line's end, with what was open closed again."""
    told = text.encode()
    if len(told) <= _MOST_TEXT_BYTES:
        return text
    room = _MOST_TEXT_BYTES - len(_CUT_NOTE.encode())
    while True:
        kept = told[:room].decode(errors="ignore")
        kept = kept[: max(kept.rfind("\n"), 0)] or kept
        whole = f"{kept}{_closing(kept)}{_CUT_NOTE}"
        if (too_much := len(whole.encode()) - _MOST_TEXT_BYTES) <= 0:
            return whole
        room -= too_much


def _closing(text: str) -> str:
    """What has to be closed after it."""
    fence = "\n```" if len(re.findall(r"^```", text, re.MULTILINE)) % 2 else ""
    return fence + "\n\n</details>" * max(text.count("<details>") - text.count("</details>"), 0)
