"""`/unblocked`: record that this item is not blocked any more."""

from commands.formatting.wording import named
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, RecordFact, SetBlocked, Step
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.work import blockers_text, duration_text
from commands.shared.work import read_work, resolve_open_item
from sprints.blocked import BlockedSpan
from sprints.flow import Flow
from sprints.numbering import local_number, split_number


@command(
    "unblocked",
    summary="says that this item waits for nothing any more, or not for one of the issues",
    level=Level.TRIAGE,
    arguments=(
        Argument("by", ArgumentKind.ITEMS, "only these issues no longer block it", is_positional=True),
    ),
    examples=("/unblocked", "/unblocked by:#9"),
    is_changing=True,
)
async def unblocked(context: Context, arguments: Arguments) -> Changes:
    """Remove an item's dependencies on GitHub, and end the blocks recorded by commands."""
    work = await read_work(context)
    flow = await resolve_open_item(context, work)
    numbers = arguments.numbers("by")
    ending = select_ending(flow, numbers)
    summary = f"note that #{flow.number} is not blocked"
    if not ending:
        return Changes(summary, (), f"#{flow.number} is not blocked.")
    left = [block for block in flow.open_blocks if block not in ending]
    waited = duration_text(work.now - min(block.span.since for block in ending))
    if left:
        done = (
            f"#{flow.number} is still blocked: {blockers_text(left)}. What you ended had lasted for {waited}."
        )
    else:
        done = f"**#{flow.number} is no longer blocked**, after {waited}."
    return Changes(summary, build_unblock_steps(flow, ending), done)


def select_ending(flow: Flow, numbers: tuple[int, ...]) -> list[BlockedSpan]:
    """Return the blocks to end: those by the issues `numbers`, else all removable ones. Raises UserError."""
    blockers = {block.number for block in flow.open_blocks}
    if others := [number for number in numbers if number not in blockers]:
        present = named(sorted((number for number in blockers if number), key=split_number)) or "no issue"
        raise UserError(f"#{flow.number} is not blocked by {named(others)}. It is blocked by {present}.")
    foreign = [block for block in flow.open_blocks if block.by and not isinstance(block.number, int)]
    ending = [block for block in flow.open_blocks if block not in foreign]
    if numbers:
        return [block for block in ending if block.number in numbers]
    if foreign and not ending:
        raise UserError(
            f"#{flow.number} is blocked by an issue of another repository. Remove that on GitHub, under "
            "“Relationships”."
        )
    return ending


def build_unblock_steps(flow: Flow, ending: list[BlockedSpan]) -> tuple[Step, ...]:
    """Build the steps that end the blocks `ending` of an item."""
    steps: list[Step] = [
        SetBlocked(local_number(flow.number), block.number, is_blocked=False)
        for block in ending
        if isinstance(block.number, int)
    ]
    steps += [
        RecordFact(
            local_number(flow.number), "unblocked", by=local_number(block.number) if block.number else None
        )
        for block in ending
    ]
    return tuple(steps)
