"""One repository on GitHub: who may do what in it, and the changes that commands make to it."""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from bot.github.client import GONE, GitHubRefusedError, Installation
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
from commands.framework.permissions import Level, level_from
from commands.framework.ports import File, Health
from commands.settings.file import MOST_BYTES
from handlers.references import references_in

# Of labels that we make because nobody has made them yet.
_LABEL_COLOUR = "c5def5"
_WHY_NOT_PROPOSED = {
    403: "I may not write to the repository; `/agile health` tells what an owner must grant",
    409: "the file was changed meanwhile; please ask again",
}
_ALREADY = 422


async def find_file(
    installation: Installation, full_name: str, path: str, ref: str | None = None
) -> File | None:
    """A file of the default branch, or of `ref`; None where there is none."""
    query = f"?ref={quote(ref, safe='')}" if ref else ""
    try:
        told = await installation.get(f"/repos/{full_name}/contents/{quote(path)}{query}")
    except GitHubRefusedError as refusal:
        if refusal.status in GONE:
            return None
        raise
    if not isinstance(told, Mapping):
        return File("folder", None)
    # What is too large is not sent, and not needed: that it is too large is all there is to say of it.
    content = b" " * (MOST_BYTES + 1) if told.get("size", 0) > MOST_BYTES else _content(told)
    return File(str(told["sha"]), content)


def _content(told: Mapping[str, Any]) -> bytes | None:
    if told.get("type") != "file" or told.get("encoding") != "base64":
        return None
    try:
        return base64.b64decode(str(told["content"]))
    except binascii.Error:
        return None


class GitHubRepository:
    """The repository `owner/name`, as the installation sees it."""

    def __init__(self, installation: Installation, full_name: str) -> None:
        self._installation = installation
        self._full_name = full_name
        self._path = f"/repos/{full_name}"

    def elsewhere(self, full_name: str) -> "GitHubRepository":
        """Another repository of the same installation."""
        return GitHubRepository(self._installation, full_name)

    # What commands ask

    async def level_of(self, login: str) -> Level:
        """What this person may do, for a minute from memory. Who is no collaborator may nothing, even where
        GitHub lets everybody read."""
        key = (self._full_name, login.lower())
        known = self._installation.levels.get(key)
        if known is None:
            known = await self._ask_level(login)
            self._installation.levels[key] = known
        return Level(known)

    def forget_level(self, login: str) -> None:
        """Lets the next question about this person be asked of GitHub, for what must hold now."""
        self._installation.levels.pop((self._full_name, login.lower()), None)

    async def is_in_team(self, login: str, team: str) -> bool:
        """Whether a person belongs to a team of the organization."""
        owner = self._full_name.partition("/")[0]
        path = f"/orgs/{owner}/teams/{quote(team, safe='')}/memberships/{quote(login, safe='')}"
        try:
            found = await self._installation.get(path)
        except GitHubRefusedError:  # No such team or member, or one that we may not see: fails closed.
            return False
        return bool(found.get("state") == "active")

    async def health(self) -> Health:
        """How many requests are left this hour, and what we may not do here."""
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

    async def file(self, path: str, pull_request: int | None = None) -> File | None:
        """A file of the default branch, or as a pull request would have it."""
        ref = None
        if pull_request is not None:
            # Also of a fork, whose commits are found here once they were proposed.
            ref = (await self._installation.get(f"{self._path}/pulls/{pull_request}"))["head"]["sha"]
        return await find_file(self._installation, self._full_name, path, ref)

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
                if refusal.status not in GONE:
                    raise
        if step.added:
            await self._make_labels(step.added)
            await self._installation.post(f"{issue}/labels", {"labels": list(step.added)})

    async def create_milestone(self, step: CreateMilestone) -> CreateMilestone:
        """Returns the step with GitHub's id of the milestone."""
        told: dict[str, Any] = {"title": step.title, "description": step.description}
        if step.due_on:
            told["due_on"] = _to_due_on(step.due_on)
        try:
            made = await self._installation.post(f"{self._path}/milestones", told)
        except GitHubRefusedError as refusal:
            # Made by a try that died before it was noted, or by somebody since.
            made = await self._milestone_titled(step.title) if refusal.status == _ALREADY else None
            if made is None:
                raise
        return msgspec.structs.replace(step, milestone=made["id"])

    async def edit_milestone(self, step: EditMilestone) -> None:
        told: dict[str, Any] = dict(step.after)
        if told.get("due_on"):
            told["due_on"] = _to_due_on(str(told["due_on"]))
        await self._installation.patch(f"{self._path}/milestones/{step.number}", told)

    async def open_issue(self, step: OpenIssue, mark: Mark, since: str) -> None:
        """Opens an issue that bears a mark, unless our App has opened it since a moment (ISO 8601)."""
        issue = await self._find_issue(mark, since)
        if issue is None:
            marker = self._installation.markers.comment(mark)
            told: dict[str, Any] = {"title": step.title, "body": f"{step.body}\n\n{marker}".strip()}
            told["labels"] = list(step.labels)
            if step.milestone is not None:
                told["milestone"] = step.milestone
            issue = await self._installation.post(f"{self._path}/issues", told)
        if step.parent is not None:
            path = f"{self._path}/issues/{step.parent}/sub_issues"
            await self._once(path, {"sub_issue_id": issue["id"]})

    async def block(self, step: SetBlocked) -> None:
        blocking = await self._installation.get(f"{self._path}/issues/{step.by}")
        path = f"{self._path}/issues/{step.number}/dependencies/blocked_by"
        if step.is_blocked:
            await self._once(path, {"issue_id": blocking["id"]})
            return
        try:
            await self._installation.delete(f"{path}/{blocking['id']}")
        except GitHubRefusedError as refusal:
            if refusal.status not in GONE:
                raise

    async def propose(self, step: ProposeFile) -> None:
        """Branch, commit and pull request; what a try that died has made of them is taken up."""
        try:
            base = (await self._installation.get(self._path))["default_branch"]
            tip = await self._installation.get(f"{self._path}/git/ref/heads/{quote(base)}")
            told = {"ref": f"refs/heads/{step.branch}", "sha": tip["object"]["sha"]}
            await self._once(f"{self._path}/git/refs", told)
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
        there = await find_file(self._installation, self._full_name, step.path, step.branch)
        if there is not None and there.content == content:
            return
        told = {
            "message": step.title,
            "content": base64.b64encode(content).decode(),
            "branch": step.branch,
        }
        # Somebody changed the file since: GitHub refuses, rather than that we undo it.
        if step.before is not None:
            told["sha"] = step.before
        await self._installation.put(f"{self._path}/contents/{quote(step.path)}", told)

    async def link(self, step: LinkIssue) -> None:
        """GitHub has no other way to link a pull request with an issue than its text.

        What a person writes into it between our reading and our writing would be lost; both are a moment
        apart.
        """
        path, words = f"{self._path}/pulls/{step.number}", f"Closes #{step.issue}"
        pull = await self._installation.get(path)
        body, page = str(pull.get("body") or "").strip(), pull.get("html_url")
        if not await self._is_followed(step.issue, body, page):
            below, above = f"{body}\n\n{words}".strip(), f"{words}\n\n{body}"
            # Below a comment or a fence that is left open they would be no words at all.
            text = below if await self._is_followed(step.issue, below, page) else above
            await self._installation.patch(path, {"body": text})

    async def _is_followed(self, issue: int, body: str, page: str | None) -> bool:
        """Whether GitHub closes an issue for a description's words. A long one takes a while to read.

        `page` is the address of the pull request.
        """
        references = await asyncio.to_thread(references_in, body, self._full_name, page)
        return issue in references.closes

    async def _make_labels(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                await self._installation.get(f"{self._path}/labels/{quote(name, safe='')}")
            except GitHubRefusedError as refusal:
                if refusal.status not in GONE:
                    raise
                await self._once(f"{self._path}/labels", {"name": name, "color": _LABEL_COLOUR})

    async def _once(self, path: str, told: Mapping[str, object]) -> None:
        """GitHub answers 422 to what is so already. What is wrong otherwise shows in the next step."""
        try:
            await self._installation.post(path, told)
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
        identity, markers = await self._installation.identity(), self._installation.markers
        async for issue in self._installation.pages(path):
            if markers.is_marked(issue.get("body"), mark) and identity.has_written(issue):
                return issue
        return None


def _to_due_on(day: str) -> str:
    """GitHub keeps the date; noon is that date wherever it may look at it."""
    return f"{day}T12:00:00Z"
