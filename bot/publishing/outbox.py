"""Sends the messages of the outbox, each exactly once: replies, reactions, changes of earlier comments."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.github.client import GONE, GitHubRefusedError
from bot.github.markers import Mark
from bot.github.threads import GitHubThread
from bot.metrics.instruments import Instruments
from bot.publishing.reply_placement import MOST_VIEWS, PlacedReply, ReplyPlacement
from bot.publishing.truncation import truncate
from commands.framework.request import ThreadKind
from commands.framework.slots import slot_command
from commands.messages.answering import outdated_text
from storage.changes import ChangeState
from storage.database import Database, Tenant
from storage.forecasts import answer_carrier, mark_shown
from storage.outbox import ERROR_SLOT, Message, MessageKind, Outbox, QueuedMessage, ShownReply
from storage.previews import Previews

_SUCCESS, _FAILURE = "+1", "confused"
_ANSWERS = frozenset({MessageKind.REPLY, MessageKind.REACTION})
_HOUR = timedelta(hours=1)


class OutboxPublisher:
    """Sends one tenant's outbox to GitHub."""

    def __init__(self, database: Database, clock: Callable[[], datetime], instruments: Instruments) -> None:
        self._database = database
        self._clock = clock
        self._instruments = instruments
        self._log = structlog.get_logger(__name__)

    async def send(self, organization_id: int, event_id: int, thread: GitHubThread) -> None:
        """Send an event's unsent messages in order. Raises GitHubUnavailableError; then the rest waits."""
        async with self._database.tenant(organization_id) as tenant:
            messages = await Outbox(tenant).begin_attempts(event_id)
        await self.send_begun(organization_id, event_id, thread, messages)

    async def send_replies(self, organization_id: int, event_id: int, thread: GitHubThread) -> None:
        """Send an event's unsent replies and reactions; see `send`. Everything else waits for its own job."""
        async with self._database.tenant(organization_id) as tenant:
            messages = await Outbox(tenant).begin_attempts(event_id)
        answers = [queued for queued in messages if queued.message.kind in _ANSWERS]
        await self._send_all(organization_id, thread, answers)

    async def send_begun(
        self, organization_id: int, event_id: int, thread: GitHubThread, messages: Sequence[QueuedMessage]
    ) -> None:
        """Send the messages of an event for which the outbox has begun an attempt; see `send`.

        What follows from them, such as hiding a comment that was replaced, is sent after the last of them.
        """
        has_follow_ups = await self._send_all(organization_id, thread, messages)
        if has_follow_ups:
            await self.send(organization_id, event_id, thread)

    async def _send_all(
        self, organization_id: int, thread: GitHubThread, messages: Sequence[QueuedMessage]
    ) -> bool:
        """Send messages in order. Returns whether others follow from them."""
        was_refused, has_follow_ups, bodies = False, False, dict[int, str | None]()

        async def find_view(queued: QueuedMessage) -> ShownReply | None:
            return await self._find_view(organization_id, queued)

        placement = ReplyPlacement(thread, self._clock(), find_view)
        for queued in messages:
            try:
                if queued.message.kind is MessageKind.REPLY:
                    placed = await placement.place(queued, _mark(organization_id, queued))
                elif queued.message.kind is MessageKind.REACTION:
                    await _react(queued.message, thread, was_refused=was_refused)
                    placed = None
                else:
                    placed = await _change_comment(queued, _mark(organization_id, queued), thread, bodies)
            except GitHubRefusedError as refusal:
                was_refused = was_refused or queued.message.kind is MessageKind.REPLY
                await self._note_refusal(organization_id, queued, refusal)
            else:
                has_follow_ups |= await self._note_success(organization_id, queued, placed)
        return has_follow_ups

    async def _find_view(self, organization_id: int, queued: QueuedMessage) -> ShownReply | None:
        """The comment of another view of the command, if it shows as many views as it may already."""
        command = slot_command(queued.message.slot)
        if command == queued.message.slot:
            return None
        async with self._database.tenant(organization_id) as tenant:
            since = self._clock() - _HOUR
            return await Outbox(tenant).newest_view(queued, command, since, MOST_VIEWS)

    async def _note_success(
        self, organization_id: int, queued: QueuedMessage, placed: PlacedReply | None
    ) -> bool:
        """Record a sent message. Returns whether others follow from it."""
        is_reply, now = queued.message.kind is MessageKind.REPLY, self._clock()
        if is_reply:
            self._instruments.reply.observe((now - queued.received_at).total_seconds())
        # If this is lost in a crash, the next attempt finds the comment by its marker.
        async with self._database.tenant(organization_id, durable=False) as tenant:
            await Outbox(tenant).mark_sent(queued.id, now, placed.shown if placed else None)
            if is_reply:
                await mark_shown(tenant, answer_carrier(queued.event_id, queued.position), now)
            if placed is None or placed.replaced is None:
                return False
            follow_ups = await self._follow_ups(tenant, queued, placed.replaced)
            await Outbox(tenant).enqueue_follow_ups(queued, follow_ups)
        return bool(follow_ups)

    async def _follow_ups(self, tenant: Tenant, queued: QueuedMessage, replaced: ShownReply) -> list[Message]:
        """What becomes of a comment in whose place another was posted."""
        comment_id = replaced.comment_id
        if queued.message.slot.startswith(ERROR_SLOT):
            return [Message(MessageKind.DELETE, "", comment_id=comment_id)]
        hidden = Message(MessageKind.MINIMIZE, "OUTDATED", comment_id=comment_id)
        if replaced.change_id is None:
            return [hidden]
        previews = Previews(tenant, queued.project_id)
        await previews.close(replaced.change_id, ChangeState.OUTDATED, self._clock())
        preview = await previews.get(replaced.change_id)
        text = outdated_text(preview.command) if preview is not None else ""
        return [Message(MessageKind.EDIT, text, comment_id=comment_id), hidden]

    async def _note_refusal(
        self, organization_id: int, queued: QueuedMessage, refusal: GitHubRefusedError
    ) -> None:
        self._log.warning("message refused by GitHub", thread=queued.thread, reason=str(refusal))
        async with self._database.tenant(organization_id) as tenant:
            await Outbox(tenant).mark_refused(queued.id, self._clock(), str(refusal))


async def _react(message: Message, thread: GitHubThread, *, was_refused: bool) -> None:
    """Add the reaction of a message; 😕 instead of 👍 if GitHub refused the reply."""
    if message.comment_id is not None:
        content = _FAILURE if was_refused and message.body == _SUCCESS else message.body
        await thread.react(message.slot or ThreadKind.COMMENT, message.comment_id, content)


async def _change_comment(
    queued: QueuedMessage, mark: Mark, thread: GitHubThread, bodies: dict[int, str | None]
) -> PlacedReply | None:
    """Edit, hide, delete or untick one of our comments. Each can be repeated without harm.

    `bodies` are the texts of comments that were edited in the same attempt.
    """
    message, comment_id = queued.message, queued.message.comment_id
    if comment_id is None or queued.is_superseded:
        return None
    earlier = queued.earlier or ShownReply(comment_id, None)
    shown = bodies.get(comment_id, earlier.body)
    sent = truncate(shown) if shown else None
    if message.kind is MessageKind.MINIMIZE:
        await thread.minimize(comment_id, message.body, sent)
    elif message.kind is MessageKind.DELETE:
        await thread.delete(comment_id, sent)
    elif message.kind is MessageKind.UNTICK and message.change_id is not None:
        await thread.untick(comment_id, message.change_id)
    elif message.kind is MessageKind.EDIT:
        try:
            edited = await thread.edit(comment_id, truncate(message.body), mark, sent)
        except GitHubRefusedError as refusal:
            if refusal.status not in GONE:
                raise
        else:
            bodies[comment_id] = message.body
            return PlacedReply(ShownReply(comment_id, message.body, edited.created_at, earlier.reposted_at))
    return None


def _mark(organization_id: int, queued: QueuedMessage) -> Mark:
    """The mark that identifies the message in its thread."""
    return Mark(organization_id, queued.project_id, f"thread:{queued.thread}", queued.key)
