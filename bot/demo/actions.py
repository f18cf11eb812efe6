"""What people do on GitHub, as plain calls: the demo's scenario and the tests play with these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.demo.seed import ADMIN, ORG

Json = dict[str, Any]


class ActionError(RuntimeError):
    """The stand-in refused a helper's request: a mistake in the scenario or the test."""


class Actions:
    """The helpers; the class that has a REST API beneath provides `call`."""

    async def call(self, method: str, path: str, body: Any = None, *, as_user: str = ADMIN) -> Any:
        """One REST request as a person; the decoded answer, or an error when it was refused."""
        raise NotImplementedError

    async def create_repository(self, owner: str = ORG, name: str = "", private: bool = False) -> Json:
        """A repository of the organisation, without files."""
        repo: Json = await self.call("POST", f"/orgs/{owner}/repos", {"name": name, "private": private})
        return repo

    async def create_milestone(
        self,
        repo: str,
        title: str,
        due_on: str | None = None,
        description: str | None = None,
        state: str = "open",
        *,
        as_user: str = ADMIN,
    ) -> Json:
        """A milestone; `due_on` as GitHub stores it, such as `2026-03-13T07:00:00Z`."""
        body = {"title": title, "state": state, "description": description, "due_on": due_on}
        sent = {key: value for key, value in body.items() if value is not None}
        milestone: Json = await self.call("POST", f"/repos/{repo}/milestones", sent, as_user=as_user)
        return milestone

    async def update_milestone(self, repo: str, number: int, as_user: str = ADMIN, **fields: Any) -> Json:
        """Change a milestone's title, description, due_on or state."""
        path = f"/repos/{repo}/milestones/{number}"
        milestone: Json = await self.call("PATCH", path, fields, as_user=as_user)
        return milestone

    async def create_issue(
        self,
        repo: str,
        title: str,
        *,
        body: str | None = None,
        labels: Sequence[str] = (),
        milestone: int | None = None,
        assignees: Sequence[str] = (),
        as_user: str = ADMIN,
    ) -> Json:
        """An issue; `milestone` is the milestone's number."""
        sent: Json = {"title": title, "labels": list(labels), "assignees": list(assignees)}
        if body is not None:
            sent["body"] = body
        if milestone is not None:
            sent["milestone"] = milestone
        issue: Json = await self.call("POST", f"/repos/{repo}/issues", sent, as_user=as_user)
        return issue

    async def update_issue(self, repo: str, number: int, as_user: str = ADMIN, **fields: Any) -> Json:
        """Change any of an issue's fields: title, body, labels, milestone (None takes it out), assignees."""
        issue: Json = await self.call("PATCH", f"/repos/{repo}/issues/{number}", fields, as_user=as_user)
        return issue

    async def close_issue(
        self, repo: str, number: int, reason: str = "completed", as_user: str = ADMIN
    ) -> Json:
        """Close as `completed` or `not_planned`."""
        return await self.update_issue(repo, number, as_user, state="closed", state_reason=reason)

    async def reopen_issue(self, repo: str, number: int, as_user: str = ADMIN) -> Json:
        """Open again."""
        return await self.update_issue(repo, number, as_user, state="open", state_reason="reopened")

    async def issue(self, repo: str, number: int) -> Json:
        """An issue as it is now."""
        issue: Json = await self.call("GET", f"/repos/{repo}/issues/{number}")
        return issue

    async def comment(self, repo: str, number: int, body: str, as_user: str = ADMIN) -> Json:
        """A new comment."""
        path = f"/repos/{repo}/issues/{number}/comments"
        comment: Json = await self.call("POST", path, {"body": body}, as_user=as_user)
        return comment

    async def edit_comment(self, repo: str, comment_id: int, body: str, as_user: str = ADMIN) -> Json:
        """Replace a comment's text; anybody's comment, as people with write access may."""
        path = f"/repos/{repo}/issues/comments/{comment_id}"
        comment: Json = await self.call("PATCH", path, {"body": body}, as_user=as_user)
        return comment

    async def delete_comment(self, repo: str, comment_id: int, as_user: str = ADMIN) -> None:
        """Delete a comment."""
        await self.call("DELETE", f"/repos/{repo}/issues/comments/{comment_id}", as_user=as_user)

    async def comments(self, repo: str, number: int) -> list[Json]:
        """All comments of an issue, oldest first (at most 100)."""
        path = f"/repos/{repo}/issues/{number}/comments?per_page=100"
        comments: list[Json] = await self.call("GET", path)
        return comments
