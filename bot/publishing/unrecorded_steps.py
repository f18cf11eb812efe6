"""Finds steps that were carried out on GitHub, but whose webhooks are not recorded yet."""

from collections.abc import Mapping, Sequence

from commands.framework.changes import (
    CreateMilestone,
    EditMilestone,
    MoveItem,
    OpenIssue,
    Relabel,
    SetBlocked,
    Step,
)
from commands.framework.planning import Planning
from commands.shared.present_state import has_values
from sprints.blocked import BLOCKED, UNBLOCKED
from sprints.model import sort_events


async def find_unrecorded_step(planning: Planning, steps: Sequence[Step]) -> Step | None:
    """Find a step whose result the recorded history does not show; `steps` are ordered from newest to oldest.

    Of several steps about the same thing, only the newest counts.
    """
    newest = dict[tuple[object, ...], Step]()
    for step in steps:
        newest.setdefault((type(step), step.target, step.by if isinstance(step, SetBlocked) else None), step)
    for step in newest.values():
        if not await _is_recorded(planning, step):
            return step
    return None


async def _is_recorded(planning: Planning, step: Step) -> bool:
    match step:
        case MoveItem():
            return await _is_moved(planning, step)
        case Relabel():
            item = await planning.find_item(step.number)
            labels = {label.lower() for label in item.labels} if item else set()
            removed, added = ({label.lower() for label in part} for part in (step.removed, step.added))
            return item is None or (added <= labels and not (removed - added) & labels)
        case EditMilestone(repository=""):
            return await _is_edited(planning, step.number, step.after)
        case SetBlocked():
            return await _is_blocking_recorded(planning, step)
        case CreateMilestone(milestone=int() as created):
            sprints = await planning.sprints.all(planning.now)
            return any(created in sprint.milestones for sprint in sprints)
        case OpenIssue(number=int() as number):
            return await planning.find_item(number) is not None
        case _:
            return True


async def _is_moved(planning: Planning, step: MoveItem) -> bool:
    events = sort_events(await planning.history.item(step.number, step.repository))
    if not events:
        return True
    milestone = events[-1].snapshot.milestone
    if milestone is None or step.after is None:
        return milestone is step.after
    sprints = await planning.sprints.all(planning.now)
    return any(
        milestone in sprint.milestones and sprint.number_in(step.repository) == step.after
        for sprint in sprints
    )


async def _is_edited(planning: Planning, number: int, values: Mapping[str, str | None]) -> bool:
    sprints = await planning.sprints.all(planning.now)
    edited = [sprint for sprint in sprints if sprint.number_in() == number and not sprint.is_deleted]
    return not edited or has_values(edited[0], values)


async def _is_blocking_recorded(planning: Planning, step: SetBlocked) -> bool:
    blocking = await planning.history.item(step.by)
    if not blocking:
        return True
    blocks = [
        event.event
        for event in sort_events(await planning.history.item(step.number))
        if event.event in (BLOCKED, UNBLOCKED) and event.named == blocking[0].item
    ]
    return (blocks[-1:] == [BLOCKED]) is step.is_blocked
