"""The texts about a command that does not exist: the one that was meant, or those to choose from."""

from collections.abc import Sequence

from commands.formatting.foreign_text import code
from commands.framework.registry import Command
from commands.messages.bad_input import with_correction

# Characters of a mistyped name that are shown.
_MOST_SHOWN = 60
_MOST_LISTED = 12


def suggestion_text(typed: str, command: Command, spelled: str, line: str) -> str:
    """The command that was meant, what it does, and the line to copy."""
    harmless = " Nothing was changed." if command.is_changing else ""
    text = f"There is no command {_shorten(typed)}. Did you mean `{spelled}` – {command.summary}?{harmless}"
    return with_correction(text, [(line, "")])


def choices_text(typed: str, spellings: Sequence[str], help_line: str) -> str:
    """The commands that show something and begin alike, none of which is a guess at what was meant."""
    unknown = f"There is no command {_shorten(typed)}."
    if not spellings:
        return f"{unknown} `{help_line}` lists what you can write here."
    shown = ", ".join(f"`{spelled}`" for spelled in spellings[:_MOST_LISTED])
    return f"{unknown} These commands show something: {shown}. `{help_line}` lists all."


def _shorten(typed: str) -> str:
    return code(typed if len(typed) <= _MOST_SHOWN else f"{typed[:_MOST_SHOWN]}…")
