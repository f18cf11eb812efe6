"""Sends what the outbox holds: edits instead of posting again, and says nothing twice."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.github.client import GONE, GitHubRefusedError
from bot.github.markers import Mark
from bot.github.threads import GitHubThread
from commands.framework.request import ThreadKind
from storage.database import Database
from storage.forecasts import answer_carrier, mark_shown
from storage.outbox import Message, MessageKind, Outbox, QueuedMessage

# GitHub takes 65,536 characters; the rest is for the marker and for Unicode that counts double.
MOST_CHARACTERS = 60_000
_CUT_NOTE = "\n\n_The rest was cut, because GitHub takes no longer comments._"
_CLOCK_DIFFERENCE = timedelta(minutes=5)
_SUCCESS, _FAILURE = "+1", "confused"


class OutboxPublisher:
    """Brings one tenant's outbox to GitHub."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def send(self, organization_id: int, event_id: int, thread: GitHubThread) -> None:
        """Sends what an event's answer still owes, in order. Stops with GitHubUnavailableError."""
        async with self._database.tenant(organization_id) as tenant:
            queue = await Outbox(tenant).begin_attempts(event_id)
        was_refused, just_posted = False, dict[str, tuple[int, str | None]]()
        for queued in queue:
            try:
                if queued.message.kind == MessageKind.REACTION:
                    comment_id = await _react(queued.message, thread, was_refused=was_refused)
                else:
                    slot = queued.message.slot
                    mark = _mark(organization_id, queued)
                    known = (queued.earlier, queued.earlier_body) if queued.earlier is not None else None
                    earlier = just_posted.get(slot, known)
                    comment_id = await _post_reply(queued, mark, thread, earlier)
                    just_posted[slot] = (comment_id, queued.message.body)
            except GitHubRefusedError as refusal:
                was_refused = True
                self._log.warning("message refused by GitHub", thread=queued.thread, reason=str(refusal))
                async with self._database.tenant(organization_id) as tenant:
                    await Outbox(tenant).mark_refused(queued.id, self._clock(), str(refusal))
            else:
                # Lost in a crash, the next attempt finds the comment by its marker.
                async with self._database.tenant(organization_id, durable=False) as tenant:
                    await Outbox(tenant).mark_sent(queued.id, self._clock(), comment_id)
                    if queued.message.kind == MessageKind.REPLY:
                        await mark_shown(tenant, answer_carrier(event_id, queued.position), self._clock())


async def _react(message: Message, thread: GitHubThread, *, was_refused: bool) -> int | None:
    """👍 becomes 😕 when GitHub would not take the reply that it speaks for."""
    if message.comment_id is not None:
        content = _FAILURE if was_refused and message.body == _SUCCESS else message.body
        await thread.react(message.slot or ThreadKind.COMMENT, message.comment_id, content)
    return message.comment_id


async def _post_reply(
    queued: QueuedMessage, mark: Mark, thread: GitHubThread, earlier: tuple[int, str | None] | None
) -> int:
    """Edits the earlier comment of this slot, or posts a new one. Returns the id of the one that says it.

    `earlier` is its id and what it said.
    """
    body = truncate(queued.message.body)
    if queued.attempts > 1 and (posted := await _find_posted(queued, mark, thread)):
        return posted
    if earlier is not None:
        comment_id, said = earlier
        try:
            await thread.edit(comment_id, body, mark, truncate(said) if said else None)
        except GitHubRefusedError as refusal:
            if refusal.status not in GONE:  # Somebody deleted our comment, and now asks again.
                raise
        else:
            return comment_id
    return await thread.post(body, mark)


async def _find_posted(queued: QueuedMessage, mark: Mark, thread: GitHubThread) -> int | None:
    """The comment of an earlier attempt that died between GitHub's answer and our note of it."""
    since = queued.created_at - _CLOCK_DIFFERENCE
    return await thread.find(mark, since.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _mark(organization_id: int, queued: QueuedMessage) -> Mark:
    """What identifies the message in its thread."""
    return Mark(organization_id, queued.project_id, f"thread:{queued.thread}", queued.key)


def truncate(body: str, most: int = MOST_CHARACTERS) -> str:
    """A body of at most so many characters: cut between paragraphs, with what was open closed again."""
    if len(body) <= most:
        return body
    kept = body[: most - 200]
    kept = kept[: max(kept.rfind("\n"), 1)]
    if len(re.findall(r"^```", kept, re.MULTILINE)) % 2:
        kept += "\n```"
    kept += "\n\n</details>" * (kept.count("<details>") - kept.count("</details>"))
    return kept + _CUT_NOTE
