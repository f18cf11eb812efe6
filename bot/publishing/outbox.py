"""Sends the messages of the outbox, each exactly once, by editing an earlier comment where there is one."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.github.client import GONE, GitHubRefusedError
from bot.github.markers import Mark
from bot.github.threads import GitHubThread
from bot.metrics.instruments import Instruments
from commands.framework.request import ThreadKind
from storage.database import Database
from storage.forecasts import answer_carrier, mark_shown
from storage.outbox import Message, MessageKind, Outbox, QueuedMessage

# GitHub takes 65,536 characters; the difference is for the marker and for characters that count twice.
MOST_CHARACTERS = 60_000
_CUT_NOTE = "\n\n_The rest was cut, because GitHub takes no longer comments._"
_CLOCK_DIFFERENCE = timedelta(minutes=5)
_SUCCESS, _FAILURE = "+1", "confused"


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

    async def send_begun(
        self, organization_id: int, event_id: int, thread: GitHubThread, messages: Sequence[QueuedMessage]
    ) -> None:
        """Send the messages of an event for which the outbox has begun an attempt; see `send`."""
        was_refused, just_posted = False, dict[str, tuple[int, str | None]]()
        for queued in messages:
            try:
                if queued.message.kind == MessageKind.REACTION:
                    comment_id = await _react(queued.message, thread, was_refused=was_refused)
                else:
                    slot = queued.message.slot
                    mark = _mark(organization_id, queued)
                    stored = (queued.earlier, queued.earlier_body) if queued.earlier is not None else None
                    earlier = just_posted.get(slot, stored)
                    comment_id = await _post_reply(queued, mark, thread, earlier)
                    just_posted[slot] = (comment_id, queued.message.body)
            except GitHubRefusedError as refusal:
                was_refused = True
                self._log.warning("message refused by GitHub", thread=queued.thread, reason=str(refusal))
                async with self._database.tenant(organization_id) as tenant:
                    await Outbox(tenant).mark_refused(queued.id, self._clock(), str(refusal))
            else:
                if queued.message.kind == MessageKind.REPLY:
                    waited = self._clock() - queued.received_at
                    self._instruments.reply.observe(waited.total_seconds())
                # If this is lost in a crash, the next attempt finds the comment by its marker.
                async with self._database.tenant(organization_id, durable=False) as tenant:
                    await Outbox(tenant).mark_sent(queued.id, self._clock(), comment_id)
                    if queued.message.kind == MessageKind.REPLY:
                        await mark_shown(tenant, answer_carrier(event_id, queued.position), self._clock())


async def _react(message: Message, thread: GitHubThread, *, was_refused: bool) -> int | None:
    """Add the reaction of a message; 😕 instead of 👍 if GitHub refused the reply."""
    if message.comment_id is not None:
        content = _FAILURE if was_refused and message.body == _SUCCESS else message.body
        await thread.react(message.slot or ThreadKind.COMMENT, message.comment_id, content)
    return message.comment_id


async def _post_reply(
    queued: QueuedMessage, mark: Mark, thread: GitHubThread, earlier: tuple[int, str | None] | None
) -> int:
    """Edit the earlier comment of the message's slot, or post a new one. Returns the comment's id.

    `earlier` is the id and the body of the earlier comment.
    """
    body = truncate(queued.message.body)
    if queued.attempts > 1 and (posted := await _find_posted(queued, mark, thread)):
        return posted
    if earlier is not None:
        comment_id, earlier_body = earlier
        try:
            await thread.edit(comment_id, body, mark, truncate(earlier_body) if earlier_body else None)
        except GitHubRefusedError as refusal:
            if refusal.status not in GONE:  # A person deleted the comment, and ran the command again.
                raise
        else:
            return comment_id
    return await thread.post(body, mark)


async def _find_posted(queued: QueuedMessage, mark: Mark, thread: GitHubThread) -> int | None:
    """Find the comment of an earlier attempt that died before the comment's id was stored."""
    since = queued.created_at - _CLOCK_DIFFERENCE
    return await thread.find(mark, since.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _mark(organization_id: int, queued: QueuedMessage) -> Mark:
    """The mark that identifies the message in its thread."""
    return Mark(organization_id, queued.project_id, f"thread:{queued.thread}", queued.key)


def truncate(body: str, most: int = MOST_CHARACTERS) -> str:
    """Cut a body to at most `most` characters, at a line's end, and close open fences and details."""
    if len(body) <= most:
        return body
    text = body[: most - 200]
    text = text[: max(text.rfind("\n"), 1)]
    if len(re.findall(r"^```", text, re.MULTILINE)) % 2:
        text += "\n```"
    text += "\n\n</details>" * (text.count("<details>") - text.count("</details>"))
    return text + _CUT_NOTE
