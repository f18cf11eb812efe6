"""Texts about blocked items."""

import re

from commands.formatting.foreign_text import can_stand_in_code
from commands.formatting.wording import code, named
from commands.framework.words import quote
from commands.messages.work import reason_sentence, since_text
from sprints.flow import Flow
from sprints.work import RepositoryWork

_REFERENCE = re.compile(r"(?<![\w/&#])#(\d{1,9})\b")


def blocked_text(
    flow: Flow, numbers: tuple[int, ...], fresh: list[int], reason: str, work: RepositoryWork
) -> str:
    """The text on an item blocked by issues. `fresh` are the issues that did not block it before."""
    text = f"**#{flow.number} is blocked** by {named(numbers)}" + (
        f": {reason_sentence(reason)}" if reason else "."
    )
    if not fresh:
        first = min(block.span.since for block in flow.open_blocks if block.number in numbers)
        return f"{text} It has been blocked {since_text(first, work.now, work.calendar)}."
    closed = f"#{numbers[0]} is" if len(numbers) == 1 else "they are"
    return f"{text} That ends when {closed} closed, or with `/unblocked`."


def mentioned_text(numbers: tuple[int, ...], reason: str) -> str:
    """Say that issues within the reason are no blockers, with the line that makes them so; often empty."""
    mentioned = [number for number in map(int, _REFERENCE.findall(reason)) if number not in numbers]
    others = list(dict.fromkeys(mentioned))
    if not others:
        return ""
    are, them = ("is", "it") if len(others) == 1 else ("are", "them")
    text = f"\n\nI read this as a reason, so {named(others)} {are} not linked."
    if not can_stand_in_code(reason):
        return text
    blockers = ",".join(f"#{number}" for number in (*numbers, *others))
    return f"{text} To link {them}: {code(f'/blocked by:{blockers} reason:{quote(reason)}')}."
