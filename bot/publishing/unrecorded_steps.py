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
    decode_steps,
)
from commands.framework.planning import Planning
from commands.shared.present_state import has_values
from sprints.blocked import BLOCKED, UNBLOCKED
from sprints.model import sort_events
from sprints.people import same_login
from storage.changes import CommandChange

# The events that show a change of the same kind as a step.
_EVENTS: Mapping[type, frozenset[str]] = {
    MoveItem: frozenset({"milestoned", "demilestoned"}),
    Relabel: frozenset({"labeled", "unlabeled"}),
    SetBlocked: frozenset({BLOCKED, UNBLOCKED}),
}


async def find_unrecorded_step(planning: Planning, changes: Sequence[CommandChange], app: str) -> Step | None:
    """Find a step whose result the recorded history does not show, and that nobody has changed since.

    `changes` are ordered from newest to oldest. Of several steps about the same thing, the newest counts.
    `app` is the login under which GitHub shows what we change.
    """
    newest = dict[tuple[object, ...], tuple[Step, CommandChange]]()
    for change in changes:
        for step in reversed(decode_steps(change.steps)):
            about = step.by if isinstance(step, SetBlocked) else None
            newest.setdefault((type(step), step.target, about), (step, change))
    for step, change in newest.values():
        if not await _is_recorded(planning, step) and not await _is_outdated(planning, step, change, app):
            return step
    return None


async def _is_outdated(planning: Planning, step: Step, change: CommandChange, app: str) -> bool:
    """Whether an event shows that somebody else has changed the same thing after the step."""
    if not isinstance(step, MoveItem | Relabel | SetBlocked) or change.decided_at is None:
        return False
    repository = step.repository if isinstance(step, MoveItem) else ""
    return any(
        event.event in _EVENTS[type(step)]
        and event.at > change.decided_at  # GitHub's times are whole seconds, so what is equal may be earlier.
        and not same_login(event.actor, app)
        for event in await planning.history.item(step.number, repository)
    )


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
