"""One issue or pull request on GitHub: comments and reactions."""

from urllib.parse import quote

import structlog

from bot.github import GitHubRefusedError, GitHubUnavailableError, Installation
from commands.request import Request


class GitHubThread:
    """The thread with this number in the repository `owner/name`."""

    def __init__(self, installation: Installation, repository: str, number: int) -> None:
        self._installation = installation
        self._path = f"/repos/{repository}"
        self._number = number

    async def acknowledge(self, request: Request) -> None:
        """👀, best effort: an answer must not fail for it. A box in a comment of ours needs none."""
        if request.ticked:
            return
        try:
            await self.react(request.place, request.comment_id, "eyes")
        except (GitHubRefusedError, GitHubUnavailableError) as problem:
            structlog.get_logger(__name__).info("no reaction", reason=str(problem))

    async def react(self, place: str, comment_id: int, content: str) -> None:
        """Adds a reaction; adding it again changes nothing."""
        await self._installation.post(f"{self._path}/{place}/{comment_id}/reactions", {"content": content})

    async def post(self, body: str) -> int:
        """A new comment; returns its id."""
        comment = await self._installation.post(
            f"{self._path}/issues/{self._number}/comments", {"body": body}
        )
        return int(comment["id"])

    async def edit(self, comment_id: int, body: str) -> None:
        await self._installation.patch(f"{self._path}/issues/comments/{comment_id}", {"body": body})

    async def find(self, marker: str, since: str) -> int | None:
        """The id of the comment with a marker of ours, among those changed since a moment (ISO 8601)."""
        path = f"{self._path}/issues/{self._number}/comments?per_page=100&since={quote(since)}"
        async for comment in self._installation.pages(path):
            if marker in (comment.get("body") or ""):
                return int(comment["id"])
        return None
