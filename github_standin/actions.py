"""Actions of people on GitHub as method calls, for the demo's scenario and the tests."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from github_standin.seed import ADMIN, ORG

Json = dict[str, Any]


class ActionError(RuntimeError):
    """The stand-in refused a request, which is a mistake in the scenario or the test."""


class Actions:
    """Actions of people; the subclass implements `call` by its REST API."""

    async def call(self, method: str, path: str, body: Any = None, *, as_user: str = ADMIN) -> Any:
        """Send a REST request as a person and decode the response. Raises ActionError."""
        raise NotImplementedError

    async def create_repository(self, owner: str = ORG, name: str = "", private: bool = False) -> Json:
        """Create a repository of the organisation, without files."""
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
        """Create a milestone; only the date of `due_on` counts, as in `2026-03-13T07:00:00Z`."""
        body = {"title": title, "state": state, "description": description, "due_on": _at_noon(due_on)}
        sent = {key: value for key, value in body.items() if value is not None}
        milestone: Json = await self.call("POST", f"/repos/{repo}/milestones", sent, as_user=as_user)
        return milestone

    async def update_milestone(self, repo: str, number: int, as_user: str = ADMIN, **fields: Any) -> Json:
        """Change a milestone's title, description, due_on (only its date counts) or state."""
        if "due_on" in fields:
            fields["due_on"] = _at_noon(fields["due_on"])
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
        """Create an issue; `milestone` is the milestone's number."""
        sent: Json = {"title": title, "labels": list(labels), "assignees": list(assignees)}
        if body is not None:
            sent["body"] = body
        if milestone is not None:
            sent["milestone"] = milestone
        issue: Json = await self.call("POST", f"/repos/{repo}/issues", sent, as_user=as_user)
        return issue

    async def update_issue(self, repo: str, number: int, as_user: str = ADMIN, **fields: Any) -> Json:
        """Change an issue's fields: title, body, labels, milestone (None removes it), assignees."""
        issue: Json = await self.call("PATCH", f"/repos/{repo}/issues/{number}", fields, as_user=as_user)
        return issue

    async def close_issue(
        self, repo: str, number: int, reason: str = "completed", as_user: str = ADMIN
    ) -> Json:
        """Close an issue; `reason` is `completed` or `not_planned`."""
        return await self.update_issue(repo, number, as_user, state="closed", state_reason=reason)

    async def reopen_issue(self, repo: str, number: int, as_user: str = ADMIN) -> Json:
        """Reopen an issue."""
        return await self.update_issue(repo, number, as_user, state="open", state_reason="reopened")

    async def issue(self, repo: str, number: int) -> Json:
        """Read an issue."""
        issue: Json = await self.call("GET", f"/repos/{repo}/issues/{number}")
        return issue

    async def comment(self, repo: str, number: int, body: str, as_user: str = ADMIN) -> Json:
        """Add a comment."""
        path = f"/repos/{repo}/issues/{number}/comments"
        comment: Json = await self.call("POST", path, {"body": body}, as_user=as_user)
        return comment

    async def edit_comment(self, repo: str, comment_id: int, body: str, as_user: str = ADMIN) -> Json:
        """Replace the text of anybody's comment, as people with write access may."""
        path = f"/repos/{repo}/issues/comments/{comment_id}"
        comment: Json = await self.call("PATCH", path, {"body": body}, as_user=as_user)
        return comment

    async def delete_comment(self, repo: str, comment_id: int, as_user: str = ADMIN) -> None:
        """Delete a comment."""
        await self.call("DELETE", f"/repos/{repo}/issues/comments/{comment_id}", as_user=as_user)

    async def comments(self, repo: str, number: int) -> list[Json]:
        """Read all comments of an issue, oldest first (at most 100)."""
        path = f"/repos/{repo}/issues/{number}/comments?per_page=100"
        comments: list[Json] = await self.call("GET", path)
        return comments

    # Pull requests

    async def open_pull_request(
        self,
        repo: str,
        title: str,
        *,
        body: str | None = None,
        head: str = "feature",
        base: str = "main",
        as_user: str = ADMIN,
    ) -> Json:
        """Open a pull request; missing branches are created, and a first commit in an empty repository."""
        if not await self.call("GET", f"/repos/{repo}/branches"):
            await self.put_file(repo, "README.md", f"# {repo}\n", branch=base)
        sent = {"title": title, "body": body, "head": head, "base": base}
        pull: Json = await self.call("POST", f"/repos/{repo}/pulls", sent, as_user=as_user)
        return pull

    async def review_comment(
        self, repo: str, number: int, body: str, as_user: str = ADMIN, path: str = "README.md"
    ) -> Json:
        """Comment on a line of a pull request's changes."""
        sent = {"body": body, "path": path, "line": 1, "side": "RIGHT"}
        url = f"/repos/{repo}/pulls/{number}/comments"
        comment: Json = await self.call("POST", url, sent, as_user=as_user)
        return comment

    async def edit_review_comment(self, repo: str, comment_id: int, body: str, as_user: str = ADMIN) -> Json:
        """Replace a review comment's text."""
        path = f"/repos/{repo}/pulls/comments/{comment_id}"
        comment: Json = await self.call("PATCH", path, {"body": body}, as_user=as_user)
        return comment

    async def review_comments(self, repo: str, number: int) -> list[Json]:
        """Read all review comments of a pull request, oldest first (at most 100)."""
        path = f"/repos/{repo}/pulls/{number}/comments?per_page=100"
        comments: list[Json] = await self.call("GET", path)
        return comments

    async def check_runs(self, repo: str, sha: str) -> list[Json]:
        """Read the check runs of a commit (at most 100)."""
        page: Json = await self.call("GET", f"/repos/{repo}/commits/{sha}/check-runs?per_page=100")
        runs: list[Json] = page["check_runs"]
        return runs

    # Files

    async def put_file(
        self,
        repo: str,
        path: str,
        text: str,
        *,
        message: str = "",
        branch: str | None = None,
        as_user: str = ADMIN,
    ) -> Json:
        """Write a file with a commit, by default to the default branch; returns `content` and `commit`."""
        existing = await self._file(repo, path, branch)
        sent: Json = {
            "message": message or f"{'Change' if existing else 'Add'} {path}",
            "content": base64.b64encode(text.encode()).decode(),
        }
        return await self._commit("PUT", repo, path, existing, sent, branch, as_user)

    async def delete_file(
        self, repo: str, path: str, *, message: str = "", branch: str | None = None, as_user: str = ADMIN
    ) -> Json:
        """Delete a file with a commit."""
        existing = await self._file(repo, path, branch)
        if existing is None:
            raise ActionError(f"there is no file {path} in {repo}")
        sent = {"message": message or f"Delete {path}"}
        return await self._commit("DELETE", repo, path, existing, sent, branch, as_user)

    async def _commit(
        self,
        method: str,
        repo: str,
        path: str,
        existing: Json | None,
        sent: Json,
        branch: str | None,
        user: str,
    ) -> Json:
        if user != ADMIN:  # emulate checks its own list of collaborators, which is used for nothing else.
            await self.call("PUT", f"/repos/{repo}/collaborators/{user}", {"permission": "push"})
        sent |= {"sha": existing["sha"]} if existing else {}
        sent |= {"branch": branch} if branch else {}
        commit: Json = await self.call(method, f"/repos/{repo}/contents/{path}", sent, as_user=user)
        return commit

    async def _file(self, repo: str, path: str, branch: str | None) -> Json | None:
        """Read a file; None when it does not exist."""
        ref = f"?ref={branch}" if branch else ""
        try:
            file: Json = await self.call("GET", f"/repos/{repo}/contents/{path}{ref}")
        except ActionError:
            return None
        return file


def _at_noon(due_on: str | None) -> str | None:
    """Move a due date to noon in UTC, which has the same date in California, where GitHub reads it."""
    return f"{due_on[:10]}T12:00:00Z" if due_on else due_on
