"""Our own check runs: a button was pressed, or one is to be run again. Of others GitHub tells nothing."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import CheckWanted, Delivery, MergeGroupQueued, Pressed
from handlers.merge_group import is_queue_branch, pull_request_of
from handlers.payloads import AccountPayload, clean

# The check whose buttons and re-runs are meant here; settings have one of their own.
NAME = "Sprint impact"


# What marks the check of a merge group as that.
MERGE_GROUP = "merge-group"


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
    """Of its pull requests GitHub tells only those of the same repository, so nothing relies on them."""

    check_run: _CheckRun
    sender: AccountPayload | None = None
    requested_action: _Action | None = None


class Press(msgspec.Struct, frozen=True):
    """Who pressed which button, on the check of which commit."""

    button: str
    head: str
    sender: str
    is_bot: bool


_PAYLOAD = msgspec.json.Decoder(_Payload)


def follow_check_run(delivery: Delivery) -> Iterator[CheckWanted | MergeGroupQueued | Pressed]:
    """Asks for what a button says, or for the check once more."""
    payload = delivery.read(_PAYLOAD)
    run = payload.check_run
    if run.name != NAME:
        return
    branch = run.check_suite.head_branch if run.check_suite else None
    if is_queue_branch(branch) or run.external_id == MERGE_GROUP:
        # Its check has no buttons, but can be run again.
        yield MergeGroupQueued(clean(run.head_sha), pull_request_of(branch), is_rerun=True)
    elif delivery.action == "requested_action":
        # Nobody may press a button without a name, and a button without an identifier does nothing.
        if payload.sender and payload.requested_action:
            yield Pressed()
    else:
        yield CheckWanted(head=clean(run.head_sha), is_rerun=True)


def press_of(delivery: Delivery) -> Press:
    """What was pressed. The event carries nothing of a button but its identifier."""
    payload = delivery.read(_PAYLOAD)
    button = payload.requested_action.identifier if payload.requested_action else ""
    sender = payload.sender
    login, is_bot = (sender.login, sender.type == "Bot") if sender else ("", False)
    return Press(clean(button), clean(payload.check_run.head_sha), clean(login), is_bot)
