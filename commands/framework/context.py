"""What a command may ask for while it runs: the planning of the repository, and who asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.ports import GitHubPort
from commands.framework.request import Request
from marketplace.accounts import Offer

# Why the asker may not run the command of a name, in words; None if they may.
RefusalOf = Callable[[str], Awaitable[str | None]]


async def refuse_all(command: str) -> str | None:
    """Refuse every command: the default until the asker's role is known."""
    return f"Nobody may run `/{command}` here."


@dataclass(frozen=True, kw_only=True)
class Context(Planning):
    """One request in one repository, on top of the repository's planning.

    `request` says who asked what; `github` is the repository on GitHub, for what no webhook tells; `level`
    is the asker's role; `offer` is what the operator sells, if anything; `refusal_of` tells whether the asker
    may run another command.
    """

    request: Request
    github: GitHubPort
    level: Level = Level.READ
    offer: Offer | None = None
    refusal_of: RefusalOf = refuse_all
