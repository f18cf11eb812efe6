"""`/sprint add`: add items to a sprint."""

from dataclasses import replace

from commands.formatting.wording import counted, named, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, MoveItem
from commands.framework.context import Context
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.scope import Moves, moves_text
from commands.shared.choosing import SPRINT, local_milestone, resolve_sprint
from commands.shared.moving import SprintItems, describe_item, refuse_ended_sprint, resolve_items
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
        replace(SPRINT, aliases=(*SPRINT.aliases, "to", "into")),
    ),
    examples=("/sprint add", "/sprint add #1 #2", '/sprint add #1 to "Sprint 25"'),
    is_changing=True,
    synonyms=("sprint include", "sprint put"),
)
async def sprint_add(context: Context, arguments: Arguments) -> Changes:
    """Add items; show the scope before and after, and items to remove if it exceeds the commitment."""
    sprint = await _resolve_sprint_to_extend(context, arguments)
    await refuse_ended_sprint(context, sprint, "/sprint add " + " ".join(arguments.texts("items") or ["#1"]))
    items = await resolve_items(context, arguments)
    title = plain(sprint.title)
    joining = [item for item in items if item.milestone != sprint.milestone]
    if not joining:
        are = "is" if len(items) == 1 else "are"
        text = f"{named(item.number for item in items)} {are} in {title} already."
        return Changes(f"add to {title}", (), text)
    milestone = local_milestone(context, sprint)
    sprints = {other.milestone: other for other in await context.sprints.all(context.now)}
    steps, notes = list[MoveItem](), list[tuple[Number, str]]()
    for item in items:
        before = sprints.get(item.milestone) if item.milestone else None
        if item in joining:
            steps.append(
                MoveItem(local_number(item.number), before.number_in() if before else None, milestone)
            )
        notes.append((item.number, _describe_move(context, item, sprint, before)))
    text = moves_text(await _build_moves(context, sprint, joining, notes))
    subject = counted(len(joining), "item") if len(joining) > 1 else f"#{joining[0].number}"
    return Changes(f"add {subject} to {title}", tuple(steps), text, text, relies_on=text)


async def _resolve_sprint_to_extend(context: Context, arguments: Arguments) -> Sprint:
    """The named sprint, else that of this thread; the running sprint if the thread's own item is added."""
    if not arguments.texts("items"):
        context = replace(context, request=replace(context.request, milestone=None))
    sprint = await resolve_sprint(context, arguments.text("sprint"))
    if arguments.text("sprint") is None and sprint.has_ended(context.now):
        context = replace(context, request=replace(context.request, milestone=None))
        return await resolve_sprint(context, None)
    return sprint


async def _build_moves(
    planning: Planning, sprint: Sprint, joining: list[ItemSnapshot], notes: list[tuple[Number, str]]
) -> Moves:
    sprint_items, numbers = (
        await SprintItems.read(planning, sprint),
        [local_number(item.number) for item in joining],
    )
    before, after = sprint_items.facts, await sprint_items.compute_after(joining=numbers)
    room_needed = compute_room_needed(before, after, after.unit)
    swap = (
        find_swap(room_needed, await _list_not_started(planning, after), after.unit, numbers)
        if room_needed
        else ()
    )
    return Moves(before, after, notes, swap=swap)


async def _list_not_started(planning: Planning, facts: Facts) -> list[Item]:
    flows = await planning.flows.of_items({item.item for item in facts.items}, planning.now)
    started = {flow.number for flow in flows if flow.started_at is not None}
    return [item for item in facts.items if item.number not in started]


def _describe_move(planning: Planning, item: ItemSnapshot, sprint: Sprint, before: Sprint | None) -> str:
    text = describe_item(planning, item)
    if item.milestone == sprint.milestone:
        return f"{text}, already in it"
    return f"{text}, from {plain(before.title)}" if before else text
