"""Changes to a sprint that were undone and therefore count in none of its numbers."""

from dataclasses import dataclass

from commands.framework.planning import Planning
from sprints.milestone import Sprint
from sprints.model import ItemEvent
from sprints.undone import is_undone
from storage.undone_steps import UndoneChange, UndoneSteps, milestone_item


@dataclass(frozen=True, slots=True)
class UndoneInSprint:
    """A change that was undone, and how many items of a sprint it had moved or estimated anew."""

    change: UndoneChange
    items: int


async def list_undone(planning: Planning, sprint: Sprint) -> list[UndoneInSprint]:
    """List the undone changes of a sprint's scope and of its milestone, the oldest first."""
    items = await planning.history.items_of(sprint.milestone)
    touched = dict[int, set[str]]()
    for item, events in items.items():
        for event in events:
            if is_undone(event) and _concerns_scope(planning, event, sprint):
                touched.setdefault(int(event.named or 0), set()).add(item)
    undone = UndoneSteps(planning.tenant)
    edits = await undone.of([milestone_item(milestone) for milestone in sprint.milestones])
    for steps in edits.values():
        for step in steps:
            touched.setdefault(step.change, set())
    changes = await undone.changes(list(touched))
    return [UndoneInSprint(change, len(touched[change.id])) for change in changes]


def _concerns_scope(planning: Planning, event: ItemEvent, sprint: Sprint) -> bool:
    """Whether the event moved an item into a sprint or out of it, or changed an item's estimate."""
    if event.milestone is not None:
        return event.milestone in sprint.milestones
    return event.label is not None and planning.project.rules.estimates.points_of(event.label) is not None
