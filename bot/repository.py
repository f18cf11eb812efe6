"""One repository on GitHub: who may do what in it, and the changes that commands make to it."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bot.github import GitHubRefusedError, Installation
from commands.changes import Block, CreateMilestone, EditMilestone, MoveItem, OpenIssue, Relabel
from commands.permissions import Level, level_from

# Of labels that we make because nobody has made them yet.
_LABEL_COLOUR = "c5def5"
_GONE = {404, 410}
_ALREADY = 422


class GitHubRepository:
    """The repository `owner/name`, as the installation sees it."""

    def __init__(self, installation: Installation, full_name: str) -> None:
        self._installation = installation
        self._full_name = full_name
        self._path = f"/repos/{full_name}"

    # What commands ask

    async def level_of(self, login: str) -> Level:
        """What this person may do, for a minute from memory. Who is no collaborator may nothing, even where
        GitHub lets everybody read."""
        key = (self._full_name, login)
        known = self._installation.levels.get(key)
        if known is None:
            known = await self._ask_level(login)
            self._installation.levels[key] = known
        return Level(known)

    async def is_in_team(self, login: str, team: str) -> bool:
        """Whether a person belongs to a team of the organization."""
        owner = self._full_name.partition("/")[0]
        path = f"/orgs/{owner}/teams/{quote(team, safe='')}/memberships/{quote(login, safe='')}"
        try:
            found = await self._installation.get(path)
        except GitHubRefusedError:  # No such team or member, or one that we may not see: fails closed.
            return False
        return bool(found.get("state") == "active")

    async def health(self) -> Mapping[str, object]:
        """How many requests are left this hour."""
        found = await self._installation.get("/rate_limit")
        return dict(found["resources"]["core"])

    async def _ask_level(self, login: str) -> Level:
        person = quote(login, safe="")
        try:
            level = level_from(
                await self._installation.get(f"{self._path}/collaborators/{person}/permission")
            )
            if level is Level.READ:  # On a public repository GitHub answers so for anybody.
                await self._installation.get(f"{self._path}/collaborators/{person}")
        except GitHubRefusedError as refusal:
            if refusal.status == 404:
                return Level.NONE
            raise
        return level

    # What commands change. Each may be asked for twice: what is so already stays so.

    async def move_item(self, step: MoveItem) -> None:
        await self._installation.patch(f"{self._path}/issues/{step.number}", {"milestone": step.after})

    async def relabel(self, step: Relabel) -> None:
        issue = f"{self._path}/issues/{step.number}"
        for name in step.removed:
            try:
                await self._installation.delete(f"{issue}/labels/{quote(name, safe='')}")
            except GitHubRefusedError as refusal:
                if refusal.status not in _GONE:
                    raise
        if step.added:
            await self._make_labels(step.added)
            await self._installation.post(f"{issue}/labels", {"labels": list(step.added)})

    async def create_milestone(self, step: CreateMilestone) -> None:
        told: dict[str, Any] = {"title": step.title, "description": step.description}
        if step.due_on:
            told["due_on"] = _due(step.due_on)
        try:
            await self._installation.post(f"{self._path}/milestones", told)
        except GitHubRefusedError as refusal:
            # Made by a try that died before it was noted, or by somebody since.
            if refusal.status != _ALREADY or not await self._has_milestone(step.title):
                raise

    async def edit_milestone(self, step: EditMilestone) -> None:
        told: dict[str, Any] = dict(step.after)
        if told.get("due_on"):
            told["due_on"] = _due(str(told["due_on"]))
        await self._installation.patch(f"{self._path}/milestones/{step.number}", told)

    async def open_issue(self, step: OpenIssue, marker: str, since: str) -> None:
        """`marker` identifies the issue; one that was opened with it `since` a moment is not opened again."""
        issue = await self._find_issue(marker, since)
        if issue is None:
            told: dict[str, Any] = {"title": step.title, "body": f"{step.body}\n\n{marker}".strip()}
            told["labels"] = list(step.labels)
            if step.milestone is not None:
                told["milestone"] = step.milestone
            issue = await self._installation.post(f"{self._path}/issues", told)
        if step.parent is not None:
            path = f"{self._path}/issues/{step.parent}/sub_issues"
            await self._once(path, {"sub_issue_id": issue["id"]})

    async def block(self, step: Block) -> None:
        blocking = await self._installation.get(f"{self._path}/issues/{step.by}")
        path = f"{self._path}/issues/{step.number}/dependencies/blocked_by"
        if step.is_blocked:
            await self._once(path, {"issue_id": blocking["id"]})
            return
        try:
            await self._installation.delete(f"{path}/{blocking['id']}")
        except GitHubRefusedError as refusal:
            if refusal.status not in _GONE:
                raise

    async def _make_labels(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                await self._installation.get(f"{self._path}/labels/{quote(name, safe='')}")
            except GitHubRefusedError as refusal:
                if refusal.status not in _GONE:
                    raise
                await self._once(f"{self._path}/labels", {"name": name, "color": _LABEL_COLOUR})

    async def _once(self, path: str, told: Mapping[str, object]) -> None:
        """GitHub answers 422 to what is so already. What is wrong otherwise shows in the next step."""
        try:
            await self._installation.post(path, told)
        except GitHubRefusedError as refusal:
            if refusal.status != _ALREADY:
                raise

    async def _has_milestone(self, title: str) -> bool:
        path = f"{self._path}/milestones?state=all&per_page=100"
        return any([True async for one in self._installation.pages(path) if one["title"] == title])

    async def _find_issue(self, marker: str, since: str) -> Any | None:
        path = f"{self._path}/issues?state=all&per_page=100&since={quote(since)}"
        async for issue in self._installation.pages(path):
            if marker in (issue.get("body") or ""):
                return issue
        return None


def _due(day: str) -> str:
    """GitHub keeps the date; noon is that date wherever it may look at it."""
    return f"{day}T12:00:00Z"
