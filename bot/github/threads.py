"""One issue or pull request on GitHub: its comments and reactions."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import structlog

from bot.github.client import GONE, GitHubRefusedError, GitHubUnavailableError, Installation
from bot.github.marked_search import find_marked
from bot.github.markers import PREFIX, Mark
from bot.github.owned_text import PeopleText, find_people_text
from commands.framework.boxes import untick_box
from commands.framework.request import Request

# It needs the permission to write issues, or pull requests, which the App has for its comments.
MINIMIZE = """
mutation ($comment: ID!, $reason: ReportedContentClassifiers!) {
  minimizeComment(input: {subjectId: $comment, classifier: $reason}) {
    minimizedComment { isMinimized }
  }
}
"""
# The comments that a page of GitHub's list has while following ones are counted.
_PAGE = 30
# A comment that is as old as `since` must be in the list.
_SECOND = timedelta(seconds=1)
_ANY_MARKER = re.compile(rf"<!-- {PREFIX}:[^\s<>]+ -->")
_TAKEN_OUT = 410


@dataclass(frozen=True, slots=True)
class PostedComment:
    """A comment of the App on GitHub, and when GitHub created it."""

    id: int
    created_at: datetime


class GitHubThread:
    """The thread with a number in the repository `owner/name`."""

    def __init__(self, installation: Installation, repository: str, number: int) -> None:
        self._installation = installation
        self._path = f"/repos/{repository}"
        self._number = number

    async def acknowledge(self, request: Request) -> None:
        """React with 👀; if GitHub refuses, that is only logged.

        A ticked box needs no reaction, and some texts take none; there the answer must do.
        """
        if request.ticked or not request.place.takes_reactions:
            return
        try:
            await self.react(request.place, request.comment_id, "eyes")
        except (GitHubRefusedError, GitHubUnavailableError) as problem:
            structlog.get_logger(__name__).info("no reaction", reason=str(problem))

    async def react(self, place: str, comment_id: int, content: str) -> None:
        """Add a reaction; adding it again changes nothing."""
        await self._installation.post(f"{self._path}/{place}/{comment_id}/reactions", {"content": content})

    async def post(self, body: str, mark: Mark) -> PostedComment:
        """Post a comment that bears a mark."""
        comment = await self._installation.post(
            f"{self._path}/issues/{self._number}/comments", {"body": self._marked(body, mark)}
        )
        return _posted(comment)

    async def edit(self, comment_id: int, body: str, mark: Mark, sent: str | None) -> PostedComment:
        """Edit the App's part, `sent` last, of one of its comments; people's additions stay.

        Raises GitHubRefusedError with 410 if nothing of the App's part is left, or no room for it.
        """
        present = await self._installation.get(self._comment(comment_id))
        marker = self._installation.markers.comment(mark)
        people_text = _find_people_text(present, sent, body)
        if people_text is None or people_text.room(marker) < len(body):
            raise GitHubRefusedError(_TAKEN_OUT, "the App's text was removed from the comment")
        text = people_text.around(body, marker)
        return _posted(await self._installation.patch(self._comment(comment_id), {"body": text}))

    async def count_following(self, comment_id: int, created_at: datetime | None, most: int) -> int | None:
        """Count the comments after one of the App's, up to one more than `most`; None if it was deleted.

        GitHub lists comments in the order of their ids, and with `since` those written or edited from a
        moment on: however long the thread is, the App's own comment comes almost first.
        """
        try:
            since = created_at or _posted(await self._installation.get(self._comment(comment_id))).created_at
        except GitHubRefusedError as refusal:
            if refusal.status in GONE:
                return None
            raise
        following, is_there = 0, False
        async for comment in self._installation.pages(self._comments_since(_iso(since - _SECOND), _PAGE)):
            is_there = is_there or comment["id"] == comment_id
            following += comment["id"] > comment_id
            if following > most:
                break
        return following if is_there else None

    async def minimize(self, comment_id: int, reason: str, sent: str | None = None) -> None:
        """Hide a comment under a reason, such as OUTDATED.

        A comment that was deleted is left alone. With `sent`, so is one to which people added something.
        """
        try:
            comment = await self._installation.get(self._comment(comment_id))
        except GitHubRefusedError as refusal:
            if refusal.status in GONE:
                return
            raise
        if sent is not None and _find_people_text(comment, sent) != PeopleText():
            return
        await self._installation.graphql(MINIMIZE, comment=comment["node_id"], reason=reason)

    async def delete(self, comment_id: int, sent: str | None) -> None:
        """Delete one of the App's comments; one with people's additions is hidden as resolved instead.

        So is one that GitHub does not let the App delete.
        """
        try:
            present = await self._installation.get(self._comment(comment_id))
            people_text = _find_people_text(present, sent)
            if people_text is None:  # A person wrote something else instead.
                return
            if people_text == PeopleText():
                await self._installation.delete(self._comment(comment_id))
                return
        except GitHubRefusedError as refusal:
            if refusal.status in GONE:
                return
        await self.minimize(comment_id, "RESOLVED")

    async def untick(self, comment_id: int, change_id: int) -> None:
        """Untick the box of a change in a comment, if the comment still shows it ticked."""
        try:
            text = str((await self._installation.get(self._comment(comment_id))).get("body") or "")
            if (unticked := untick_box(text, change_id)) != text:
                await self._installation.patch(self._comment(comment_id), {"body": unticked})
        except GitHubRefusedError as refusal:
            if refusal.status not in GONE:
                raise

    def _marked(self, body: str, mark: Mark) -> str:
        return f"{body}\n\n{self._installation.markers.comment(mark)}"

    async def find(self, mark: Mark, since: datetime) -> PostedComment | None:
        """Find the App's comment that bears a mark, of those changed since a moment."""
        comment = await find_marked(self._installation, self._comments_since(_iso(since), 100), mark)
        return _posted(comment) if comment else None

    def _comment(self, comment_id: int) -> str:
        return f"{self._path}/issues/comments/{comment_id}"

    def _comments_since(self, since: str, size: int) -> str:
        return f"{self._path}/issues/{self._number}/comments?per_page={size}&since={quote(since)}"


def _find_people_text(comment: Any, sent: str | None, desired: str = "") -> PeopleText | None:
    """Find people's additions in a comment of the App; None if nothing of the App's part is left."""
    text = str(comment.get("body") or "")
    return find_people_text(text, _ANY_MARKER.findall(text), [sent] if sent else [], desired)


def _posted(comment: Any) -> PostedComment:
    return PostedComment(int(comment["id"]), datetime.fromisoformat(comment["created_at"]))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
