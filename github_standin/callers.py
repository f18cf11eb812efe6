"""Who sends a request: emulate takes any token for the first person, GitHub refuses what it did not issue."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from github_standin import seed as people

Kind = Literal["app", "installation", "user", "anonymous", "bogus"]


class Caller(NamedTuple):
    """The sender; `name` is the login for people and for the App's bot user."""

    kind: Kind
    name: str
    token: str


class Callers:
    """Knows the seeded people's tokens and remembers installation tokens as they are minted."""

    def __init__(self) -> None:
        self._people = {people.user_token(login): login for login in people.PEOPLE}
        self._installation_tokens: dict[str, datetime] = {}

    def identify(self, authorization: str) -> Caller:
        """The caller behind an Authorization header. An App's JWT is left for emulate to verify."""
        scheme, _, token = authorization.strip().partition(" ")
        token = token.strip()
        if not authorization.strip():
            return Caller("anonymous", "anonymous", "")
        if scheme.lower() not in ("bearer", "token"):
            return Caller("bogus", "bogus", "")
        if token.startswith("eyJ"):
            return Caller("app", "app", token)
        if token in self._people:
            return Caller("user", self._people[token], token)
        expires = self._installation_tokens.get(token)
        if expires is not None and datetime.now(UTC) < expires:
            return Caller("installation", people.BOT_LOGIN, token)
        return Caller("bogus", "bogus", "")

    def remember_installation_token(self, minted: dict[str, Any]) -> None:
        """Take note of a token that emulate has just issued, with its end."""
        self._installation_tokens[minted["token"]] = datetime.fromisoformat(minted["expires_at"])

    def revoke_installation_tokens(self) -> None:
        """Let all of them end now."""
        self._installation_tokens.clear()
