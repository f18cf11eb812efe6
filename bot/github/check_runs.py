"""Fields of check runs for GitHub's API, with texts cut to its limits.

The limits: https://docs.github.com/en/rest/checks/runs. That of a text counts bytes, although GitHub's
documentation says characters (https://github.com/github/docs/issues/35252).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from commands.formatting.foreign_text import one_line
from reports.sprint_impact import CheckButton, CheckCard

_MOST_TITLE = 255
_MOST_TEXT_BYTES = 65_535
_MOST_BUTTONS, _MOST_LABEL, _MOST_DESCRIPTION, _MOST_IDENTIFIER = 3, 20, 40, 20
_MOST_ALT = 1000
_CUT_NOTE = "\n\n<sub>Cut here: GitHub takes no more.</sub>"


@dataclass(frozen=True, slots=True)
class Image:
    """An image that a check shows. Anybody who knows its address can see it."""

    alt: str
    url: str = field(repr=False)


def check_run_fields(
    name: str, head: str, card: CheckCard, completed_at: datetime, images: Sequence[Image] = ()
) -> dict[str, Any]:
    """Build the fields of a completed check run. All are always set, so that an edit clears former values."""
    output: dict[str, Any] = {
        "title": shorten(card.title, _MOST_TITLE) or name,
        "summary": _truncate(card.summary) if card.summary.strip() else name,
    }
    if images:
        output["images"] = [
            {"alt": shorten(image.alt, _MOST_ALT), "image_url": image.url} for image in images
        ]
    return {
        "name": name,
        "head_sha": head,
        "status": "completed",
        "conclusion": card.conclusion,
        "completed_at": to_github_time(completed_at),
        "output": output,
        "actions": [_button(button) for button in _usable(card.buttons)],
    }


def to_github_time(at: datetime) -> str:
    """Format a time as GitHub does: ISO 8601 in UTC, in whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shorten(text: str, most: int) -> str:
    """Put a text on one line of at most `most` characters, without invisible ones; ends in … if cut."""
    line = one_line(text)
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def _usable(buttons: Iterable[CheckButton]) -> list[CheckButton]:
    """Drop buttons that GitHub does not take. An identifier is not cut: it would mean something else."""
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
        "label": shorten(button.label, _MOST_LABEL),
        "description": shorten(button.description, _MOST_DESCRIPTION),
        "identifier": button.identifier,
    }


def _truncate(text: str) -> str:
    """Cut Markdown to the limit in bytes, at a line's end, and close open fences and details."""
    encoded = text.encode()
    if len(encoded) <= _MOST_TEXT_BYTES:
        return text
    room = _MOST_TEXT_BYTES - len(_CUT_NOTE.encode())
    while True:
        kept = encoded[:room].decode(errors="ignore")
        kept = kept[: max(kept.rfind("\n"), 0)] or kept
        whole = f"{kept}{_closing_markup(kept)}{_CUT_NOTE}"
        if (too_much := len(whole.encode()) - _MOST_TEXT_BYTES) <= 0:
            return whole
        room -= too_much


def _closing_markup(text: str) -> str:
    """The Markdown that closes the text's open fences and details."""
    fence = "\n```" if len(re.findall(r"^```", text, re.MULTILINE)) % 2 else ""
    return fence + "\n\n</details>" * max(text.count("<details>") - text.count("</details>"), 0)
