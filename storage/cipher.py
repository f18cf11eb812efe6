"""Compression and encryption (AES-256-GCM) of stored payloads, with rotating keys.

A sealed payload is bound to its place by authenticated associated data: a copy elsewhere cannot be decrypted.
"""

import base64
import binascii
import contextlib
import os
import zlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# The fastest level: webhook JSON shrinks to a sixth with it, and the webhook endpoint has to answer soon.
_COMPRESSION = 1
_KEY_BYTES = 32
# Random, and long enough for one key to be good for some four billion payloads.
_NONCE_BYTES = 12


class PayloadCipher:
    """Encrypts with the first key and decrypts with any. Raises ValueError for a malformed key."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._ciphers = [AESGCM(_decoded(key)) for key in keys]
        if not self._ciphers:
            raise ValueError("at least one key is needed")

    def seal(self, content: bytes, place: bytes) -> bytes:
        """Encrypt content for a place, such as one of `delivery_place`."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, zlib.compress(content, _COMPRESSION), place)

    def open(self, sealed: bytes, place: bytes, *, may_be_unbound: bool = False) -> bytes:
        """Decrypt content that was sealed for a place. Raises LookupError for another place or key.

        `may_be_unbound` also accepts content of earlier versions, which bound nothing to a place. Content
        that was sealed for a place never opens as unbound.
        """
        nonce, content = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        for bound_to in (place, None) if may_be_unbound else (place,):
            for cipher in self._ciphers:
                # ValueError: too short to be anything that was sealed.
                with contextlib.suppress(InvalidTag, ValueError):
                    return zlib.decompress(cipher.decrypt(nonce, content, bound_to))
        raise LookupError(
            "a stored payload was encrypted with a key that ENCRYPTION_KEYS no longer lists, or for another "
            "place; if keys were changed, list the old key after the new one"
        )


def delivery_place(account: int | None, delivery: str) -> bytes:
    """The place of a payload: GitHub's id of the tenant's account, and the id of the delivery."""
    return f"delivery:{account}:{delivery}".encode()


def new_key() -> str:
    """Generate a key: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode()


def _decoded(key: str) -> bytes:
    try:
        decoded = base64.urlsafe_b64decode(key)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != _KEY_BYTES:
        raise ValueError("a key is 32 bytes in URL-safe base64")
    return decoded
