"""What commands need from the world above them; `bot/` provides it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from commands.framework.permissions import Level
from commands.framework.request import Request


@dataclass(frozen=True, slots=True)
class File:
    """A file on GitHub. `sha` identifies its content, which is None for a folder and the like."""

    sha: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Health:
    """How an installation stands on GitHub.

    `remaining` requests of `limit` may be made until `resets_at`. `missing` are permissions that the owner
    of the account has not granted, and `missing_events` events that GitHub does not send from there, each
    with what it lets the App do. `unrequested` are those that the App itself does not ask for. `owner` says
    who accepts them, on the page `url` of GitHub.
    """

    remaining: int
    limit: int
    resets_at: datetime
    missing: Mapping[str, str]
    missing_events: Mapping[str, str] = field(default_factory=dict)
    unrequested: Collection[str] = ()
    owner: str = "an owner of this account"
    url: str = ""


class GitHubPort(Protocol):
    """The repository on GitHub, for what no webhook tells."""

    async def level_of(self, login: str) -> Level:
        """What this person may do in the repository. Level.NONE for who is no collaborator."""

    async def is_in_team(self, login: str, team: str) -> bool:
        """Whether a person belongs to a team of the organization, named by its slug."""

    async def health(self) -> Health:
        """How the installation stands on GitHub."""

    async def file(self, path: str, pull_request: int | None = None) -> File | None:
        """A file of the default branch, or as a pull request would have it; None where there is none."""


class Thread(Protocol):
    """The issue or pull request in which somebody asked."""

    async def acknowledge(self, request: Request) -> None:
        """Shows at once that the comment was seen (👀). Best effort."""
