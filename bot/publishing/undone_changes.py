"""Notes by which events a change and its undoing show in the history, so that neither of them counts."""

from collections.abc import Iterator, Sequence

from commands.framework.changes import (
    EditMilestone,
    MoveItem,
    RecordFact,
    Relabel,
    SetBlocked,
    Step,
    decode_steps,
    step_repository,
)
from sprints.undone import Sign
from storage.changes import CommandChange
from storage.database import Tenant
from storage.item_projections import ItemProjections
from storage.projects import Project
from storage.timeline import Timeline
from storage.undone_steps import UndoneItemStep, UndoneSteps, milestone_item

_STATE_EVENTS = {"open": "opened", "closed": "closed"}


async def record_undone_steps(
    tenant: Tenant, project: Project, change: CommandChange, undo_id: int, undoing: Sequence[Step], app: str
) -> None:
    """Record which steps of a change the steps `undoing` have undone, and compute their items anew.

    `app` is the login under which GitHub shows what the App changes.
    """
    signs = _Signs(Timeline(tenant), project)
    steps = [
        recorded
        for step in decode_steps(change.steps)
        if (inverse := step.invert()) is not None
        and inverse in undoing
        and (recorded := await signs.describe(step, inverse))
    ]
    await UndoneSteps(tenant).record(change.id, undo_id, app, steps)
    members = {member.id: member for member in project.sharing or (project,)}
    projections = ItemProjections(tenant, Timeline(tenant))
    for member in members.values():
        items = {step.item for step in steps if step.project_id == member.id and not step.is_milestone}
        if items:
            await projections.refresh(member.id, items, member.rules)


class _Signs:
    """The signs by which steps show in the history of a repository, or of one that shares its sprints."""

    def __init__(self, timeline: Timeline, project: Project) -> None:
        self._timeline = timeline
        self._project = project

    async def describe(self, step: Step, inverse: Step) -> UndoneItemStep | None:
        """Describe a step that `inverse` has undone; None if it shows in no item's or milestone's history."""
        project_id = self._find_project(step)
        item = await self._find_changed_item(step, project_id) if project_id is not None else None
        if project_id is None or item is None:
            return None
        done, undone = await self._list_signs(step, project_id), await self._list_signs(inverse, project_id)
        if not done or not undone:
            return None
        is_milestone = isinstance(step, EditMilestone)
        return UndoneItemStep(project_id, item, frozenset(done), frozenset(undone), is_milestone)

    def _find_project(self, step: Step) -> int | None:
        name = step_repository(step)
        if not name:
            return self._project.id
        named = (member.id for member in self._project.sharing if member.full_name == name)
        return next(named, None)

    async def _find_changed_item(self, step: Step, project_id: int) -> str | None:
        match step:
            case MoveItem() | Relabel() | SetBlocked() | RecordFact():
                return await self._find_item(project_id, step.number) or None
            case EditMilestone():
                milestone = await self._timeline.milestone_id(project_id, step.number)
                return milestone_item(milestone) if milestone is not None else None
            case _:
                return None

    async def _list_signs(self, step: Step, project_id: int) -> set[Sign]:
        match step:
            case MoveItem():
                return await self._list_move_signs(step, project_id)
            case Relabel():
                removed = {Sign("unlabeled", label) for label in step.removed}
                return removed | {Sign("labeled", label) for label in step.added}
            case EditMilestone():
                return set(_list_edits(step))
            case SetBlocked():
                blocking = await self._find_item(project_id, step.by)
                return {Sign("blocked" if step.is_blocked else "unblocked", blocking)}
            case RecordFact():
                blocking = await self._find_item(project_id, step.by) if step.by else ""
                return {Sign(step.event, step.since or blocking)}
            case _:
                return set()

    async def _list_move_signs(self, step: MoveItem, project_id: int) -> set[Sign]:
        signs = set[Sign]()
        for event, number in (("demilestoned", step.before), ("milestoned", step.after)):
            if number is not None:
                milestone = await self._timeline.milestone_id(project_id, number)
                signs.add(Sign(event, str(milestone or "")))
        return signs

    async def _find_item(self, project_id: int, number: int) -> str:
        """The node id of an item; empty if no event of it is recorded."""
        events = await self._timeline.item(project_id, number)
        return events[-1].item if events else ""


def _list_edits(step: EditMilestone) -> Iterator[Sign]:
    for field, value in step.after.items():
        if field != "state":
            yield Sign("edited", field)
        elif value in _STATE_EVENTS:
            yield Sign(_STATE_EVENTS[value])
