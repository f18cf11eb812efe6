"""Texts of `/wip limit`."""

from collections.abc import Iterable

from commands.formatting.wording import code, plain

_NO_LIMIT = "no limit"


def limit_summary(limit: int | None, slug: str | None) -> str:
    """Name the change of a limit."""
    return f"set the limit{_of_team(slug)} to {limit or 'none'}"


def same_limit_text(limit: int | None, slug: str | None, wip: str) -> str:
    """Say that the limit is this one already. `wip` describes the work in progress."""
    return f"The limit{_of_team(slug)} is already {limit or 'none'}. {wip}"


def changed_limit_text(before: int | None, limit: int | None, slug: str | None, wip: str) -> str:
    """Confirm a new limit. `wip` describes the work in progress."""
    return (
        f"**Work in progress limit{_of_team(slug)}:** {before or _NO_LIMIT} → **{limit or _NO_LIMIT}**. {wip}"
    )


def invalid_limit_text(text: str, most: int) -> str:
    """Refuse what is not a limit."""
    return f"“{plain(text)}” is not a valid limit. Use a number from 1 to {most}, or `none`."


def unknown_team_text(slug: str, slugs: Iterable[str]) -> str:
    """Name the teams of the settings file, instead of an unknown one."""
    if shown := ", ".join(code(name) for name in slugs):
        return f"There is no team “{plain(slug)}” in the settings file. Its teams are {shown}."
    return f"There is no team “{plain(slug)}”: the settings file lists no `teams` yet."


def small_team_text(slug: str, people: int, fewest: int) -> str:
    """Refuse a limit whose numbers would be a person's."""
    return (
        f"I show a team's numbers only if at least {fewest} people work in it, so that they never "
        f"describe one person. In {plain(slug)} I know of {people}."
    )


def _of_team(slug: str | None) -> str:
    return f" of team {plain(slug)}" if slug else ""
