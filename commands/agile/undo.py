"""`/agile undo`: undo the last command that changed something."""

from collections.abc import Sequence
from dataclasses import dataclass

from commands.formatting.wording import code
from commands.framework.arguments import Arguments
from commands.framework.changes import (
    Changes,
    EditMilestone,
    ExcludeFromSprint,
    MoveItem,
    Step,
    decode_steps,
    step_repository,
)
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.change_steps import REASONS_TO_STAY, Titles, titles_by_number
from commands.messages.undo import (
    NOTHING_TO_UNDO,
    cannot_undo_text,
    change_head,
    frozen_note,
    no_right_text,
    refused_undo_text,
    undo_preview,
    undo_text,
)
from commands.shared.present_state import PresentState
from storage.changes import CommandChange

# How `bot/checks/sprint_impact.py` names what a button changed.
_BUTTON_SLOT = "check"


@dataclass(frozen=True, slots=True)
class _Inversion:
    """The steps that undo a change, and its steps that stay, each with the reason."""

    change: CommandChange
    undone: tuple[Step, ...]
    staying: Sequence[tuple[Step, str]]


@command(
    "agile undo",
    summary="undoes the last command that changed something; for the person who ran it, and maintainers",
    level=Level.READ,
    examples=("/agile undo",),
    is_changing=True,
    needs_history=False,  # It knows what was changed, also if GitHub has not told us of it yet.
)
async def agile_undo(context: Context, _: Arguments) -> Changes:
    """Undo the last applied change that can be undone; steps whose target was changed again since stay.

    Where a newer change is skipped because it cannot be undone, the preview says so first and a tick is
    needed. A change that GitHub refused to undo comes after all others, so that it keeps nobody from those.
    Only the person who ran it and maintainers may, and only if they may run the undone command now. An undone
    change is not undone in turn: the next `/agile undo` undoes what came before it.
    """
    titles = titles_by_number(await context.sprints.all(context.now))
    skipped = list[str]()
    refused = await context.changes.refused_undoes()
    changes = await context.changes.last_applied()
    for change in sorted(changes, key=lambda change: change.id in refused):
        inversion = await _invert(context, change)
        head = change_head(change, context.calendar)
        if not inversion.undone:
            skipped.append(cannot_undo_text(head, inversion.staying, titles))
            continue
        await _require_permission(context, change)
        if change.id not in refused:
            skipped += [
                refused_undo_text(change_head(newer, context.calendar))
                for newer in changes[: changes.index(change)]
                if newer.id in refused
            ]
        return await _build_changes(context, inversion, head, titles, skipped)
    raise UserError("\n\n".join(skipped) if skipped else NOTHING_TO_UNDO)


async def _build_changes(
    context: Context, inversion: _Inversion, head: str, titles: Titles, skipped: Sequence[str]
) -> Changes:
    undone, staying = inversion.undone, inversion.staying
    notes = await _list_frozen_notes(context, undone)
    return Changes(
        f"undo {code(inversion.change.command)}",
        undone,
        undo_text(head, undone, staying, titles, context.project.rules.estimates, notes),
        undo_preview(head, undone, staying, titles, notes, skipped),
        needs_consent=True,
        needs_tick=bool(skipped),
        undoes=inversion.change.id,
        topic=f"change {inversion.change.id}",
    )


async def _invert(context: Context, change: CommandChange) -> _Inversion:
    """Invert the steps of a change, the last first."""
    now = await PresentState.read(context, change.decided_at or context.now)
    undone, staying = list[Step](), list[tuple[Step, str]]()
    for step in reversed(decode_steps(change.steps)):
        inverse = step.invert()
        if inverse is None:
            staying.append((step, REASONS_TO_STAY.get(type(step), "it cannot be undone")))
        elif obstacle := await now.explain_obstacle(step):
            staying.append((step, obstacle))
        else:
            undone.append(inverse)
    return _Inversion(change, tuple(undone), staying)


async def _require_permission(context: Context, change: CommandChange) -> None:
    """Raise UserError unless the asker ran the change or is a maintainer, and may run its command today."""
    runners = {change.actor.lower(), (change.decided_by or change.actor).lower()}
    if context.request.sender.lower() not in runners and context.level < Level.MAINTAIN:
        raise UserError(no_right_text(change))
    if refusal := await context.find_refusal(_command_name(change)):
        raise UserError(f"You can only undo commands that you may run yourself. {refusal}")


def _command_name(change: CommandChange) -> str:
    """The name of the command of a change; a button of a check corresponds to a command."""
    if change.slot != _BUTTON_SLOT:
        return change.slot
    is_set_aside = any(
        isinstance(step, ExcludeFromSprint) and step.is_aside for step in decode_steps(change.steps)
    )
    return "sprint remove" if is_set_aside else "sprint add"


async def _list_frozen_notes(context: Context, undone: Sequence[Step]) -> list[str]:
    """List a note for each sprint whose numbers are frozen and that the steps `undone` concern."""
    places = {
        (step_repository(step), number)
        for step in undone
        for number in _list_milestones(step)
        if number is not None
    }
    notes = []
    for sprint in await context.sprints.all(context.now):
        is_concerned = any(sprint.number_in(repository) == number for repository, number in places)
        closed = await context.sprints.closed(sprint.milestone, context.now) if is_concerned else None
        if closed is not None:
            notes.append(frozen_note(sprint.title, context.calendar.day_of(closed.taken_at)))
    return notes


def _list_milestones(step: Step) -> tuple[int | None, ...]:
    """The numbers of the milestones that a step is about."""
    if isinstance(step, MoveItem):
        return step.before, step.after
    return (step.number,) if isinstance(step, EditMilestone) else ()
