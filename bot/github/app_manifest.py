"""The permissions and events that the App requests, as app.yml declares them, and those not granted.

Each permission and event says what it lets the App do. A test compares both with app.yml.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# Each permission's level, and what it lets the App do.
PERMISSIONS = {
    "issues": ("write", "answer in issues, and change milestones, labels and issues"),
    "pull_requests": ("write", "answer in pull requests, and propose changes of the settings file"),
    "metadata": ("read", "see who may run a command"),
    "contents": (
        "write",
        "propose changes of the settings file, and write a summary into a release",
    ),
    "checks": (
        "write",
        "report on pull requests and merge groups, and on a commit what is wrong with its settings",
    ),
    "members": ("read", "see who is in a team that may run a command, and who owns the organization"),
    "deployments": ("read", "see how deployments went"),
    "merge_queues": ("read", "report the check “Sprint impact” where a merge queue waits for it"),
    "organization_projects": ("read", "record how fields of projects change"),
}
# For each event the permission without which GitHub does not send it, and what it lets the App do.
EVENTS = {
    "issues": ("issues", "follow issues and read commands in them"),
    "issue_comment": ("issues", "read commands"),
    "pull_request_review_comment": ("pull_requests", "read commands beside a line of code"),
    "milestone": ("issues", "follow sprints"),
    "pull_request": ("pull_requests", "follow pull requests"),
    "pull_request_review": ("pull_requests", "see reviews, and read commands in them"),
    "label": ("issues", "follow labels that are renamed"),
    "sub_issues": ("issues", "follow sub-issues"),
    "issue_dependencies": ("issues", "see what is blocked"),
    "repository": ("metadata", "follow repositories that are renamed or moved"),
    "push": ("contents", "read the settings file when it changes"),
    "deployment_status": ("deployments", "see how deployments went"),
    "release": ("contents", "write a summary into a release"),
    "check_run": ("checks", "do what the buttons of a check say"),
    "check_suite": ("checks", "run a check again"),
    "merge_group": ("merge_queues", "report the check “Sprint impact” where a merge queue waits for it"),
    "installation_target": ("metadata", "follow accounts that are renamed"),
    "projects_v2": ("organization_projects", "record how fields of projects are named"),
    "projects_v2_item": ("organization_projects", "record how fields of projects change"),
}
# What the App cannot do if a permission is not even granted for reading.
_WITHOUT_READING = {
    "contents": "read the settings file, propose changes of it, and write a summary into a release"
}
_STRENGTH = {"read": 1, "write": 2, "admin": 3}
# Permissions that only an organization can grant.
_OF_ORGANIZATIONS = ("members", "organization_")
# GitHub's name for all events in an App's subscriptions.
_EVERY = "*"


def missing_permissions(granted: Mapping[str, str]) -> dict[str, str]:
    """List requested permissions that are not granted, such as `checks: write`, and the purpose of each."""
    return {
        f"{name}: {level}": purpose
        if _is_granted(granted, name, "read")
        else _WITHOUT_READING.get(name, purpose)
        for name, (level, purpose) in PERMISSIONS.items()
        if not _is_granted(granted, name, level)
    }


def missing_events(granted: Mapping[str, str], sent: Collection[str]) -> dict[str, str]:
    """List requested events that are not sent although their permission is granted, and the purpose of each.

    An event whose permission is missing is left out, because granting the permission brings the event.
    """
    return {
        event: purpose
        for event, (permission, purpose) in EVENTS.items()
        if event not in sent and _EVERY not in sent and _is_granted(granted, permission, "read")
    }


def _is_granted(granted: Mapping[str, str], name: str, level: str) -> bool:
    return _STRENGTH.get(granted.get(name, ""), 0) >= _STRENGTH[level]


@dataclass(frozen=True, slots=True)
class Grants:
    """Permissions and events granted to an installation or to the App itself. `events` is None if unknown.

    `owner` names in words who must accept the missing ones, on GitHub's page `url`.
    """

    permissions: Mapping[str, str]
    events: Collection[str] | None
    owner: str
    url: str

    is_organization: bool = True

    @property
    def missing(self) -> dict[str, str]:
        """The missing permissions, without those for organizations if the account is a person's."""
        missing = missing_permissions(self.permissions)
        return {
            name: purpose
            for name, purpose in missing.items()
            if self.is_organization or not name.startswith(_OF_ORGANIZATIONS)
        }

    @property
    def missing_events(self) -> dict[str, str]:
        return {} if self.events is None else missing_events(self.permissions, self.events)


def grants_of_installation(installation: Mapping[str, Any], api_url: str) -> Grants:
    """Read the grants from GitHub's answer about an installation, or from a webhook's `installation`."""
    account = installation.get("account") or {}
    login = str(account.get("login") or account.get("slug") or "")
    is_organization = "Organization" in {installation.get("target_type"), account.get("type")}
    path = f"/settings/installations/{installation.get('id')}"
    owner = f"the owner of the account {login}"
    if is_organization:
        path, owner = f"/organizations/{login}{path}", f"an owner of the organization {login}"
    return Grants(
        dict(installation.get("permissions") or {}),
        installation.get("events"),
        owner,
        _page(installation, path, api_url),
        is_organization,
    )


def grants_of_app(app: Mapping[str, Any], api_url: str) -> Grants:
    """Read the App's requests to every account from GitHub's answer about the App."""
    owner = app.get("owner") or {}
    login, path = str(owner.get("login") or ""), f"/settings/apps/{app.get('slug')}/permissions"
    if owner.get("type") == "Organization":
        path = f"/organizations/{login}{path}"
    web = web_address(str(app.get("html_url") or ""), api_url)
    who = "whoever runs the App"
    return Grants(dict(app.get("permissions") or {}), app.get("events"), who, f"{web}{path}")


def _page(installation: Mapping[str, Any], path: str, api_url: str) -> str:
    """The address of an installation's page: GitHub's own if it fits, or else a constructed one."""
    url = str(installation.get("html_url") or "")
    return url if url.endswith(path) else f"{web_address('', api_url)}{path}"


def web_address(url: str, api_url: str) -> str:
    """The base address of GitHub's web pages, taken from one of them or else derived from the API's address.

    `api.github.com` belongs to `github.com`, `api.octo.ghe.com` to `octo.ghe.com`; GitHub Enterprise Server
    has its API below `/api/v3` of the same host.
    """
    parts = urlsplit(url if url.startswith(("https://", "http://")) else api_url)
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"
