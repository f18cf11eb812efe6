"""`/sprint add`: items come into a sprint."""

from dataclasses import replace

from commands.formatting.wording import counted, named, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, MoveItem
from commands.framework.context import Context
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.scope import Moves, moves_text
from commands.shared.choosing import local_milestone, resolve_sprint
from commands.shared.moving import Board, describe_item, refuse_ended_sprint, resolve_items
from sprints.facts import Facts, Item
from sprints.milestone import Sprint
from sprints.model import ItemSnapshot
from sprints.numbering import Number, local_number
from sprints.swap import compute_room_needed, find_swap


@command(
    "sprint add",
    summary="puts items into the sprint, and says what that does to its scope",
    level=Level.TRIAGE,
    arguments=(
        Argument(
            "items", ArgumentKind.ITEMS, "the issues and pull requests; else this one", is_positional=True
        ),
        Argument("milestone", ArgumentKind.TEXT, "another sprint than the one that is running"),
    ),
    examples=("/sprint add", "/sprint add #1 #2", '/sprint add #1 milestone:"Sprint 25"'),
    is_changing=True,
)
async def sprint_add(context: Context, arguments: Arguments) -> Changes:
    """Scope before → after; where that is over the commitment, what could leave instead."""
    sprint = await _sprint(context, arguments)
    await refuse_ended_sprint(context, sprint, "/sprint add " + " ".join(arguments.texts("items") or ["#1"]))
    items = await resolve_items(context, arguments)
    title = plain(sprint.title)
    joining = [item for item in items if item.milestone != sprint.milestone]
    if not joining:
        are = "is" if len(items) == 1 else "are"
        said = f"{named(item.number for item in items)} {are} in {title} already."
        return Changes(f"add to {title}", (), said)
    here = local_milestone(context, sprint)
    numbers = {one.milestone: one for one in await context.sprints.all(context.now)}
    steps, notes = list[MoveItem](), list[tuple[Number, str]]()
    for item in items:
        before = numbers.get(item.milestone) if item.milestone else None
        if item in joining:
            steps.append(MoveItem(local_number(item.number), before.number_in() if before else None, here))
        notes.append((item.number, _note(context, item, sprint, before)))
    text = moves_text(await _moves(context, sprint, joining, notes))
    which = counted(len(joining), "item") if len(joining) > 1 else f"#{joining[0].number}"
    return Changes(f"add {which} to {title}", tuple(steps), text, text, relies_on=text)


async def _sprint(context: Context, arguments: Arguments) -> Sprint:
    """Unless it is named, the sprint of this thread, or the running one if this thread is what is added."""
    if not arguments.texts("items"):
        context = replace(context, request=replace(context.request, milestone=None))
    found = await resolve_sprint(context, arguments.text("milestone"))
    if arguments.text("milestone") is None and found.has_ended(context.now):
        context = replace(context, request=replace(context.request, milestone=None))
        return await resolve_sprint(context, None)
    return found


async def _moves(
    planning: Planning, sprint: Sprint, joining: list[ItemSnapshot], notes: list[tuple[Number, str]]
) -> Moves:
    board, numbers = await Board.of(planning, sprint), [local_number(item.number) for item in joining]
    before, after = board.facts, await board.after(joining=numbers)
    need = compute_room_needed(before, after, after.unit)
    swap = find_swap(need, await _not_begun(planning, after), after.unit, numbers) if need else ()
    return Moves(before, after, notes, swap=swap)


async def _not_begun(planning: Planning, facts: Facts) -> list[Item]:
    begun = {flow.number for flow in await planning.read_flows() if flow.started_at is not None}
    return [item for item in facts.items if item.number not in begun]


def _note(planning: Planning, item: ItemSnapshot, sprint: Sprint, before: Sprint | None) -> str:
    text = describe_item(planning, item)
    if item.milestone == sprint.milestone:
        return f"{text}, in it already"
    return f"{text}, from {plain(before.title)}" if before else text
