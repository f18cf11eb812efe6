"""Repositories: renamed, transferred, archived, deleted. Their history stays with their node id."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from handlers.delivery import (
    Delivery,
    FactRecorded,
    RepositoriesChanged,
    RepositoryTransferred,
    VisibilityChanged,
    WritingAllowed,
)
from handlers.payloads import (
    AccountPayload,
    OwnerChangePayload,
    RepositoryPayload,
    clean,
    get_login,
    to_datetime,
)
from sprints.model import ActivityEvent


class _Name(msgspec.Struct):
    from_: str = msgspec.field(name="from")


class _RepositoryChanges(msgspec.Struct):
    name: _Name | None = None


class _Changes(msgspec.Struct):
    repository: _RepositoryChanges | None = None
    owner: OwnerChangePayload | None = None


class _Payload(msgspec.Struct):
    repository: RepositoryPayload
    changes: _Changes | None = None
    sender: AccountPayload | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)
_VISIBILITY = {"publicized": False, "privatized": True}


def record_repository(
    delivery: Delivery,
) -> Iterator[
    FactRecorded | RepositoriesChanged | RepositoryTransferred | VisibilityChanged | WritingAllowed
]:
    """Record the change on the timeline. An archived or deleted repository gets no more periodic work."""
    payload = delivery.read(_PAYLOAD)
    repository, changes = payload.repository, payload.changes
    former_name = changes.repository.name if changes and changes.repository else None
    at = repository.updated_at or delivery.received_at
    yield FactRecorded(
        ActivityEvent(
            kind="repository",
            subject=repository.key,
            event=delivery.action or "",
            at=at,
            delivery=delivery.id,
            details={"full_name": clean(repository.full_name), "is_private": repository.private},
            before={"name": clean(former_name.from_)} if former_name else None,
            actor=get_login(payload.sender),
        )
    )
    if delivery.action in _VISIBILITY:
        yield VisibilityChanged(_VISIBILITY[delivery.action], at)
    if delivery.action == "archived":
        yield RepositoriesChanged(archived=[repository])
    elif delivery.action == "deleted":
        yield RepositoriesChanged(removed=[repository])
    elif delivery.action == "unarchived":
        yield RepositoriesChanged(added=[repository], stated_at=_stated_at(repository))
        yield WritingAllowed()
    elif delivery.action == "transferred":
        former_owner = changes.owner.former_owner if changes and changes.owner else None
        yield RepositoryTransferred(
            repository,
            repository.owner.id if repository.owner else None,
            former_owner.id if former_owner else None,
            _stated_at(repository),
        )


def _stated_at(repository: RepositoryPayload) -> datetime | None:
    """The newest time of the repository in the payload."""
    times = [repository.updated_at, to_datetime(repository.pushed_at)]
    return max((time for time in times if time is not None), default=None)
