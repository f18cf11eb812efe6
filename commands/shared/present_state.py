"""The present state of what a change was about: whether its steps still hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from commands.framework.changes import (
    ChangeSetting,
    EditMilestone,
    MoveItem,
    RecordFact,
    Relabel,
    SetBlocked,
    Step,
)
from commands.framework.planning import Planning
from commands.messages.change_steps import CHANGED_SINCE, deleted_text
from sprints.blocked import BLOCKED, UNBLOCKED
from sprints.milestone import Sprint
from sprints.model import ItemEvent, ItemSnapshot, sort_events
from sprints.pauses import PAUSED, STARTED, UNSTARTED
from storage.projects import Projects

_WORK, _BLOCKS = {STARTED, PAUSED, UNSTARTED}, {BLOCKED, UNBLOCKED}


@dataclass(frozen=True, slots=True)
class PresentState:
    """The present state: sprints and settings made by commands; `since` is the time of a change.

    GitHub may not have told of the change itself yet: what was not told of since counts as unchanged.
    """

    planning: Planning
    sprints: Sequence[Sprint]
    command_settings: Mapping[str, object]
    since: datetime

    @classmethod
    async def read(cls, planning: Planning, since: datetime) -> "PresentState":
        """Read the present state of a repository."""
        sprints = await planning.sprints.all(planning.now)
        command_settings = await Projects(planning.tenant).command_settings(planning.project.id)
        return cls(planning, sprints, command_settings, since)

    async def explain_obstacle(self, step: Step) -> str:
        """Explain why a step cannot be taken back, although it has an inverse; empty if it can."""
        if isinstance(step, MoveItem) and (deleted := self._find_deleted(step.before, step.repository)):
            return deleted_text(deleted.title)
        return "" if await self.still_holds(step) else CHANGED_SINCE

    async def still_holds(self, step: Step) -> bool:
        """Whether the step's result still holds; True for steps whose result cannot be checked."""
        match step:
            case MoveItem():
                item = await self._find_item(step.number, step.repository)
                numbers = {sprint.milestone: sprint.number_in(step.repository) for sprint in self.sprints}
                return item is None or (numbers.get(item.milestone) if item.milestone else None) == step.after
            case Relabel():
                item = await self._find_item(step.number)
                return item is None or self._has_labels(item, step)
            case EditMilestone(repository=""):
                sprint = next((sprint for sprint in self.sprints if sprint.number_in() == step.number), None)
                return sprint is not None and has_values(sprint, step.after)
            case SetBlocked():
                event = BLOCKED if step.is_blocked else UNBLOCKED
                return await self._is_last(step.number, event, _BLOCKS, step.by)
            case RecordFact() if step.event in _WORK:
                return await self._is_last(step.number, step.event, _WORK, step.by)
            case RecordFact():
                return await self._is_last(step.number, step.event, _BLOCKS, step.by)
            case ChangeSetting():
                return _contains(self.command_settings.get(step.key), step)
            case _:
                return True

    def _find_deleted(self, number: int | None, repository: str) -> Sprint | None:
        """The deleted sprint with a milestone number; None if it is there, or unknown."""
        deleted = (sprint for sprint in self.sprints if sprint.is_deleted)
        numbered = (sprint for sprint in deleted if sprint.number_in(repository) == number)
        return next(numbered, None) if number is not None else None

    async def _find_item(self, number: int, repository: str = "") -> ItemSnapshot | None:
        """The item's newest snapshot if it has an event since the change; None if not."""
        events = await self._read_events_since(number, repository)
        return events[-1].snapshot if events else None

    async def _read_events_since(self, number: int, repository: str = "") -> list[ItemEvent]:
        events = sort_events(await self.planning.history.item(number, repository))
        # GitHub's times are whole seconds.
        return [event for event in events if event.at >= self.since.replace(microsecond=0)]

    def _has_labels(self, item: ItemSnapshot, step: Relabel) -> bool:
        """Whether an item has the labels that a step added, and the estimate that it set."""
        labels, estimates = {label.lower() for label in item.labels}, self.planning.project.rules.estimates
        is_estimate = estimates.of((*step.removed, *step.added)) is not None
        if is_estimate and estimates.of(item.labels) != estimates.of(step.added):
            return False
        return all(label.lower() in labels for label in step.added)

    async def _is_last(self, number: int, event: str, kind: set[str], by: int | None) -> bool:
        """Whether the last event of a kind about an item, and about the issue `by`, is the expected one."""
        blocking = await self.planning.history.item(by) if by else []
        named = blocking[0].item if blocking else None
        recent = [
            other
            for other in await self._read_events_since(number)
            if other.event in kind and (kind is _WORK or (other.named or None) == named)
        ]
        return not recent or recent[-1].event == event


def has_values(sprint: Sprint, expected: Mapping[str, str | None]) -> bool:
    """Whether a milestone has the values of those fields that `expected` names; see EditMilestone."""
    actual = {
        "title": sprint.title,
        "description": sprint.description,
        "state": "closed" if sprint.closed_at else "open",
    }
    if not sprint.ignored_due:  # Else the milestone has another due date than the sprint.
        actual["due_on"] = sprint.due.isoformat() if sprint.due else ""
    return not sprint.is_deleted and all(
        (actual[key] or "") == (expected[key] or "") for key in actual if key in expected
    )


def _contains(present: object, step: ChangeSetting) -> bool:
    """Whether a setting is as a step left it; of a mapping only the entries that it changed matter."""
    before, after = step.before, step.after
    if not isinstance(after, dict):
        return bool(present == after)
    present = present if isinstance(present, dict) else {}
    before = before if isinstance(before, dict) else {}
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return all(present.get(key) == after.get(key) for key in changed)
