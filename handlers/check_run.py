"""Our own check runs: a button was pressed, or one is to be run again. Of others GitHub tells nothing."""

from collections.abc import Iterator

import msgspec

from handlers.delivery import CheckWanted, Delivery, Pressed
from handlers.payloads import Account, clean

# The check whose buttons and re-runs are meant here; settings have one of their own.
NAME = "Sprint impact"


class _CheckRun(msgspec.Struct):
    name: str
    head_sha: str


class _Action(msgspec.Struct):
    identifier: str


class _Payload(msgspec.Struct):
    """Of its pull requests GitHub tells only those of the same repository, so nothing relies on them."""

    check_run: _CheckRun
    sender: Account
    requested_action: _Action | None = None


class Press(msgspec.Struct, frozen=True):
    """Who pressed which button, on the check of which commit."""

    button: str
    head: str
    sender: str
    is_bot: bool


_PAYLOAD = msgspec.json.Decoder(_Payload)


def follow_check_run(delivery: Delivery) -> Iterator[CheckWanted | Pressed]:
    """Asks for what a button says, or for the check once more."""
    run = delivery.read(_PAYLOAD).check_run
    if run.name != NAME:
        return
    if delivery.action == "requested_action":
        yield Pressed()
    else:
        yield CheckWanted(head=clean(run.head_sha), is_rerun=True)


def press_of(delivery: Delivery) -> Press:
    """What was pressed. The event carries nothing of a button but its identifier."""
    payload = delivery.read(_PAYLOAD)
    button = payload.requested_action.identifier if payload.requested_action else ""
    sender = payload.sender
    return Press(clean(button), clean(payload.check_run.head_sha), clean(sender.login), sender.type == "Bot")
