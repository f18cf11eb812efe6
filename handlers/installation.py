"""The App's installations: created, deleted, suspended; their repositories; renamed accounts."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from handlers.delivery import (
    AccountRenamed,
    Delivery,
    FactRecorded,
    InstallationChanged,
    RepositoriesChanged,
    WritingAllowed,
)
from handlers.payloads import (
    AccountPayload,
    Id,
    Moment,
    RepositoryPayload,
    clean,
    get_login,
    to_datetime,
    to_details,
)
from sprints.model import ActivityEvent


class _Installation(msgspec.Struct):
    id: Id
    account: AccountPayload | None = None
    created_at: Moment = None
    updated_at: Moment = None
    suspended_at: datetime | None = None
    permissions: dict[str, Any] | None = None


class _Payload(msgspec.Struct):
    installation: _Installation
    repositories: list[RepositoryPayload] = []
    repositories_added: list[RepositoryPayload] = []
    repositories_removed: list[RepositoryPayload] = []
    repository_selection: str | None = None
    sender: AccountPayload | None = None


class _Login(msgspec.Struct):
    from_: str = msgspec.field(name="from", default="")


class _AccountChanges(msgspec.Struct):
    login: _Login | None = None


class _Renamed(msgspec.Struct):
    account: AccountPayload
    changes: _AccountChanges


_PAYLOAD = msgspec.json.Decoder(_Payload)
_RENAMED = msgspec.json.Decoder(_Renamed)


def record_installation(
    delivery: Delivery,
) -> Iterator[FactRecorded | InstallationChanged | RepositoriesChanged | WritingAllowed]:
    """Record that an installation was created, deleted, suspended or unsuspended, or got permissions."""
    payload = delivery.read(_PAYLOAD)
    fact = _fact(delivery, payload)
    yield FactRecorded(fact)
    yield InstallationChanged(
        payload.installation.id,
        delivery.action or "",
        fact.at,
        _stated_at(delivery, payload.installation),
        _permissions(payload.installation),
    )
    if delivery.action in ("created", "unsuspend", "new_permissions_accepted"):
        yield WritingAllowed()
    if delivery.action == "created":
        yield RepositoriesChanged(added=payload.repositories, installation=payload.installation.id)
    elif delivery.action == "deleted":
        yield RepositoriesChanged(removed=payload.repositories, installation=payload.installation.id)


def record_installation_repositories(
    delivery: Delivery,
) -> Iterator[FactRecorded | RepositoriesChanged | WritingAllowed]:
    """Record that repositories were added to an installation, or removed from it."""
    payload = delivery.read(_PAYLOAD)
    yield FactRecorded(_fact(delivery, payload))
    yield RepositoriesChanged(
        added=payload.repositories_added,
        removed=payload.repositories_removed,
        installation=payload.installation.id,
        stated_at=to_datetime(payload.installation.updated_at),
    )
    if payload.repositories_added:
        yield WritingAllowed()


def record_account_renamed(delivery: Delivery) -> Iterator[AccountRenamed]:
    """Report that an account was renamed: its repositories have new full names from then on."""
    payload = delivery.read(_RENAMED)
    before, after = payload.changes.login, payload.account.login
    if before and before.from_ and after:
        yield AccountRenamed(clean(before.from_), clean(after))


def _stated_at(delivery: Delivery, installation: _Installation) -> datetime | None:
    """Return the change's time by GitHub's clock. None for a deletion: its payload shows an older change."""
    match delivery.action:
        case "created":
            return to_datetime(installation.created_at)
        case "suspend":
            return installation.suspended_at or to_datetime(installation.updated_at)
        case "unsuspend":
            return to_datetime(installation.updated_at)
        case _:
            return None


def _permissions(installation: _Installation) -> dict[str, str]:
    """The levels by name, such as `{"issues": "write"}`."""
    return {clean(name): clean(str(level)) for name, level in (installation.permissions or {}).items()}


def _fact(delivery: Delivery, payload: _Payload) -> ActivityEvent:
    repositories = [*payload.repositories, *payload.repositories_added, *payload.repositories_removed]
    return ActivityEvent(
        kind="installation",
        subject=str(payload.installation.id),
        event=f"{delivery.event}.{delivery.action}",
        # The payload's time is that of the installation's last change, which may be an older one.
        at=max(to_datetime(payload.installation.updated_at) or delivery.received_at, delivery.received_at),
        delivery=delivery.id,
        details=to_details(
            {
                "selection": payload.repository_selection,
                "repositories": [clean(repository.full_name) for repository in repositories],
                "permissions": _permissions(payload.installation),
            }
        ),
        actor=get_login(payload.sender),
    )
