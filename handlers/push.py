"""Pushes to the default branch: commits by author, and whether they touch the settings file."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from commands.settings.file import PATH
from handlers.delivery import Delivery, FactRecorded, SettingsChanged
from handlers.payloads import AccountPayload, RepositoryPayload, clean, get_login, to_datetime, to_details
from sprints.model import ActivityEvent


class _Author(msgspec.Struct):
    username: str | None = None


class _Commit(msgspec.Struct):
    author: _Author | None = None
    added: list[str] = []
    modified: list[str] = []
    removed: list[str] = []

    @property
    def files(self) -> Iterator[str]:
        yield from (*self.added, *self.modified, *self.removed)


class _Payload(msgspec.Struct):
    ref: str
    after: str
    repository: RepositoryPayload
    before: str | None = None
    commits: list[_Commit] = []
    forced: bool = False
    sender: AccountPayload | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)
# GitHub lists at most this many commits of a push.
_MOST_COMMITS = 2048
# Files and folders at the root in which bots like Prow keep their configuration.
OTHER_BOT_FILES = ("OWNERS", "OWNERS_ALIASES", ".prow.yaml", ".prow")


def record_push(delivery: Delivery) -> Iterator[FactRecorded]:
    """Count commits on the default branch, where GitHub itself counts them. Their texts are not stored."""
    payload = delivery.read(_PAYLOAD)
    repository = payload.repository
    if payload.ref != f"refs/heads/{repository.default_branch}" or not payload.commits:
        return
    # A commit whose author has no account on GitHub is counted under the empty login.
    authors = Counter(clean((commit.author and commit.author.username) or "") for commit in payload.commits)
    yield FactRecorded(
        ActivityEvent(
            kind="push",
            subject=clean(payload.after),
            event="pushed",
            at=to_datetime(repository.pushed_at) or delivery.received_at,
            delivery=delivery.id,
            details=to_details({"ref": payload.ref, "commits": dict(sorted(authors.items()))}),
            # After a forced push GitHub has no record any more of which commits it replaced.
            before={"head": clean(payload.before)} if payload.before else None,
            actor=get_login(payload.sender),
        )
    )


def detect_settings_change(delivery: Delivery) -> Iterator[SettingsChanged]:
    """Request the settings to be read again if a push may have changed them.

    A forced push may have removed commits that it does not list.
    """
    payload = delivery.read(_PAYLOAD)
    if payload.ref != f"refs/heads/{payload.repository.default_branch}":
        return
    is_partial = payload.forced or len(payload.commits) >= _MOST_COMMITS
    if is_partial or any(_is_settings_file(file) for commit in payload.commits for file in commit.files):
        yield SettingsChanged()


def _is_settings_file(file: str) -> bool:
    return file == PATH or file.partition("/")[0] in OTHER_BOT_FILES
