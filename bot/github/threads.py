"""One issue or pull request on GitHub: its comments and reactions."""

import re
from urllib.parse import quote

import structlog

from bot.github.client import GitHubRefusedError, GitHubUnavailableError, Installation
from bot.github.marked_search import find_marked
from bot.github.markers import PREFIX, Mark
from bot.github.owned_text import find_people_text
from commands.framework.request import Request

# It needs the permission to write issues, or pull requests, which the App has for its comments.
MINIMIZE = """
mutation ($comment: ID!, $reason: ReportedContentClassifiers!) {
  minimizeComment(input: {subjectId: $comment, classifier: $reason}) {
    minimizedComment { isMinimized }
  }
}
"""
_ANY_MARKER = re.compile(rf"<!-- {PREFIX}:[^\s<>]+ -->")
_TAKEN_OUT = 410


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

    async def post(self, body: str, mark: Mark) -> int:
        """Post a comment that bears a mark. Returns its id."""
        comment = await self._installation.post(
            f"{self._path}/issues/{self._number}/comments", {"body": self._marked(body, mark)}
        )
        return int(comment["id"])

    async def edit(self, comment_id: int, body: str, mark: Mark, sent: str | None) -> None:
        """Edit the App's part, `sent` last, of one of its comments; people's additions stay.

        Raises GitHubRefusedError with 410 if nothing of the App's part is left, or no room for it.
        """
        path = f"{self._path}/issues/comments/{comment_id}"
        present = str((await self._installation.get(path)).get("body") or "")
        marker = self._installation.markers.comment(mark)
        people_text = find_people_text(present, _ANY_MARKER.findall(present), [sent] if sent else [], body)
        if people_text is None or people_text.room(marker) < len(body):
            raise GitHubRefusedError(_TAKEN_OUT, "the App's text was removed from the comment")
        await self._installation.patch(path, {"body": people_text.around(body, marker)})

    def _marked(self, body: str, mark: Mark) -> str:
        return f"{body}\n\n{self._installation.markers.comment(mark)}"

    async def find(self, mark: Mark, since: str) -> int | None:
        """Find the App's comment that bears a mark, of those changed since a moment (ISO 8601)."""
        path = f"{self._path}/issues/{self._number}/comments?per_page=100&since={quote(since)}"
        comment = await find_marked(self._installation, path, mark)
        return int(comment["id"]) if comment else None
