"""One issue or pull request on GitHub: comments and reactions."""

import re
from urllib.parse import quote

import structlog

from bot.github.client import GitHubRefusedError, GitHubUnavailableError, Installation
from bot.github.markers import PREFIX, Mark
from bot.github.owned_text import find_surroundings
from commands.framework.request import Request

_OUR_MARKER = re.compile(rf"<!-- {PREFIX}:[^\s<>]+ -->")
_TAKEN_OUT = 410


class GitHubThread:
    """The thread with this number in the repository `owner/name`."""

    def __init__(self, installation: Installation, repository: str, number: int) -> None:
        self._installation = installation
        self._path = f"/repos/{repository}"
        self._number = number

    async def acknowledge(self, request: Request) -> None:
        """Reacts with 👀; if GitHub refuses, that is only logged.

        A box in a comment of ours needs no reaction, and where GitHub takes none the answer has to do.
        """
        if request.ticked or not request.place.takes_reactions:
            return
        try:
            await self.react(request.place, request.comment_id, "eyes")
        except (GitHubRefusedError, GitHubUnavailableError) as problem:
            structlog.get_logger(__name__).info("no reaction", reason=str(problem))

    async def react(self, place: str, comment_id: int, content: str) -> None:
        """Adds a reaction; adding it again changes nothing."""
        await self._installation.post(f"{self._path}/{place}/{comment_id}/reactions", {"content": content})

    async def post(self, body: str, mark: Mark) -> int:
        """A new comment that bears a mark; returns its id."""
        comment = await self._installation.post(
            f"{self._path}/issues/{self._number}/comments", {"body": self._marked(body, mark)}
        )
        return int(comment["id"])

    async def edit(self, comment_id: int, body: str, mark: Mark, sent: str | None) -> None:
        """Edits our part of a comment of ours, which was `sent` last; what people added to it stays.

        Raises GitHubRefusedError with 410 where nothing of ours is left in it, or no room.
        """
        path = f"{self._path}/issues/comments/{comment_id}"
        present = str((await self._installation.get(path)).get("body") or "")
        marker = self._installation.markers.comment(mark)
        around = find_surroundings(present, _OUR_MARKER.findall(present), [sent] if sent else [], body)
        if around is None or around.room(marker) < len(body):
            raise GitHubRefusedError(_TAKEN_OUT, "the comment holds nothing of ours any more")
        await self._installation.patch(path, {"body": around.around(body, marker)})

    def _marked(self, body: str, mark: Mark) -> str:
        return f"{body}\n\n{self._installation.markers.comment(mark)}"

    async def find(self, mark: Mark, since: str) -> int | None:
        """The id of our App's comment that bears a mark, of those changed since a moment (ISO 8601)."""
        path = f"{self._path}/issues/{self._number}/comments?per_page=100&since={quote(since)}"
        identity, markers = await self._installation.identity(), self._installation.markers
        async for comment in self._installation.pages(path):
            if markers.is_marked(comment.get("body"), mark) and identity.has_written(comment):
                return int(comment["id"])
        return None
