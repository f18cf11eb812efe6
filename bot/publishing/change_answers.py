"""Builds the answers to changes: their previews, and what became of them."""

from dataclasses import replace

from commands.framework.boxes import render_box
from commands.framework.changes import Changes, decode_steps
from commands.framework.outcome import Answer, Failure, Reply, build_failure
from commands.framework.slots import slot_command
from commands.messages.change_results import (
    interrupted_text,
    preview_text,
    refused_by_github_text,
)
from commands.messages.change_steps import opened_issues_text, step_target_text
from commands.messages.undo import irreversible_text
from storage.changes import ChangeState, CommandChange


def build_preview(change: CommandChange, changes: Changes, *, is_stale: bool) -> str:
    """Build the preview of a change, with the box by which it is confirmed."""
    details = changes.preview or "\n".join(f"- {step_target_text(step)}" for step in changes.steps)
    warning, box = irreversible_text(changes.steps), render_box(change.id)
    return preview_text(
        change.summary, details, warning, box, is_stale=is_stale, needs_tick=changes.needs_tick
    )


def build_final_answer(change: CommandChange) -> Answer:
    """Build the answer to a change that was carried out, refused by GitHub, or interrupted."""
    if change.state is ChangeState.INTERRUPTED:
        text = interrupted_text(change.command, change.note or "")
        return build_failure(Failure(slot_command(change.slot), text))
    steps = decode_steps(change.steps)
    if change.note is None:
        opened = opened_issues_text(steps)
        return build_text_answer(change.slot, f"{change.done}\n\n{opened}" if opened else change.done)
    done = [step_target_text(step) for step in steps]
    text = refused_by_github_text(change.summary, change.note, done, is_undo=change.undoes is not None)
    return build_failure(Failure(slot_command(change.slot), text))


def build_preview_answer(change: CommandChange, changes: Changes, *, is_stale: bool) -> Answer:
    """Build the answer that shows the preview of a change."""
    text = build_preview(change, changes, is_stale=is_stale)
    return replace(build_text_answer(change.slot, text), proposal=change.id)


def build_text_answer(slot: str, text: str) -> Answer:
    """Build an answer of one text."""
    return Answer(slot, Reply((text,)), is_success=True)
