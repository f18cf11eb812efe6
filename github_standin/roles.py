"""What a person may do in a repository, told as GitHub's collaborator endpoints tell it."""

from __future__ import annotations

from typing import Any

ROLE_ORDER = ("read", "triage", "write", "maintain", "admin")
LEGACY_PERMISSION = {"maintain": "write", "triage": "read"}

Roles = dict[str, dict[str, str]]


def role_of(roles: Roles, repo: str, login: str) -> str | None:
    """The role of a person: the repository's own entry wins over `*`; "none" there takes a role away."""
    role = roles.get(repo, {}).get(login) or roles.get("*", {}).get(login)
    return None if role == "none" else role


def permission_answer(user: dict[str, Any], role: str) -> dict[str, Any]:
    """The body of `GET …/collaborators/{user}/permission`: old permission, role, and the five flags."""
    rank = ROLE_ORDER.index(role)
    flags = {
        "pull": True,
        "triage": rank >= ROLE_ORDER.index("triage"),
        "push": rank >= ROLE_ORDER.index("write"),
        "maintain": rank >= ROLE_ORDER.index("maintain"),
        "admin": role == "admin",
    }
    return {
        "permission": LEGACY_PERMISSION.get(role, role),
        "user": {**user, "permissions": flags, "role_name": role},
        "role_name": role,
    }
