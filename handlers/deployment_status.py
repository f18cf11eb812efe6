"""Deployments: how each of them went, and where."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from handlers.delivery import Delivery, Recorded
from handlers.payloads import Account, Id, clean, plain
from sprints.model import ActivityEvent


class _Status(msgspec.Struct):
    id: Id
    state: str
    created_at: datetime
    environment: str | None = None


class _Deployment(msgspec.Struct):
    id: Id
    environment: str = ""
    sha: str | None = None
    ref: str | None = None
    created_at: datetime | None = None
    production_environment: bool | None = None


class _Payload(msgspec.Struct):
    deployment_status: _Status
    deployment: _Deployment
    sender: Account | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_deployment_status(delivery: Delivery) -> Iterator[Recorded]:
    """Puts the status on the timeline."""
    payload = delivery.read(_PAYLOAD)
    status, deployment = payload.deployment_status, payload.deployment
    yield Recorded(
        ActivityEvent(
            kind="deployment",
            subject=f"{deployment.id}/{status.id}",
            event=clean(status.state),
            at=status.created_at,
            delivery=delivery.id,
            details=plain(
                {
                    "deployment": deployment.id,
                    "environment": status.environment or deployment.environment,
                    "is_production": deployment.production_environment,
                    "sha": deployment.sha,
                    "ref": deployment.ref,
                    "created_at": deployment.created_at.isoformat() if deployment.created_at else None,
                }
            ),
            actor=payload.sender.known_as if payload.sender else None,
        )
    )
