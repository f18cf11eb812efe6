"""One issue or pull request on GitHub: reading who may do what, and writing comments and reactions."""

from urllib.parse import quote

import structlog

from bot.github import GitHubRefusedError, GitHubUnavailableError, Installation
from commands.permissions import Level, level_from


class GitHubThread:
    """The thread with this number in the repository `owner/name`."""

    def __init__(self, installation: Installation, repository: str, number: int) -> None:
        self._installation = installation
        self._repository = repository
        self._path = f"/repos/{repository}"
        self._number = number

    async def level_of(self, login: str) -> Level:
        """What this person may do, for a minute from memory. Who is no collaborator may nothing, even where
        GitHub lets everybody read."""
        key = (self._repository, login)
        known = self._installation.levels.get(key)
        if known is None:
            known = await self._ask_level(login)
            self._installation.levels[key] = known
        return Level(known)

    async def _ask_level(self, login: str) -> Level:
        person = quote(login, safe="")
        try:
            level = level_from(
                await self._installation.get(f"{self._path}/collaborators/{person}/permission")
            )
            if level is Level.READ:  # On a public repository GitHub answers so for anybody.
                await self._installation.get(f"{self._path}/collaborators/{person}")
        except GitHubRefusedError as refusal:
            if refusal.status == 404:
                return Level.NONE
            raise
        return level

    async def acknowledge(self, comment_id: int) -> None:
        """👀, best effort: an answer must not fail for it."""
        try:
            await self.react(comment_id, "eyes")
        except (GitHubRefusedError, GitHubUnavailableError) as problem:
            structlog.get_logger(__name__).info("no reaction", reason=str(problem))

    async def react(self, comment_id: int, content: str) -> None:
        """Adds a reaction; adding it again changes nothing."""
        await self._installation.post(
            f"{self._path}/issues/comments/{comment_id}/reactions", {"content": content}
        )

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
