"""Finds steps that were carried out on GitHub, but whose webhooks are not recorded yet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
from sprints.model import ItemEvent, sort_events
from sprints.people import same_login
from storage.changes import CommandChange

# How far GitHub's clock may be ahead of ours: seconds, but in demos and tests, whose clock is set, any time.
_AHEAD = timedelta(days=3650)
_MEMBERSHIP, _LABELS = {"milestoned", "demilestoned"}, {"labeled", "unlabeled"}
_BLOCKS = {BLOCKED, UNBLOCKED}


@dataclass(frozen=True, slots=True)
class _AppliedStep:
    """A step, and when its change was decided on: its events on GitHub come later."""

    step: Step
    decided_at: datetime


async def find_unrecorded_step(planning: Planning, changes: Sequence[CommandChange], app: str) -> Step | None:
    """Find a step whose result the recorded history does not show, and that nobody has changed since.

    `changes` are ordered from newest to oldest. Of several steps about the same thing, the newest counts.
    `app` is the login under which GitHub shows what we change.
    """
    groups = dict[tuple[object, ...], list[_AppliedStep]]()
    for applied in _list_steps(changes):
        about = applied.step.by if isinstance(applied.step, SetBlocked) else None
        groups.setdefault((type(applied.step), applied.step.target, about), []).append(applied)
    for group in groups.values():
        if not await _is_recorded(planning, group, app):
            return group[0].step
    return None


def _list_steps(changes: Sequence[CommandChange]) -> Iterator[_AppliedStep]:
    for change in changes:
        if change.decided_at is not None:
            for step in reversed(decode_steps(change.steps)):
                yield _AppliedStep(step, change.decided_at)


async def _is_recorded(planning: Planning, group: Sequence[_AppliedStep], app: str) -> bool:
    """Whether the result of the newest of several steps about the same thing is recorded."""
    step = group[0].step
    match step:
        case MoveItem() | Relabel() | SetBlocked():
            return await _is_item_recorded(planning, group, app)
        case EditMilestone(repository=""):
            return await _is_edited(planning, step.number, step.after)
        case CreateMilestone(milestone=int() as created):
            sprints = await planning.sprints.all(planning.now + _AHEAD)
            return any(created in sprint.milestones for sprint in sprints)
        case OpenIssue(number=int() as number):
            return await planning.find_item(number) is not None
        case _:
            return True


async def _is_edited(planning: Planning, number: int, values: Mapping[str, str | None]) -> bool:
    sprints = await planning.sprints.all(planning.now + _AHEAD)
    edited = [sprint for sprint in sprints if sprint.number_in() == number and not sprint.is_deleted]
    return not edited or has_values(edited[0], values)


async def _is_item_recorded(planning: Planning, group: Sequence[_AppliedStep], app: str) -> bool:
    """Whether an item is as the newest step left it, has our event of that, or was changed by others since.

    GitHub's times are whole seconds, and the order of events within a second is not known.
    """
    step = group[0].step
    if not isinstance(step, MoveItem | Relabel | SetBlocked):
        return True
    repository = step.repository if isinstance(step, MoveItem) else ""
    events = sort_events(await planning.history.item(step.number, repository))
    if not events:
        return True
    sign = await _read_sign(planning, step)
    if sign.holds(events):
        return True
    same = [applied.decided_at for applied in group if applied.step == step]
    since = min(same).replace(microsecond=0)
    shown = [event for event in events if event.at >= since and sign.is_shown_by(event)]
    if sum(same_login(event.actor, app) for event in shown) >= len(same):
        return True
    return any(
        event.event in sign.kind and event.at > group[0].decided_at and not same_login(event.actor, app)
        for event in events
    )


@dataclass(frozen=True, slots=True)
class _Sign:
    """How a step shows in an item's history: an event of a kind that names one of some things.

    These are milestones by GitHub's id, a label in lower case, or a blocking issue by its node id; `removed`
    are the labels that the item no longer has.
    """

    kind: set[str]
    event: str
    names: frozenset[object]
    removed: frozenset[str] = frozenset()

    def is_shown_by(self, event: ItemEvent) -> bool:
        """Whether an event shows the step."""
        label = event.label.lower() if event.label else None
        return event.event == self.event and bool(self.names & {event.milestone, label, event.named})

    def holds(self, events: Sequence[ItemEvent]) -> bool:
        """Whether the result of the step is the present state, by all events of the item in order."""
        snapshot = events[-1].snapshot
        match self.event:
            case "milestoned":
                return snapshot.milestone in self.names
            case "demilestoned":
                return snapshot.milestone is None
            case "labeled" | "unlabeled":
                labels = frozenset(label.lower() for label in snapshot.labels)
                return not self.removed & labels and (self.event == "unlabeled" or self.names <= labels)
        blocks = [event for event in events if event.event in _BLOCKS and event.named in self.names]
        return not self.names or (blocks[-1].event if blocks else UNBLOCKED) == self.event


async def _read_sign(planning: Planning, step: MoveItem | Relabel | SetBlocked) -> _Sign:
    if isinstance(step, MoveItem):
        number = step.before if step.after is None else step.after
        milestones = frozenset[object](
            milestone
            for sprint in await planning.sprints.all(planning.now + _AHEAD)
            if sprint.number_in(step.repository) == number
            for milestone in sprint.milestones
        )
        return _Sign(_MEMBERSHIP, "demilestoned" if step.after is None else "milestoned", milestones)
    if isinstance(step, Relabel):
        removed, added = (frozenset(label.lower() for label in part) for part in (step.removed, step.added))
        event = "labeled" if added else "unlabeled"
        return _Sign(_LABELS, event, frozenset[object](added or removed), removed - added)
    blocking = await planning.history.item(step.by)
    names = frozenset[object](event.item for event in blocking[:1])
    return _Sign(_BLOCKS, BLOCKED if step.is_blocked else UNBLOCKED, names)
