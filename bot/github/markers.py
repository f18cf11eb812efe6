"""Unforgeable markers by which the App recognises its own earlier writes on GitHub.

A process can die after GitHub accepted a comment and before its id was stored. So everything that the App
writes has a marker, for which the next attempt searches. Anybody can read a marker in the raw text, so it
must be useless elsewhere: it holds an HMAC over the mark, with a key that only the App has, and the mark
names tenant, repository and place.

The object found is edited afterwards, so in comments, issues and checks the App must also be the author. The
text of a release belongs to people; there the HMAC alone decides.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PREFIX = "agile-github-suite"
_PURPOSE = b"agile-github-suite: markers"
_KEY_BYTES = 32
_MAC_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Mark:
    """The identity that a marker stands for: a `name` that is unique in its repository, and a `place`.

    The place is a thread, a commit, a release, or the list of issues. Signed: changes invalidate markers.
    """

    organization_id: int
    project_id: int
    place: str
    name: str


class Markers:
    """Creates markers with the first key and recognises those of all keys, so that keys may rotate."""

    def __init__(self, encryption_keys: Sequence[str]) -> None:
        """`encryption_keys`: those of stored payloads, newest first. Markers' keys are derived from them."""
        self._keys = [_derived(key) for key in encryption_keys]

    def text(self, mark: Mark) -> str:
        """Format the marker as plain text, for a field that is not shown to people."""
        return self._signed(self._keys[0], mark)

    def comment(self, mark: Mark) -> str:
        """Format the marker as an invisible comment in Markdown."""
        return as_comment(self.text(mark))

    def candidates(self, mark: Mark) -> tuple[str, ...]:
        """The marker's texts with each of the keys, the newest first."""
        return tuple(self._signed(key, mark) for key in self._keys)

    def is_text(self, text: str | None, mark: Mark) -> bool:
        """Whether a field holds the marker. Only for fields that the App wrote."""
        return text in {*self.candidates(mark), unsigned_text(mark)}

    def is_marked(self, body: str | None, mark: Mark) -> bool:
        """Whether a body bears the marker. Only for bodies that the App wrote.

        Earlier versions wrote markers without an HMAC at the end of the body. Elsewhere such a marker may
        be part of a quotation.
        """
        body = body or ""
        if any(as_comment(candidate) in body for candidate in self.candidates(mark)):
            return True
        return body.rstrip().endswith(as_comment(unsigned_text(mark)))

    def _signed(self, key: bytes, mark: Mark) -> str:
        content = msgspec.json.encode((mark.organization_id, mark.project_id, mark.place, mark.name))
        digest = hmac.new(key, content, hashlib.sha256).hexdigest()
        return f"{unsigned_text(mark)}:{digest[:_MAC_DIGITS]}"


def unsigned_text(mark: Mark) -> str:
    """The marker's text in earlier versions, without an HMAC. Anybody could write it."""
    return f"{PREFIX}:{mark.name}"


def as_comment(marker: str) -> str:
    """Format a marker as an invisible comment in Markdown."""
    return f"<!-- {marker} -->"


def _derived(encryption_key: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE)
    return derivation.derive(base64.urlsafe_b64decode(encryption_key))
