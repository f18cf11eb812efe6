"""What commands need from the world above them; `bot/` provides it."""

from typing import Protocol

from commands.permissions import Level


class Thread(Protocol):
    """The issue or pull request in which somebody asked."""

    async def level_of(self, login: str) -> Level:
        """What this person may do in the repository. Level.NONE for who is no collaborator."""

    async def acknowledge(self, comment_id: int) -> None:
        """Shows at once that the comment was seen (👀). Best effort."""
