"""Identifies callers by their tokens. emulate accepts any token; GitHub accepts only those that it issued."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from github_standin import seed as people

CallerKind = Literal["app", "installation", "user", "anonymous", "bogus"]


class Caller(NamedTuple):
    """The sender of a request; `name` is the login of a person or of the App's bot user."""

    kind: CallerKind
    name: str
    token: str


# Whether emulate accepts the caller's JWT as the App's.
IsApp = Callable[[Caller], Awaitable[bool]]


class Callers:
    """The tokens of the seeded people, and the installation tokens issued so far."""

    def __init__(self) -> None:
        self._people = {
            token: login
            for login in people.PEOPLE
            for token in (people.user_token(login), *people.helper_tokens(login))
        }
        self._installation_tokens: dict[str, datetime] = {}

    def identify(self, authorization: str) -> Caller:
        """Find the caller of an Authorization header. An App's JWT is left for emulate to verify."""
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

    def remember_installation_token(self, issued: dict[str, Any]) -> None:
        """Accept a token that emulate has just issued, until it expires."""
        self._installation_tokens[issued["token"]] = datetime.fromisoformat(issued["expires_at"])

    def revoke_installation_tokens(self) -> None:
        """Refuse every installation token issued so far."""
        self._installation_tokens.clear()
