"""Check runs of the App: a button was pressed, or a re-run requested. GitHub sends no others."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import ButtonPressed, CheckRequested, Delivery, MergeGroupQueued
from handlers.merge_group import is_queue_branch, parse_pull_request_number
from handlers.payloads import AccountPayload, clean

# The name of the check that has buttons; the check of the settings file has another name.
CHECK_NAME = "Sprint impact"


# The `external_id` of the check of a merge group.
MERGE_GROUP_ID = "merge-group"


class _CheckSuite(msgspec.Struct):
    head_branch: str | None = None


class _CheckRun(msgspec.Struct):
    name: str
    head_sha: str
    external_id: str | None = None
    check_suite: _CheckSuite | None = None


class _Action(msgspec.Struct):
    identifier: str


class _Payload(msgspec.Struct):
    """A `check_run` event. Its pull requests are not read: GitHub lists only those of the same repository."""

    check_run: _CheckRun
    sender: AccountPayload | None = None
    requested_action: _Action | None = None


class ButtonPress(msgspec.Struct, frozen=True):
    """A press of a check's button: the button's identifier, the commit's SHA, and who pressed it."""

    button: str
    head: str
    sender: str
    is_bot: bool


_PAYLOAD = msgspec.json.Decoder(_Payload)


def handle_check_run(delivery: Delivery) -> Iterator[CheckRequested | MergeGroupQueued | ButtonPressed]:
    """Request the action of a button, or a re-run of the check."""
    payload = delivery.read(_PAYLOAD)
    run = payload.check_run
    if run.name != CHECK_NAME:
        return
    branch = run.check_suite.head_branch if run.check_suite else None
    if is_queue_branch(branch) or run.external_id == MERGE_GROUP_ID:
        # The check of a merge group has no buttons, but can be run again.
        yield MergeGroupQueued(clean(run.head_sha), parse_pull_request_number(branch), is_rerun=True)
    elif delivery.action == "requested_action":
        # A press without a sender is not allowed, and a button without an identifier does nothing.
        if payload.sender and payload.requested_action:
            yield ButtonPressed()
    else:
        yield CheckRequested(head=clean(run.head_sha), is_rerun=True)


def read_button_press(delivery: Delivery) -> ButtonPress:
    """Read which button was pressed. The event carries only the button's identifier."""
    payload = delivery.read(_PAYLOAD)
    button = payload.requested_action.identifier if payload.requested_action else ""
    sender = payload.sender
    login, is_bot = (sender.login, sender.type == "Bot") if sender else ("", False)
    return ButtonPress(clean(button), clean(payload.check_run.head_sha), clean(login), is_bot)
