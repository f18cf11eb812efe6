"""Signed, expiring words in addresses."""

import base64
import json
from datetime import datetime

from storage.cipher import PayloadCipher


class SignedLinkError(Exception):
    """A link of ours is forged, damaged or too old; its text says so."""


# Nothing else that is sealed can be taken for a link, nor a link for anything else.
_PLACE = b"ticket"


# Links to the billing portal are made by an operator alone.
_WHO_MAKES_IT = {"portal": "Whoever runs this App, and sent it to you, can make a new one."}
_ANYBODY = "`/agile plan` makes a new one."


class SignedLinks:
    """Signed, expiring words in addresses. They are sealed as stored payloads are, so that nothing shows."""

    def __init__(self, cipher: PayloadCipher) -> None:
        self._cipher = cipher

    def issue(self, purpose: str, until: datetime, **told: object) -> str:
        content = json.dumps(told | {"for": purpose, "until": until.timestamp()}).encode()
        sealed = self._cipher.seal(content, _PLACE)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def read(self, ticket: str, purpose: str, now: datetime) -> dict[str, object]:
        """What was told. Raises TicketError."""
        try:
            sealed = base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
            told: dict[str, object] = json.loads(self._cipher.open(sealed, _PLACE))
        except (ValueError, LookupError):
            raise SignedLinkError("This link is not one of ours, or it was damaged on its way.") from None
        if told.get("for") != purpose:
            raise SignedLinkError("This link is for something else.")
        if now.timestamp() > float(str(told["until"])):
            raise SignedLinkError(f"This link is too old. {_WHO_MAKES_IT.get(purpose, _ANYBODY)}")
        return told
