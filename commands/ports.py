"""What commands need from the world above them; `bot/` provides it."""

from collections.abc import Mapping
from typing import Protocol

from commands.permissions import Level
from commands.request import Request


class Repository(Protocol):
    """The repository on GitHub, for what no webhook tells."""

    async def level_of(self, login: str) -> Level:
        """What this person may do in the repository. Level.NONE for who is no collaborator."""

    async def is_in_team(self, login: str, team: str) -> bool:
        """Whether a person belongs to a team of the organization, named by its slug."""

    async def health(self) -> Mapping[str, object]:
        """How the installation stands: `remaining` and `limit` of requests, `permissions` granted."""


class Thread(Protocol):
    """The issue or pull request in which somebody asked."""

    async def acknowledge(self, request: Request) -> None:
        """Shows at once that the comment was seen (👀). Best effort."""
