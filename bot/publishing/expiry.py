"""The end of a preview whose box was not ticked in time."""

from datetime import datetime

from commands.messages.answering import expired_text
from storage.changes import ChangeState
from storage.database import Tenant
from storage.outbox import Message, MessageKind, Outbox
from storage.previews import Previews
from storage.projects import Projects

# The message follows from the answer with the preview, and has its place behind all of that event's others.
_POSITION = 1_000_000


async def expire(tenant: Tenant, project_id: int, change_id: int, now: datetime) -> int | None:
    """Expire a proposal that is old enough. Returns the event with messages to send; None without any."""
    previews = Previews(tenant, project_id)
    preview = await previews.get(change_id)
    if preview is None or preview.state is not ChangeState.PROPOSED or not preview.is_expired(now):
        return None
    await previews.close(change_id, ChangeState.EXPIRED, now)
    project = await Projects(tenant).get(project_id)
    if preview.comment_id is None or project is None or project.settings.is_paused:
        return None
    text = expired_text(preview.command)
    message = Message(MessageKind.EDIT, text, preview.slot, preview.comment_id)
    # One event may have proposed several changes.
    position = _POSITION + change_id % _POSITION
    await Outbox(tenant).enqueue(project_id, preview.event_id, preview.thread, [message], position)
    return preview.event_id
