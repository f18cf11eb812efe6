"""Checks names of repositories in arguments of commands."""

import re

# As wide as GitHub's rules for logins and repositories; GitHub itself rejects the rest.
_FULL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}")


def find_name_problem(name: str) -> str:
    """Explain why a text is not a repository's full name; empty if it is one."""
    if _FULL_NAME.fullmatch(name):
        return ""
    return f"“{name}” is not a repository; use OWNER/NAME, for example acme/webshop"
