"""The messages of an answer besides its replies: errors of a person, reactions, and boxes to untick."""

from collections.abc import Sequence

from bot.publishing.change_applier import ChangeTask
from commands.framework.outcome import Answer, Failure
from commands.framework.request import Request
from commands.framework.slots import slot_command
from commands.messages.answering import error_text
from storage.changes import ChangeLog, ChangeState
from storage.database import Tenant
from storage.outbox import ERROR_SLOT, Message, MessageKind, Outbox


def build_error(login: str, failures: Sequence[Failure]) -> Message:
    """The one comment with a person's errors in a thread: the newest take the place of the earlier ones."""
    return _build_error(MessageKind.REPLY, login, [(failure.command, failure.text) for failure in failures])


def build_reaction(request: Request, answers: Sequence[Answer]) -> list[Message]:
    """The reaction to the comment with the commands: 👍 if all went well, else 😕.

    Empty for a ticked box, which shows the outcome in its own comment, where GitHub takes no reactions, and
    without answers.
    """
    if not answers or request.ticked or not request.place.takes_reactions:
        return []
    body = "+1" if all(answer.is_success for answer in answers) else "confused"
    return [Message(MessageKind.REACTION, body, slot=request.place, comment_id=request.comment_id)]


async def resolve_errors(tenant: Tenant, task: ChangeTask, answers: Sequence[Answer]) -> list[Message]:
    """Take away the sender's earlier error in the thread once the failed commands have succeeded.

    An error that names no command, such as a misspelled one, goes with any success. New errors take the
    place of the earlier ones by themselves.
    """
    succeeded = {slot_command(answer.slot) for answer in answers if answer.is_success}
    if not succeeded or any(answer.slot == ERROR_SLOT for answer in answers):
        return []
    login = task.request.sender
    shown = await Outbox(tenant).shown_failures(task.project.id, task.request.thread, _error_slot(login))
    if shown is None:
        return []
    comment_id, failures = shown
    remaining = [(command, text) for command, text in failures if command and command not in succeeded]
    if len(remaining) == len(failures):
        return []
    if remaining:
        return [_build_error(MessageKind.EDIT, login, remaining, comment_id)]
    return [Message(MessageKind.DELETE, "", _error_slot(login), comment_id)]


async def untick_refused(tenant: Tenant, task: ChangeTask) -> list[Message]:
    """Untick the boxes that the sender ticked in vain: their changes still wait for somebody who may."""
    request, log = task.request, ChangeLog(tenant, task.project.id)
    changes = [await log.get(change_id) for change_id in request.ticked]
    return [
        Message(MessageKind.UNTICK, "", comment_id=request.comment_id, change_id=change.id)
        for change in changes
        if change and change.thread == request.thread and change.state is ChangeState.PROPOSED
    ]


def _build_error(
    kind: MessageKind, login: str, failures: Sequence[tuple[str, str]], comment_id: int | None = None
) -> Message:
    body = error_text(login, [text for _, text in failures])
    return Message(kind, body, _error_slot(login), comment_id, failures=tuple(failures))


def _error_slot(login: str) -> str:
    return f"{ERROR_SLOT} {login.lower()}"
