"""The location of one post on GitHub: posts it once, and edits it in place without touching people's text."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from bot.github.client import GONE, GitHubRefusedError, Installation
from bot.github.marked_search import find_marked, find_marked_check_run
from bot.github.markers import Mark, as_comment, unsigned_text
from bot.github.owned_text import PeopleText, find_people_text
from bot.publishing.release_notes import MarkedPart, write_into_release
from bot.publishing.truncation import MOST_CHARACTERS, truncate
from storage.post_states import DesiredPost, Post, PostKind

_MOVED = frozenset({301, 302, 307, 308})
_CLOCK_DIFFERENCE = timedelta(minutes=5)
# A post that were cut to less than this would be useless.
_LEAST_CHARACTERS = 1000
_FORBIDDEN, _TOO_LONG = 403, 422


class PostGoneError(Exception):
    """A person has deleted the post, or removed the App's part from it."""


class ThreadGoneError(Exception):
    """The thread of a post was deleted, transferred or locked; the message is for people."""


@dataclass(frozen=True, slots=True)
class PostRepository:
    """A post's repository: `owner/name`, and GitHub's node id, which stays when it is renamed."""

    full_name: str
    node_id: str

    @property
    def path(self) -> str:
        """The repository's path in GitHub's REST API."""
        return f"/repos/{self.full_name}"


@dataclass(frozen=True, slots=True)
class SentPost:
    """A post that GitHub took: its id (the number of an issue), and the fields that were sent."""

    external_id: int
    sent_as: Mapping[str, Any] | None = None


class PostLocation:
    """The location of one post on GitHub."""

    def __init__(
        self,
        installation: Installation,
        repository: PostRepository,
        desired: DesiredPost,
        mark: Mark,
        keep_pace: Callable[[], Awaitable[None]],
    ) -> None:
        """`mark` identifies the post; `keep_pace` is awaited before each write."""
        self._installation = installation
        self._repository = repository
        self._keep_pace = keep_pace
        self._markers = installation.markers
        self._mark = mark
        self._desired = desired
        self._post = desired.post

    async def write(self) -> SentPost:
        """Edit the post, or create it.

        Raises PostGoneError, ThreadGoneError, GitHubRefusedError or GitHubUnavailableError.
        """
        external_id = self._desired.external_id
        if self._post.kind is PostKind.RELEASE:
            return await self._write_into_release()
        if external_id is None and self._desired.attempts > 1:
            external_id = await self._find_posted()
        match self._post.kind:
            case PostKind.CHECK:
                return await self._write_check(external_id)
            case PostKind.ISSUE:
                return await (self._edit_issue(external_id) if external_id else self._open_issue())
            case _:
                return await (self._edit_comment(external_id) if external_id else self._post_comment())

    async def _write_into_release(self) -> SentPost:
        path = f"{self._repository.path}/releases/{self._post.data['release']}"
        marked = MarkedPart(self._markers, self._mark)
        try:
            release = await write_into_release(
                self._installation, path, self._desired, marked, self._keep_pace
            )
        except GitHubRefusedError as refusal:
            if self._desired.external_id is not None and refusal.status in GONE:
                await self._require_repository()
                raise PostGoneError from None
            raise
        return SentPost(release)

    async def _write_check(self, external_id: int | None) -> SentPost:
        content = {**self._post.data, "external_id": self._markers.text(self._mark)}
        await self._keep_pace()
        if external_id is None:
            created = await self._installation.post(self._list_path, content)
            return SentPost(int(created["id"]))
        content.pop("head_sha", None)
        path = f"{self._repository.path}/check-runs/{external_id}"
        try:
            await self._installation.patch(path, content)
        except GitHubRefusedError as refusal:
            if refusal.status in GONE and self._desired.external_id is not None:
                await self._require_repository()
                raise PostGoneError from None
            raise
        return SentPost(external_id)

    # Comments

    async def _post_comment(self) -> SentPost:
        thread = await self._get_thread()
        part = truncate(self._post.body)
        await self._keep_pace()
        try:
            comment = await self._installation.post(self._list_path, {"body": self._new_body(part)})
        except GitHubRefusedError as refusal:
            if refusal.status == _FORBIDDEN and thread.get("locked") is True:
                raise ThreadGoneError(f"{refusal} (#{self._post.thread} is locked)") from None
            if refusal.status in GONE | _MOVED:
                await self._require_repository()
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
            await self._get_thread()
            raise PostGoneError from None
        if not await self._is_in_repository(_repository_path(present.get("issue_url"))):
            raise ThreadGoneError(f"#{self._post.thread} is in another repository now")
        part, body = self._merged_body(str(present.get("body") or ""))
        if body != present.get("body"):
            await self._patch(path, {"body": body})
        return SentPost(external_id, {"body": part})

    async def _get_thread(self) -> Mapping[str, Any]:
        """Get the post's thread. Raises ThreadGoneError if it is not in this repository any more."""
        path = f"{self._repository.path}/issues/{self._post.thread}"
        try:
            thread = await self._installation.get(path)
        except GitHubRefusedError as refusal:
            if refusal.status not in GONE | _MOVED:
                raise
            await self._require_repository()
            raise ThreadGoneError(f"{refusal} (#{self._post.thread} is gone)") from None
        if not await self._is_in_repository(_repository_path(thread.get("url"))):
            raise ThreadGoneError(f"#{self._post.thread} is in another repository now")
        return dict(thread)

    # Issues of the App

    async def _open_issue(self) -> SentPost:
        data, part = self._post.data, truncate(self._post.body)
        await self._keep_pace()
        issue = await self._installation.post(
            self._list_path, {"title": data["title"], "body": self._new_body(part)}
        )
        number = int(issue["number"])
        if data.get("state") == "closed":
            await self._patch(f"{self._repository.path}/issues/{number}", _state_fields(data))
        state = data.get("state", "open")
        return SentPost(number, _sent_fields(part, data, title=data["title"], state=state))

    async def _edit_issue(self, number: int) -> SentPost:
        """Edit the App's part of the text. Title and state stay as people changed them."""
        path = f"{self._repository.path}/issues/{number}"
        try:
            present = await self._installation.get(path)
        except GitHubRefusedError as refusal:
            if refusal.status in _MOVED:
                raise ThreadGoneError(f"{refusal} (#{number} was transferred)") from None
            if refusal.status not in GONE:
                raise
            await self._require_repository()
            raise PostGoneError from None
        if not await self._is_in_repository(_repository_path(present.get("url"))):
            raise ThreadGoneError(f"#{number} is in another repository now")
        part, body = self._merged_body(str(present.get("body") or ""))
        content: dict[str, Any] = {} if body == present.get("body") else {"body": body}
        sent, data = self._desired.sent_as, self._post.data
        if sent is None:
            # Either the App has just opened the issue, or a version that did not store the sent fields opened
            # it earlier. Then people may have changed its title and state, which is kept.
            is_new = self._desired.external_id is None
            desired_fields = {"title": data["title"], "state": data.get("state", "open")}
            sent = {"title": present.get("title"), "state": "open"} if is_new else desired_fields
        title, state = sent.get("title"), sent.get("state", "open")
        if data["title"] != title == present.get("title"):
            content["title"] = title = data["title"]
        desired_state, is_closed = data.get("state", "open"), present.get("state") == "closed"
        # The issue was closed before it had the present news.
        is_closed_too_early = state == desired_state == "open" and is_closed and _has_news(data, sent)
        if desired_state != state == present.get("state") or is_closed_too_early:
            content |= _state_fields(data)
        if content:
            await self._patch(path, content)
        return SentPost(number, _sent_fields(part, data, title=title, state=desired_state))

    # Comments and issues

    def _new_body(self, part: str) -> str:
        return PeopleText().around(part, self._markers.comment(self._mark))

    def _merged_body(self, present: str) -> tuple[str, str]:
        """The App's new part, and the present text with this part in the place of the old one."""
        names = [*self._markers.candidates(self._mark), unsigned_text(self._mark)]
        texts = [str((self._desired.sent_as or {}).get("body") or ""), *self._desired.attempted]
        markers = [as_comment(name) for name in names]
        people_text = find_people_text(present, markers, [truncate(text) for text in texts], self._post.body)
        if people_text is None:
            raise PostGoneError
        marker = self._markers.comment(self._mark)
        room = people_text.room(marker)
        if room < _LEAST_CHARACTERS:
            raise GitHubRefusedError(_TOO_LONG, "what people wrote around our text leaves no room for it")
        part = truncate(self._post.body, min(room, MOST_CHARACTERS))
        return part, people_text.around(part, marker)

    async def _patch(self, path: str, content: Mapping[str, Any]) -> None:
        await self._keep_pace()
        await self._installation.patch(path, content)

    async def _is_in_repository(self, path: str) -> bool:
        """Whether a repository's path, to which a redirect may have led, is that of this repository."""
        if not path or path.lower() == self._repository.path.lower():
            return True
        try:  # The post's repository may have been renamed.
            repository = await self._installation.get(path)
        except GitHubRefusedError:
            return False
        return bool(repository.get("node_id") == self._repository.node_id)

    async def _require_repository(self) -> None:
        """Raise GitHubRefusedError if the repository itself is invisible, not only an object in it."""
        await self._installation.get(self._repository.path)

    @property
    def _list_path(self) -> str:
        return {
            PostKind.COMMENT: f"{self._repository.path}/issues/{self._post.thread}/comments",
            PostKind.ISSUE: f"{self._repository.path}/issues",
            PostKind.CHECK: f"{self._repository.path}/check-runs",
        }[self._post.kind]

    async def _find_posted(self) -> int | None:
        """Find the post of an earlier attempt that died before the post's id was stored."""
        since = quote((self._desired.first_wanted_at - _CLOCK_DIFFERENCE).strftime("%Y-%m-%dT%H:%M:%SZ"))
        match self._post.kind:
            case PostKind.COMMENT:
                await self._get_thread()
                path = f"{self._list_path}?per_page=100&since={since}"
            case PostKind.ISSUE:
                path = f"{self._list_path}?state=all&per_page=100&since={since}"
            case _:
                commit = f"{self._repository.path}/commits/{self._post.data['head_sha']}"
                path = f"{commit}/check-runs?per_page=100"
        find = find_marked_check_run if self._post.kind is PostKind.CHECK else find_marked
        posted = await find(self._installation, path, self._mark)
        return int(posted["number" if self._post.kind is PostKind.ISSUE else "id"]) if posted else None


def post_mark(organization_id: int, desired: DesiredPost) -> Mark:
    """The mark that identifies a post on GitHub."""
    return Mark(organization_id, desired.project_id, _mark_place(desired.post), f"post:{desired.id}")


def _mark_place(post: Post) -> str:
    """A post's place, as its mark names it. Signed: changes invalidate markers."""
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
    """The repository's path in an address of GitHub's API; empty if the address has none."""
    parts = urlsplit(str(url or "")).path.partition("/repos/")[2].split("/")
    return f"/repos/{parts[0]}/{parts[1]}" if len(parts) > 1 else ""


def _sent_fields(part: str, data: Mapping[str, Any], *, title: object, state: object) -> dict[str, Any]:
    """An issue's fields as they were sent, with the keys of its notices, if it has any."""
    notices = {"notices": data["notices"]} if "notices" in data else {}
    return {"body": part, "title": title, "state": state, **notices}


def _has_news(data: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Whether an issue has notices that it did not have when it was sent last."""
    return bool(set(data.get("notices", ())) - set(sent.get("notices", ())))


def _state_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an issue's state for GitHub's API; open by default."""
    if data.get("state") == "closed":
        return {"state": "closed", "state_reason": data.get("state_reason", "not_planned")}
    return {"state": "open"}
