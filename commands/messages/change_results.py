"""Texts of a change: its preview, and what became of it when it was refused or stopped partway."""

from collections.abc import Sequence

from commands.formatting.wording import code

SEATS_HAVE_CHANGED = (
    "the number of people or the price has changed. Run `/agile seats` to see what needs approval now."
)
_STALE = "> [!IMPORTANT]\n> Things have changed since the last preview. This is what would happen now."
_HOW_TO_CONFIRM = (
    "<sub>Nothing has been changed yet. Tick the box within 24 hours, or repeat the command with "
    "`confirm:yes`.</sub>"
)
_HOW_TO_TICK = "<sub>Nothing has been changed yet. Tick the box within 24 hours.</sub>"


def preview_text(
    summary: str, details: str, warning: str, box: str, *, is_stale: bool, needs_tick: bool = False
) -> str:
    """The preview of a change, with the box that confirms it; where it `needs_tick`, nothing else does."""
    head = f"### {summary[0].upper()}{summary[1:]}?"
    parts = [
        head,
        _STALE if is_stale else "",
        details,
        warning,
        box,
        _HOW_TO_TICK if needs_tick else _HOW_TO_CONFIRM,
    ]
    return "\n\n".join(part for part in parts if part)


def interrupted_text(command: str, reason: str) -> str:
    """The answer to a change that stopped before its end."""
    return f"{code(command)} stopped partway: {reason} Whatever it had already changed stays changed."


def refused_by_github_text(summary: str, reason: str, done: Sequence[str], *, is_undo: bool) -> str:
    """The answer to a change that GitHub refused, with the steps that were done nevertheless."""
    text = f"GitHub would not let me {summary}: {reason}."
    if not done:
        return f"{text} Nothing was changed."
    # An undo goes on with the other steps, a change stops at the refused one.
    return f"{text} {'Still done' if is_undo else 'Done before that'}: {', '.join(done)}."
