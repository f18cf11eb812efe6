"""What the demo's page offers to try: a story in eight commands, and the examples of all commands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import commands
from commands.framework.registry import Command, load_commands

# In the order of a story: where we are, whether we make it, what if, what changes, and back again.
_STORY = (
    ("/sprint status", "where the sprint is"),
    ("/forecast", "whether it will be finished"),
    ("/whatif remove:5", "what would help"),
    ("/estimate 8", "change this item, and see the status follow"),
    ("/sprint close to:backlog", "a preview first: tick its box"),
    ("/agile undo", "and back, as if it had not happened"),
    ("/explain scope", "why the scope is what it is"),
    ("/help", "what you can do here"),
)


@dataclass(frozen=True)
class Suggestions:
    """Lines to try, each with what it does: the `story` first, then `others`."""

    story: Sequence[tuple[str, str]] = ()
    others: Sequence[tuple[str, str]] = ()


NO_SUGGESTIONS = Suggestions()


def suggest(now: datetime) -> Suggestions:
    """Suggest the story, and the examples of all commands with dates in the demo's sprint."""
    yesterday = (now - timedelta(days=1)).date().isoformat()
    in_story = {line for line, _ in _STORY}
    others = [
        (line, command.summary)
        for command in load_commands(commands)
        for example in _examples(command, yesterday)
        if (line := example) not in in_story
    ]
    return Suggestions(_STORY, others)


def _examples(command: Command, day: str) -> list[str]:
    return [re.sub(r"\d{4}-\d\d-\d\d", day, example) for example in command.examples]
