"""The App on an account: installed, uninstalled, suspended; and on which of its repositories."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from handlers.delivery import (
    Delivery,
    InstallationChanged,
    Recorded,
    RepositoriesChanged,
    WritingAllowed,
)
from handlers.payloads import Account, Id, Moment, Repository, clean, moment, plain
from sprints.model import ActivityEvent


class _Installation(msgspec.Struct):
    id: Id
    account: Account | None = None
    updated_at: Moment = None
    suspended_at: datetime | None = None


class _Payload(msgspec.Struct):
    installation: _Installation
    repositories: list[Repository] = []
    repositories_added: list[Repository] = []
    repositories_removed: list[Repository] = []
    repository_selection: str | None = None
    sender: Account | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_installation(
    delivery: Delivery,
) -> Iterator[Recorded | InstallationChanged | RepositoriesChanged | WritingAllowed]:
    """Created, deleted, suspended, unsuspended, or new permissions were accepted."""
    payload = delivery.read(_PAYLOAD)
    fact = _fact(delivery, payload)
    yield Recorded(fact)
    yield InstallationChanged(payload.installation.id, delivery.action or "", fact.at)
    if delivery.action in ("created", "unsuspend", "new_permissions_accepted"):
        yield WritingAllowed()
    if delivery.action == "created":
        yield RepositoriesChanged(added=payload.repositories, installation=payload.installation.id)
    elif delivery.action == "deleted":
        yield RepositoriesChanged(removed=payload.repositories, installation=payload.installation.id)


def record_installation_repositories(
    delivery: Delivery,
) -> Iterator[Recorded | RepositoriesChanged | WritingAllowed]:
    """Repositories were added to the installation, or removed from it."""
    payload = delivery.read(_PAYLOAD)
    yield Recorded(_fact(delivery, payload))
    yield RepositoriesChanged(
        added=payload.repositories_added,
        removed=payload.repositories_removed,
        installation=payload.installation.id,
    )
    if payload.repositories_added:
        yield WritingAllowed()


def _fact(delivery: Delivery, payload: _Payload) -> ActivityEvent:
    told = [*payload.repositories, *payload.repositories_added, *payload.repositories_removed]
    return ActivityEvent(
        kind="installation",
        subject=str(payload.installation.id),
        event=f"{delivery.event}.{delivery.action}",
        # Its own time is that of the last change of the installation, which may be an older one.
        at=max(moment(payload.installation.updated_at) or delivery.received_at, delivery.received_at),
        delivery=delivery.id,
        details=plain(
            {
                "selection": payload.repository_selection,
                "repositories": [clean(one.full_name) for one in told],
            }
        ),
        actor=clean(payload.sender.login) if payload.sender else None,
    )
