"""People's roles in repositories, in the form of GitHub's collaborator endpoints."""

from __future__ import annotations

from typing import Any

ROLE_ORDER = ("read", "triage", "write", "maintain", "admin")
LEGACY_PERMISSION = {"maintain": "write", "triage": "read"}

Roles = dict[str, dict[str, str]]


def find_role(roles: Roles, repo: str, login: str) -> str | None:
    """Find a person's role: the repository's entry wins over `*`, and "none" there means no role."""
    role = roles.get(repo, {}).get(login) or roles.get("*", {}).get(login)
    return None if role == "none" else role


def permission_body(user: dict[str, Any], role: str) -> dict[str, Any]:
    """Build the body of `GET …/collaborators/{user}/permission`: legacy permission, role, and five flags."""
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
