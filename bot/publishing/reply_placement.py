"""Decides where a reply appears: in the comment of the earlier answer, or in a new one further down."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.github.client import GONE, GitHubRefusedError
from bot.github.markers import Mark
from bot.github.threads import GitHubThread, PostedComment
from bot.publishing.truncation import truncate
from storage.outbox import Message, QueuedMessage, ShownReply

# An answer is edited where at most this many comments follow it, because people still see it there.
MOST_FOLLOWING = 3
# In this time a slot gets one new comment in place of an earlier one.
REPOST_EVERY = timedelta(hours=1)
# In the same time a command shows at most this many views, such as other sprints, in comments of their own.
MOST_VIEWS = 5
_CLOCK_DIFFERENCE = timedelta(minutes=5)

FindView = Callable[[QueuedMessage], Awaitable[ShownReply | None]]


@dataclass(frozen=True, slots=True)
class PlacedReply:
    """A reply that GitHub shows, and the earlier comment that it replaced, if it was posted anew."""

    shown: ShownReply
    replaced: ShownReply | None = None


class ReplyPlacement:
    """Places the replies of one attempt in their thread."""

    def __init__(self, thread: GitHubThread, now: datetime, find_view: FindView) -> None:
        """`find_view` finds the comment of another view that has to serve for a reply as well."""
        self._thread = thread
        self._now = now
        self._find_view = find_view
        self._just_shown = dict[str, ShownReply]()

    async def place(self, queued: QueuedMessage, mark: Mark) -> PlacedReply:
        """Edit the earlier comment, or post a new one. Nothing is posted twice, whatever died before."""
        message = queued.message
        just_shown = self._just_shown.get(message.slot) if message.comment_id is None else None
        earlier = just_shown or queued.earlier
        if message.comment_id is not None and earlier is None:
            earlier = ShownReply(message.comment_id, None)
        posted = await self._find_posted(queued, mark) if queued.attempts > 1 else None
        if posted is None:
            target = await self._choose_target(queued, earlier, is_fresh=just_shown is not None)
            if target is not None:
                earlier, posted = target, await self._edit(queued, mark, target)
                if posted is None:  # A person deleted the comment, or wrote something else instead.
                    earlier = None
        if posted is None:
            posted = await self._thread.post(truncate(message.body), mark)
        placed = self._describe(message, posted, earlier)
        self._just_shown[message.slot] = placed.shown
        return placed

    async def _find_posted(self, queued: QueuedMessage, mark: Mark) -> PostedComment | None:
        """Find the comment of an earlier attempt that died before the comment was stored."""
        return await self._thread.find(mark, queued.created_at - _CLOCK_DIFFERENCE)

    async def _choose_target(
        self, queued: QueuedMessage, earlier: ShownReply | None, *, is_fresh: bool
    ) -> ShownReply | None:
        """Choose the comment to edit; None if a new one is due."""
        if queued.message.is_new:
            return None
        if earlier is None:
            return await self._find_view(queued)
        is_chosen = is_fresh or queued.message.comment_id is not None
        return earlier if is_chosen or await self._is_seen(earlier) else None

    async def _edit(self, queued: QueuedMessage, mark: Mark, target: ShownReply) -> PostedComment | None:
        """Show the reply in an earlier comment; None if the App's text is not there any more."""
        sent = truncate(target.body) if target.body else None
        try:
            return await self._thread.edit(target.comment_id, truncate(queued.message.body), mark, sent)
        except GitHubRefusedError as refusal:
            if refusal.status not in GONE:
                raise
            return None

    async def _is_seen(self, earlier: ShownReply) -> bool:
        """Whether an edit of the earlier comment is seen, or was made up for by a new one in this hour."""
        if earlier.reposted_at is not None and self._now < earlier.reposted_at + REPOST_EVERY:
            return True
        following = await self._thread.count_following(earlier.comment_id, earlier.comment_at, MOST_FOLLOWING)
        return following is not None and following <= MOST_FOLLOWING

    def _describe(self, message: Message, posted: PostedComment, earlier: ShownReply | None) -> PlacedReply:
        """Describe a comment that was posted, or found as the outcome of an earlier attempt."""
        if earlier is None:
            return PlacedReply(_shown(message, posted, None))
        if posted.id == earlier.comment_id:
            return PlacedReply(_shown(message, posted, earlier.reposted_at))
        return PlacedReply(_shown(message, posted, self._now), replaced=earlier)


def _shown(message: Message, comment: PostedComment, reposted_at: datetime | None) -> ShownReply:
    return ShownReply(comment.id, message.body, comment.created_at, reposted_at, message.change_id)
