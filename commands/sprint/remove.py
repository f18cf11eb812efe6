"""`/sprint remove`: remove items from a sprint."""

from dataclasses import replace

from commands.formatting.wording import counted, named, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, MoveItem
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.scope import Moves, moves_text
from commands.shared.choosing import SPRINT, resolve_sprint
from commands.shared.moving import SprintItems, describe_item, resolve_items, resolve_state
from sprints.milestone import Sprint
from sprints.model import ItemSnapshot, State
from sprints.numbering import local_number


@command(
    "sprint remove",
    summary="takes items out of the sprint, and says what that does to its scope",
    level=Level.TRIAGE,
    arguments=(
        Argument(
            "items", ArgumentKind.ITEMS, "the issues and pull requests; else this one", is_positional=True
        ),
        Argument("reason", ArgumentKind.TEXT, "why, in quotation marks; `/sprint scope` shows it"),
        replace(SPRINT, aliases=(*SPRINT.aliases, "from")),
    ),
    examples=('/sprint remove #3 reason:"waits for the new API"', "/sprint remove #1 #2", "/sprint remove"),
    is_changing=True,
    synonyms=("sprint delete", "sprint drop", "sprint rm"),
)
async def sprint_remove(context: Context, arguments: Arguments) -> Changes:
    """Remove items and show the scope before and after. The reason is stored with the change."""
    sprint = await resolve_sprint(context, arguments.text("sprint"))
    items = await resolve_items(context, arguments)
    title, outside = plain(sprint.title), [item for item in items if item.milestone != sprint.milestone]
    if outside:
        are = "is" if len(outside) == 1 else "are"
        raise UserError(
            f"{named(item.number for item in outside)} {are} not in {title}. Nothing was removed."
        )
    reason = " ".join((arguments.text("reason") or "").split())
    text = moves_text(await _build_moves(context, sprint, items, reason))
    subject = counted(len(items), "item") if len(items) > 1 else f"#{items[0].number}"
    steps = tuple(MoveItem(local_number(item.number), sprint.number_in(), None, reason) for item in items)
    return Changes(f"remove {subject} from {title}", steps, text, text, relies_on=text)


async def _build_moves(planning: Planning, sprint: Sprint, items: list[ItemSnapshot], reason: str) -> Moves:
    sprint_items = await SprintItems.read(planning, sprint)
    after = await sprint_items.compute_after(leaving=[local_number(item.number) for item in items])
    notes = [(item.number, _describe_move(planning, item)) for item in items]
    return Moves(sprint_items.facts, after, notes, reason)


def _describe_move(planning: Planning, item: ItemSnapshot) -> str:
    text = describe_item(planning, item)
    return f"{text}; it will no longer count as done" if resolve_state(planning, item) is State.DONE else text
