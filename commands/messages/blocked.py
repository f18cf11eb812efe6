"""Texts about blocked items."""

from commands.formatting.wording import named
from commands.messages.work import reason_sentence, since_text
from sprints.flow import Flow
from sprints.work import RepositoryWork


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
