"""Texts about answers themselves: errors with the person whom they answer, and previews that ended."""

import re
from collections.abc import Sequence

from commands.formatting.foreign_text import plain
from commands.formatting.wording import code

# Logins of people; those of Apps end in `[bot]`.
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:\[bot\])?")
# Markdown that must begin its own line.
_BEGINS_BLOCK = re.compile(r"[#>|+*-]|\d+[.)] |```")


def error_text(login: str, texts: Sequence[str]) -> str:
    """The errors of one comment, after the mention of the person who wrote it."""
    person = f"@{login}" if _LOGIN.fullmatch(login) else plain(login)
    text = "\n\n".join(texts)
    return f"{person}:\n\n{text}" if _BEGINS_BLOCK.match(text) else f"{person}: {text}"


def paused_text() -> str:
    """Why a box that was ticked changes nothing in a paused repository."""
    return "The bot is paused here, so nothing was changed. Run `/agile resume`, then tick the box again."


def expired_text(command: str) -> str:
    """The text in place of a preview whose box was not ticked in time."""
    return (
        f"This preview of {code(command)} expired after 24 hours, and nothing was changed. "
        "Run the command again to see what it would do now."
    )


def outdated_text(command: str) -> str:
    """The text in place of a preview that a newer answer further down replaced."""
    return f"This preview of {code(command)} is outdated. The newer answer is further down."
