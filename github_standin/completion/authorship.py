"""Names the App that wrote a comment or made a check run, which emulate leaves out."""

from __future__ import annotations

from typing import Any

from github_standin import seed as people

Json = dict[str, Any]

# https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app
APP: Json = {
    "id": people.APP_ID,
    "slug": people.APP_SLUG,
    "node_id": "A_kwDOstandin",
    "client_id": "Iv23listandin0000000",
    "name": "Agile GitHub Suite",
    "description": "",
    "external_url": "https://example.com",
    "html_url": f"https://github.com/apps/{people.APP_SLUG}",
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
}


def fill_in(value: Any) -> None:
    """Add the App to all comments and issues of its bot, and to all check runs, inside a body."""
    if isinstance(value, list):
        for item in value:
            fill_in(item)
    elif isinstance(value, dict):
        if "performed_via_github_app" in value and _is_by_bot(value):
            value["performed_via_github_app"] = APP
        if "app" in value and "check_suite" in value:
            value["app"] = APP
        for key, item in value.items():
            if key not in ("app", "performed_via_github_app"):
                fill_in(item)


def _is_by_bot(post: Json) -> bool:
    return (post.get("user") or {}).get("login") == people.BOT_LOGIN
