"""SVG icons: avatars with initials, and the states of issues."""

from __future__ import annotations

from html import escape
from typing import Any

# Each colour is dark enough for white letters.
FACES = ("#8250df", "#1a7f37", "#0969da", "#bf3989", "#9a6700", "#cf222e", "#0a7d91")

PEN = 'fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"'
RING = f'<circle cx="8" cy="8" r="6.5" {PEN}/>'
DOT = '<circle cx="8" cy="8" r="1.9" fill="currentColor"/>'
TICK = f'<path d="M5 8.3l2.1 2.1 4-4.4" {PEN}/>'
SLASH = f'<path d="M4.6 11.4l6.8-6.8" {PEN}/>'


def avatar(login: str, *, is_bot: bool, size: int) -> str:
    """Draw an avatar, hidden from screen readers because the name stands beside it."""
    start = f'<svg class="avatar" width="{size}" height="{size}" viewBox="0 0 40 40" aria-hidden="true">'
    if is_bot:
        return (
            f'{start}<rect width="40" height="40" rx="8" fill="#0b3d5c"/>'
            '<path d="M9 11v19h22" fill="none" stroke="#9fd3f2" stroke-width="2.4" stroke-linecap="round"/>'
            '<path d="M13 14l6 5 4-1 8 9" fill="none" stroke="#fff" stroke-width="3" '
            'stroke-linecap="round" stroke-linejoin="round"/></svg>'
        )
    face = FACES[ord(login[:1].lower()) % len(FACES)]
    initial = escape(login[:1].upper())
    return (
        f'{start}<circle cx="20" cy="20" r="20" fill="{face}"/><text x="20" y="27" text-anchor="middle" '
        f'font-size="20" font-weight="600" fill="#fff">{initial}</text></svg>'
    )


def state_icon(issue: dict[str, Any]) -> str:
    """Draw an issue's state: open, completed or not planned, distinguished by shape, too."""
    inside = DOT if issue["state"] == "open" else SLASH if issue["state_reason"] == "not_planned" else TICK
    word = "Open" if issue["state"] == "open" else "Closed"
    kind = "not-planned" if issue["state_reason"] == "not_planned" else issue["state"]
    size = 'width="16" height="16" viewBox="0 0 16 16"'
    return f'<svg class="icon {kind}" {size} role="img" aria-label="{word}">{RING}{inside}</svg>'
