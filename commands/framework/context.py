"""The context of a running command: the repository's planning, and who asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.ports import GitHubPort
from commands.framework.request import Request
from marketplace.accounts import BillingOffer

# The text why the asker may not run a command, by the command's name; None if they may.
FindRefusal = Callable[[str], Awaitable[str | None]]


async def refuse_all(command: str) -> str | None:
    """Refuse every command: the default until the asker's role is known."""
    return f"Nobody may run `/{command}` here."


@dataclass(frozen=True, kw_only=True)
class Context(Planning):
    """One request in one repository, on top of the repository's planning.

    `request` holds the commands and their sender; `github` is the repository on GitHub, for facts that no
    webhook delivers; `level` is the asker's role; `offer` is what the operator sells, if anything;
    `find_refusal` checks whether the asker may run another command.
    """

    request: Request
    github: GitHubPort
    level: Level = Level.READ
    offer: BillingOffer | None = None
    find_refusal: FindRefusal = refuse_all
