"""Pushes to the default branch: how many commits of whom, and whether they touch the settings."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from commands.settings.file import PATH
from handlers.delivery import Delivery, Recorded, SettingsChanged
from handlers.payloads import AccountPayload, RepositoryPayload, clean, moment, plain
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
# Up to so many commits GitHub lists in a push.
_MOST_COMMITS = 2048
# What bots like Prow keep their configuration in, at the root.
OTHER_BOTS = ("OWNERS", "OWNERS_ALIASES", ".prow.yaml", ".prow")


def record_push(delivery: Delivery) -> Iterator[Recorded]:
    """Counts commits where GitHub itself counts them, on the default branch. No text of them is kept."""
    payload = delivery.read(_PAYLOAD)
    repository = payload.repository
    if payload.ref != f"refs/heads/{repository.default_branch}" or not payload.commits:
        return
    # A commit whose author is not known to GitHub counts for nobody in particular.
    authors = Counter(clean((one.author and one.author.username) or "") for one in payload.commits)
    yield Recorded(
        ActivityEvent(
            kind="push",
            subject=clean(payload.after),
            event="pushed",
            at=moment(repository.pushed_at) or delivery.received_at,
            delivery=delivery.id,
            details=plain({"ref": payload.ref, "commits": dict(sorted(authors.items()))}),
            # After a forced push nobody can ask any more which commits it replaced.
            before={"head": clean(payload.before)} if payload.before else None,
            actor=payload.sender.known_as if payload.sender else None,
        )
    )


def find_settings(delivery: Delivery) -> Iterator[SettingsChanged]:
    """Whether the settings are to be read again. A forced push may have taken back what it does not list."""
    payload = delivery.read(_PAYLOAD)
    if payload.ref != f"refs/heads/{payload.repository.default_branch}":
        return
    is_partial = payload.forced or len(payload.commits) >= _MOST_COMMITS
    if is_partial or any(_concerns_settings(file) for one in payload.commits for file in one.files):
        yield SettingsChanged()


def _concerns_settings(file: str) -> bool:
    return file == PATH or file.partition("/")[0] in OTHER_BOTS
