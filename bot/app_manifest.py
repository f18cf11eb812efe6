"""What the App asks of GitHub, as app.yml declares it, and what GitHub does not give it.

Each permission and event says what it is for. A test holds both equal to app.yml.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# Each permission's level and what it is for.
PERMISSIONS = {
    "issues": ("write", "to answer in issues, and to change milestones, labels and issues"),
    "pull_requests": ("write", "to answer in pull requests, and to propose changes of the settings file"),
    "metadata": ("read", "to see who may run a command"),
    "contents": (
        "write",
        "to read the settings file, to propose changes of it, and to write a summary into a release",
    ),
    "checks": (
        "write",
        "to report on pull requests and merge groups, and on a commit what is wrong with its settings",
    ),
    "members": ("read", "to see who is in a team that may run a command"),
    "deployments": ("read", "to see how deployments went"),
    "merge_queues": ("read", "to report the check “Sprint impact” where a merge queue waits for it"),
    "organization_projects": ("read", "to record how fields of projects change"),
}
# Each event's permission, without which GitHub does not send it, and what it is for.
EVENTS = {
    "issues": ("issues", "to follow issues and read commands in them"),
    "issue_comment": ("issues", "to read commands"),
    "pull_request_review_comment": ("pull_requests", "to read commands beside a line of code"),
    "milestone": ("issues", "to follow sprints"),
    "pull_request": ("pull_requests", "to follow pull requests"),
    "pull_request_review": ("pull_requests", "to see reviews, and to read commands in them"),
    "label": ("issues", "to follow labels that are renamed"),
    "sub_issues": ("issues", "to follow sub-issues"),
    "issue_dependencies": ("issues", "to see what is blocked"),
    "repository": ("metadata", "to follow repositories that are renamed or moved"),
    "push": ("contents", "to read the settings file when it changes"),
    "deployment_status": ("deployments", "to see how deployments went"),
    "release": ("contents", "to write a summary into a release"),
    "check_run": ("checks", "to do what the buttons of a check say"),
    "check_suite": ("checks", "to run a check again"),
    "merge_group": ("merge_queues", "to report the check “Sprint impact” where a merge queue waits for it"),
    "installation_target": ("metadata", "to follow accounts that are renamed"),
    "projects_v2": ("organization_projects", "to record how fields of projects are named"),
    "projects_v2_item": ("organization_projects", "to record how fields of projects change"),
}
_STRENGTH = {"read": 1, "write": 2, "admin": 3}
# Permissions that only an organization can grant.
_OF_ORGANIZATIONS = ("members", "organization_")
# How a webhook says that it is sent every event.
_EVERY = "*"


def missing_permissions(granted: Mapping[str, str]) -> dict[str, str]:
    """Which of our permissions are not granted, such as `checks: write`, and what each is for."""
    return {
        f"{name}: {level}": purpose
        for name, (level, purpose) in PERMISSIONS.items()
        if not _is_granted(granted, name, level)
    }


def missing_events(granted: Mapping[str, str], sent: Collection[str]) -> dict[str, str]:
    """Which of our events are not sent although their permission is granted, and what each is for.

    An event whose permission is missing comes with it, so the permission alone is named.
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
    """What GitHub gives the App on an account, or gives the App itself. `events` is None if it does not say.

    `owner` names who must accept what is missing, and `url` is the page on GitHub for it.
    """

    permissions: Mapping[str, str]
    events: Collection[str] | None
    owner: str
    url: str

    is_organization: bool = True

    @property
    def missing(self) -> dict[str, str]:
        """A person's account has nothing to grant of an organization's."""
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
    """From GitHub's answer about an installation, or from the `installation` of a webhook."""
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
    """From GitHub's answer about the App itself: what it asks of every account."""
    owner = app.get("owner") or {}
    login, path = str(owner.get("login") or ""), f"/settings/apps/{app.get('slug')}/permissions"
    if owner.get("type") == "Organization":
        path = f"/organizations/{login}{path}"
    web = _web(str(app.get("html_url") or ""), api_url)
    who = "whoever runs the App"
    return Grants(dict(app.get("permissions") or {}), app.get("events"), who, f"{web}{path}")


def _page(installation: Mapping[str, Any], path: str, api_url: str) -> str:
    """GitHub's own address of an installation's page, or the one that it must have."""
    url = str(installation.get("html_url") or "")
    return url if url.endswith(path) else f"{_web('', api_url)}{path}"


def _web(url: str, api_url: str) -> str:
    """The address of the web pages: of a page of theirs, or else beside the API.

    `api.github.com` belongs to `github.com`, `api.octo.ghe.com` to `octo.ghe.com`; GitHub Enterprise Server
    has its API below `/api/v3` of the same host.
    """
    parts = urlsplit(url if url.startswith(("https://", "http://")) else api_url)
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"
