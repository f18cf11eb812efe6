"""The people as whom the demo can be used, each with a role in the repository."""

from __future__ import annotations

from dataclasses import dataclass

from github_standin import seed
from github_standin.seed import helper_tokens

_WRITING = frozenset({"admin", "maintain", "write"})


@dataclass(frozen=True)
class Viewer:
    """A person who uses the demo. `role` is empty for a stranger; the `tokens` are theirs, used in turn."""

    login: str
    role: str
    tokens: tuple[str, ...]

    @property
    def description(self) -> str:
        """The person with the role: `bob (write)`."""
        return f"{self.login} ({self.role or 'stranger'})"

    @property
    def may_edit(self) -> bool:
        """Whether the person may edit the comments of others, and so tick their boxes."""
        return self.role in _WRITING


def list_viewers() -> tuple[Viewer, ...]:
    """List the people of the stand-in; the first is the one as whom the demo begins."""
    return tuple(
        Viewer(login, seed.ROLES.get(login, ""), tuple(helper_tokens(login))) for login in seed.PEOPLE
    )
