"""One repository on GitHub: people's permissions, files, and the changes that commands make."""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from bot.github.client import GONE, GitHubRefusedError, Installation
from bot.github.marked_search import find_marked
from bot.github.markers import Mark
from commands.framework.changes import (
    CreateMilestone,
    EditMilestone,
    LinkIssue,
    MoveItem,
    OpenIssue,
    ProposeFile,
    Relabel,
    SetBlocked,
)
from commands.framework.permissions import Level, parse_level
from commands.framework.ports import File, Health
from commands.settings.file import MOST_BYTES
from handlers.references import find_references

# The colour of labels that a command uses and the App therefore creates.
_LABEL_COLOUR = "c5def5"
_WHY_NOT_PROPOSED = {
    403: "I may not write to the repository; `/agile health` tells what an owner must grant",
    409: "the file was changed meanwhile; please ask again",
}
_ALREADY = 422


async def find_file(
    installation: Installation, full_name: str, path: str, ref: str | None = None
) -> File | None:
    """Get a file of the default branch, or of `ref`; None if there is none."""
    query = f"?ref={quote(ref, safe='')}" if ref else ""
    try:
        answer = await installation.get(f"/repos/{full_name}/contents/{quote(path)}{query}")
    except GitHubRefusedError as refusal:
        if refusal.status in GONE:
            return None
        raise
    if not isinstance(answer, Mapping):
        return File("folder", None)
    # GitHub does not send a large file's content, and reading needs only to know that it is too large.
    content = b" " * (MOST_BYTES + 1) if answer.get("size", 0) > MOST_BYTES else _content(answer)
    return File(str(answer["sha"]), content)


def _content(answer: Mapping[str, Any]) -> bytes | None:
    if answer.get("type") != "file" or answer.get("encoding") != "base64":
        return None
    try:
        return base64.b64decode(str(answer["content"]))
    except binascii.Error:
        return None


class GitHubRepository:
    """The repository `owner/name`, with the rights of an installation."""

    def __init__(self, installation: Installation, full_name: str) -> None:
        self._installation = installation
        self._full_name = full_name
        self._path = f"/repos/{full_name}"

    def elsewhere(self, full_name: str) -> "GitHubRepository":
        """Another repository of the same installation."""
        return GitHubRepository(self._installation, full_name)

    # Questions of commands

    async def find_level(self, login: str) -> Level:
        """Get a person's level, cached for a minute; Level.NONE for non-collaborators, even if GitHub lets
        everybody read.
        """
        key = (self._full_name, login.lower())
        level = self._installation.levels.get(key)
        if level is None:
            level = await self._ask_level(login)
            self._installation.levels[key] = level
        return Level(level)

    def forget_level(self, login: str) -> None:
        """Drop a person's cached level, so that the next question is asked of GitHub."""
        self._installation.levels.pop((self._full_name, login.lower()), None)

    async def read_own_login(self) -> str:
        """The login under which GitHub shows what the App changes, in lower case."""
        return (await self._installation.identity()).bot_login

    async def is_in_team(self, login: str, team: str) -> bool:
        """Whether a person belongs to a team of the organization."""
        owner = self._full_name.partition("/")[0]
        path = f"/orgs/{owner}/teams/{quote(team, safe='')}/memberships/{quote(login, safe='')}"
        try:
            membership = await self._installation.get(path)
        except GitHubRefusedError:  # No such team or member, or one that the App may not see: fail closed.
            return False
        return bool(membership.get("state") == "active")

    async def read_health(self) -> Health:
        """Get how many requests are left this hour, and which permissions and events are missing."""
        core = (await self._installation.get("/rate_limit"))["resources"]["core"]
        resets_at = datetime.fromtimestamp(core["reset"], UTC)
        grants, requested = await self._installation.grants()
        return Health(
            core["remaining"],
            core["limit"],
            resets_at,
            grants.missing,
            grants.missing_events,
            frozenset({*requested.missing, *requested.missing_events}),
            grants.owner,
            grants.url,
        )

    async def read_file(self, path: str, pull_request: int | None = None) -> File | None:
        """Get a file of the default branch, or of a pull request's head."""
        ref = None
        if pull_request is not None:
            # A fork's commits can be read here, too, once they belong to a pull request.
            ref = (await self._installation.get(f"{self._path}/pulls/{pull_request}"))["head"]["sha"]
        return await find_file(self._installation, self._full_name, path, ref)

    async def _ask_level(self, login: str) -> Level:
        person = quote(login, safe="")
        try:
            level = parse_level(
                await self._installation.get(f"{self._path}/collaborators/{person}/permission")
            )
            if level is Level.READ:  # On a public repository GitHub answers this for anybody.
                await self._installation.get(f"{self._path}/collaborators/{person}")
        except GitHubRefusedError as refusal:
            if refusal.status == 404:
                return Level.NONE
            raise
        return level

    # Changes by commands. All are idempotent, because an attempt that crashed is repeated.

    async def move_item(self, step: MoveItem) -> None:
        await self._installation.patch(f"{self._path}/issues/{step.number}", {"milestone": step.after})

    async def relabel(self, step: Relabel) -> None:
        issue = f"{self._path}/issues/{step.number}"
        for name in step.removed:
            try:
                await self._installation.delete(f"{issue}/labels/{quote(name, safe='')}")
            except GitHubRefusedError as refusal:
                if refusal.status not in GONE:
                    raise
        if step.added:
            await self._make_labels(step.added)
            await self._installation.post(f"{issue}/labels", {"labels": list(step.added)})

    async def create_milestone(self, step: CreateMilestone) -> CreateMilestone:
        """Create a milestone. Returns the step with the milestone's id."""
        fields: dict[str, Any] = {"title": step.title, "description": step.description}
        if step.due_on:
            fields["due_on"] = _to_due_on(step.due_on)
        try:
            milestone = await self._installation.post(f"{self._path}/milestones", fields)
        except GitHubRefusedError as refusal:
            # The milestone exists: an earlier attempt crashed before storing its id, or a person created it.
            milestone = await self._milestone_titled(step.title) if refusal.status == _ALREADY else None
            if milestone is None:
                raise
        return msgspec.structs.replace(step, milestone=milestone["id"])

    async def edit_milestone(self, step: EditMilestone) -> None:
        fields: dict[str, Any] = dict(step.after)
        if fields.get("due_on"):
            fields["due_on"] = _to_due_on(str(fields["due_on"]))
        await self._installation.patch(f"{self._path}/milestones/{step.number}", fields)

    async def open_issue(self, step: OpenIssue, mark: Mark, since: str) -> OpenIssue:
        """Open an issue that bears a mark, unless the App has opened it since a moment (ISO 8601).

        Returns the step with the issue's number.
        """
        issue = await self._find_issue(mark, since)
        if issue is None:
            marker = self._installation.markers.comment(mark)
            fields: dict[str, Any] = {"title": step.title, "body": f"{step.body}\n\n{marker}".strip()}
            fields["labels"] = list(step.labels)
            if step.assignees:
                fields["assignees"] = list(step.assignees)
            if step.milestone is not None:
                fields["milestone"] = step.milestone
            issue = await self._installation.post(f"{self._path}/issues", fields)
        if step.parent is not None:
            path = f"{self._path}/issues/{step.parent}/sub_issues"
            await self._post_unless_done(path, {"sub_issue_id": issue["id"]})
        return msgspec.structs.replace(step, number=int(issue["number"]))

    async def block(self, step: SetBlocked) -> None:
        blocking = await self._installation.get(f"{self._path}/issues/{step.by}")
        path = f"{self._path}/issues/{step.number}/dependencies/blocked_by"
        if step.is_blocked:
            await self._post_unless_done(path, {"issue_id": blocking["id"]})
            return
        try:
            await self._installation.delete(f"{path}/{blocking['id']}")
        except GitHubRefusedError as refusal:
            if refusal.status not in GONE:
                raise

    async def propose(self, step: ProposeFile) -> None:
        """Create a branch, a commit and a pull request; those of an attempt that crashed are used."""
        try:
            base = (await self._installation.get(self._path))["default_branch"]
            tip = await self._installation.get(f"{self._path}/git/ref/heads/{quote(base)}")
            fields = {"ref": f"refs/heads/{step.branch}", "sha": tip["object"]["sha"]}
            await self._post_unless_done(f"{self._path}/git/refs", fields)
            await self._commit(step)
            await self._open_pull_request(step, base)
        except GitHubRefusedError as refusal:
            if (why := _WHY_NOT_PROPOSED.get(refusal.status)) is None:
                raise
            raise GitHubRefusedError(refusal.status, str(refusal), words=why) from None

    async def _open_pull_request(self, step: ProposeFile, base: str) -> None:
        pull = {"title": step.title, "head": step.branch, "base": base, "body": step.body}
        try:
            await self._installation.post(f"{self._path}/pulls", pull)
        except GitHubRefusedError as refusal:
            head = f"{self._full_name.partition('/')[0]}:{step.branch}"
            open_ones = f"{self._path}/pulls?state=open&head={quote(head, safe=':')}"
            if refusal.status != _ALREADY or not await self._installation.get(open_ones):
                raise

    async def _commit(self, step: ProposeFile) -> None:
        content = step.content.encode()
        present = await find_file(self._installation, self._full_name, step.path, step.branch)
        if present is not None and present.content == content:
            return
        fields = {
            "message": step.title,
            "content": base64.b64encode(content).decode(),
            "branch": step.branch,
        }
        # If the file was changed since, GitHub refuses, so that no change is overwritten.
        if step.before is not None:
            fields["sha"] = step.before
        await self._installation.put(f"{self._path}/contents/{quote(step.path)}", fields)

    async def link(self, step: LinkIssue) -> None:
        """Link a pull request with an issue by a keyword in its text; GitHub has no other API for it.

        An edit by a person between reading and writing the text would be lost; both are a moment apart.
        """
        path, words = f"{self._path}/pulls/{step.number}", f"Closes #{step.issue}"
        pull = await self._installation.get(path)
        body, page = str(pull.get("body") or "").strip(), pull.get("html_url")
        if not await self._is_followed(step.issue, body, page):
            below, above = f"{body}\n\n{words}".strip(), f"{words}\n\n{body}"
            # Below an unclosed comment or fence, GitHub would not follow the keyword.
            text = below if await self._is_followed(step.issue, below, page) else above
            await self._installation.patch(path, {"body": text})

    async def _is_followed(self, issue: int, body: str, page: str | None) -> bool:
        """Whether GitHub closes an issue for a description's keywords. In a thread: a long one takes a while.

        `page` is the address of the pull request.
        """
        references = await asyncio.to_thread(find_references, body, self._full_name, page)
        return issue in references.closes

    async def _make_labels(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                await self._installation.get(f"{self._path}/labels/{quote(name, safe='')}")
            except GitHubRefusedError as refusal:
                if refusal.status not in GONE:
                    raise
                await self._post_unless_done(f"{self._path}/labels", {"name": name, "color": _LABEL_COLOUR})

    async def _post_unless_done(self, path: str, fields: Mapping[str, object]) -> None:
        """Post, and ignore 422: GitHub's answer if it is done already. Other causes show in the next step."""
        try:
            await self._installation.post(path, fields)
        except GitHubRefusedError as refusal:
            if refusal.status != _ALREADY:
                raise

    async def _milestone_titled(self, title: str) -> Any | None:
        path = f"{self._path}/milestones?state=all&per_page=100"
        async for milestone in self._installation.pages(path):
            if milestone["title"] == title:
                return milestone
        return None

    async def _find_issue(self, mark: Mark, since: str) -> Any | None:
        path = f"{self._path}/issues?state=all&per_page=100&since={quote(since)}"
        return await find_marked(self._installation, path, mark)


def _to_due_on(day: str) -> str:
    """Format a due date for GitHub, which keeps the date only; noon is that date in all its time zones."""
    return f"{day}T12:00:00Z"
