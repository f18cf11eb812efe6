"""People and other accounts: the one place that separates people from bots and placeholder accounts.

The history identifies an account by its login. A person's login has no brackets on GitHub; other accounts
have their kind in brackets: `dependabot[bot]` comes so from GitHub, and `Copilot` becomes `Copilot[bot]`
here.
"""

from collections.abc import Iterable

GHOST_ID, WEB_FLOW_ID = 10137, 19864447
"""GitHub's ids of the accounts for deleted users, and for commits made on its own pages."""

NOBODY_IDS = frozenset({GHOST_ID, WEB_FLOW_ID})
"""The ids of accounts that stand for no particular person."""

_PLACEHOLDER_LOGINS = frozenset({"ghost", "web-flow"})
# Copilot's login has no brackets, and older events do not have its type.
_COPILOT = "copilot"
_KINDS = {"Bot": "[bot]", "Mannequin": "[mannequin]", "Organization": "[organization]"}


def account_login(login: str, kind: str) -> str:
    """Return the login in the history for an account of a kind, GitHub's `type` or `__typename`."""
    suffix = _KINDS.get(kind, "")
    return login if login.endswith("]") or not login else f"{login}{suffix}"


def is_person(login: str | None) -> bool:
    """Return whether a login in the history is a person's, who has a seat and counts in a team's figures."""
    return bool(login) and not is_bot(login) and str(login).lower() not in _PLACEHOLDER_LOGINS


def is_bot(login: str | None) -> bool:
    """Return whether a login in the history belongs to an account that is not a user's."""
    return login is not None and (login.endswith("]") or login.lower() == _COPILOT)


def same_login(login: str | None, other: str | None) -> bool:
    """Return whether two logins are equal: GitHub's logins ignore case."""
    return (login or "").lower() == (other or "").lower()


def remove_duplicate_logins(logins: Iterable[str]) -> list[str]:
    """Remove duplicate logins: logins that differ only by case count once, in the first spelling."""
    first_spelling = dict[str, str]()
    for login in logins:
        first_spelling.setdefault(login.lower(), login)
    return list(first_spelling.values())
