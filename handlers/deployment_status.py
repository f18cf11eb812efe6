"""Deployments: the status of each, with its environment, commit and creator."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from handlers.delivery import Delivery, FactRecorded
from handlers.payloads import AccountPayload, Id, Moment, clean, get_login, to_datetime, to_details
from sprints.model import ActivityEvent


class _Status(msgspec.Struct):
    id: Id
    state: str
    created_at: datetime
    environment: str | None = None
    creator: AccountPayload | None = None


class _Deployment(msgspec.Struct):
    id: Id
    environment: str = ""
    original_environment: str | None = None
    sha: str | None = None
    ref: str | None = None
    task: str | None = None
    creator: AccountPayload | None = None
    created_at: Moment = None
    production_environment: bool | None = None
    transient_environment: bool | None = None


class _Payload(msgspec.Struct):
    deployment_status: _Status
    deployment: _Deployment
    sender: AccountPayload | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


def record_deployment_status(delivery: Delivery) -> Iterator[FactRecorded]:
    """Record the status on the timeline, with all fields that the DORA metrics need.

    `environment` is that of the status, `original_environment` that of the deployment when it was created.
    Facts of earlier versions lack some of these fields.
    """
    payload = delivery.read(_PAYLOAD)
    status, deployment = payload.deployment_status, payload.deployment
    began_at = to_datetime(deployment.created_at)
    yield FactRecorded(
        ActivityEvent(
            kind="deployment",
            subject=f"{deployment.id}/{status.id}",
            event=clean(status.state),
            at=status.created_at,
            delivery=delivery.id,
            details=to_details(
                {
                    "deployment": deployment.id,
                    "environment": status.environment or deployment.environment,
                    "original_environment": deployment.original_environment,
                    "is_production": deployment.production_environment,
                    "is_transient": deployment.transient_environment,
                    "sha": deployment.sha,
                    "ref": deployment.ref,
                    "task": deployment.task,
                    "created_at": began_at.isoformat() if began_at else None,
                    "creator": _person(deployment.creator),
                    "status_creator": _person(status.creator),
                }
            ),
            actor=get_login(payload.sender),
        )
    )


def _person(account: AccountPayload | None) -> dict[str, object] | None:
    """Describe an account: the id outlasts changes of the login, and the type separates bots from people."""
    if account is None:
        return None
    return {"id": account.id, "login": clean(account.login), "type": clean(account.type)}
