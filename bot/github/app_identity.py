"""Who we are on GitHub, and whether something was written by us."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commands.framework.request import Author


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """Our App's id and the login of its bot, in lower case. No person's login can end in `[bot]`."""

    app_id: int
    bot_login: str

    @classmethod
    def from_github(cls, app: Mapping[str, Any]) -> "AppIdentity":
        """From GitHub's answer about the authenticated App."""
        return cls(int(app["id"]), f"{app['slug']}[bot]".lower())

    def is_author(self, author: Author | None) -> bool:
        """Whether our App wrote a text. A person who writes by way of an App remains its author.

        Where GitHub says by which App, its id decides, because an App can be renamed.
        """
        if author is None or not author.is_bot:
            return False
        if author.app_id is not None:
            return author.app_id == self.app_id
        return author.login.lower() == self.bot_login

    def wrote(self, text: Mapping[str, Any]) -> bool:
        """Whether our App wrote a comment or an issue, as REST shows it."""
        user = text.get("user") or {}
        app = text.get("performed_via_github_app") or {}
        return self.is_author(Author(str(user.get("login")), user.get("type") == "Bot", app.get("id")))

    def made(self, check_run: Mapping[str, Any]) -> bool:
        """Whether our App made a check run. GitHub says of each which App it belongs to."""
        return (check_run.get("app") or {}).get("id") == self.app_id
