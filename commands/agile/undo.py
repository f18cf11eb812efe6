"""`/agile undo`: undo the last command that changed several things together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from commands.formatting.wording import code, format_moment, person
from commands.framework.arguments import Arguments
from commands.framework.changes import (
    Changes,
    ChangeSetting,
    EditMilestone,
    ExcludeFromSprint,
    MoveItem,
    Relabel,
    Step,
    decode_steps,
)
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.change_steps import CHANGED_SINCE, REASONS_TO_STAY, step_text, titles_by_number
from sprints.milestone import Sprint
from sprints.model import ItemSnapshot, sort_events
from storage.changes import CommandChange
from storage.projects import Projects

_SEVERAL = 1
# How `bot/checks/sprint_impact.py` names what a button changed.
_BUTTON_SLOT = "check"


@dataclass(frozen=True, slots=True)
class _PresentState:
    """The present state: sprints and settings made by commands; `since` is the time of the change to undo."""

    context: Context
    sprints: Sequence[Sprint]
    command_settings: Mapping[str, object]
    since: datetime

    async def item(self, number: int, repository: str = "") -> ItemSnapshot | None:
        """The item's newest snapshot if it has an event since the change; None if not."""
        events = await self.context.history.item(number, repository)
        # GitHub's times are whole seconds.
        if not any(event.at >= self.since.replace(microsecond=0) for event in events):
            return None
        return sort_events(events)[-1].snapshot


@command(
    "agile undo",
    summary="takes back the last command that changed several things; for who ran it, and maintainers",
    level=Level.READ,
    examples=("/agile undo",),
    is_changing=True,
)
async def agile_undo(context: Context, _: Arguments) -> Changes:
    """Undo the last applied change, except for steps whose target has been changed again since.

    Only the person who ran it and maintainers may, and only if they may run the undone command now.
    """
    change = await context.changes.last_applied(least_steps=_SEVERAL)
    if change is None:
        raise UserError(
            "There is nothing to undo: no command has changed several things at once here, or all of that "
            "was taken back. What changed one thing is changed back by the same command."
        )
    await _require_permission(context, change)
    sprints = await context.sprints.all(context.now)
    command_settings = await Projects(context.tenant).command_settings(context.project.id)
    now = _PresentState(context, sprints, command_settings, change.decided_at or context.now)
    undone, staying = await _invert_steps(now, decode_steps(change.steps))
    titles = titles_by_number(sprints)
    remaining = [f"- {step_text(step, titles)} – {why}" for step, why in staying]
    when = format_moment(context.calendar.local(change.decided_at or context.now))
    head = f"{code(change.command)} of {person(change.decided_by or change.actor)}, {when}"
    if not undone:
        raise UserError(f"Nothing of {head}, can be taken back:\n\n" + "\n".join(remaining))
    lines = "\n".join(f"- {step_text(step, titles)}" for step in undone)
    stays = "\n\n".join(["", "This stays:", "\n".join(remaining)]) if remaining else ""
    return Changes(
        f"undo {code(change.command)}",
        undone,
        f"Taken back: {head}.\n\n{lines}{stays}",
        f"It takes back {head}:\n\n{lines}{stays}",
        needs_consent=True,
        undoes=change.id,
    )


async def _require_permission(context: Context, change: CommandChange) -> None:
    """Raise UserError unless the asker ran the change or is a maintainer, and may run its command today."""
    runners = {change.actor.lower(), (change.decided_by or change.actor).lower()}
    if context.request.sender.lower() not in runners and context.level < Level.MAINTAIN:
        raise UserError(
            f"{code(change.command)} was run by {person(change.actor)}. They can undo it, or anyone with "
            "the maintain role."
        )
    if refusal := await context.find_refusal(_command_name(change)):
        raise UserError(f"You can only undo commands you may run yourself. {refusal}")


def _command_name(change: CommandChange) -> str:
    """The name of the command of a change; a button of a check corresponds to a command."""
    if change.slot != _BUTTON_SLOT:
        return change.slot
    is_set_aside = any(
        isinstance(step, ExcludeFromSprint) and step.is_aside for step in decode_steps(change.steps)
    )
    return "sprint remove" if is_set_aside else "sprint add"


async def _invert_steps(
    now: _PresentState, steps: tuple[Step, ...]
) -> tuple[tuple[Step, ...], list[tuple[Step, str]]]:
    """Invert steps, the last first; returns the inverse steps, and the steps that stay with the reason."""
    undone, staying = list[Step](), list[tuple[Step, str]]()
    for step in reversed(steps):
        inverse = step.invert()
        if inverse is None:
            staying.append((step, REASONS_TO_STAY.get(type(step), "it cannot be taken back")))
        elif await _is_unchanged(now, step):
            undone.append(inverse)
        else:
            staying.append((step, CHANGED_SINCE))
    return tuple(undone), staying


async def _is_unchanged(now: _PresentState, step: Step) -> bool:
    """Whether the step's result still holds; True for steps whose result cannot be checked."""
    match step:
        case MoveItem():
            item = await now.item(step.number, step.repository)
            numbers = {sprint.milestone: sprint.number_in(step.repository) for sprint in now.sprints}
            return item is None or (numbers.get(item.milestone) if item.milestone else None) == step.after
        case Relabel():
            item = await now.item(step.number)
            labels = {label.lower() for label in item.labels} if item else set()
            return item is None or all(label.lower() in labels for label in step.added)
        case EditMilestone(repository=""):
            sprint = next((sprint for sprint in now.sprints if sprint.number_in() == step.number), None)
            return sprint is not None and _matches(sprint, step.after)
        case ChangeSetting():
            # For a mapping, only the step's own entries are changed back.
            return isinstance(step.after, dict) or now.command_settings.get(step.key) == step.after
        case _:
            return True


def _matches(sprint: Sprint, expected: Mapping[str, str | None]) -> bool:
    actual = {
        "title": sprint.title,
        "description": sprint.description,
        "state": "closed" if sprint.closed_at else "open",
    }
    return not sprint.is_deleted and all(
        (actual[key] or "") == (expected[key] or "") for key in actual if key in expected
    )
