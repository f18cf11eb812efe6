"""The App's identity on GitHub, by which its own texts and check runs are recognised."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commands.framework.request import Author


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """The App's id and its bot's login in lower case. No person's login can end in `[bot]`."""

    app_id: int
    bot_login: str

    @classmethod
    def from_github(cls, app: Mapping[str, Any]) -> "AppIdentity":
        """Read the identity from GitHub's answer about the authenticated App."""
        return cls(int(app["id"]), f"{app['slug']}[bot]".lower())

    def is_author(self, author: Author | None) -> bool:
        """Whether the App wrote a text. A person who writes through an App remains the author.

        If GitHub names the App, its id decides, because an App can be renamed.
        """
        if author is None or not author.is_bot:
            return False
        if author.app_id is not None:
            return author.app_id == self.app_id
        return author.login.lower() == self.bot_login

    def has_written(self, text: Mapping[str, Any]) -> bool:
        """Whether the App wrote a comment or an issue, given as REST returns it."""
        user = text.get("user") or {}
        app = text.get("performed_via_github_app") or {}
        return self.is_author(Author(str(user.get("login")), user.get("type") == "Bot", app.get("id")))

    def has_made(self, check_run: Mapping[str, Any]) -> bool:
        """Whether the App created a check run, given as REST returns it."""
        return (check_run.get("app") or {}).get("id") == self.app_id
