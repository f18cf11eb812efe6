"""Adds the counts of sub-issues and dependencies to issues, which emulate leaves out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from github_standin.history.objects import StandInItem
from github_standin.history.repositories import RepositoryHistory

Json = dict[str, Any]


def fill_in(history: RepositoryHistory, value: Any) -> None:
    """Add the counts, and the parent's address, to all issues inside a body of emulate."""
    if isinstance(value, list):
        for item in value:
            fill_in(history, item)
    elif isinstance(value, dict):
        if "timeline_url" in value and "repository_url" in value:
            _complete(history, value)
        for item in value.values():
            fill_in(history, item)


def _complete(history: RepositoryHistory, issue: Json) -> None:
    repository = history.repository(urlsplit(issue["repository_url"]).path.removeprefix("/repos/"))
    item = repository.items.get(issue["number"]) if repository else None
    issue |= _summary(item)
    if item is not None and item.parent is not None:
        issue["parent_issue_url"] = item.parent.body.get("url")


def _summary(item: StandInItem | None) -> Json:
    children, blocked_by, blocking = (
        (item.sub_issues, item.blocked_by, item.blocking) if item else ([], [], [])
    )
    done = sum(child.state != "OPEN" for child in children)
    return {
        "sub_issues_summary": {
            "total": len(children),
            "completed": done,
            "percent_completed": 100 * done // len(children) if children else 0,
        },
        "issue_dependencies_summary": {
            "blocked_by": sum(other.state == "OPEN" for other in blocked_by),
            "total_blocked_by": len(blocked_by),
            "blocking": sum(other.state == "OPEN" for other in blocking),
            "total_blocking": len(blocking),
        },
    }
