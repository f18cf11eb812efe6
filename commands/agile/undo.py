"""`/agile undo`: takes back the last change of several things at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from commands.formatting.wording import code, moment, person
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
from sprints.model import ItemSnapshot, in_order
from storage.changes import CommandChange
from storage.projects import Projects

_SEVERAL = 2
# How `bot/checks/sprint_impact.py` names what a button changed.
_BUTTON_SLOT = "check"


@dataclass(frozen=True, slots=True)
class _Now:
    """How things stand: sprints, and settings that commands gave; `since` is when the change was made."""

    context: Context
    sprints: Sequence[Sprint]
    said: Mapping[str, object]
    since: datetime

    async def item(self, number: int, repository: str = "") -> ItemSnapshot | None:
        """An item, if GitHub has told of it since. Before, it is as the change left it."""
        told = await self.context.history.item(number, repository)
        # GitHub's times are whole seconds.
        if not any(event.at >= self.since.replace(microsecond=0) for event in told):
            return None
        return in_order(told)[-1].snapshot


@command(
    "agile undo",
    summary="takes back the last command that changed several things; for who ran it, and maintainers",
    level=Level.READ,
    examples=("/agile undo",),
    is_changing=True,
)
async def agile_undo(context: Context, _: Arguments) -> Changes:
    """Undoes the last applied change, as far as nothing has moved on since.

    Only its runner and maintainers may, and only if they may run the undone command now.
    """
    change = await context.changes.last_applied(most_steps=_SEVERAL)
    if change is None:
        raise UserError(
            "There is nothing to undo: no command has changed several things at once here, or all of that "
            "was taken back. What changed one thing is changed back by the same command."
        )
    await _check(context, change)
    sprints = await context.sprints.all(context.now)
    said = await Projects(context.tenant).command_settings(context.project.id)
    now = _Now(context, sprints, said, change.decided_at or context.now)
    undone, staying = await _inverse(now, decode_steps(change.steps))
    titles = titles_by_number(sprints)
    kept = [f"- {step_text(step, titles)} – {why}" for step, why in staying]
    when = moment(context.calendar.local(change.decided_at or context.now))
    head = f"{code(change.command)} of {person(change.decided_by or change.actor)}, {when}"
    if not undone:
        raise UserError(f"Nothing of {head}, can be taken back:\n\n" + "\n".join(kept))
    lines = "\n".join(f"- {step_text(step, titles)}" for step in undone)
    stays = "\n\n".join(["", "This stays:", "\n".join(kept)]) if kept else ""
    return Changes(
        f"undo {code(change.command)}",
        undone,
        f"Taken back: {head}.\n\n{lines}{stays}",
        f"It takes back {head}:\n\n{lines}{stays}",
        needs_consent=True,
        undoes=change.id,
    )


async def _check(context: Context, change: CommandChange) -> None:
    """Raises UserError for who neither ran it nor is a maintainer, and for who may not run it today."""
    runners = {change.actor.lower(), (change.decided_by or change.actor).lower()}
    if context.request.sender.lower() not in runners and context.level < Level.MAINTAIN:
        raise UserError(
            f"{code(change.command)} was run by {person(change.actor)}. They can undo it, or anyone with "
            "the maintain role."
        )
    if refusal := await context.refusal_of(_command_name(change)):
        raise UserError(f"You can only undo commands you may run yourself. {refusal}")


def _command_name(change: CommandChange) -> str:
    """The command that changes what this change did. A button of a check does what a command does."""
    if change.slot != _BUTTON_SLOT:
        return change.slot
    is_set_aside = any(
        isinstance(step, ExcludeFromSprint) and step.is_aside for step in decode_steps(change.steps)
    )
    return "sprint remove" if is_set_aside else "sprint add"


async def _inverse(now: _Now, steps: tuple[Step, ...]) -> tuple[tuple[Step, ...], list[tuple[Step, str]]]:
    """The steps that take others back, the last first; and those that stay, with the reason."""
    undone, staying = list[Step](), list[tuple[Step, str]]()
    for step in reversed(steps):
        inverse = step.inverse()
        if inverse is None:
            staying.append((step, REASONS_TO_STAY.get(type(step), "it cannot be taken back")))
        elif await _holds(now, step):
            undone.append(inverse)
        else:
            staying.append((step, CHANGED_SINCE))
    return tuple(undone), staying


async def _holds(now: _Now, step: Step) -> bool:
    """Whether things still are as the step left them. Of a step that leaves no trace we know, they are."""
    match step:
        case MoveItem():
            item = await now.item(step.number, step.repository)
            numbers = {sprint.milestone: sprint.number_in(step.repository) for sprint in now.sprints}
            return item is None or (numbers.get(item.milestone) if item.milestone else None) == step.after
        case Relabel():
            item = await now.item(step.number)
            labels = {label.lower() for label in item.labels} if item else set()
            return item is None or all(one.lower() in labels for one in step.added)
        case EditMilestone(repository=""):
            sprint = next((one for one in now.sprints if one.number_in() == step.number), None)
            return sprint is not None and _is_so(sprint, step.after)
        case ChangeSetting():
            # Of a mapping only its own entries are changed back.
            return isinstance(step.after, dict) or now.said.get(step.key) == step.after
        case _:
            return True


def _is_so(sprint: Sprint, told: Mapping[str, str | None]) -> bool:
    actual = {
        "title": sprint.title,
        "description": sprint.description,
        "state": "closed" if sprint.closed_at else "open",
    }
    return not sprint.is_deleted and all(
        (actual[key] or "") == (told[key] or "") for key in actual if key in told
    )
