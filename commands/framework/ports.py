"""Ports: the interfaces that commands need and `bot/` implements."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from commands.framework.permissions import Level
from commands.framework.request import Request


@dataclass(frozen=True, slots=True)
class File:
    """A file on GitHub. `sha` is the SHA of its content, which is None for a folder or a submodule."""

    sha: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Health:
    """The health of an installation on GitHub.

    `remaining` requests of `limit` may be made until `resets_at`. `missing` are the permissions that the
    owner of the account has not granted, and `missing_events` the events to which the installation is not
    subscribed, each with what the App does with it. `unrequested` are the permissions and events for which
    the App itself does not ask. `owner` says in words who can accept them, on GitHub's page `url`.
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
    """The repository on GitHub, for facts that no webhook delivers."""

    async def find_level(self, login: str) -> Level:
        """Return a person's role in the repository; Level.NONE for non-collaborators."""

    async def is_in_team(self, login: str, team: str) -> bool:
        """Whether a person belongs to a team of the organization, named by its slug."""

    async def read_health(self) -> Health:
        """The health of the installation: rate limit, permissions and events."""

    async def read_file(self, path: str, pull_request: int | None = None) -> File | None:
        """A file of the default branch, or of a pull request's head; None if there is none."""


class Thread(Protocol):
    """The issue or pull request with the request."""

    async def acknowledge(self, request: Request) -> None:
        """React with 👀 to show that the comment was read. Best effort: failures are ignored."""
