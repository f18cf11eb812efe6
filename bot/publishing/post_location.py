"""Where one post belongs on GitHub: posted there once, edited in place, with what people wrote around it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from bot.github.app_identity import AppIdentity
from bot.github.client import GONE, GitHubRefusedError, Installation
from bot.github.markers import Mark, as_comment, unsigned
from bot.github.owned_text import Surroundings, find_surroundings
from bot.publishing.outbox import MOST_CHARACTERS, truncate
from bot.publishing.release_notes import MarkedPart, write_into_release
from storage.posts import DesiredPost, Post, PostKind

_MOVED = frozenset({301, 302, 307, 308})
_CLOCK_DIFFERENCE = timedelta(minutes=5)
# Less than this of a post says nothing.
_LEAST_CHARACTERS = 1000
_FORBIDDEN, _TOO_LONG = 403, 422


class PostGoneError(Exception):
    """A person has deleted the post, or taken our part out of it."""


class ThreadGoneError(Exception):
    """The thread of a post is gone: deleted, transferred or locked. Its message says so for people."""


@dataclass(frozen=True, slots=True)
class PostRepository:
    """The repository on GitHub: `owner/name`, and GitHub's node id, which stays when it is renamed."""

    full_name: str
    node_id: str

    @property
    def path(self) -> str:
        """Its address in GitHub's REST API."""
        return f"/repos/{self.full_name}"


@dataclass(frozen=True, slots=True)
class SentPost:
    """A post that GitHub took: its id there (of an issue its number), and as what."""

    external_id: int
    sent_as: Mapping[str, Any] | None = None


class PostLocation:
    """Where one post belongs on GitHub."""

    def __init__(
        self,
        installation: Installation,
        repository: PostRepository,
        wanted: DesiredPost,
        mark: Mark,
        keep_pace: Callable[[], Awaitable[None]],
    ) -> None:
        """`mark` identifies the post; `keep_pace` is waited for before each write."""
        self._installation = installation
        self._repository = repository
        self._keep_pace = keep_pace
        self._markers = installation.markers
        self._mark = mark
        self._wanted = wanted
        self._post = wanted.post

    async def write(self) -> SentPost:
        """Edits the post, or posts it.

        Raises PostGoneError, ThreadGoneError, GitHubRefusedError or GitHubUnavailableError.
        """
        external_id = self._wanted.external_id
        if self._post.kind is PostKind.RELEASE:
            return await self._write_into_release()
        if external_id is None and self._wanted.attempts > 1:
            external_id = await self._already_posted()
        match self._post.kind:
            case PostKind.CHECK:
                return await self._write_check(external_id)
            case PostKind.ISSUE:
                return await (self._edit_issue(external_id) if external_id else self._open_issue())
            case _:
                return await (self._edit_comment(external_id) if external_id else self._comment())

    async def _write_into_release(self) -> SentPost:
        path = f"{self._repository.path}/releases/{self._post.data['release']}"
        marked = MarkedPart(self._markers, self._mark)
        try:
            release = await write_into_release(
                self._installation, path, self._wanted, marked, self._keep_pace
            )
        except GitHubRefusedError as refusal:
            if self._wanted.external_id is not None and refusal.status in GONE:
                await self._look_at_repository()
                raise PostGoneError from None
            raise
        return SentPost(release)

    async def _write_check(self, external_id: int | None) -> SentPost:
        content = {**self._post.data, "external_id": self._markers.text(self._mark)}
        await self._keep_pace()
        if external_id is None:
            made = await self._installation.post(self._list, content)
            return SentPost(int(made["id"]))
        content.pop("head_sha", None)
        path = f"{self._repository.path}/check-runs/{external_id}"
        try:
            await self._installation.patch(path, content)
        except GitHubRefusedError as refusal:
            if refusal.status in GONE and self._wanted.external_id is not None:
                await self._look_at_repository()
                raise PostGoneError from None
            raise
        return SentPost(external_id)

    # Comments

    async def _comment(self) -> SentPost:
        thread = await self._look_at_thread()
        part = truncate(self._post.body)
        await self._keep_pace()
        try:
            comment = await self._installation.post(self._list, {"body": self._alone(part)})
        except GitHubRefusedError as refusal:
            if refusal.status == _FORBIDDEN and thread.get("locked") is True:
                raise ThreadGoneError(f"{refusal} (#{self._post.thread} is locked)") from None
            if refusal.status in GONE | _MOVED:
                await self._look_at_repository()
                raise ThreadGoneError(f"{refusal} (#{self._post.thread} is gone)") from None
            raise
        return SentPost(int(comment["id"]), {"body": part})

    async def _edit_comment(self, external_id: int) -> SentPost:
        path = f"{self._repository.path}/issues/comments/{external_id}"
        try:
            present = await self._installation.get(path)
        except GitHubRefusedError as refusal:
            if refusal.status not in GONE | _MOVED:
                raise
            await self._look_at_thread()
            raise PostGoneError from None
        if not await self._is_here(_repository_path(present.get("issue_url"))):
            raise ThreadGoneError(f"#{self._post.thread} is in another repository now")
        part, body = self._within(str(present.get("body") or ""))
        if body != present.get("body"):
            await self._patch(path, {"body": body})
        return SentPost(external_id, {"body": part})

    async def _look_at_thread(self) -> Mapping[str, Any]:
        """The thread as GitHub has it. Raises ThreadGoneError if it is not in this repository any more."""
        path = f"{self._repository.path}/issues/{self._post.thread}"
        try:
            thread = await self._installation.get(path)
        except GitHubRefusedError as refusal:
            if refusal.status not in GONE | _MOVED:
                raise
            await self._look_at_repository()
            raise ThreadGoneError(f"{refusal} (#{self._post.thread} is gone)") from None
        if not await self._is_here(_repository_path(thread.get("url"))):
            raise ThreadGoneError(f"#{self._post.thread} is in another repository now")
        return dict(thread)

    # Issues of our own

    async def _open_issue(self) -> SentPost:
        data, part = self._post.data, truncate(self._post.body)
        await self._keep_pace()
        issue = await self._installation.post(self._list, {"title": data["title"], "body": self._alone(part)})
        number = int(issue["number"])
        if data.get("state") == "closed":
            await self._patch(f"{self._repository.path}/issues/{number}", _state_fields(data))
        state = data.get("state", "open")
        return SentPost(number, _sent_fields(part, data, title=data["title"], state=state))

    async def _edit_issue(self, number: int) -> SentPost:
        """Edits our part of the text. Title and state stay as people left them."""
        path = f"{self._repository.path}/issues/{number}"
        try:
            present = await self._installation.get(path)
        except GitHubRefusedError as refusal:
            if refusal.status in _MOVED:
                raise ThreadGoneError(f"{refusal} (#{number} was transferred)") from None
            if refusal.status not in GONE:
                raise
            await self._look_at_repository()
            raise PostGoneError from None
        if not await self._is_here(_repository_path(present.get("url"))):
            raise ThreadGoneError(f"#{number} is in another repository now")
        part, body = self._within(str(present.get("body") or ""))
        content: dict[str, Any] = {} if body == present.get("body") else {"body": body}
        sent, data = self._wanted.sent_as, self._post.data
        if sent is None:
            # Only a moment ago it was opened. Of what an earlier version sent, nothing is known, so that
            # people may have made of title and state what they are.
            is_new = self._wanted.external_id is None
            as_wanted = {"title": data["title"], "state": data.get("state", "open")}
            sent = {"title": present.get("title"), "state": "open"} if is_new else as_wanted
        title, state = sent.get("title"), sent.get("state", "open")
        if data["title"] != title == present.get("title"):
            content["title"] = title = data["title"]
        wanted, is_closed = data.get("state", "open"), present.get("state") == "closed"
        # Somebody who closed it knew less than it says now.
        is_closed_too_early = state == wanted == "open" and is_closed and _has_news(data, sent)
        if wanted != state == present.get("state") or is_closed_too_early:
            content |= _state_fields(data)
        if content:
            await self._patch(path, content)
        return SentPost(number, _sent_fields(part, data, title=title, state=wanted))

    # Both

    def _alone(self, part: str) -> str:
        return Surroundings().around(part, self._markers.comment(self._mark))

    def _within(self, present: str) -> tuple[str, str]:
        """Our part, and the present text with it in the place of our part of before."""
        names = [*self._markers.candidates(self._mark), unsigned(self._mark)]
        texts = [str((self._wanted.sent_as or {}).get("body") or ""), *self._wanted.attempted]
        markers = [as_comment(name) for name in names]
        around = find_surroundings(present, markers, [truncate(text) for text in texts], self._post.body)
        if around is None:
            raise PostGoneError
        marker = self._markers.comment(self._mark)
        room = around.room(marker)
        if room < _LEAST_CHARACTERS:
            raise GitHubRefusedError(_TOO_LONG, "what people wrote around our text leaves no room for it")
        part = truncate(self._post.body, min(room, MOST_CHARACTERS))
        return part, around.around(part, marker)

    async def _patch(self, path: str, content: Mapping[str, Any]) -> None:
        await self._keep_pace()
        await self._installation.patch(path, content)

    async def _is_here(self, path: str) -> bool:
        """Whether an address, to which a redirect may have led, is in this repository."""
        if not path or path.lower() == self._repository.path.lower():
            return True
        try:  # This one may have been renamed.
            repository = await self._installation.get(path)
        except GitHubRefusedError:
            return False
        return bool(repository.get("node_id") == self._repository.node_id)

    async def _look_at_repository(self) -> None:
        """Raises GitHubRefusedError if the repository itself is out of sight, not only what is in it."""
        await self._installation.get(self._repository.path)

    @property
    def _list(self) -> str:
        return {
            PostKind.COMMENT: f"{self._repository.path}/issues/{self._post.thread}/comments",
            PostKind.ISSUE: f"{self._repository.path}/issues",
            PostKind.CHECK: f"{self._repository.path}/check-runs",
        }[self._post.kind]

    async def _already_posted(self) -> int | None:
        """That of an earlier attempt which died between GitHub's answer and our note of it."""
        since = quote((self._wanted.first_wanted_at - _CLOCK_DIFFERENCE).strftime("%Y-%m-%dT%H:%M:%SZ"))
        key = None
        match self._post.kind:
            case PostKind.COMMENT:
                await self._look_at_thread()
                path = f"{self._list}?per_page=100&since={since}"
            case PostKind.ISSUE:
                path = f"{self._list}?state=all&per_page=100&since={since}"
            case _:
                commit = f"{self._repository.path}/commits/{self._post.data['head_sha']}"
                path = f"{commit}/check-runs?per_page=100"
                key = "check_runs"
        identity = await self._installation.identity()
        async for written in self._installation.pages(path, key):
            if self._is_ours(written, identity):
                return int(written["number" if self._post.kind is PostKind.ISSUE else "id"])
        return None

    def _is_ours(self, written: Mapping[str, Any], identity: AppIdentity) -> bool:
        """Whether our App wrote this post. A check has a field for the marker."""
        if self._post.kind is PostKind.CHECK:
            return self._markers.is_text(written.get("external_id"), self._mark) and identity.has_made(
                written
            )
        return self._markers.is_marked(written.get("body"), self._mark) and identity.has_written(written)


def post_mark(organization_id: int, wanted: DesiredPost) -> Mark:
    """What identifies a post on GitHub."""
    return Mark(organization_id, wanted.project_id, _mark_place(wanted.post), f"post:{wanted.id}")


def _mark_place(post: Post) -> str:
    """Where a post belongs, as its marker says it."""
    match post.kind:
        case PostKind.COMMENT:
            return f"thread:{post.thread}"
        case PostKind.ISSUE:
            return "issues"
        case PostKind.CHECK:
            return f"commit:{post.data['head_sha']}"
        case PostKind.RELEASE:
            return f"release:{post.data['release']}"


def _repository_path(url: object) -> str:
    """The path of the repository that an address of GitHub's API lies in; empty if it lies in none."""
    parts = urlsplit(str(url or "")).path.partition("/repos/")[2].split("/")
    return f"/repos/{parts[0]}/{parts[1]}" if len(parts) > 1 else ""


def _sent_fields(part: str, data: Mapping[str, Any], *, title: object, state: object) -> dict[str, Any]:
    """An issue as GitHub took it, with the keys of what it gives notice of, if it does."""
    notices = {"notices": data["notices"]} if "notices" in data else {}
    return {"body": part, "title": title, "state": state, **notices}


def _has_news(data: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Whether an issue gives notice of something that it did not when GitHub took it last."""
    return bool(set(data.get("notices", ())) - set(sent.get("notices", ())))


def _state_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """An issue's state as GitHub takes it; open where nothing else is wanted."""
    if data.get("state") == "closed":
        return {"state": "closed", "state_reason": data.get("state_reason", "not_planned")}
    return {"state": "open"}
