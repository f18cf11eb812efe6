"""Markers: how we recognise on GitHub what an earlier attempt of ours has written, and nobody can imitate it.

A process can die after GitHub took a comment and before we noted it. So whatever we write bears a marker
that the next attempt looks for. Everybody can read it in the raw text, so it is worth nothing elsewhere: it
holds an HMAC over what it marks, with a key that only we have, and is bound to tenant, repository and place.

What is found is edited afterwards, so in comments, issues and checks our App must be the author as well. The
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
    """What a marker stands for: a `name` that is unique in its repository, and the `place` it belongs into.

    The place is a thread, a commit, a release, or the list of issues.
    """

    organization_id: int
    project_id: int
    place: str
    name: str


class Markers:
    """Makes markers with the first key and recognises those of all keys, so that keys may rotate."""

    def __init__(self, encryption_keys: Sequence[str]) -> None:
        """`encryption_keys` are those of stored payloads, newest first; those of markers are derived."""
        self._keys = [_derived(key) for key in encryption_keys]

    def text(self, mark: Mark) -> str:
        """The marker as plain text, for fields that nobody reads."""
        return self._signed(self._keys[0], mark)

    def comment(self, mark: Mark) -> str:
        """The marker as a comment in Markdown, which nobody sees."""
        return as_comment(self.text(mark))

    def candidates(self, mark: Mark) -> tuple[str, ...]:
        """The marker as each of our keys makes it, newest first."""
        return tuple(self._signed(key, mark) for key in self._keys)

    def is_text(self, text: str | None, mark: Mark) -> bool:
        """Whether a field holds the marker. Only for what our App wrote."""
        return text in {*self.candidates(mark), unsigned(mark)}

    def is_marked(self, body: str | None, mark: Mark) -> bool:
        """Whether a body bears the marker. Only for what our App wrote.

        Markers without an HMAC are those of earlier versions, which stand at the end. Elsewhere one may be
        quoted from somebody's words.
        """
        body = body or ""
        if any(as_comment(candidate) in body for candidate in self.candidates(mark)):
            return True
        return body.rstrip().endswith(as_comment(unsigned(mark)))

    def _signed(self, key: bytes, mark: Mark) -> str:
        content = msgspec.json.encode((mark.organization_id, mark.project_id, mark.place, mark.name))
        digest = hmac.new(key, content, hashlib.sha256).hexdigest()
        return f"{unsigned(mark)}:{digest[:_MAC_DIGITS]}"


def unsigned(mark: Mark) -> str:
    """The marker as earlier versions wrote it, which anybody can write."""
    return f"{PREFIX}:{mark.name}"


def as_comment(marker: str) -> str:
    """A marker as a comment in Markdown."""
    return f"<!-- {marker} -->"


def _derived(encryption_key: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE)
    return derivation.derive(base64.urlsafe_b64decode(encryption_key))
