"""Signed links that expire: their content is sealed into the URL."""

import base64
import json
from datetime import datetime

from storage.cipher import PayloadCipher


class SignedLinkError(Exception):
    """A signed link is forged, damaged or expired; the text is for the visitor."""


# Separates links from everything else that is sealed with the same key.
_CONTEXT = b"ticket"

# Only an operator makes links to the billing portal.
_HOW_TO_RENEW = {"portal": "Whoever runs this App, and sent it to you, can make a new one."}
_HOW_TO_RENEW_DEFAULT = "`/agile plan` makes a new one."


class SignedLinks:
    """Issues and reads signed links. Their content is encrypted like stored payloads."""

    def __init__(self, cipher: PayloadCipher) -> None:
        self._cipher = cipher

    def issue(self, purpose: str, until: datetime, **content: object) -> str:
        """Return a URL-safe ticket with JSON content, valid for one purpose and until a moment."""
        plaintext = json.dumps(content | {"for": purpose, "until": until.timestamp()}).encode()
        sealed = self._cipher.seal(plaintext, _CONTEXT)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def read(self, ticket: str, purpose: str, now: datetime) -> dict[str, object]:
        """Return a ticket's content. Raises SignedLinkError, also for another purpose."""
        try:
            sealed = base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
            content: dict[str, object] = json.loads(self._cipher.open(sealed, _CONTEXT))
        except (ValueError, LookupError):
            raise SignedLinkError("This link is invalid or incomplete.") from None
        if content.get("for") != purpose:
            raise SignedLinkError("This link is for something else.")
        if now.timestamp() > float(str(content["until"])):
            raise SignedLinkError(
                f"This link is too old. {_HOW_TO_RENEW.get(purpose, _HOW_TO_RENEW_DEFAULT)}"
            )
        return content
