"""Who is a person: the one place that tells people from bots and from the accounts that stand for nobody.

History calls an account by its login. That of a person has no brackets on GitHub; what is no person carries
its kind in them: `dependabot[bot]` comes so from GitHub, and `Copilot` becomes `Copilot[bot]` here.
"""

from collections.abc import Iterable

GHOST_ID, WEB_FLOW_ID = 10137, 19864447
"""GitHub's ids of the accounts for who is gone, and for commits that its own pages make."""

NOBODY_IDS = frozenset({GHOST_ID, WEB_FLOW_ID})
"""The ids of accounts that stand for nobody."""

_NOBODY_IN_PARTICULAR = frozenset({"ghost", "web-flow"})
# Its login tells nothing, and once its type was not recorded.
_COPILOT = "copilot"
_KINDS = {"Bot": "[bot]", "Mannequin": "[mannequin]", "Organization": "[organization]"}


def account_login(login: str, kind: str) -> str:
    """The login by which history knows an account of a kind, GitHub's `type` or `__typename`."""
    suffix = _KINDS.get(kind, "")
    return login if login.endswith("]") or not login else f"{login}{suffix}"


def is_person(login: str | None) -> bool:
    """Whether history's login is a person's, who has a seat and takes part in a team's figures."""
    return bool(login) and not is_bot(login) and str(login).lower() not in _NOBODY_IN_PARTICULAR


def is_bot(login: str | None) -> bool:
    """Whether history's login is that of an account which is no user's."""
    return login is not None and (login.endswith("]") or login.lower() == _COPILOT)


def same_login(one: str | None, other: str | None) -> bool:
    """Whether two logins are one: GitHub knows no case in them."""
    return (one or "").lower() == (other or "").lower()


def spelled_once(logins: Iterable[str]) -> list[str]:
    """The logins, each once: those that differ only by case are one, in the first spelling."""
    once = dict[str, str]()
    for login in logins:
        once.setdefault(login.lower(), login)
    return list(once.values())
