"""Releases: published."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from handlers.delivery import Delivery, FactRecorded
from handlers.payloads import AccountPayload, Id, get_login, to_details
from sprints.model import ActivityEvent


class _Release(msgspec.Struct):
    id: Id
    tag_name: str
    name: str | None = None
    prerelease: bool = False
    published_at: datetime | None = None
    target_commitish: str | None = None


class _Payload(msgspec.Struct):
    release: _Release
    sender: AccountPayload | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_release(delivery: Delivery) -> Iterator[FactRecorded]:
    """Record the release on the timeline."""
    payload = delivery.read(_PAYLOAD)
    release = payload.release
    yield FactRecorded(
        ActivityEvent(
            kind="release",
            subject=str(release.id),
            event=delivery.action or "",
            at=release.published_at or delivery.received_at,
            delivery=delivery.id,
            details=to_details(
                {
                    "tag": release.tag_name,
                    "name": release.name,
                    "is_prerelease": release.prerelease,
                    "target": release.target_commitish,
                }
            ),
            actor=get_login(payload.sender),
        )
    )
